"""The client of the image API, against a server on a real socket that answers as it is told."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import socket
import struct
import threading
import time
import traceback
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import stamina
import structlog
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.errors import (
    AnswerLost,
    BadAnswer,
    Busy,
    ContentRefused,
    ModelGone,
    Overloaded,
    OwnerNeeded,
    PaintingFailed,
    ParameterRefused,
    Unreachable,
)
from bot.imaging import together as module
from bot.imaging.catalogue import Catalogue, ListedModel
from bot.imaging.pictures import inspect
from bot.imaging.protocol import (
    Account,
    Answer,
    base_address,
    decode,
    decode_account,
    decode_models,
    encode,
)
from bot.imaging.together import USER_AGENT, Together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MODEL = "black-forest-labs/FLUX.2-pro"
KEY = "canary-api-key-0123456789"
FIELDS = {"model": MODEL, "prompt": "a fox", "n": 1, "seed": 7}


def jpeg(colour: str = "red") -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (32, 16), colour).save(buffer, "JPEG")
    return buffer.getvalue()


RED, BLUE, GREEN = jpeg("red"), jpeg("blue"), jpeg("green")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def envelope(*items: object, **more: object) -> bytes:
    return json.dumps({"id": "call-1", "object": "list", "data": items, **more}).encode()


@dataclass
class Api:
    """Answers each request with the next of its script, then with the last again."""

    script: list[Handler] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    url: str = ""
    pages: dict[str, Handler] = field(default_factory=dict)

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.requests)

    def says(self, *answers: Handler) -> None:
        self.script = list(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        body = await request.read()
        self.bodies.append(json.loads(body) if body else None)
        if page := self.pages.get(request.path):
            return await page(request)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await answer(request)


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw(talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]):
    """A server that says bytes, for what no HTTP library will say."""
    talks: set[asyncio.Task[None]] = set()

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(conversation, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    api = Api()
    async with serving(api.handle) as api.url:
        yield api


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Together]:
    async with Together.open(base_url=api.url, api_key=KEY, timeout=5) as client:
        yield client


@pytest.fixture(autouse=True)
def quick():
    """As many tries of free requests as ever, without the waits between."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def answers(content: bytes, status: int = 200, **headers: str) -> Handler:
    async def answer(_: web.Request) -> web.StreamResponse:
        kind = {"Content-Type": "application/json"}
        return web.Response(status=status, body=content, headers=kind | headers)

    return answer


def error(message: str, **more: object) -> bytes:
    return json.dumps({"error": {"message": message, **more}}).encode()


async def painted(client: Together, **more: object) -> tuple[bytes, ...]:
    return (await client.paint({**FIELDS, **more}, MODEL)).pictures


async def failing(awaitable: Awaitable[object], kind: type[PaintingFailed]) -> PaintingFailed:
    with pytest.raises(PaintingFailed) as caught:
        await awaitable
    failure = caught.value
    assert type(failure) is kind, f"{type(failure).__name__}: {failure.operator}"
    assert KEY not in "".join(traceback.format_exception(failure)) + (failure.operator or "")
    linked: BaseException | None = failure
    while linked is not None:
        assert KEY not in repr(linked), f"the key is in {type(linked).__name__}"
        linked = linked.__cause__ or linked.__context__
    return failure


# What is sent


async def test_a_call_is_one_post_with_the_fields_and_the_key(api, client):
    api.says(answers(envelope({"index": 0, "b64_json": text(RED)})))
    painting = await client.paint(FIELDS, MODEL)
    assert painting.pictures == (RED,)
    assert painting.request_id == "call-1"
    assert inspect(painting.pictures[0]).width == 32
    (request,) = api.requests
    assert (request.method, request.path) == ("POST", "/v1/images/generations")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"] == USER_AGENT
    assert request.headers["Content-Type"] == "application/json"
    assert api.bodies == [{**FIELDS, "response_format": "base64"}]


async def test_references_of_many_megabytes_are_sent(api, client):
    api.says(answers(envelope({"b64_json": text(RED)})))
    reference = "data:image/png;base64," + "A" * 3_000_000
    assert await painted(client, reference_images=[reference, reference]) == (RED,)
    assert api.bodies[0]["reference_images"] == [reference, reference]


