"""Links that people type: only pictures come from them, and only from the public web."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
import traceback
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
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

from bot.errors import Refusal
from bot.imaging.links import PORTS, USER_AGENT, Links, is_public
from bot.imaging.references import BYTES_MAX, BadReference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CANARY = "canary-signature-0123456789"
EVERY_PORT = frozenset(range(65_536))
UPLOAD = "Upload the file instead."


READABLE = "I can read PNG, JPEG, WebP and GIF, up to 25 MB and 40 megapixels."


class Names(AbstractResolver):
    """A resolver that says what it is told, the next time something else perhaps."""

    def __init__(self, **addresses: str) -> None:
        self.addresses = {name: value.split() for name, value in addresses.items()}
        self.asked: list[str] = []

    async def resolve(self, host, port=0, family=socket.AF_INET):  # noqa: ARG002 - aiohttp's
        self.asked.append(host)
        listed = self.addresses.get(host.split(".")[0])
        if not listed:
            raise OSError(None, "no such name")
        address = listed.pop(0) if len(listed) > 1 else listed[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [
            {
                "hostname": host,
                "host": part,
                "port": port,
                "family": kind,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for part in address.split("+")
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with Site().open() as opened:
        yield opened


def here(**more) -> Links:
    """Lets this machine through, for there is no other to ask."""
    return Links(**{"allowed": lambda _: True, "ports": EVERY_PORT, **more})


async def refused(links: Links, url: str) -> BadReference:
    with pytest.raises(BadReference) as caught:
        await links.fetch(url)
    error = caught.value
    assert isinstance(error, Refusal)
    written = "".join(traceback.format_exception(error)) + error.sentence + (error.operator or "")
    assert CANARY not in written, "the link's query is in what is logged"
    linked: BaseException | None = error
    while linked is not None:
        assert CANARY not in repr(linked), f"it is in {type(linked).__name__}"
        linked = linked.__cause__ or linked.__context__
    return error


# What comes


async def test_a_picture_comes_as_it_is(site) -> None:
    site.pages["/a.png"] = page()
    async with here() as links:
        assert await links.fetch(site.url("/a.png")) == PICTURE
        assert await links.fetch(f" <{site.url('/a.png')}> ") == PICTURE, "as Discord quotes links"
    sent = site.requests[0].headers
    assert sent["User-Agent"] == USER_AGENT
    assert sent["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & sent.keys()


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "text/html", "x"])
async def test_bytes_count_and_not_what_a_header_says(site, kind) -> None:
    site.pages["/"] = page(Content_Type=kind)
    async with here() as links:
        assert await links.fetch(site.url()) == PICTURE


async def test_a_signed_link_is_asked_for_as_it_is_spelt(site) -> None:
    site.pages["/a b.png"] = page()
    async with here() as links:
        await links.fetch(site.url("/a%20b.png?ex=65%2Fab&is=~x%7E&hm=(1)#part"))
    assert site.requests[0].raw_path == "/a%20b.png?ex=65%2Fab&is=~x%7E&hm=(1)"


async def test_no_cookie_is_kept(site) -> None:
    site.pages["/"] = page(Set_Cookie="who=you")
    async with here() as links:
        await links.fetch(site.url())
        await links.fetch(site.url())
    assert "Cookie" not in site.requests[1].headers


async def test_no_proxy_of_the_environment_is_used(site, monkeypatch) -> None:
    site.pages["/"] = page()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with here() as links:
        assert await links.fetch(site.url()) == PICTURE


# The guard


PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:1::1",
    "2001:3::1",
    "2001:4:112::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "162.159.128.233",
    "172.15.255.255",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_known(address) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_let_through(address) -> None:
    assert is_public(ip_address(address))


INWARD = [
    "http://127.0.0.1:{}/",
    "http://127.1.2.3:{}/",
    "http://0.0.0.0:{}/",
    "http://[::1]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://0x7f.0.0.1:{}/",
    "http://0x7f000001:{}/",
    "http://2130706433:{}/",
    "http://017700000001:{}/",
    "http://0177.0.0.1:{}/",
    "http://127.1:{}/",
    "http://localhost:{}/",
    "http://localhost.:{}/",
    "http://LOCALHOST:{}/",
    "http://①②⑦.⓪.⓪.①:{}/",
    "http://127.0.0.1%2f@example.com:{}/",
    "http://example.com@127.0.0.1:{}/",
    "http://example.com:secret@127.0.0.1:{}/",
    "http://@127.0.0.1:{}/",
    "http://127.0.0.1:{}\\@example.com/",
    "http:///127.0.0.1:{}/",
    "http:127.0.0.1:{}/",
    "//127.0.0.1:{}/",
    "127.0.0.1:{}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{}/",
    "gopher://127.0.0.1:{}/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "ws://127.0.0.1:{}/",
]


@pytest.mark.parametrize("link", INWARD)
async def test_no_trick_reaches_this_machine(site, link) -> None:
    site.pages["/"] = page()
    async with Links(ports=EVERY_PORT, seconds=3) as links:
        await refused(links, link.format(site.port))
    assert not site.requests, "it was reached"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "64:ff9b::7f00:1"])
async def test_a_name_that_leads_inside_is_not_followed(site, address) -> None:
    async with Links(ports=EVERY_PORT, resolver=Names(inside=address)) as links:
        error = await refused(links, site.url(f"/?{CANARY}", "inside.example"))
    assert error.sentence == (f"That link leads into a private network, where I don't go. {UPLOAD}")
    assert not site.requests


@pytest.mark.parametrize("barred_first", [True, False])
async def test_of_a_name_s_addresses_only_the_allowed_are_tried(site, barred_first) -> None:
    site.pages["/"] = page()
    tried: list[str] = []

    def allowed(address: object) -> bool:
        tried.append(str(address))
        return str(address) == "127.0.0.1"

    addresses = ["169.254.169.254", "127.0.0.1"]
    names = Names(both="+".join(addresses if barred_first else reversed(addresses)))
    async with Links(ports={site.port}, resolver=names, allowed=allowed) as links:
        assert await links.fetch(site.url("/", "both.example")) == PICTURE
    assert "127.0.0.1" in tried


async def test_a_name_that_changes_its_mind_is_looked_at_each_time(site) -> None:
    """Rebinding: the first address passes, the second is looked at as well."""
    site.pages["/"] = page()
    names = Names(turncoat="127.0.0.1 127.0.0.2")
    links = Links(
        ports=EVERY_PORT, resolver=names, allowed=lambda address: str(address) == "127.0.0.1"
    )
    async with links:
        assert await links.fetch(site.url("/", "turncoat.example")) == PICTURE
        await refused(links, site.url("/", "turncoat.example"))
    assert len(site.requests) == 1
    assert len(names.asked) == 2, "nothing is remembered of a name"


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 65_535])
async def test_only_the_web_s_own_ports_are_followed(port) -> None:
    async with Links(allowed=lambda _: True) as links:
        error = await refused(links, f"http://127.0.0.1:{port}/")
    assert error.sentence == f"That link leads to an unusual port, {port}. {UPLOAD}"
    assert frozenset({80, 443}) == PORTS


@pytest.mark.parametrize(
    "link",
    [
        "",
        " ",
        "hello",
        "a.png",
        "http://",
        "https://?x",
        "http://[::1",
        "http://a:99999/",
        "http://x y/",
        "https://" + "a" * 2000,
        "http://a\nb/",
        "HTTP",
        "http://[v1.x]/",
        "http://xn--/",
        "http://\0/",
    ],
)
async def test_what_is_no_link_is_refused_in_plain_words(link) -> None:
    async with Links(allowed=lambda _: False, resolver=Names()) as links:
        error = await refused(links, link)
    assert error.sentence in {
        "That's no link that I can follow; it has to begin with https://.",
        "I can't find the site that the link names. Check how it is spelt.",
        f"I can't get the whole picture from that link. {UPLOAD}",
    }


async def test_a_link_with_a_password_is_not_sent(site) -> None:
    site.pages["/"] = page()
    async with here() as links:
        error = await refused(links, f"http://me:{CANARY}@127.0.0.1:{site.port}/")
    assert error.sentence == "That link has a name or password in it; I follow only open ones."
    assert not site.requests


# Redirects


async def test_three_redirects_are_followed(site) -> None:
    site.pages |= {
        "/1": leads("/2", 301),
        "/2": leads(site.url("/3"), 307),
        "/3": leads("4?a=%2F", 308),
        "/4": page(),
    }
    async with here() as links:
        assert await links.fetch(site.url("/1")) == PICTURE
    assert site.requests[-1].raw_path == "/4?a=%2F"
    assert not any("Referer" in request.headers for request in site.requests)


async def test_a_loop_is_left(site) -> None:
    site.pages["/"] = leads("/")
    async with here() as links:
        error = await refused(links, site.url())
    assert error.sentence == f"That link leads on from place to place without end. {UPLOAD}"
    assert len(site.requests) == 4


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://127.0.0.1/",
        "data:image/png;base64,AAAA",
        "",
        "http://",
        "http://[::1",
        "//",
    ],
)
async def test_a_redirect_to_what_is_no_web_address_ends_there(site, to) -> None:
    site.pages["/"] = leads(to)
    async with here() as links:
        error = await refused(links, site.url())
    assert error.sentence.startswith("That link leads on ")


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1:{}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]:{}/secret",
        "//localhost:{}/secret",
        "http://inside.example:{}/secret",
    ],
)
async def test_every_hop_meets_the_guard(site, to) -> None:
    """The first server passes by its name's address, and leads inside."""
    site.pages |= {"/": leads(to.format(site.port)), "/secret": page()}
    passing = iter([True])
    links = Links(
        ports=EVERY_PORT,
        resolver=Names(public="127.0.0.1", inside="127.0.0.1", localhost="127.0.0.1"),
        allowed=lambda address: next(passing, False) or is_public(address),
    )
    async with links:
        error = await refused(links, site.url("/", "public.example"))
    assert "private network" in error.sentence
    assert [request.path for request in site.requests] == ["/"]


