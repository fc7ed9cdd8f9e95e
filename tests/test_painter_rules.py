"""What each model of the sandbox painter takes, refuses and ignores; what it does to inputs."""

from __future__ import annotations

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painter_client import FLASH, KONTEXT, PRO, SCHNELL, data_uri, generate

from bot.demo.painter import Painter
from bot.demo.sandbox.answers import Refused
from bot.demo.sandbox.menu import MODELS, Closed, Sides
from bot.demo.sandbox.rules import POLICY_WORD, SAFETY_WORD, size_after, take_order

WAN = "Wan-AI/Wan2.6-image"
LITE = "google/flash-image-3.1-lite"
UNSUPPORTED = (
    "Unsupported use of '{}' parameter. This parameter is not supported for the selected model."
)
#: The service's own words, as measured; the models are written from the same measurements.
NOT_RECOGNISED = (
    "Invalid parameter detected. The parameter \"'negative_prompt'\" is not recognized or "
    "supported."
)
SEED = (
    "Invalid value for 'seed' parameter. Seed must be an integer value between 0 and 2147483647. "
    "Default: Random."
)
WAN_SIZES = (
    "Invalid dimensions. The total area (width × height) must be within the range of 1265×1265 "
    "to 1440×1440. The aspect ratio must be between 1:4 and 4:1. For example, 768*2700 is a "
    "valid resolution."
)
LITE_SIZES = (
    "Unsupported use of width/height parameters. The specified dimensions are not supported for "
    "the selected model. Supported values are: '1024x1024', '1264x848', '848x1264', '1200x896', "
    "'896x1200', '928x1152', '1152x928', '768x1376', '1376x768', '1584x672', '2048x512', "
    "'512x2048', '3072x384', '384x3072'."
)
REFUSALS = [
    (PRO, {"image_url": "https://x.test/a.png"}, UNSUPPORTED.format("image_url")),
    (PRO, {"negative_prompt": "dogs"}, NOT_RECOGNISED),
    (PRO, {"seed": -1}, SEED),
    (PRO, {"seed": 2_147_483_648}, SEED),
    (PRO, {"seed": "1"}, SEED),
    (PRO, {"steps": 20}, UNSUPPORTED.format("steps")),
    (FLASH, {"steps": 20}, UNSUPPORTED.format("steps")),
    (PRO, {"guidance_scale": 3}, "'guidance_scale'"),
    (PRO, {"frobnicate": 1}, "'frobnicate'"),
    (PRO, {"width": 1000}, "in multiples of 16"),
    (PRO, {"height": 1936}, "between 256 and 1920"),
    (PRO, {"width": True}, "Invalid value for 'width'"),
    (PRO, {"n": 5}, "between 1 and 4"),
    (PRO, {"n": 0}, "between 1 and 4"),
    (PRO, {"prompt": ""}, "A prompt is required"),
    (PRO, {"prompt": ...}, "A prompt is required"),
    (PRO, {"output_format": "webp"}, "'jpeg', 'png'"),
    (PRO, {"response_format": "gif"}, "'url', 'base64'"),
    (PRO, {"reference_images": "https://x.test/a.png"}, "Expected list"),
    (PRO, {"reference_images": ["https://x.test/a.png"] * 9}, "at most 8"),
    (PRO, {"reference_images": ["data:image/png;base64,AAAA"]}, "cannot be decoded"),
    (PRO, {"reference_images": ["data:image/png;base64,?"]}, "not base64"),
    (PRO, {"reference_images": ["file:///etc/passwd"]}, "expected a URL"),
    (SCHNELL, {"steps": 13}, "steps must be between 1 and 12"),
    ("black-forest-labs/FLUX.2-dev", {"steps": 51}, "steps must be between 1 and 50"),
    (KONTEXT, {"aspect_ratio": "2:1"}, "'1:1', '16:9', '9:16', '4:3', '3:2'"),
    (WAN, {"width": 1024, "height": 1024}, WAN_SIZES),
    (LITE, {}, LITE_SIZES),
    ("", {}, "'model'"),
]


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


