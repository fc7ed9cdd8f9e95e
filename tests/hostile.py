"""Pictures and links that mean harm, or may do it, and what people read then.

The links lead into the web of `wire.internet`, to the pages of `open_web`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from odd_files import (
    FOREIGN,
    TALKATIVE,
    animated,
    assert_only_pixels,
    encoded,
    gif_that_claims,
    gif_with_a_larger_frame,
    half_clear,
    jpeg_that_claims,
    png_that_claims,
    png_with_a_bomb_in,
    quarters,
    real_bomb,
    webp_that_claims,
)
from pictures_sent import alike, files_sent_to
from PIL import Image
from sites import (
    BOMB,
    BROKEN,
    PICTURE,
    Site,
    boasting,
    drip,
    endless,
    hesitates,
    leads,
    page,
    reset,
    says,
    silence,
    slow_headers,
)

from bot.imaging.references import BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sites import Handler

    from bot.demo.painter import Painter

    Make = Callable[[], bytes]

CANARY = "canary-signature-0123456789"
#: How long the bot waits for one picture behind a link, where these are tried.
PATIENCE_S = 3.0

# Files


class Bad(NamedTuple):
    make: Make
    sentence: str


def _pixels(make: Callable[..., bytes], width: int, height: int, limit: str, **more: object) -> Bad:
    told = f"That picture has {width:,} × {height:,} pixels; {limit}"
    return Bad(partial(make, width, height, **more), told)


_IN_ALL = "40 megapixels are the most that I can take"
_OF = "megapixels are the most that I can take of"
_ANEW = "is damaged or cut off. Save the picture anew"
_LONG = "16,383 pixels are the longest side that I can take"


def _cut_off(kind: str) -> Bad:
    # A header that is whole, and a part of the pixels.
    name = {"WEBP": "WebP"}.get(kind, kind)
    data = encoded(quarters(600, 400).effect_spread(99), kind)
    return Bad(lambda: data[: len(data) // 2], f"That {name} {_ANEW}")


def _foreign(data: bytes, what: str | None) -> Bad:
    if not data:
        return Bad(lambda: data, "That file is empty. I can read PNG, JPEG, WebP and GIF")
    seen = f"That's {what}; I can read PNG," if what else "I can't tell what that file is."
    return Bad(lambda: data, seen)


_BOMBS = {
    "a PNG bomb's header": _pixels(png_that_claims, 13_000, 13_000, _IN_ALL),
    "a JPEG bomb's header": _pixels(jpeg_that_claims, 16_000, 16_000, _IN_ALL),
    "a WebP bomb's header": _pixels(webp_that_claims, 16_383, 16_383, _IN_ALL),
    "a GIF bomb's header": _pixels(gif_that_claims, 65_535, 65_535, _LONG),
    "a whole PNG bomb": Bad(real_bomb, f"That picture has 30,000 × 30,000 pixels; {_LONG}"),
    "a longest side": _pixels(png_that_claims, 16_384, 1, _LONG),
    "a size beyond all numbers": _pixels(png_that_claims, 2**31 - 1, 2**31 - 1, _LONG),
    "a few pixels too many": _pixels(jpeg_that_claims, 8000, 5001, _IN_ALL),
    "a GIF's frame larger than the GIF": Bad(
        partial(gif_with_a_larger_frame, 9000, 9000),
        "That picture takes me too long to read, or too much memory.",
    ),
    "a hungry WebP": _pixels(webp_that_claims, 4001, 2000, f"8 {_OF} a WebP"),
    "a hungry PNG": _pixels(
        png_that_claims, 8000, 5000, f"32 {_OF} an interlaced PNG", interlaced=True
    ),
    "a hungry JPEG": _pixels(
        jpeg_that_claims, 8000, 5000, f"32 {_OF} a progressive JPEG", progressive=True
    ),
    "too many bytes": Bad(
        lambda: PICTURE + bytes(BYTES_MAX), "That file has more than 25 MB, and I can take no more."
    ),
}
_DAMAGED = {
    "a bomb of text": Bad(partial(png_with_a_bomb_in, b"zTXt"), f"That PNG {_ANEW}"),
    "a bomb of a profile": Bad(partial(png_with_a_bomb_in, b"iCCP"), f"That PNG {_ANEW}"),
    "a size that its pixels belie": Bad(partial(png_that_claims, 6000, 6000), f"That PNG {_ANEW}"),
    "a signature and noise": Bad(lambda: b"\xff\xd8\xff" + bytes(99), f"That JPEG {_ANEW}"),
    **{f"a {kind} cut off": _cut_off(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP")},
}
_NO_PICTURES = {
    **{what or f"{data[:5]!r}": _foreign(data, what) for data, what in FOREIGN.items()},
    "a picture behind a script": Bad(
        lambda: b"<script>1</script>" + PICTURE, "That's a web page; I can read PNG,"
    ),
}
#: Each is called cat.png and is said by Discord to be one.
FILES = {"bombs": _BOMBS, "damage": _DAMAGED, "no pictures": _NO_PICTURES}
BAD_FILES = {kind: bad for group in FILES.values() for kind, bad in group.items()}

#: What is taken, and of which only the pixels of the first frame go on: a picture of `quarters`.
HARMLESS: dict[str, Make] = {
    **TALKATIVE,
    "animated GIF": lambda: animated("GIF", 300),
    "animated PNG": lambda: animated("PNG"),
    "animated WebP": lambda: animated("WEBP"),
    "several in one JPEG": lambda: animated("MPO"),
}

# Links

_UPLOAD = "Upload the file instead."
_INSIDE = f"That link leads into a private network, where I don't go. {_UPLOAD}"
_HALF = f"I can't get the whole picture from that link. {_UPLOAD}"
_NO_ADDRESS = f"That link leads on to something that is no web address. {_UPLOAD}"
_PAGE = "That link leads to a web page, not to a picture; open the picture itself"
_NAMED = "That link has a name or password in it; I follow only open ones."
_NO_LINK = "That's no link that I can follow; it has to begin with https://."
_LONG_FILE = "That file has more than 25 MB, and I can take no more."
_SLOW = f"That site is too slow for me. {_UPLOAD}"
_NOWHERE = "I can't find the site that the link names. Check how it is spelt."

#: Hosts that are this machine, its network, or something else that is nobody's on the internet.
_PRIVATE = (
    "127.0.0.1",
    "0x7f000001",
    "localhost",
    "0.0.0.0",
    "10.0.0.7",
    "100.64.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "168.63.129.16",
    "169.254.169.254",
    "224.0.0.1",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:7f00:1::]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "inside.example",
    "inside-six.example",
    "metadata.example",
    "mapped.example",
)
#: Of this machine, too, as some programs read them.
_NUMBERS = ("127.1", "2130706433", "017700000001")
#: Where a page of the public web leads on to.
_LEADING_ON = {
    "http://127.0.0.1/secret": _INSIDE,
    "//localhost/secret": _INSIDE,
    "http://10.0.0.7/secret": _INSIDE,
    "http://169.254.169.254/latest/meta-data/": _INSIDE,
    "http://[::ffff:169.254.169.254]/secret": _INSIDE,
    "http://inside.example/secret": _INSIDE,
    "http://127.0.0.1:6379/": "That link leads to an unusual port, 6379.",
    "http://me:secret@pictures.example/picture": _NAMED,
    "file:///etc/passwd": _NO_ADDRESS,
    "ftp://pictures.example/picture": _NO_ADDRESS,
    "gopher://10.0.0.7/": _NO_ADDRESS,
    "data:image/png;base64,AAAA": _NO_ADDRESS,
    "": _NO_ADDRESS,
}
_PACKED = f"That site packs its pictures in a way that I don't open. {_UPLOAD}"
#: Pages of the public web, by what is wrong with them.
_PAGES: dict[str, tuple[Handler, str]] = {
    "a loop": (leads("/a-loop"), "That link leads on from place to place without end."),
    "a page": (page(b"<!doctype html><p>Hi", Content_Type="text/html"), _PAGE),
    "a page that says it is a picture": (page(b"<html><script>1</script>"), _PAGE),
    "an apology": (page(b"no such picture", Content_Type="text/html"), _PAGE),
    "JSON": (page(b'{"error": 1}'), "I can't tell what that file is."),
    "a drawing": (page(b"<svg onload='1'/>", Content_Type="image/svg+xml"), "That's an SVG"),
    "a video": (page(b"\0\0\0\x18ftypmp42"), "That's a video; I can read PNG,"),
    "a bomb": (
        page(png_that_claims(13_000, 13_000)),
        f"That picture has 13,000 × 13,000 pixels; {_IN_ALL}",
    ),
    "a picture cut off": (page(PICTURE[:400]), "That PNG is damaged or cut off."),
    "an empty body": (page(b""), "That file is empty."),
    "a bomb of gzip": (page(BOMB, Content_Encoding="gzip"), _PACKED),
    "a bomb of nobody's": (page(BOMB, Content_Encoding="x-unknown"), _PACKED),
    "a bomb that says nothing": (page(BOMB), "That's a packed file; I can read PNG,"),
    "a length that is too much": (boasting, _LONG_FILE),
    "nothing there": (page(b"", 404), "There is nothing at that link any more."),
    "a locked door": (page(b"", 403), "That site doesn't let me have the picture."),
    "trouble": (page(PICTURE, 500), f"That site answers with an error (500). {_UPLOAD}"),
    "a part": (page(PICTURE, 206), f"That site answers with an error (206). {_UPLOAD}"),
    "a reset": (reset, _HALF),
    **{name: (says(BROKEN[name]), _HALF) for name in BROKEN if name != "a wrong redirect"},
    "a wrong redirect": (says(BROKEN["a wrong redirect"]), _NO_ADDRESS),
}
SLOW: dict[str, Handler] = {
    "drip": drip,
    "headers": slow_headers,
    "silence": silence,
    "redirects": hesitates(PATIENCE_S / 2.5),
}


def _path(name: str) -> str:
    return "/" + name.replace(" ", "-")


def _public(path: str, host: str = "pictures.example") -> str:
    return f"http://{host}{path}?sig={CANARY}"


GOOD_LINK = _public("/picture")
SLOW_LINKS = {name: _public(_path(name)) for name in SLOW}
SLOW_SENTENCE = _SLOW
#: By what is wrong with them: the link, and what people read.
_INWARD = {
    **{host: (f"http://{host}/secret?sig={CANARY}", _INSIDE) for host in _PRIVATE},
    **{number: (f"http://{number}/secret?sig={CANARY}", _NOWHERE) for number in _NUMBERS},
    "a name that turns private": (_public("/on/itself", "turncoat.example"), _INSIDE),
}
_ONWARD = {
    **{
        f"leads on to {to}": (_public(f"/on/{number}"), sentence)
        for number, (to, sentence) in enumerate(_LEADING_ON.items())
    },
}
_TO_PAGES = {
    **{name: (_public(_path(name)), sentence) for name, (_, sentence) in _PAGES.items()},
    "a body without end": (_public("/without-end"), _LONG_FILE),
    "a page without end": (_public("/page-without-end"), _PAGE),
}
_NOWHERE_TO_GO = {
    "a name of nobody's": (_public("/picture", "nobody.example"), _NOWHERE),
    "Discord's own that has expired": (
        _public("/attachments/1/2/cat.png", "cdn.discordapp.com"),
        "Discord's link to that picture has expired; upload the picture again.",
    ),
    "a site that cannot prove its name": (GOOD_LINK.replace("http:", "https:"), _HALF),
    "a password": (f"http://me:{CANARY}@pictures.example/picture", _NAMED),
    "a name before a private address": (f"http://pictures.example@10.0.0.7/?sig={CANARY}", _NAMED),
    "an unusual port": (
        f"http://pictures.example:8080/picture?sig={CANARY}",
        f"That link leads to an unusual port, 8080. {_UPLOAD}",
    ),
    "no host": ("http://?x", _NO_LINK),
    "half an address": ("http://[::1", _NO_LINK),
}
LINKS = {"inward": _INWARD, "onward": _ONWARD, "pages": _TO_PAGES, "nowhere": _NOWHERE_TO_GO}
BAD_LINKS = {kind: bad for group in LINKS.values() for kind, bad in group.items()}
#: No links where words are; as the address of a message's embed they are to be followed.
STRANGE = {
    "file": "file:///etc/passwd",
    "ftp": "ftp://pictures.example/picture",
    "gopher": "gopher://10.0.0.7/",
    "javascript": "javascript:alert(1)",
    "data": "data:image/png;base64,AAAA",
    "unix": "unix:///var/run/docker.sock",
}
INSIDE_LINK, INSIDE_SENTENCE = BAD_LINKS["169.254.169.254"]
#: Of what a message shows: the link, and what people read.
BAD_EMBEDS: dict[str, tuple[str, str]] = {
    "inside": (INSIDE_LINK, INSIDE_SENTENCE),
    **{scheme: (link, _NO_LINK) for scheme, link in STRANGE.items()},
    # As long as an embed takes, and longer than what people can type.
    "long": (GOOD_LINK.ljust(2048, "x"), _NO_LINK),
}
#: What only looks like a link to follow: prompts.
WORDS = {
    "a link behind words": f"a fox at {GOOD_LINK} in snow",
    "one that leads inside": f"a fox at <{INSIDE_LINK}> in snow",
    **{scheme: f"{link} and a fox" for scheme, link in STRANGE.items()},
}
#: For each way in.
BAD_FILE = BAD_FILES["a whole PNG bomb"]


class Web(NamedTuple):
    """What there is behind links.

    Attributes:
        inside: is never to be asked for anything; it would give a picture to everybody.
    """

    public: Site
    inside: Site


@asynccontextmanager
async def open_web() -> AsyncIterator[Web]:
    public, inside = Site(), Site(other=page())
    public.pages |= {
        "/picture": page(encoded(quarters(), "PNG")),
        "/without-end": endless(public, PICTURE, bytes(1 << 20)),
        "/page-without-end": endless(public, b"", b"<p>" * 10_000, "text/html"),
        "/on/itself": leads("/picture"),
        **{f"/on/{number}": leads(to) for number, to in enumerate(_LEADING_ON)},
        **{_path(name): handler for name, (handler, _) in _PAGES.items()},
        **{_path(name): handler for name, handler in SLOW.items()},
    }
    async with public.open(), inside.open():
        yield Web(public, inside)


def check_harmless(painter: Painter, kind: str) -> None:
    """The last request worked from the pixels of a kind's first frame, and from nothing else."""
    [data] = files_sent_to(painter)
    first = half_clear() if kind.endswith("-alpha") else quarters()
    with Image.open(BytesIO(data)) as image:
        assert alike(_on_white(image), encoded(_on_white(first), "PNG")), "it is another picture"
    assert_only_pixels(data)


def _on_white(image: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image.convert("RGBA"))
