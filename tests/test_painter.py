"""The sandbox painter as a client meets it: routes, keys, models, limits, pictures."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from io import BytesIO

import aiohttp
import pytest
from painter_client import FLASH, GENERATIONS, KONTEXT, PRO, SCHNELL, data_uri, generate, get
from PIL import Image

from bot.demo.painter import Painter


@pytest.fixture
async def painter():
    async with Painter(seed=1, pacing=False) as painter:
        yield painter


@pytest.fixture
async def session(painter):
    headers = {"authorization": "Bearer sandbox", "user-agent": "test/1"}
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(painter.url, headers=headers, timeout=timeout) as session:
        yield session


class TestAnswers:
    async def test_base64(self, painter, session):
        reply = await generate(session, n=2, seed=7)
        assert reply.status == 200
        assert reply.json["object"] == "list"
        assert reply.json["model"] == PRO
        assert [item["index"] for item in reply.json["data"]] == [0, 1]
        assert {item["type"] for item in reply.json["data"]} == {"b64_json"}
        assert [(p.format, p.size) for p in reply.pictures()] == [("JPEG", (256, 256))] * 2
        assert reply.headers["x-request-id"] == reply.json["id"]
        assert (painter.renders, painter.pictures) == (1, 2)

    async def test_a_link_is_the_default_and_leads_through_a_redirection(self, session):
        reply = await generate(session, response_format=...)
        (item,) = reply.json["data"]
        assert item["type"] == "url"
        first = await get(session, item["url"], allow_redirects=False)
        assert first.status == 302
        assert re.search(r"/cdn/\w+\.jpg$", first.headers["location"])
        picture = await get(session, item["url"])
        assert picture.headers["content-type"] == "image/jpeg"
        assert Image.open(BytesIO(picture.body)).size == (256, 256)

    async def test_the_seed_decides_the_picture(self, session):
        one, same, other = [await generate(session, seed=seed) for seed in (5, 5, 6)]
        assert one.json["data"][0]["b64_json"] == same.json["data"][0]["b64_json"]
        assert one.json["data"][0]["b64_json"] != other.json["data"][0]["b64_json"]

    async def test_png_where_the_model_honours_it(self, session):
        flux = await generate(session, output_format="png")
        google = await generate(session, model=FLASH, output_format="png", width=..., height=...)
        assert flux.pictures()[0].format == "PNG"
        assert google.pictures()[0].format == "JPEG"

    async def test_the_spelling_of_another_service_is_understood(self, session):
        reply = await generate(session, response_format="b64_json")
        assert reply.pictures()[0].size == (256, 256)

    async def test_an_unknown_address_is_refused_in_the_usual_shape(self, session):
        for path in ("/v1/v1/images/generations", "/images/generations", "/v1/usage"):
            reply = await get(session, path)
            assert reply.status == 404
            assert set(reply.json["error"]) == {"message", "type", "param", "code"}
            assert reply.headers["x-request-id"] == reply.json["id"]

    async def test_a_body_that_is_no_object_is_refused(self, session):
        for body in (b"", b"{", b"[1]", b"[" * 100_000, b"\xff"):
            async with session.post(GENERATIONS, data=body) as response:
                assert response.status == 400, body[:9]


class TestKeys:
    @pytest.mark.parametrize("header", [None, "Bearer wrong", "sandbox", "Bearer "])
    @pytest.mark.parametrize("path", [GENERATIONS, "/v1/models", "/v1/whoami"])
    async def test_nobody_comes_in_without_the_key(self, painter, header, path):
        headers = {"authorization": header} if header else {}
        method = "POST" if path == GENERATIONS else "GET"
        body = {"json": {"model": PRO, "prompt": "x"}} if method == "POST" else {}
        async with (
            aiohttp.ClientSession(painter.url, headers=headers) as session,
            session.request(method, path, **body) as response,
        ):
            assert response.status == 401
            assert (await response.json())["error"]["code"] == "invalid_api_key"
        assert painter.renders == 0

    async def test_a_painter_without_a_key_lets_everybody_in(self):
        async with Painter(api_key=None) as painter, aiohttp.ClientSession(painter.url) as session:
            assert (await get(session, "/v1/whoami")).status == 200

    async def test_whoami(self, session):
        for path in ("/v1/whoami", "/v3/whoami"):
            me = (await get(session, path)).json
            assert me["organization"]["name"] == me["project"]["name"] == "Sandbox"

    async def test_the_agent_of_urllib_meets_a_wall_and_a_blank_one_no_pictures(self, session):
        reply = await get(session, "/v1/models", headers={"user-agent": "Python-urllib/3.11"})
        assert (reply.status, reply.body) == (403, b"error code: 1010")
        (item,) = (await generate(session, response_format="url")).json["data"]
        for agent in ("", " "):
            assert (await get(session, item["url"], headers={"user-agent": agent})).status == 403


async def test_the_list_of_models_is_a_bare_array_with_prices(session):
    listing = (await get(session, "/v1/models")).json
    assert {entry["type"] for entry in listing} == {"image", "chat", "embedding"}
    pricing = {entry["id"]: entry["pricing"] for entry in listing}
    assert pricing[KONTEXT]["image_pixel"] == {"price_per_megapixel": 0.04, "min_steps": 28}
    assert pricing[PRO]["image"] == {"example_price": 0.03, "example_description": "per image"}
    assert SCHNELL not in pricing, "schnell still answers, but is no longer listed"


class TestLimits:
    async def test_more_calls_at_once_than_it_bears(self):
        going, waiting = asyncio.Event(), asyncio.Event()

        async def sleep(seconds: float) -> None:
            assert seconds == 3
            waiting.set()
            await going.wait()

        async with (
            Painter(api_key=None, pace=3, bears=1, retry_after=2, sleep=sleep) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            first = asyncio.create_task(generate(session))
            await asyncio.wait_for(waiting.wait(), 10)
            refused = await generate(session)
            assert refused.status == 429
            assert refused.json["error"]["type"] == "dynamic_request_limited"
            assert refused.headers["retry-after"] == "2"
            assert refused.headers["x-ratelimit-limit-dynamic"] == "1"
            going.set()
            assert (await first).status == 200
            assert (await generate(session)).status == 200
            assert (painter.renders, painter.records.peak, painter.records.in_flight) == (2, 1, 0)

    async def test_a_resend_within_a_second_of_a_400_is_refused(self):
        now = [100.0]
        async with (
            Painter(api_key=None, clock=lambda: now[0]) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            assert (await generate(session, width=1)).status == 400
            now[0] += 0.99
            assert (await generate(session)).status == 429
            assert (await generate(session, model=SCHNELL)).status == 200, "another model waits"
            other = {"authorization": "Bearer other"}
            async with aiohttp.ClientSession(painter.url, headers=other) as stranger:
                assert (await generate(stranger)).status == 200, "another key waits"
            now[0] += 0.02
            assert (await generate(session)).status == 200, "the second is over"
            assert (await generate(session, width=1)).status == 400
            painter.terms.pacing = False
            assert (await generate(session)).status == 200, "the rule is off"

    async def test_a_link_expires(self):
        now = [0.0]
        async with (
            Painter(api_key=None, url_life=60, clock=lambda: now[0]) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            (item,) = (await generate(session, response_format="url")).json["data"]
            now[0] = 59
            assert (await get(session, item["url"])).status == 200
            now[0] = 60
            late = await get(session, item["url"])
            assert (late.status, b"expired" in late.body) == (403, True)
            assert (await get(session, "/shrt/never")).status == 404

    async def test_a_picture_can_be_used_again_for_load_tests(self):
        async with (
            Painter(api_key=None, reuse=True) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            replies = [await generate(session, prompt=prompt, n=2) for prompt in "ab"]
        pictures = {item["b64_json"] for reply in replies for item in reply.json["data"]}
        assert len(pictures) == 1


async def test_requests_are_remembered_with_headers_and_status(painter, session):
    await generate(session, width=1)
    await generate(session, reference_images=[uri := data_uri()])
    refused, painted = painter.requests
    assert (refused.status, painted.status) == (400, 200)
    assert painted.body["reference_images"] == [uri]
    assert painted.headers["user-agent"] == "test/1"
    assert (painted.model, painted.key) == (PRO, "sandbox")


async def test_only_the_newest_requests_keep_their_inputs_whole(painter):
    for number in range(102):
        painter.records.receive({"prompt": "x" * 5000, "list": ["y" * 5000, number]}, {})
    lengths = [len(request.body["list"][0]) for request in painter.requests]
    assert lengths == [1001] * 2 + [5000] * 100
    assert len(painter.requests[0].body["prompt"]) == 1001


async def test_it_runs_alone_and_prints_its_address():
    command = (sys.executable, "-m", "bot.demo.painter", "--port", "0", "--pace", "0", "--bears=2")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line
        headers = {"authorization": "Bearer sandbox"}
        async with aiohttp.ClientSession(address.group(), headers=headers) as session:
            assert (await generate(session)).status == 200
            assert (await get(session, "/sandbox/stats")).json["renders"] == 1
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
