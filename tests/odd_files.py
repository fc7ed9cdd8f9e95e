"""Files that are no plain pictures: what they claim, what they carry along, what they unpack to."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image, ImageCms, PngImagePlugin

from bot.imaging.containers import MediaType, parts_of, png_chunk, sniff

CANARY = b"canary-52.5200N"
RED, GREEN, BLUE, YELLOW = (250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 10)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def quarters(width: int = 64, height: int = 40) -> Image.Image:
    """Red and green above, blue and yellow below."""
    image = Image.new("RGB", (2, 2))
    image.putdata([RED, GREEN, BLUE, YELLOW])
    return image.resize((width, height), Image.Resampling.NEAREST)


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = CANARY.decode()
    tags.get_ifd(0x8825)[0x0012] = CANARY.decode()
    return tags


def animated(kind: str, frames: int = 3, **options) -> bytes:
    others = [Image.new("RGB", (64, 40), (n % 256, n // 256, 0)) for n in range(frames - 1)]
    return encoded(quarters(), kind, save_all=True, append_images=others, **options)


def png(header: bytes, pixels: bytes, *more: bytes) -> bytes:
    chunks = [png_chunk(b"IHDR", header), *more, png_chunk(b"IDAT", pixels)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + png_chunk(b"IEND", b"")


def half_clear(mode: str = "RGBA") -> Image.Image:
    image = quarters().convert("RGBA")
    image.paste((77, 66, 55, 0), (0, 0, 32, 40))
    return image.convert(mode)


# What is to be found in them


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + CANARY + b"</x:xmpmeta>"
TALKATIVE = {
    "jpeg": lambda: encoded(quarters(), "JPEG", exif=exif(), comment=CANARY, icc_profile=SRGB),
    "jpeg-xmp-iptc": lambda: (
        (plain := encoded(quarters(), "JPEG"))[:2]
        + jpeg_segment(0xE1, XMP)
        + jpeg_segment(0xED, b"Photoshop 3.0\x008BIM" + CANARY)
        + jpeg_segment(0xEB, CANARY)
        + plain[2:]
    ),
    "png": lambda: encoded(quarters(), "PNG", exif=exif(), pnginfo=said(), icc_profile=SRGB),
    "png-alpha": lambda: encoded(half_clear(), "PNG", exif=exif(), pnginfo=said()),
    "webp": lambda: encoded(quarters(), "WEBP", exif=exif(), xmp=XMP, icc_profile=SRGB),
    "gif": lambda: encoded(quarters(), "GIF", comment=CANARY),
    "gif-alpha": lambda: encoded(half_clear(), "GIF", comment=CANARY),
    "jpeg-tail": lambda: encoded(quarters(), "JPEG") + b"<script>" + CANARY + b"</script>",
    "png-tail": lambda: encoded(quarters(), "PNG") + b"PK\3\4" + CANARY,
    "png-private": lambda: (
        (plain := encoded(quarters(), "PNG"))[:33] + png_chunk(b"prVt", CANARY) + plain[33:]
    ),
    "gif-tail": lambda: encoded(quarters(), "GIF") + b"/*" + CANARY + b"*/=1;",
    "webp-tail": lambda: encoded(quarters(), "WEBP") + CANARY,
}


def said() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", CANARY.decode())
    info.add_itxt("Where", CANARY.decode())
    info.add(b"tIME", struct.pack(">HBBBBB", 2026, 11, 20, 10, 0, 0))
    return info


def assert_only_pixels(result: bytes) -> None:
    media_type = sniff(result)
    assert media_type is not None
    names = {part.name for part in parts_of(result, media_type)}
    if media_type is MediaType.PNG:
        assert names == {b"IHDR", b"IDAT", b"IEND"}
    else:
        others = names - {bytes([n]) for n in (0xC0, 0xC4, 0xDA, 0xDB, 0xD9)}
        assert others <= {b"\xe0"}, "only the JFIF header may accompany the pixels"
    assert CANARY not in result


# What they claim


def webp_that_claims(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + sides
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg_that_claims(width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    data = encoded(quarters().convert(mode), "JPEG", **options)
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def png_that_claims(width: int, height: int, *, interlaced: bool = False) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlaced)
    return png(header, zlib.compress(bytes(1000)))


def gif_that_claims(width: int, height: int) -> bytes:
    data = encoded(quarters(), "GIF")
    return data[:6] + struct.pack("<HH", width, height) + data[10:]


def gif_with_a_larger_frame(width: int, height: int) -> bytes:
    """It says itself that it has 64 x 40."""
    data = encoded(quarters(), "GIF")
    at = data.index(b"\x2c\0\0\0\0") + 5
    return data[:at] + struct.pack("<HH", width, height) + data[at + 4 :]


# What they unpack to


def real_bomb() -> bytes:
    """900 megapixels in half a megabyte, and all of them are there."""
    pixels = zlib.compress(bytes(30_000 * (30_000 // 8 + 1)), 1)
    return png(struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0), pixels)


def png_with_a_bomb_in(chunk: bytes) -> bytes:
    """A small picture, and 100 MB of text or profile beside it."""
    plain, bomb = encoded(quarters(), "PNG"), zlib.compress(bytes(100_000_000), 1)
    return plain[:33] + png_chunk(chunk, b"x\0\0" + bomb) + plain[33:]


# What is none of them

FOREIGN = {
    b"<svg xmlns='http://www.w3.org/2000/svg'>": "an SVG drawing",
    b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a --> <svg>": "an SVG drawing",
    b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "y"><svg/>': "an SVG drawing",
    b"<!DOCTYPE html><html>": "a web page",
    b"\n <HTML lang='en'>": "a web page",
    b"%PDF-1.7\n": "a PDF document",
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic": "a HEIC photo",
    b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif": "an AVIF picture",
    b"\0\0\0\x1cftypavif\0\0\0\0avifmif1": "an AVIF picture",
    b"\0\0\0\x18ftypmp42\0\0\0\0isommp42": "a video",
    b"\0\0\0\x14ftypqt  \0\0\0\0qt  ": "a video",
    b"\x1aE\xdf\xa3\x01\0\0\0": "a video",
    b"RIFF\0\0\0\0AVI LIST": "a video",
    b"II*\0\x08\0\0\0": "a TIFF picture or a camera's raw one",
    b"BM\x36\0\0\0": "a BMP picture",
    b"PK\3\4\x14\0": "a ZIP archive or an office document",
    b"hello": None,
    b'{"error": "no"}': None,
    b"": None,
    b"RIFF": None,
    b"\0\0\0\0ftyp": "a video",
}