async def test_a_key_may_be_secret_and_end_in_a_line_break(api):
    api.says(answers(b'{"project": {"name": "p"}}'))
    async with aiohttp.ClientSession() as session:
        client = Together(session, base_url=api.url + "/v1/", api_key=f"{KEY}\n", timeout=5)
        assert await client.whoami() == Account(None, "p")
        assert KEY not in repr(client)
    assert api.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert api.requests[0].path == "/v1/whoami"


@pytest.mark.parametrize(
    ("given_address", "address"),
    [
        ("https://api.together.ai", "https://api.together.ai/v1"),
        ("https://api.together.ai/", "https://api.together.ai/v1"),
        ("https://api.together.ai/v1", "https://api.together.ai/v1"),
        (" https://api.together.ai/v1/ ", "https://api.together.ai/v1"),
        ("https://api.together.ai/v1/images/generations", "https://api.together.ai/v1"),
        ("http://127.0.0.1:8080/painter", "http://127.0.0.1:8080/painter/v1"),
        ("https://api.deepinfra.com/v1/openai/", "https://api.deepinfra.com/v1/openai"),
        ("http://ovms/v3", "http://ovms/v3"),
        ("https://me:secret@host/v1?x=1#y", "https://host/v1"),
    ],
)
def test_an_address_comes_with_or_without_its_version(given_address, address):
    assert base_address(given_address) == address


@pytest.mark.parametrize("address", ["", "api.together.ai", "ftp://host", "http://", "http://h:x"])
def test_an_address_is_one_of_the_web(address):
    with pytest.raises(ValueError, match=r".+"):
        base_address(address)


def test_encoding_leaves_the_fields_alone():
    fields = {"prompt": "x"}
    assert encode(fields) == {"prompt": "x", "response_format": "base64"}
    assert fields == {"prompt": "x"}


# What comes back


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"b64_json": text(RED)}, RED),
        ({"b64_json": text(RED), "type": None}, RED),
        ({"b64_json": text(RED), "type": "url", "url": "https://h/x"}, RED),
        ({"b64_json": text(RED), "type": "url", "url": ""}, RED),
        ({"b64_json": f"data:image/jpeg;base64,{text(RED)}"}, RED),
        ({"b64_json": "\n".join([text(RED)[:40], text(RED)[40:]])}, RED),
        ({"b64_json": "/9l="}, b"\xff\xd9"),  # its last bits are not zero, as they should be
        ({"b64_json": "", "url": "/x.jpg"}, "/x.jpg"),
        ({"b64_json": None, "url": "https://h/x", "type": "b64_json"}, "https://h/x"),
        ({"b64_json": "%%%", "url": "https://h/x"}, "https://h/x"),
        ({"b64_json": 5, "url": " https://h/x "}, "https://h/x"),
        ({"url": f"data:image/jpeg;base64,{text(RED)}"}, RED),
        ({"b64_json": text(RED), "index": "zero", "timings": [1]}, RED),
    ],
)
def test_what_is_filled_in_decides_what_an_item_is(item, expected):
    assert decode(envelope(item), {}).items == (expected,)


def test_items_come_in_the_order_of_their_indexes():
    items = [{"index": i, "b64_json": text(data)} for i, data in ((2, GREEN), (0, RED), (1, BLUE))]
    assert decode(envelope(*items), {}).items == (RED, BLUE, GREEN)
    assert decode(envelope(*({**item, "index": None} for item in items)), {}).items == (
        GREEN,
        RED,
        BLUE,
    )


def test_an_item_without_an_index_stays_where_it_is():
    items = [{"index": 1, "b64_json": text(RED)}, {"b64_json": text(BLUE)}]
    items.append({"index": 0, "b64_json": text(GREEN)})
    assert decode(envelope(*items), {}).items == (GREEN, RED, BLUE)