class TestRules:
    @pytest.mark.parametrize(("model", "fields", "message"), REFUSALS)
    async def test_a_wrong_parameter_is_refused_before_rendering(
        self, painter, session, model, fields, message
    ):
        reply = await generate(session, model=model, **fields)
        assert reply.status == 400
        assert message in reply.message
        assert reply.json["error"] | {"message": ""} == {
            "message": "",
            "type": "invalid_request_error",
            "param": None,
            "code": None,
        }
        assert painter.renders == 0
        assert painter.requests[-1].status == 400

    @pytest.mark.parametrize("model", [SCHNELL, KONTEXT])
    async def test_lenient_models_ignore_what_they_do_not_know(self, session, model):
        unknown = {"frobnicate": [1], "negative_prompt": "dogs", "size": "1x1", "guidance": 2}
        assert (await generate(session, model=model, **unknown)).status == 200

    async def test_size_is_ignored_and_null_is_absent(self, session):
        reply = await generate(session, size="64x64", seed=None, steps=None)
        assert reply.pictures()[0].size == (256, 256)

    async def test_schnell_ignores_a_reference_and_charges_for_it(self, painter, session):
        plain = await generate(session, model=SCHNELL, seed=1)
        edited = await generate(session, model=SCHNELL, seed=1, image_url="ftp://nowhere")
        assert plain.json["data"][0]["b64_json"] == edited.json["data"][0]["b64_json"]
        assert painter.renders == 2

    @pytest.mark.parametrize("model", sorted(MODELS))
    async def test_every_model_paints_its_own_default_size(self, session, model):
        reply = await generate(session, model=model, width=..., height=...)
        assert reply.pictures()[0].size == MODELS[model].default_size

    @pytest.mark.parametrize("name", ["nobody/nothing", "black-forest-labs/FLUX.1-dev"])
    async def test_an_unknown_model(self, painter, session, name):
        reply = await generate(session, model=name)
        assert (reply.status, reply.json["error"]["code"]) == (404, "model_not_available")
        assert name in reply.message
        assert painter.renders == 0

    async def test_the_safety_checker_and_who_may_leave_it_out(self, painter, session):
        prompt = f"a {SAFETY_WORD.upper()} on a plate"
        assert (await generate(session, prompt=prompt)).status == 422
        assert painter.renders == 0
        assert (await generate(session, prompt=prompt, disable_safety_checker=True)).status == 200

    async def test_a_provider_has_its_own_policy(self, painter, session):
        reply = await generate(session, prompt=POLICY_WORD, disable_safety_checker=True)
        assert (reply.status, reply.json["error"]["code"]) == (400, "content_policy_violation")
        assert painter.renders == 0

    @given(
        st.sampled_from(sorted(MODELS)),
        st.dictionaries(
            st.sampled_from(
                [
                    "prompt",
                    "n",
                    "width",
                    "height",
                    "seed",
                    "steps",
                    "image_url",
                    "reference_images",
                    "aspect_ratio",
                    "guidance_scale",
                    "output_format",
                    "response_format",
                    "odd",
                ]
            ),
            st.none()
            | st.booleans()
            | st.integers(-10, 5000)
            | st.floats()
            | st.text(max_size=9)
            | st.lists(st.integers() | st.text(max_size=3), max_size=3)
            | st.sampled_from(["1:1", "png", "url", 256, 1024, 1.0]),
        ),
    )
    def test_any_body_is_either_an_order_within_the_limits_or_refused(self, model, fields):
        rules = MODELS[model]
        try:
            order = take_order({"prompt": "x"} | fields, rules)
        except Refused:
            return
        assert 1 <= order.count <= 4
        assert len(order.references) <= rules.references
        match rules.sizes:
            case Closed(sizes):
                assert order.size in sizes
            case Sides(low, high):
                assert all(low <= side <= high and side % 16 == 0 for side in order.size)


class TestReferences:
    async def test_an_edit_follows_the_reference(self, session):
        plain = await generate(session, seed=1)
        edited = await generate(session, seed=1, reference_images=[data_uri(), data_uri()])
        assert edited.status == 200
        assert plain.json["data"][0]["b64_json"] != edited.json["data"][0]["b64_json"]

    @pytest.mark.parametrize(
        ("fields", "size"),
        [
            ({"image_url": data_uri(512, 512), "width": 1024, "height": 576}, (1024, 1024)),
            ({"image_url": data_uri(600, 300)}, (1456, 720)),
            ({"image_url": data_uri(512, 512), "aspect_ratio": "16:9"}, (1344, 768)),
            ({"aspect_ratio": "9:16"}, (768, 1344)),
            ({"width": 512, "height": 256}, (512, 256)),
        ],
    )
    async def test_kontext_takes_its_form_from_the_reference(self, session, fields, size):
        reply = await generate(session, model=KONTEXT, **fields)
        assert reply.pictures()[0].size == size

    async def test_a_link_is_not_fetched_and_still_edited(self, session):
        links = [["https://nowhere.invalid/a.png"], ["https://nowhere.invalid/b.png"]]
        one, other = [await generate(session, seed=1, reference_images=link) for link in links]
        assert one.status == other.status == 200
        assert one.json["data"][0]["b64_json"] != other.json["data"][0]["b64_json"]

    async def test_data_uris_can_be_switched_off(self):
        async with (
            Painter(api_key=None, data_uris=False) as painter,
            aiohttp.ClientSession(painter.url) as session,
        ):
            reply = await generate(session, reference_images=[data_uri()])
            assert (reply.status, painter.renders) == (400, 0)

    @given(st.integers(1, 10_000), st.integers(1, 10_000))
    def test_a_size_after_any_reference_can_be_painted(self, width, height):
        assert all(256 <= side <= 2048 and side % 16 == 0 for side in size_after((width, height)))