@pytest.mark.parametrize("to", ["http://127.0.0.1:1/", "http://me@127.0.0.1:{}/"])
async def test_every_hop_is_looked_at_anew(site, to) -> None:
    site.pages["/"] = leads(to.format(site.port))
    async with here(ports={site.port}) as links:
        await refused(links, site.url())
    assert len(site.requests) == 1


# What is no picture


WEB_PAGE = (
    "That link leads to a web page, not to a picture; open the picture itself and copy its "
    "address, or upload the file."
)


@pytest.mark.parametrize(
    ("body", "kind", "sentence"),
    [
        (b"<!DOCTYPE html><html>", "text/html; charset=utf-8", WEB_PAGE),
        (b"<html>", "image/png", WEB_PAGE),
        (b"hello", "text/html", WEB_PAGE),
        (b"", "application/xhtml+xml", WEB_PAGE),
        (b"", "image/png", f"That file is empty. {READABLE}"),
        (b"<svg/>", "image/svg+xml", "That's an SVG drawing; I can read PNG, JPEG, WebP and GIF."),
        (
            b"\0\0\0\x18ftypmp42",
            "video/mp4",
            "That's a video; I can read PNG, JPEG, WebP and GIF.",
        ),
        (
            b'{"error": 1}',
            "application/json",
            f"I can't tell what that file is. {READABLE}",
        ),
    ],
)
async def test_what_is_no_picture_is_told_apart(site, body, kind, sentence) -> None:
    site.pages["/"] = page(body, Content_Type=kind)
    async with here() as links:
        assert (await refused(links, site.url(f"/?{CANARY}"))).sentence == sentence