def test_a_broken_item_costs_none_but_itself():
    broken = [
        None,
        7,
        {},
        {"b64_json": "AAA"},
        {"b64_json": "AAAA!"},
        {"b64_json": "data:,"},
        {"url": "data:x"},
    ]
    answer = decode(envelope(*broken, {"b64_json": text(BLUE)}), {})
    assert answer.items == (BLUE,)


def test_time_and_name_of_an_answer():
    timed = {"b64_json": text(RED), "timings": {"inference": 0.799}}
    assert decode(envelope(timed), {}) == Answer((RED,), "call-1", 0.799)
    body = envelope({"b64_json": text(RED), "timings": {"inference": "soon"}}, id=None)
    assert decode(body, {"CF-Ray": "ray-1"}) == Answer((RED,), "ray-1", None)
    long = envelope({"b64_json": text(RED)}, id="call\n" * 1000)
    assert len(decode(long, {}).request_id or "") == 100
    nan = b'{"data": [{"b64_json": "%s", "timings": {"inference": NaN}}]}' % text(RED).encode()
    assert decode(nan, {}) == Answer((RED,), None, None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"NaN",
        b"17",
        b'"text"',
        b"[]",
        b"{}",
        b"<!DOCTYPE html><html></html>",
        b"\xff\xd8\xff\xe0 a picture itself",
        b'{"data": null}',
        b'{"data": {}}',
        b'{"data": "x"}',
        b'{"data": []}',
        b'{"data": [{"b64_json": null, "url": null}]}',
        b'{"data": [{"b64_json": "not base64"}]}',
        b'{"data": [[{"b64_json": "AAAA"}]]}',
        b'{"data": ' + b"[" * 100_000,
        b'{"data": [' + b'{"url": ' * 100_000,
        envelope({"b64_json": text(RED)})[:-20],
    ],
)
def test_an_answer_without_a_picture_is_a_bad_one(body):
    with pytest.raises(BadAnswer) as caught:
        decode(body, {"Content-Type": "text/html", "X-Request-Id": "req-1"})
    assert "text/html" in (caught.value.operator or "")
    assert "req-1" in (caught.value.operator or "")


@given(st.binary(max_size=80) | st.recursive(
    st.none() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["data", "b64_json", "url", "index", "id", "type", "pricing"]), inner
    ),
    max_leaves=10,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_comes_back_is_an_answer_or_a_bad_one(body):
    for read in (lambda body: decode(body, {}), decode_models, decode_account):
        with suppress(BadAnswer):
            read(body)


async def test_a_201_is_as_good(api, client):
    api.says(answers(envelope({"b64_json": text(RED)}), status=201))
    assert await painted(client) == (RED,)


async def test_an_error_under_a_good_status(api, client):
    api.says(answers(error("Rejected.", code="content_policy_violation")))
    await failing(painted(client), ContentRefused)
    api.says(answers(error("The worker is gone.")))
    failure = await failing(painted(client), BadAnswer)
    assert "The worker is gone" in (failure.operator or "")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("steps must be between 1 and 12"), ParameterRefused),
        (401, error(f"Invalid key {KEY}"), OwnerNeeded),
        (404, b"", ModelGone),
        (422, b"", ContentRefused),
        (429, b"", Busy),
        (503, b"", Overloaded),
        (504, b"<html></html>", AnswerLost),
    ],
)
async def test_a_refusal_is_made_of_one_post(api, client, status, body, kind):
    api.says(answers(body, status, **{"x-ratelimit-reset": "3"}))
    failure = await failing(painted(client), kind)
    assert api.posts == 1
    assert MODEL in (failure.operator or "")
    assert failure.retry_after == (3 if kind is Busy else None)


async def test_the_key_is_not_sent_where_the_api_leads(api, client):
    seen: list[web.Request] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response()

    async with serving(elsewhere) as other:
        for status in (301, 302, 307, 308):
            api.says(answers(b"", status, Location=f"{other}/v1/images/generations"))
            failure = await failing(painted(client), OwnerNeeded)
            assert "TOGETHER_BASE_URL" in (failure.operator or "")
    assert not seen, "the POST was taken elsewhere, and paid for there"


# Broken connections


