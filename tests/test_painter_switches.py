"""The sandbox painter's queue of faults, on every route, and its switches over HTTP."""

from __future__ import annotations

import asyncio
from random import Random

import aiohttp
import pytest
from painter_client import PRO, generate, get

from bot.demo.faults import TROUBLE, Fault, Faults, Kind, Route
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


class TestQueue:
    def test_faults_come_in_order_and_as_often_as_told(self):
        faults = Faults()
        faults.next(Kind.EMPTY, times=2)
        faults.next(Kind.HTML)
        met = [faults.take(Route.GENERATIONS) for _ in range(4)]
        assert [fault and fault.kind for fault in met] == [Kind.EMPTY, Kind.EMPTY, Kind.HTML, None]
        assert faults.waiting == 0

    def test_a_fault_for_ever_ends_with_clear(self):
        faults = Faults()
        faults.next(Kind.EMPTY, times=None)
        assert all(faults.take(Route.GENERATIONS) for _ in range(50))
        faults.clear()
        assert faults.take(Route.GENERATIONS) is None

    def test_a_fault_of_one_model_waits_for_it(self):
        faults = Faults()
        faults.next(Fault(Kind.MODEL_GONE, model="a"))
        assert faults.take(Route.GENERATIONS, "b") is None
        assert faults.take(Route.GENERATIONS, "a") is not None

    def test_a_fault_happens_at_least_once(self):
        with pytest.raises(ValueError, match="at least once"):
            Faults().next(Kind.EMPTY, times=0)

    def test_trouble_meets_a_share_of_the_generations_until_it_is_cleared(self):
        faults = Faults()
        faults.at_random(0.3, Random(1))
        faults.next(Kind.EMPTY)
        queued = faults.take(Route.GENERATIONS)
        met = [fault.kind for _ in range(1000) if (fault := faults.take(Route.GENERATIONS))]
        assert queued == Fault(Kind.EMPTY), "what is queued comes first"
        assert 250 < len(met) < 350
        assert set(met) == set(TROUBLE)
        assert not any(faults.take(Route.WHOAMI) for _ in range(100))
        faults.clear()
        assert not any(faults.take(Route.GENERATIONS) for _ in range(100))

    async def test_two_requests_at_once_share_two_faults(self, painter, session):
        painter.faults.next(Kind.SERVER_ERROR, times=2)
        calls = await asyncio.gather(*[generate(session) for _ in range(6)])
        assert sorted(reply.status for reply in calls) == [200] * 4 + [500] * 2

    async def test_faults_on_the_other_routes(self, painter, session):
        url = (await generate(session, response_format="url")).json["data"][0]["url"]
        visits = [
            (Route.MODELS, "/v1/models", Kind.SERVER_ERROR, 500),
            (Route.WHOAMI, "/v1/whoami", Kind.UNAUTHORISED, 401),
            (Route.SHORT, url, Kind.OVERLOADED, 503),
            (Route.CDN, url, Kind.EXPIRED, 403),
        ]
        for route, path, kind, status in visits:
            painter.faults.next(kind, on=route)
            for expected in (status, 200):
                async with session.get(path) as response:
                    assert response.status == expected, f"{route} after {kind}"

    async def test_a_link_can_lead_elsewhere_or_break(self, painter, session):
        url = (await generate(session, response_format="url")).json["data"][0]["url"]
        target = "http://169.254.169.254/latest/"
        painter.faults.next(Fault(Kind.REDIRECTED, message=target), on=Route.SHORT)
        async with session.get(url, allow_redirects=False) as response:
            assert (response.status, response.headers["location"]) == (302, target)
        painter.faults.next(Kind.TRUNCATED, on=Route.CDN)
        with pytest.raises(aiohttp.ClientPayloadError):
            async with session.get(url) as response:
                await response.read()


class TestSwitches:
    async def test_another_process_sets_faults_and_reads_the_counts(self, session):
        order = {"kind": "rate_limited", "times": 2, "retry_after": 0.5, "model": PRO}
        async with session.post("/sandbox/faults", json=order) as response:
            assert (response.status, await response.json()) == (201, {"waiting": 1})
        for _ in range(2):
            limited = await generate(session)
            assert (limited.status, limited.headers["retry-after"]) == (429, "0.5")
        await generate(session, n=2)
        assert (await get(session, "/sandbox/stats")).json == {
            "requests": 3,
            "statuses": {"200": 1, "429": 2},
            "renders": 1,
            "pictures": 2,
            "in_flight": 0,
            "peak": 1,
            "faults_waiting": 0,
        }
        seen = (await get(session, "/sandbox/requests")).json
        assert [(r["status"], r["fault"]) for r in seen] == [
            (429, "rate_limited"),
            (429, "rate_limited"),
            (200, None),
        ]
        assert (seen[2]["body"]["model"], seen[2]["body"]["n"]) == (PRO, 2)

    async def test_faults_of_other_routes_and_their_end(self, session):
        order = {"kind": "empty", "route": "models", "times": None}
        async with session.post("/sandbox/faults", json=order) as response:
            assert response.status == 201
        async with session.get("/v1/models") as response:
            assert await response.read() == b""
        async with session.delete("/sandbox/faults") as response:
            assert await response.json() == {"waiting": 0}
        async with session.get("/v1/models") as response:
            assert len(await response.json()) > 20

    @pytest.mark.parametrize(
        "body",
        [b"", b"[]", b'{"kind":"odd"}', b'{"kind":"empty","times":0}', b'{"kind":"empty","x":1}'],
    )
    async def test_a_mistake_is_explained_and_changes_nothing(self, painter, session, body):
        async with session.post("/sandbox/faults", data=body) as response:
            assert response.status == 400
            assert (await response.json())["errors"][0]["what"]
        assert painter.faults.waiting == 0
