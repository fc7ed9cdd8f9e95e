"""Every way in which the sandbox painter can fail, and what has been rendered by then."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from PIL import Image

from bot.demo.faults import Fault, Kind
from bot.demo.painter import Painter
from bot.demo.sandbox.answers import TOO_MANY, ErrorShape

GENERATIONS = "/v1/images/generations"
ORDER = {
    "model": "black-forest-labs/FLUX.1-schnell",
    "prompt": "a fox",
    "response_format": "base64",
    "width": 64,
    "height": 64,
    "n": 2,
}
#: Refused before anything is rendered: the status and the error's code or type.
REFUSED = {
    Kind.BAD_REQUEST: (400, "invalid_request_error"),
    Kind.UNAUTHORISED: (401, "invalid_api_key"),
    Kind.NO_CREDIT: (402, "credit_limit"),
    Kind.SHARING_BLOCKED: (403, "third_party_data_sharing_blocked"),
    Kind.MODEL_GONE: (404, "model_not_available"),
    Kind.NOT_SERVERLESS: (404, "model_not_available"),
    Kind.UNSAFE: (422, "invalid_request_error"),
    Kind.AGAINST_POLICY: (400, "content_policy_violation"),
    Kind.RATE_LIMITED: (429, "dynamic_request_limited"),
    Kind.SERVER_ERROR: (500, "server_error"),
    Kind.OVERLOADED_529: (529, "server_error"),
}
#: Refused by something that knows no JSON.
PLAIN = {
    Kind.EXPIRED: (403, b"expired"),
    Kind.BAD_GATEWAY: (502, b"<html>"),
    Kind.OVERLOADED: (503, b""),
    Kind.UNKNOWN_ERROR: (520, b"<html>"),
    Kind.REDIRECTED: (302, b""),
}
LOST = {
    Kind.GATEWAY_TIMEOUT: (504, b"<html>"),
    Kind.TIMEOUT_524: (524, b"<html>"),
    Kind.HTML: (200, b"<html>"),
    Kind.EMPTY: (200, b""),
    Kind.DEEP: (200, b"[[[["),
}
BROKEN = {
    Kind.RESET_BEFORE: 0,
    Kind.RESET_AFTER: 1,
    Kind.CLOSED: 1,
    Kind.TRUNCATED: 1,
}
ENVELOPES = (
    Kind.TYPE_NULL,
    Kind.NO_OBJECT,
    Kind.FEWER,
    Kind.UNORDERED,
    Kind.NAN,
    Kind.WEBP,
    Kind.NO_DATA,
    Kind.NO_FIELDS,
    Kind.BAD_BASE64,
    Kind.NOT_A_PICTURE,
    Kind.PICTURE_BOMB,
)
IN_TIME = (Kind.SLOW, Kind.DRIP, Kind.HUGE, Kind.GZIP_BOMB)


def test_every_fault_has_its_test():
    assert {*REFUSED, *PLAIN, *LOST, *BROKEN, *ENVELOPES, *IN_TIME} == set(Kind)


@pytest.fixture
async def slept():
    return []


@pytest.fixture
async def painter(slept):
    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    async with Painter(seed=1, pacing=False, sleep=sleep) as painter:
        yield painter


@pytest.fixture
async def session(painter):
    headers = {"authorization": "Bearer sandbox"}
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(painter.url, headers=headers, timeout=timeout) as session:
        yield session


async def generate(session: aiohttp.ClientSession, **fields: object) -> tuple[Any, bytes]:
    order = ORDER | fields
    patience = aiohttp.ClientTimeout(total=20)
    options = {"allow_redirects": False, "timeout": patience}
    async with session.post(GENERATIONS, json=order, **options) as response:
        return response, await response.read()


async def items(session: aiohttp.ClientSession, **fields: object) -> list[dict[str, Any]]:
    response, body = await generate(session, **fields)
    assert response.status == 200
    return json.loads(body)["data"]


class TestRefusals:
    @pytest.mark.parametrize("kind", REFUSED)
    async def test_a_refusal_in_the_usual_shape_renders_nothing(self, painter, session, kind):
        painter.faults.next(kind)
        response, body = await generate(session)
        status, mark = REFUSED[kind]
        assert response.status == status
        content = json.loads(body)
        assert content["id"] == response.headers["x-request-id"]
        assert set(content["error"]) == {"message", "type", "param", "code"}
        assert mark in (content["error"]["code"], content["error"]["type"])
        assert (painter.renders, painter.requests[-1].fault) == (0, kind)
        assert (await generate(session))[0].status == 200, "the fault was for one request"

    @pytest.mark.parametrize("kind", PLAIN)
    async def test_a_refusal_by_a_machine_in_between(self, painter, session, kind):
        painter.faults.next(kind)
        response, body = await generate(session)
        status, mark = PLAIN[kind]
        assert response.status == status
        assert mark in body
        assert bool(mark) == bool(body)
        assert painter.renders == 0

    async def test_the_waits_of_a_429_stand_in_headers_where_they_are_given(self, painter, session):
        painter.faults.next(Fault(Kind.RATE_LIMITED, retry_after=1.5, reset=0.25))
        painter.faults.next(Kind.RATE_LIMITED)
        with_waits, body = await generate(session)
        without, _ = await generate(session)
        assert json.loads(body)["error"]["message"] == TOO_MANY
        assert with_waits.headers["retry-after"] == "1.5"
        assert with_waits.headers["x-ratelimit-reset"] == "0.25"
        assert "retry-after" not in without.headers
        assert "x-ratelimit-reset" not in without.headers
        for response in (with_waits, without):
            assert response.headers["x-ratelimit-remaining-dynamic"] == "0"

    async def test_an_overload_can_say_when_to_come_back(self, painter, session):
        painter.faults.next(Fault(Kind.OVERLOADED, retry_after=3))
        response, _ = await generate(session)
        assert response.headers["retry-after"] == "3"

    @pytest.mark.parametrize(
        ("shape", "content"),
        [
            (ErrorShape.TEXT, {"error": "no"}),
            (ErrorShape.MESSAGE, {"message": "no"}),
            (ErrorShape.DETAIL, {"detail": "no"}),
            (ErrorShape.ERROR_TYPE, {"error": {"message": "no", "error_type": "server_error"}}),
        ],
    )
    async def test_other_shapes_words_and_statuses(self, painter, session, shape, content):
        painter.faults.next(Fault(Kind.SERVER_ERROR, message="no", status=418, shape=shape))
        response, body = await generate(session)
        assert (response.status, json.loads(body)) == (418, content)

    async def test_a_400_made_here_starts_the_second_of_waiting_too(self, painter, session):
        painter.terms.pacing = True
        painter.faults.next(Kind.BAD_REQUEST)
        assert [(await generate(session))[0].status for _ in range(2)] == [400, 429]


class TestLostAnswers:
    @pytest.mark.parametrize("kind", LOST)
    async def test_the_answer_is_lost_and_the_work_was_done(self, painter, session, kind):
        painter.faults.next(kind)
        response, body = await generate(session)
        status, mark = LOST[kind]
        assert response.status == status
        assert mark in body
        assert (painter.renders, painter.pictures) == (1, 2)

    @pytest.mark.parametrize("kind", BROKEN)
    async def test_the_connection_breaks(self, painter, session, kind):
        painter.faults.next(kind)
        with pytest.raises(aiohttp.ClientError):
            await generate(session)
        assert painter.renders == BROKEN[kind]
        answered = painter.requests[-1].status
        assert answered == (200 if kind is Kind.TRUNCATED else None)
        assert (await generate(session))[0].status == 200, "the painter did not survive"

    @pytest.mark.parametrize(
        ("kind", "is_reset"),
        [(Kind.RESET_BEFORE, True), (Kind.RESET_AFTER, True), (Kind.CLOSED, False)],
    )
    async def test_a_reset_is_a_reset_and_no_polite_goodbye(self, painter, kind, is_reset):
        painter.faults.next(kind)
        port = int(painter.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(ORDER).encode()
        head = (
            f"POST {GENERATIONS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        try:
            read = await asyncio.wait_for(reader.read(), 10)
            assert (is_reset, read) == (False, b"")
        except ConnectionResetError:
            assert is_reset, "a polite end was asked for"
        finally:
            writer.close()

    async def test_a_client_that_gives_up_has_paid_and_pays_again_for_a_second_try(self):
        never = asyncio.Event()
        async with (
            Painter(api_key=None, pace=1, sleep=lambda _: never.wait()) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            for tries in (1, 2):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await generate(session)
                assert painter.renders == tries

    async def test_a_stop_does_not_wait_for_a_slow_answer(self):
        asleep = asyncio.Event()

        async def sleep(seconds: float) -> None:
            asleep.set()
            await asyncio.sleep(seconds)

        async with (
            Painter(api_key=None, pace=3600, sleep=sleep) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            call = asyncio.create_task(generate(session))
            await asyncio.wait_for(asleep.wait(), 10)
            stop = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stop < 10, "the stop hung"
        with pytest.raises(aiohttp.ClientError):
            await call


class TestEnvelopes:
    async def test_a_type_of_null_and_a_missing_object(self, painter, session):
        painter.faults.next(Kind.TYPE_NULL)
        assert [item["type"] for item in await items(session)] == [None, None]
        painter.faults.next(Kind.NO_OBJECT)
        _, body = await generate(session)
        assert set(json.loads(body)) == {"id", "model", "data"}

    async def test_fewer_pictures_than_ordered(self, painter, session):
        painter.faults.next(Fault(Kind.FEWER, size=3))
        assert [item["index"] for item in await items(session, n=4)] == [0, 1, 2]

    async def test_pictures_out_of_order(self, painter, session):
        painter.faults.next(Kind.UNORDERED)
        assert [item["index"] for item in await items(session, n=3)] == [2, 1, 0]

    async def test_no_data_and_no_fields(self, painter, session):
        painter.faults.next(Kind.NO_DATA)
        assert await items(session) == []
        painter.faults.next(Kind.NO_FIELDS)
        assert [(i["url"], i["b64_json"]) for i in await items(session)] == [(None, None)] * 2

    async def test_numbers_that_are_none(self, painter, session):
        painter.faults.next(Kind.NAN)
        item = (await items(session))[0]
        assert math.isnan(item["timings"]["inference"])
        assert math.isinf(item["timings"]["queue"])

    async def test_base64_that_is_none(self, painter, session):
        painter.faults.next(Kind.BAD_BASE64)
        for item in await items(session):
            with pytest.raises(ValueError, match="base64"):
                base64.b64decode(item["b64_json"], validate=True)

    @pytest.mark.parametrize("response_format", ["base64", "url"])
    async def test_pictures_of_another_format_or_none(self, painter, session, response_format):
        for kind in (Kind.WEBP, Kind.NOT_A_PICTURE, Kind.PICTURE_BOMB):
            painter.faults.next(kind)
            item = (await items(session, response_format=response_format))[0]
            data = base64.b64decode(item["b64_json"], validate=True)
            match kind:
                case Kind.WEBP:
                    assert Image.open(BytesIO(data)).format == "WEBP"
                case Kind.NOT_A_PICTURE:
                    assert data.startswith(b"<html>")
                case Kind.PICTURE_BOMB:
                    assert len(data) < 200
                    with pytest.raises(Image.DecompressionBombError):
                        Image.open(BytesIO(data))
        assert painter.renders == 3

    async def test_a_refusal_is_not_spoiled(self, painter, session):
        painter.faults.next(Kind.TYPE_NULL)
        response, body = await generate(session, width=1)
        assert (response.status, "error" in json.loads(body)) == (400, True)


class TestTransport:
    async def test_a_slow_answer(self, painter, session, slept):
        painter.faults.next(Fault(Kind.SLOW, seconds=77))
        assert len(await items(session)) == 2
        assert slept == [77]

    async def test_an_answer_in_drops(self, painter, session, slept):
        painter.faults.next(Fault(Kind.DRIP, seconds=0.2, size=500))
        response, body = await generate(session)
        assert len(json.loads(body)["data"]) == 2
        assert slept == [0.2] * math.ceil(int(response.headers["content-length"]) / 500)

    @pytest.mark.parametrize("kind", [Kind.HUGE, Kind.GZIP_BOMB])
    async def test_a_huge_answer(self, painter, session, kind):
        painter.faults.next(Fault(kind, size=4 * 1024 * 1024))
        response, body = await generate(session)
        assert "content-length" not in response.headers
        assert body.startswith(b'{"id":')
        assert len(body) > 4 * 1024 * 1024
        assert painter.renders == 1

    async def test_a_client_may_turn_away_from_a_huge_answer(self, painter, session):
        painter.faults.next(Kind.HUGE)
        async with session.post(GENERATIONS, json=ORDER) as response:
            assert await response.content.read(1000)
        assert (await generate(session))[0].status == 200