def reset(writer: asyncio.StreamWriter) -> None:
    """An RST in place of a farewell."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def read_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
    await reader.readexactly(int(length.split(b":")[1]))


async def lost_with(talk, seconds: float = 5) -> tuple[PaintingFailed, int]:
    """The failure of one call to a server that talks so, and how often it was called."""
    calls = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        await read_request(reader)
        await talk(writer)
        await writer.drain()

    async with (
        raw(counted) as url,
        Together.open(base_url=url, api_key=KEY, timeout=seconds) as client,
    ):
        return await failing(painted(client), AnswerLost), calls


async def hang_up(writer) -> None:
    pass


async def be_reset(writer) -> None:
    reset(writer)


async def cut_short(writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + envelope()[:20])


async def cut_chunk_short(writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{")


async def be_reset_midway(writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.05)
    reset(writer)


async def talk_nonsense(writer) -> None:
    writer.write(b"220 mail.example ESMTP\r\n\r\n")


async def lie_about_gzip(writer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n"
    writer.write(head + b"plain")


@pytest.mark.parametrize(
    "talk",
    [
        hang_up,
        be_reset,
        cut_short,
        cut_chunk_short,
        be_reset_midway,
        talk_nonsense,
        lie_about_gzip,
    ],
)
async def test_an_answer_that_breaks_off_is_lost_and_not_asked_for_again(talk):
    failure, calls = await lost_with(talk)
    assert calls == 1, "a call that may have been paid for was made again"
    assert "billed" in (failure.operator or "")


async def test_a_silent_server_is_left_in_time():
    async def silence(_) -> None:
        await asyncio.sleep(30)

    began = time.monotonic()
    failure, calls = await lost_with(silence, seconds=0.4)
    assert time.monotonic() - began < 15
    assert calls == 1
    assert "TimeoutError" in (failure.operator or "")


async def test_a_dripping_server_is_left_in_time():
    async def drip(writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    began = time.monotonic()
    await lost_with(drip, seconds=0.5)
    assert time.monotonic() - began < 15


async def test_what_a_status_says_counts_even_if_the_rest_is_cut_off(monkeypatch):
    monkeypatch.setattr(module, "_ERROR_S", 0.2)

    async def talk(reader, writer) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nContent-Length: 99\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(1)

    async with (
        raw(talk) as url,
        Together.open(base_url=url, api_key=KEY, timeout=5) as client,
    ):
        began = time.monotonic()
        failure = await failing(painted(client), Busy)
        assert failure.retry_after == 2
        assert time.monotonic() - began < 0.9, "a refusal was waited for to its end"


async def test_nobody_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with Together.open(base_url=url, api_key=KEY, timeout=5) as client:
            failure = await failing(painted(client), Unreachable)
    assert failure.repeatable
    assert "127.0.0.1" in (failure.operator or "")


async def test_no_such_host():
    address = "http://easel.invalid"
    async with Together.open(base_url=address, api_key=KEY, timeout=8) as client:
        await failing(painted(client), Unreachable)


async def test_no_tls_there(api):
    secure = api.url.replace("http:", "https:")
    async with Together.open(base_url=secure, api_key=KEY, timeout=5) as client:
        await failing(painted(client), Unreachable)


@contextmanager
def deaf() -> Iterator[str]:
    """A server whose backlog is full: a connection to it never comes about."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            visitor = stack.enter_context(socket.socket())
            visitor.setblocking(False)
            visitor.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_a_connection_that_never_comes_about_was_never_used():
    with deaf() as url:
        async with Together.open(base_url=url, api_key=KEY, timeout=1) as client:
            await failing(painted(client), Unreachable)


async def test_a_cancellation_passes_and_leaves_nothing(api, client):
    entered = asyncio.Event()
    left = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        entered.set()
        try:
            await asyncio.sleep(30)
        finally:
            left.set()
        return web.Response()

    api.says(hang)
    task = asyncio.create_task(painted(client))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(left.wait(), 2)


# Too much


async def test_an_answer_ends_at_the_cap(api, client, monkeypatch):
    monkeypatch.setattr(module, "PAINTING_MAX", 1024 * 1024)
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(64):
            await response.write(b" " * 1024 * 1024)
            sent += 1
        return response

    api.says(flood)
    failure = await failing(painted(client), BadAnswer)
    assert "1 MiB" in (failure.operator or "")
    assert sent < 64, "all of it was read"


