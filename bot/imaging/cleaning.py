"""A picture that somebody gave, rebuilt from its pixels alone.

Also the main of a process that has nothing else in it: what breaks in has nothing to take.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import warnings
import zlib
from enum import StrEnum
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import GifImagePlugin, Image, ImageCms, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin

from bot.imaging.bands import Bands, comes_in_bands
from bot.imaging.claims import claimed_size, kind_of
from bot.imaging.room import MEMORY_MAX, PIXELS_MAX, SIDE_MAX, Room, room_for
from bot.imaging.shrinking import cut, factor_for, fitted, reduced

try:
    import resource
except ImportError:  # Windows
    resource = None

#: Pillow would import them when it comes upon the first of their kind.
_NEEDED = (GifImagePlugin, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)

#: What comes out is sent as text within a request.
CLEAN_BYTES_MAX: Final = 4_000_000

_CPU_S = 20
#: Quality and subsampling (0 keeps all colour), from the best on.
_JPEG_STEPS = ((92, 0), (85, 0), (75, 2))
#: Level 6 takes three times as long for a tenth less.
_PNG_LEVEL = 4
_ORIENTATION = 0x0112
#: By the EXIF value: https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf, 4.6.4
_UPRIGHT: Final[dict[object, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
#: What Pillow raises for damage of one kind or another, and for no pixels at all.
_DAMAGE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    LookupError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)


class Trouble(StrEnum):
    """Why there is no clean picture."""

    FOREIGN = "foreign"
    LARGE = "large"
    DAMAGED = "damaged"
    HEAVY = "heavy"


class Unclean(Exception):
    """No clean picture can be made of it; `cause` is for the log.

    Attributes:
        width, height: what a picture that is too large claims to have, else 0.
    """

    def __init__(self, trouble: Trouble, cause: str, width: int = 0, height: int = 0) -> None:
        super().__init__(cause)
        self.trouble = trouble
        self.cause = cause
        self.width = width
        self.height = height


def clean(data: bytes) -> tuple[bytes, str, int, int]:
    """The picture as a PNG or JPEG with nothing but pixels in it; its media type and its size.

    Raises:
        Unclean: it cannot be had.
    """
    kind = kind_of(data)
    if kind is None:
        raise Unclean(Trouble.FOREIGN, f"{len(data)} bytes that begin with {data[:16]!r}")
    room = room_for(data, kind)
    claimed = claimed_size(data, kind)
    if claimed:
        _check_size(*claimed, kind, room)
    source = BytesIO(data)
    # Up to here the caller's may have been the only other hold on the bytes.
    del data
    try:
        return _encoded(_pixels(source, kind, room))
    except MemoryError as error:
        raise Unclean(Trouble.HEAVY, f"{kind}: not enough memory") from error
    except Image.DecompressionBombError as error:
        # Pillow comes upon a size that the header did not tell before it can be looked at here.
        raise Unclean(Trouble.HEAVY, f"{kind}: {error}") from error
    except _DAMAGE as error:
        raise Unclean(Trouble.DAMAGED, f"{kind}: {type(error).__name__} {error}") from error


def _check_size(width: int, height: int, kind: str, room: Room) -> None:
    if max(width, height) > SIDE_MAX or width * height > room.pixels:
        raise Unclean(Trouble.LARGE, f"{kind} of {width}x{height}", width, height)


# Pixels


def _pixels(source: BytesIO, kind: str, room: Room) -> Image.Image:
    """The first frame, upright, in sRGB and small enough: RGBA if one can see through, or RGB."""
    image, turn, profile = _loaded(source, kind, room)
    image = fitted(image)
    if turn is not None:
        image = image.transpose(turn)
    if isinstance(profile, bytes):
        image = _in_srgb(image, profile)
    return _plain(image)


def _loaded(
    source: BytesIO, kind: str, room: Room
) -> tuple[Image.Image, Image.Transpose | None, object]:
    """About as small as wanted, how to turn it, and its colour profile."""
    if comes_in_bands(source.getvalue()):
        return _loaded_in_bands(source)
    with Image.open(source, formats=(kind,)) as image:
        # The header may have lied: a GIF's frame can be larger than the GIF.
        _check_size(*image.size, kind, room)
        factor = factor_for(image.size)
        image.draft(None, (image.width // factor, image.height // factor))
        image.load()
        source.close()
        return reduced(image, image.size, partial(cut, image)), *_said(image)


def _loaded_in_bands(source: BytesIO) -> tuple[Image.Image, Image.Transpose | None, object]:
    bands = Bands(source.getvalue())
    source.close()
    with Image.open(BytesIO(bands.first_row()), formats=("PNG",)) as image:
        image.load()
        return reduced(image, bands.size, bands.of), *_said(image)


def _said(image: Image.Image) -> tuple[Image.Transpose | None, object]:
    """How to turn it, and its colour profile."""
    return _UPRIGHT.get(_orientation(image)), image.info.get("icc_profile")


def _orientation(image: Image.Image) -> object:
    """Damage in there is no reason to refuse the picture."""
    try:
        value = image.getexif().get(_ORIENTATION)
    except _DAMAGE:
        return None
    return value if isinstance(value, int) else None


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours as the profile means them; one that makes no sense for them is ignored."""
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            _srgb(),
            outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(
        ImageCms.createProfile("sRGB")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - Pillow leaves it open
    )


