"""Finished pictures as bytes: told apart, checked, and made to fit where they are sent.

All of it is pure computing: `inspect` is quick enough for the event loop, `decode` and
`fit` belong in a thread.
"""

from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageOps

from bot.errors import BadAnswer, EaselError
from bot.imaging import recipe
from bot.imaging.containers import Malformed, MediaType, Picture, parts_of, size_of, sniff

if TYPE_CHECKING:
    from bot.imaging.recipe import Recipe

__all__ = ["PIXELS_MAX", "SIDE_MAX", "MediaType", "Picture", "decode", "fit", "inspect"]

#: The largest that any model paints is 17 megapixels; decoded, this many take 160 MB.
PIXELS_MAX: Final = 40_000_000
#: As large as WebP goes; JPEG could hold four times as much.
SIDE_MAX: Final = 16_383

#: Steps that the eye barely sees; below the last, fewer pixels look better than worse ones.
_QUALITIES = (92, 86, 80, 72)
_SMALLEST_SIDE = 16
_FORMATS = ("JPEG", "PNG", "WEBP")
#: Where a profile names its colours: https://www.color.org/specification/ICC.1-2022-05.pdf, 7.2
_PROFILE_SPACE = slice(16, 20)


def inspect(data: bytes) -> Picture:
    """The picture in an answer's bytes: whole by structure, its pixels not decoded.

    Whatever follows the picture's own end is cut off.

    Raises:
        BadAnswer: no picture, a damaged or cut-off one, or one too large to be meant.
    """
    media_type = sniff(data)
    if media_type is None:
        raise _unreadable(f"{len(data)} bytes that begin with {data[:16]!r} are no picture")
    try:
        parts = parts_of(data, media_type)
        width, height = size_of(data, media_type, parts)
    except Malformed as error:
        raise _unreadable(f"broken {media_type} of {len(data)} bytes: {error}") from error
    _check_pixels(width, height)
    return Picture(data[: parts[-1].end], media_type, width, height, tuple(parts))


def fit(picture: Picture, limit: int) -> Picture:
    """The picture itself when it has at most `limit` bytes, else a JPEG that does.

    Quality falls first, then the size; a recipe in the file stays in it.

    Raises:
        BadAnswer: the pixels cannot be decoded.
        EaselError: a limit that no picture fits.
    """
    if len(picture.data) <= limit:
        return picture
    kept = recipe.read(picture.data)
    image = decode(picture.data)
    reached = len(picture.data)
    for quality in _QUALITIES:
        attempt = _encoded(image, quality, kept)
        reached = len(attempt.data)
        if reached <= limit:
            return attempt
    return _shrunk(image, limit, reached, kept)


def conceal(picture: Picture) -> Picture:
    """The pixels alone, as a JPEG: neither its kind nor anything in it says who painted them.

    Raises:
        BadAnswer: they cannot be decoded.
    """
    kept = recipe.read(picture.data)
    image = decode(picture.data)
    image.info.clear()
    told = None if kept is None else replace(kept, model="", steps=None, guidance=None)
    return _encoded(image, _QUALITIES[0], told)


def decode(
    data: bytes, *, within: tuple[int, int] | None = None, backdrop: str = "white"
) -> Image.Image:
    """The pixels as RGB, the right way up, see-through ones laid on `backdrop`.

    Args:
        data: a file that `inspect` let pass, or any other.
        within: when only a thumbnail of this size is needed, a JPEG is decoded no
            larger than it must be; the result is at least this size all the same.
        backdrop: a colour in Pillow's words.

    Raises:
        BadAnswer: it cannot be decoded, or has too many pixels.
    """
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            _check_pixels(*image.size)
            if within is not None:
                image.draft("RGB", within)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return _plain(image, backdrop)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _unreadable(f"cannot decode {len(data)} bytes: {error}") from error


def _plain(image: Image.Image, backdrop: str) -> Image.Image:
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGB", layer.size, backdrop)
    ground.paste(layer, mask=layer)
    return ground


def _shrunk(image: Image.Image, limit: int, reached: int, kept: Recipe | None) -> Picture:
    scale = 1.0
    while min(image.size) * scale > _SMALLEST_SIDE:
        scale *= min(0.9, 0.95 * math.sqrt(limit / reached))
        smaller = image.copy()
        smaller.thumbnail((image.width * scale, image.height * scale), Image.Resampling.LANCZOS)
        attempt = _encoded(smaller, _QUALITIES[-1], kept)
        reached = len(attempt.data)
        if reached <= limit:
            return attempt
    raise EaselError(
        "I can't make that picture small enough to send it here.",
        operator=f"{image.width}x{image.height} pixels do not fit into {limit} bytes",
    )


def _encoded(image: Image.Image, quality: int, kept: Recipe | None) -> Picture:
    buffer = BytesIO()
    profile = image.info.get("icc_profile")
    # A grey or a printer's profile went with the pixels that it described.
    is_rgb = isinstance(profile, bytes) and profile[_PROFILE_SPACE] == b"RGB "
    image.save(
        buffer,
        "JPEG",
        quality=quality,
        progressive=True,
        icc_profile=profile if is_rgb else None,
        comment=None,
        xmp=b"",
    )
    picture = Picture(buffer.getvalue(), MediaType.JPEG, *image.size)
    return picture if kept is None else recipe.embed(picture, kept)


def _check_pixels(width: int, height: int) -> None:
    if max(width, height) > SIDE_MAX or width * height > PIXELS_MAX:
        raise _unreadable(f"a picture of {width}x{height} pixels is not what was asked for")


def _unreadable(operator: str) -> BadAnswer:
    return BadAnswer(
        "The picture that came back is damaged. Nothing was charged; please try again.",
        operator=operator,
    )