async def test_a_bomb_ends_at_the_cap_too(api, client, monkeypatch):
    monkeypatch.setattr(module, "PAINTING_MAX", 1024 * 1024)
    bomb = gzip.compress(b" " * 32 * 1024 * 1024)
    api.says(answers(bomb, **{"Content-Encoding": "gzip"}))
    await failing(painted(client), BadAnswer)


async def test_a_list_ends_at_its_own_cap(api, client):
    api.says(answers(b"[" + b" " * 5 * 1024 * 1024 + b"]"))
    failure = await failing(client.models(), BadAnswer)
    assert "4 MiB" in (failure.operator or "")


async def test_a_refusal_of_endless_length_is_a_refusal(api, client):
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    api.says(endless)
    began = time.monotonic()
    await failing(painted(client), Overloaded)
    assert time.monotonic() - began < module._ERROR_S, "it was read until it was given up"


async def test_the_loop_turns_while_an_answer_is_decoded(api, client, monkeypatch):
    begun, turned = threading.Event(), threading.Event()

    def once_the_loop_has_turned(*reply: Any) -> Answer:
        begun.set()
        assert turned.wait(5), "the loop stood still"
        return decode(*reply)

    monkeypatch.setattr(module, "decode", once_the_loop_has_turned)
    api.says(answers(envelope({"b64_json": text(RED)})))
    painting = asyncio.create_task(painted(client))
    assert await asyncio.to_thread(begun.wait, 5)
    turned.set()
    assert await painting == (RED,)


# Links


def links(*urls: str) -> Handler:
    return answers(envelope(*({"index": i, "url": url} for i, url in enumerate(urls))))


def picture(data: bytes, status: int = 200) -> Handler:
    return answers(data, status)


async def test_a_picture_behind_a_link_is_fetched(api, client):
    api.pages["/shrt/a"] = answers(b"", 302, Location="/cdn/a.jpg")
    api.pages["/cdn/a.jpg"] = picture(RED)
    api.says(links(f"{api.url}/shrt/a"))
    assert await painted(client) == (RED,)
    assert all(request.headers["User-Agent"] == USER_AGENT for request in api.requests)


async def test_a_relative_link_belongs_to_the_api(api, client):
    api.pages["/v1/images/7/content"] = picture(BLUE)
    api.says(links("/v1/images/7/content", "images/7/content"))
    assert await painted(client) == (BLUE, BLUE)
    assert api.requests[-1].headers["Authorization"], "its own pictures may need the key"


async def test_elsewhere_the_key_is_not_shown(api, client):
    seen: list[web.Request] = []

    async def cdn(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response(body=RED)

    async with serving(cdn) as other:
        query = "X-Amz-Signature=a%2Bb%2F%3D&x=%7E&y=1+2"
        api.pages["/shrt/a"] = answers(b"", 307, Location=f"{other}/a.jpg?{query}")
        api.says(links(f"{api.url}/shrt/a", f"{other}/b.jpg?{query}"))
        assert await painted(client) == (RED, RED)
    assert [request.headers.get("Authorization") for request in seen] == [None, None]
    for request in seen:
        assert request.raw_path.partition("?")[2] == query, "the signature no longer fits"


@pytest.mark.parametrize(("redirects", "fine"), [(3, True), (4, False)])
async def test_three_redirects_are_followed(api, client, redirects, fine):
    for step in range(redirects):
        api.pages[f"/r/{step}"] = answers(b"", 302, Location=f"/r/{step + 1}")
    api.pages[f"/r/{redirects}"] = picture(RED)
    api.says(links(f"{api.url}/r/0"))
    if fine:
        assert await painted(client) == (RED,)
    else:
        await failing(painted(client), BadAnswer)


@pytest.mark.parametrize(
    "link",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "javascript:alert(1)",
        "gopher://x/",
        "http://:80/",
        "http://host:99999999/",
        "http://[::1",
        "http:// a b",
        "data:image/png;base64,%%%",
    ],
)
async def test_only_the_web_is_fetched_from(api, client, link):
    api.says(links(link))
    await failing(painted(client), BadAnswer)
    assert len(api.requests) == 1, "something was fetched"
    api.pages["/r"] = answers(b"", 302)
    api.says(links(f"{api.url}/r"))
    await failing(painted(client), BadAnswer)


