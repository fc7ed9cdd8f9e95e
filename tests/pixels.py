"""What a drawing shows, told by its pixels: colours, and the boxes around them."""

from __future__ import annotations

import io
from itertools import pairwise

from PIL import Image, ImageChops


def painted(colour, size=(64, 64), kind="PNG", mode="RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, kind)
    return buffer.getvalue()


def noisy(size: tuple[int, int]) -> bytes:
    """The worst that a JPEG can be given."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    image.load()
    return image


def where(image: Image.Image, colour, near=24) -> tuple[int, int, int, int] | None:
    """The box around all pixels of about that colour."""
    apart = ImageChops.difference(image, Image.new("RGB", image.size, colour))
    red, green, blue = apart.split()
    worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return worst.point(lambda value: 255 * (value < near)).getbbox()


def changed(one: Image.Image, other: Image.Image, least=40) -> tuple[int, int, int, int] | None:
    difference = ImageChops.difference(one, other).convert("L")
    return difference.point(lambda value: 255 * (value > least)).getbbox()


def inside(inner, outer, slack=0) -> bool:
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


def meet(one, other, apart=0) -> bool:
    return (
        one[0] < other[2] + apart
        and other[0] < one[2] + apart
        and one[1] < other[3] + apart
        and other[1] < one[3] + apart
    )


def segments(points):
    """The box around each part of a line."""
    for start, end in pairwise(points):
        yield (
            min(start.x, end.x),
            min(start.y, end.y),
            max(start.x, end.x),
            max(start.y, end.y),
        )


def assert_near(pixel, colour, what=""):
    assert max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 14, (pixel, colour, what)
