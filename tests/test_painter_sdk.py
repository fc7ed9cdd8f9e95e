"""Together's own SDK, unchanged, against the sandbox painter: the referee of its manners."""

from __future__ import annotations

import base64
from io import BytesIO

import pytest
import together
from PIL import Image
from together import AsyncTogether

from bot.demo.faults import Fault, Kind
from bot.demo.painter import Painter

PRO = "black-forest-labs/FLUX.2-pro"
SCHNELL = "black-forest-labs/FLUX.1-schnell"


@pytest.fixture
async def painter():
    async with Painter(seed=1, pacing=False) as painter:
        yield painter


@pytest.fixture
async def sdk(painter):
    # It repeats timed-out, paid calls unless told not to; its base is the root, without /v1.
    options = {"api_key": "sandbox", "base_url": painter.url, "max_retries": 0, "timeout": 20}
    async with AsyncTogether(**options) as sdk:
        yield sdk


async def test_base64(painter, sdk):
    answer = await sdk.images.generate(
        model=PRO, prompt="a fox", n=2, width=512, height=256, seed=3, response_format="base64"
    )
    assert (answer.object, answer.model) == ("list", PRO)
    for index, item in enumerate(answer.data):
        assert (item.index, item.type) == (index, "b64_json")
        assert Image.open(BytesIO(base64.b64decode(item.b64_json))).size == (512, 256)
    assert painter.requests[0].headers["user-agent"].startswith("AsyncTogether/")


async def test_a_link(sdk):
    answer = await sdk.images.generate(model=SCHNELL, prompt="a fox", width=64, height=64)
    (item,) = answer.data
    assert item.type == "url"
    picture = await sdk._client.get(item.url, follow_redirects=True)
    assert Image.open(BytesIO(picture.content)).size == (64, 64)


async def test_fields_that_only_the_documents_know_travel_in_the_extra_body(sdk):
    answer = await sdk.images.generate(
        model="black-forest-labs/FLUX.1-kontext-pro",
        prompt="a fox",
        response_format="base64",
        extra_body={"aspect_ratio": "3:2"},
    )
    assert Image.open(BytesIO(base64.b64decode(answer.data[0].b64_json))).size == (1248, 832)


@pytest.mark.parametrize("kind", [Kind.TYPE_NULL, Kind.NO_OBJECT])
async def test_it_survives_the_holes_that_the_real_service_leaves(painter, sdk, kind):
    painter.faults.next(kind)
    answer = await sdk.images.generate(
        model=SCHNELL, prompt="a fox", width=64, height=64, response_format="base64"
    )
    assert answer.data[0].b64_json


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        (Kind.BAD_REQUEST, together.BadRequestError),
        (Kind.UNAUTHORISED, together.AuthenticationError),
        (Kind.NO_CREDIT, together.APIStatusError),
        (Kind.SHARING_BLOCKED, together.PermissionDeniedError),
        (Kind.MODEL_GONE, together.NotFoundError),
        (Kind.UNSAFE, together.UnprocessableEntityError),
        (Kind.RATE_LIMITED, together.RateLimitError),
        (Kind.SERVER_ERROR, together.InternalServerError),
        (Kind.OVERLOADED, together.InternalServerError),
        (Kind.TIMEOUT_524, together.InternalServerError),
        (Kind.OVERLOADED_529, together.InternalServerError),
        (Kind.RESET_BEFORE, together.APIConnectionError),
        (Kind.RESET_AFTER, together.APIConnectionError),
    ],
)
async def test_every_failure_is_the_one_that_it_knows(painter, sdk, kind, raised):
    painter.faults.next(kind)
    with pytest.raises(raised):
        await sdk.images.generate(model=SCHNELL, prompt="a fox", width=64, height=64)
    assert len(painter.requests) == 1


async def test_it_reads_the_message_of_a_refusal(sdk):
    with pytest.raises(together.BadRequestError, match="Seed must be an integer") as caught:
        await sdk.images.generate(model=PRO, prompt="a fox", seed=-1)
    assert caught.value.body["error"]["type"] == "invalid_request_error"


async def test_with_its_own_retries_one_wish_is_rendered_and_paid_three_times(painter):
    painter.faults.next(Kind.RESET_AFTER, times=2)
    async with AsyncTogether(api_key="sandbox", base_url=painter.url, max_retries=2) as sdk:
        sdk._calculate_retry_timeout = lambda *_: 0
        await sdk.images.generate(model=SCHNELL, prompt="a fox", width=64, height=64)
    assert (painter.renders, len(painter.requests)) == (3, 3)


async def test_a_timeout_is_rendered_all_the_same(painter, sdk):
    painter.faults.next(Fault(Kind.SLOW, seconds=3600))
    with pytest.raises(together.APITimeoutError):
        await sdk.images.generate(model=SCHNELL, prompt="a", width=64, height=64, timeout=0.3)
    assert painter.renders == 1


async def test_whoami(sdk):
    me = await sdk.whoami()
    assert (me.type, me.project.slug) == ("project_api_key", "sandbox")