@pytest.mark.parametrize(
    ("page", "reason", "gets"),
    [
        (answers(b"", 403), "expired", 1),
        (answers(b"", 404), "404", 1),
        (answers(b""), "200", 1),
        (answers(b"", 503), "503", 3),
        (answers(b"", 429), "429", 3),
    ],
)
async def test_a_lost_picture_is_never_painted_again(api, client, page, reason, gets):
    api.pages["/a.jpg"] = page
    api.says(links(f"{api.url}/a.jpg?X-Amz-Signature=s3cret"))
    failure = await failing(painted(client), BadAnswer)
    assert not failure.repeatable
    assert reason in (failure.operator or "")
    assert "s3cret" not in (failure.operator or "")
    assert api.posts == 1
    assert len(api.requests) == 1 + gets
    assert failure.request_id == "call-1"


async def test_no_log_gets_to_see_a_signature(api, client, monkeypatch):
    monkeypatch.setattr(module, "_FETCH_S", 0.2)
    with deaf() as elsewhere:
        api.says(links(f"{elsewhere}/a.jpg?X-Amz-Signature=s3cret"))
        failure = await failing(painted(client), BadAnswer)
    assert f"{elsewhere}/a.jpg?…" in (failure.operator or "")
    assert "s3cret" not in (failure.operator or "")