def _plain(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    least, _ = image.getchannel("A").getextrema()
    if least == 255:  # noqa: PLR2004 - all of it is opaque
        return image.convert("RGB")
    # What nobody can see is not to be found in it either.
    return image.convert("RGBa").convert("RGBA")


# Bytes


def _encoded(image: Image.Image) -> tuple[bytes, str, int, int]:
    image.info.clear()  # a profile that was converted to would be saved with it
    if image.mode == "RGBA":
        data = _saved(image, "PNG", compress_level=_PNG_LEVEL)
        if len(data) <= CLEAN_BYTES_MAX:
            return data, "image/png", *image.size
        image = _on_white(image)
    while True:
        for quality, subsampling in _JPEG_STEPS:
            data = _saved(image, "JPEG", quality=quality, subsampling=subsampling)
            if len(data) <= CLEAN_BYTES_MAX:
                return data, "image/jpeg", *image.size
        image = image.reduce(2)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGB", image.size, (255, 255, 255))
    ground.paste(image, mask=image)
    return ground


# The process


def confine() -> None:
    """Put walls around this process, for whatever a picture may make the decoders do."""
    _rehearse()
    # Beyond the half of this Pillow warns, beyond the whole it refuses.
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX // 2
    warnings.simplefilter("ignore")
    with contextlib.suppress(OSError):
        # Should memory run out all the same, the kernel is to end this process, not the bot.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if resource is None:
        return
    os.nice(10)
    _limit(resource.RLIMIT_AS, MEMORY_MAX)
    _limit(resource.RLIMIT_CPU, _CPU_S)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, 0)


def _rehearse() -> None:
    """Pillow imports this and that on its way: behind the walls it would be too late."""
    profile = _srgb().tobytes()
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    clean(_saved(Image.new("P", (2, 1)), "GIF"))
    for kind in ("JPEG", "PNG", "WEBP"):
        clean(_saved(Image.new("RGB", (2, 1)), kind, icc_profile=profile, exif=exif))


def _limit(what: int, most: int) -> None:
    if resource is None:
        return
    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    # Some systems know a limit by name only.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(what, (most, most))


def main() -> None:
    """`<length>` and a picture come in; a word, width, height, `<length>` and bytes go out.

    The word is the media type, or a trouble; the bytes are the picture, or the cause.
    """
    confine()
    length = int(sys.stdin.buffer.readline())
    try:
        result, word, width, height = clean(sys.stdin.buffer.read(length))
    except Unclean as unclean:
        result = unclean.cause.encode(errors="replace")
        word, width, height = unclean.trouble, unclean.width, unclean.height
    sys.stdout.buffer.write(b"%s %d %d %d\n" % (word.encode(), width, height, len(result)))
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