async def test_a_long_page_is_not_read_to_its_end(site) -> None:
    site.pages["/"] = endless(site, b"", b"<p>" * 10_000, "text/html")
    async with here() as links:
        assert (await refused(links, site.url())).sentence == WEB_PAGE
    assert site.sent < 10_000_000


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "There is nothing at that link any more. Check it, or upload the file instead."),
        (410, "There is nothing at that link any more. Check it, or upload the file instead."),
        (401, f"That site doesn't let me have the picture. {UPLOAD}"),
        (403, f"That site doesn't let me have the picture. {UPLOAD}"),
        (429, f"That site answers with an error (429). {UPLOAD}"),
        (500, f"That site answers with an error (500). {UPLOAD}"),
        (206, f"That site answers with an error (206). {UPLOAD}"),
        (304, f"That site answers with an error (304). {UPLOAD}"),
    ],
)
async def test_a_site_that_refuses(site, status, sentence) -> None:
    site.pages["/"] = page(PICTURE if status != 304 else b"", status)
    async with here() as links:
        error = await refused(links, site.url(f"/?{CANARY}"))
    assert error.sentence == sentence
    assert error.operator == f"{status} from 127.0.0.1"


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("host", ["cdn.discordapp.com", "media.discordapp.net"])
async def test_discord_s_links_run_out(site, host, status) -> None:
    site.pages["/attachments/1/2/a.png"] = page(b"This content is no longer available.", status)
    names = Names(cdn="127.0.0.1", media="127.0.0.1")
    async with here(resolver=names) as links:
        error = await refused(links, site.url(f"/attachments/1/2/a.png?hm={CANARY}", host))
    assert error.sentence == (
        "Discord's link to that picture has expired; upload the picture again."
    )