async def test_nobody_behind_a_link(api, client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        api.says(links(f"http://127.0.0.1:{taken.getsockname()[1]}/a.jpg?sig=s3cret"))
        failure = await failing(painted(client), BadAnswer)
    assert "s3cret" not in (failure.operator or "")
    assert api.posts == 1


async def test_a_link_that_works_the_second_time(api, client):
    flaky = [answers(b"", 503), picture(GREEN)]

    async def page(request: web.Request) -> web.StreamResponse:
        return await flaky.pop(0)(request)

    api.pages["/a.jpg"] = page
    api.says(links(f"{api.url}/a.jpg"))
    assert await painted(client) == (GREEN,)


async def test_pictures_that_can_be_had_are_not_lost_to_those_that_cannot(api, client):
    api.pages["/a.jpg"] = answers(b"", 403)
    api.says(
        answers(envelope({"url": f"{api.url}/a.jpg"}, {"b64_json": text(BLUE)}, {"url": "file:x"}))
    )
    assert await painted(client) == (BLUE,)


async def test_a_slow_link_is_left_in_time(api, client, monkeypatch):
    monkeypatch.setattr(module, "_PICTURE_S", 0.3)

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    api.pages["/a.jpg"] = hang
    api.says(links(f"{api.url}/a.jpg"))
    began = time.monotonic()
    await failing(painted(client), BadAnswer)
    assert time.monotonic() - began < 15


# Lists


LISTED = [
    {
        "id": MODEL,
        "type": "image",
        "display_name": "FLUX.2 [pro]",
        "organization": "Black Forest Labs",
        "pricing": {"image": {"example_price": 0.03, "example_description": "per image"}},
    },
    {
        "id": "openai/gpt-image-2",
        "type": "image",
        "pricing": {"image": {"example_price": "0.053", "example_description": "starting price"}},
    },
    {
        "id": "black-forest-labs/FLUX.2-max",
        "type": "image",
        "pricing": {"image_pixel": {"price_per_megapixel": 0.07, "min_steps": 50}, "input": 0},
    },
    {"id": "black-forest-labs/FLUX.1-schnell-Free", "type": "image", "pricing": {"base": 0}},
    {"id": "a/b", "type": "image", "pricing": None, "display_name": None, "organization": 5},
    {"id": "meta/llama", "type": "chat"},
    {"id": "", "type": "image"},
    {"type": "image"},
    "text",
    None,
]
MODELS = (
    ListedModel(MODEL, "FLUX.2 [pro]", "Black Forest Labs", 0.03, "image"),
    ListedModel("openai/gpt-image-2", "gpt-image-2", "openai", 0.053, "image_estimated"),
    ListedModel(
        "black-forest-labs/FLUX.2-max", "FLUX.2-max", "black-forest-labs", 0.07, "megapixel"
    ),
    ListedModel(
        "black-forest-labs/FLUX.1-schnell-Free",
        "FLUX.1-schnell-Free",
        "black-forest-labs",
        0.0,
        "free",
    ),
    ListedModel("a/b", "b", "a", None, None),
)


@pytest.mark.parametrize("shape", [LISTED, {"object": "list", "data": LISTED}])
async def test_the_models_that_are_listed(api, client, shape):
    api.says(answers(json.dumps(shape).encode()))
    models = await client.models()
    assert models == MODELS
    assert (api.requests[0].method, api.requests[0].path) == ("GET", "/v1/models")
    Catalogue.load().refresh(models)


@pytest.mark.parametrize("price", ["NaN", "-1", "0", "1e999", '"dear"', "null", "{}"])
def test_a_price_that_is_none(price):
    body = (
        f'[{{"id": "a/b", "type": "image", "pricing": {{"image": {{"example_price": {price}}}}}}}]'
    )
    assert decode_models(body.encode()) == (ListedModel("a/b", "b", "a", None, None),)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": {}}', b"<html>", b"7", b"[" * 9999])
def test_what_is_no_list_of_models(body):
    with pytest.raises(BadAnswer):
        decode_models(body)


@pytest.mark.parametrize(
    ("body", "account"),
    [
        (
            (
                b'{"type": "project_api_key", "api_key": {"id": "key_1"}, "organization": '
                b'{"id": "org_1", "name": "Acme"}, "project": {"id": "proj_1", "name": "Art"}}'
            ),
            Account("Acme", "Art"),
        ),
        (b'{"organization": {"id": "org_1"}, "project": null}', Account("org_1", None)),
        (b'{"organization": "Acme"}', Account(None, None)),
        (b"{}", Account(None, None)),
    ],
)
async def test_whose_key_it_is(api, client, body, account):
    api.says(answers(body))
    assert await client.whoami() == account


async def test_free_questions_are_asked_again(api, client):
    api.says(answers(b"", 503), answers(b"", 429, **{"Retry-After": "0.01"}), answers(b"[]"))
    assert await client.models() == ()
    assert len(api.requests) == 3


@pytest.mark.parametrize("status", [401, 404, 400])
async def test_but_not_when_the_answer_will_not_change(api, client, status):
    api.says(answers(error("No."), status))
    with pytest.raises(PaintingFailed):
        await client.whoami()
    assert len(api.requests) == 1


async def test_at_some_point_the_last_failure_is_told(api, client):
    api.says(answers(b"", 502))
    await failing(client.models(), Overloaded)
    assert len(api.requests) == 3


async def test_a_key_that_is_refused(api, client):
    api.says(answers(error(f"Incorrect API key provided: {KEY}"), 401))
    failure = await failing(client.whoami(), OwnerNeeded)
    assert "TOGETHER_API_KEY" in (failure.operator or "")


async def test_the_key_is_in_no_log(api, client, caplog):
    caplog.set_level(logging.DEBUG)
    api.says(answers(error(KEY), 503))
    with structlog.testing.capture_logs() as lines:
        await failing(client.models(), Overloaded)
        await failing(painted(client), Overloaded)
    assert KEY not in caplog.text + repr(lines)


async def test_calls_share_no_limit_but_the_pace(api, client):
    """As many connections as calls; the pace alone decides how many those are."""
    together = 150
    everybody = asyncio.Event()
    inside = 0

    async def wait_for_all(_: web.Request) -> web.StreamResponse:
        nonlocal inside
        inside += 1
        if inside == together:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), 10)
        return web.Response(body=envelope({"b64_json": text(RED)}))

    api.says(wait_for_all)
    results = await asyncio.gather(*(painted(client) for _ in range(together)))
    assert set(results) == {(RED,)}