# Too much, too slow, cut off


async def test_a_length_that_is_too_much_is_not_even_read(site) -> None:
    site.pages["/"] = boasting
    began = time.perf_counter()
    async with here() as links:
        assert "more than 25 MB" in (await refused(links, site.url())).sentence
    assert time.perf_counter() - began < 15


async def test_a_body_without_end_is_cut_short(site) -> None:
    site.pages["/"] = endless(site, PICTURE, bytes(1 << 20))
    async with here() as links:
        assert "more than 25 MB" in (await refused(links, site.url())).sentence
    assert site.sent < BYTES_MAX + 20_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"])
async def test_what_is_packed_is_not_unpacked(site, coding) -> None:
    site.pages["/"] = page(BOMB, Content_Encoding=coding)
    async with here() as links:
        error = await refused(links, site.url())
    assert error.sentence == (f"That site packs its pictures in a way that I don't open. {UPLOAD}")


async def test_a_coding_of_nothing_is_fine(site) -> None:
    site.pages["/"] = page(Content_Encoding="Identity")
    async with here() as links:
        assert await links.fetch(site.url()) == PICTURE


@pytest.mark.parametrize(
    "handler",
    [drip, slow_headers, silence, hesitates(0.3)],
    ids=["drip", "headers", "silence", "redirects"],
)
async def test_the_slow_are_given_up_in_time(site, handler) -> None:
    site.pages["/"] = handler
    async with here(seconds=0.5) as links:
        began = time.perf_counter()
        error = await refused(links, site.url(f"/?{CANARY}"))
        assert 0.4 < time.perf_counter() - began < 15
    assert error.sentence == f"That site is too slow for me. {UPLOAD}"
    assert error.operator == "a link to 127.0.0.1: TimeoutError"


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_answers_are_one_refusal(site, name) -> None:
    site.pages["/"] = says(BROKEN[name])
    async with here(seconds=3) as links:
        error = await refused(links, site.url(f"/?{CANARY}"))
    assert error.sentence in {
        f"I can't get the whole picture from that link. {UPLOAD}",
        "I can't find the site that the link names. Check how it is spelt.",
        f"That link leads on to something that is no web address. {UPLOAD}",
    }


async def test_a_reset_is_one_refusal(site) -> None:
    site.pages["/"] = reset
    async with here() as links:
        error = await refused(links, site.url(f"/?{CANARY}"))
    assert "whole picture" in error.sentence


async def test_nobody_at_home() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with here() as links:
            error = await refused(links, f"http://127.0.0.1:{port}/?{CANARY}")
    assert "whole picture" in error.sentence
    async with here(resolver=Names()) as links:
        error = await refused(links, f"http://nowhere.example/?{CANARY}")
    assert error.sentence == "I can't find the site that the link names. Check how it is spelt."
    assert "nowhere.example" in (error.operator or "")


async def test_a_site_that_cannot_prove_its_name_is_not_believed(site) -> None:
    async with here() as links:
        error = await refused(links, f"https://127.0.0.1:{site.port}/?{CANARY}")
    assert "whole picture" in error.sentence
    assert not site.requests


async def test_nothing_that_is_logged_names_the_link(site, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    site.pages |= {"/ok": page(), "/no": page(b"", 404), "/on": leads(f"/ok?{CANARY}")}
    async with here() as links:
        for path in ("/ok", "/on"):
            await links.fetch(site.url(f"{path}?sig={CANARY}"))
        await refused(links, site.url(f"/no?sig={CANARY}"))
        await refused(links, f"http://127.0.0.1:1/?sig={CANARY}")
    ours = [record for record in caplog.records if not record.name.startswith("aiohttp.server")]
    assert CANARY not in "".join(record.getMessage() + str(record.exc_info) for record in ours)


async def test_many_at_once(site) -> None:
    site.pages["/"] = page()
    async with here() as links:
        results = await asyncio.gather(*(links.fetch(site.url()) for _ in range(30)))
    assert results == [PICTURE] * 30


async def test_who_stops_waiting_leaves_no_connection(site) -> None:
    gone = asyncio.Event()

    async def waits(_: web.Request) -> web.StreamResponse:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            gone.set()
            raise
        return web.Response()

    site.pages["/"] = waits
    async with here() as links:
        waiting = asyncio.create_task(links.fetch(site.url()))
        while not site.requests:  # noqa: ASYNC110 - the server's side tells nobody
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asyncio.wait_for(gone.wait(), 3)
