"""What each answer of the image API means, to the person who asked and to the operator."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from bot.errors import (
    AllowedSizes,
    AnswerLost,
    BadAnswer,
    Busy,
    ContentRefused,
    ModelGone,
    Overloaded,
    OwnerNeeded,
    PaintingFailed,
    ParameterRefused,
    RequestRefused,
    Unreachable,
)
from bot.imaging.catalogue import Catalogue
from bot.imaging.failures import answer_lost, bad_answer, failure, unreachable
from bot.imaging.protocol import RETRY_AFTER_MAX_S, retry_after

PRO = "black-forest-labs/FLUX.2-pro"
ID = "oMZbc7k-2kFHot-9a78aa608b7f797c-PDX"
CLOUDFLARE = (
    b"<!DOCTYPE html>\n<html><head><title>api.together.ai | 524: A timeout occurred</title>"
    b"</head><body>Ray ID: 9a78</body></html>"
)


def body(message: str, kind: str = "invalid_request_error", **more: object) -> bytes:
    error = {"message": message, "type": kind, "param": None, "code": None, **more}
    return json.dumps({"id": ID, "error": error}).encode()


def said(status: int, message: str = "Something is off.", **more: object) -> PaintingFailed:
    return failure(status, {}, body(message, **more), PRO)


# Statuses


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, BadAnswer),
        (202, BadAnswer),
        (301, OwnerNeeded),
        (308, OwnerNeeded),
        (400, RequestRefused),
        (401, OwnerNeeded),
        (402, OwnerNeeded),
        (403, OwnerNeeded),
        (404, ModelGone),
        (405, RequestRefused),
        (408, AnswerLost),
        (409, Overloaded),
        (410, ModelGone),
        (413, RequestRefused),
        (418, RequestRefused),
        (422, ContentRefused),
        (429, Busy),
        (500, Overloaded),
        (501, AnswerLost),
        (502, Overloaded),
        (503, Overloaded),
        (504, AnswerLost),
        (520, Overloaded),
        (521, Overloaded),
        (522, AnswerLost),
        (523, Overloaded),
        (524, AnswerLost),
        (525, Overloaded),
        (529, Overloaded),
        (530, Overloaded),
        (599, AnswerLost),
        (999, AnswerLost),
    ],
)
@pytest.mark.parametrize("content", [b"", CLOUDFLARE, body("Something is off.")])
def test_what_a_status_means(status, kind, content):
    error = failure(status, {}, content, PRO)
    assert type(error) is kind, f"{status} became {type(error).__name__}"
    assert str(status) in (error.operator or ""), "the operator does not read the status"
    assert PRO in (error.operator or ""), "the operator does not read which model"
    assert "othing was charged" in error.sentence
    assert error.sentence.endswith(".")


def test_what_may_have_been_paid_for_is_never_repeatable():
    for status in (200, 408, 504, 522, 524, 599):
        error = said(status)
        assert not error.repeatable, f"{status} would be sent, and paid for, again"
    for status in (409, 429, 500, 502, 503, 520, 529):
        assert said(status).repeatable, f"{status} would be given up at once"


def test_the_operator_is_warned_of_a_painting_that_may_be_billed():
    assert "billed" in (said(504).operator or "")
    assert "billed" not in (failure(504, {}, b"").operator or ""), "lists cost nothing"


@pytest.mark.parametrize("status", [401, 402, 403, 307])
def test_people_read_that_the_owner_is_needed_and_not_why(status):
    sentence = said(status, "Invalid API key provided.").sentence
    assert "owner" in sentence
    for word in ("key", "credit", "API", "403", "invalid"):
        assert word not in sentence, f"people read of {word!r}"


@pytest.mark.parametrize(
    ("status", "message", "advice"),
    [
        (401, "Invalid API key provided.", "TOGETHER_API_KEY"),
        (402, "Credit limit exceeded.", "add credit"),
        (
            403,
            "This model requires third-party data sharing to be enabled for your organization.",
            "Settings > Privacy > allow passthrough models",
        ),
        (403, "Forbidden.", "rights"),
        (308, "", "TOGETHER_BASE_URL"),
        (404, "Unable to access non-serverless model x.", "TOGETHER_BASE_URL"),
    ],
)
def test_the_operator_reads_what_to_do(status, message, advice):
    operator = said(status, message).operator or ""
    assert advice in operator
    assert message.rstrip(".") in operator
    assert ID in operator


def test_a_code_says_that_third_parties_are_blocked_as_well_as_the_text():
    error = failure(403, {}, body("No.", code="third_party_data_sharing_blocked"), PRO)
    assert "passthrough" in (error.operator or "")


@pytest.mark.parametrize("status", [200, 400, 403, 422, 429, 500, 504])
def test_the_content_policy_counts_whatever_the_status(status):
    error = failure(status, {}, body("Rejected.", code="content_policy_violation"), PRO)
    assert type(error) is ContentRefused


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "NSFW content detected in the prompt.", ContentRefused),
        (400, "Rejected by the safety system.", ContentRefused),
        (400, "Invalid value for 'moderation' parameter.", ParameterRefused),
        (500, "The safety checker crashed.", Overloaded),
    ],
)
def test_a_text_about_safety_counts_where_it_is_a_refusal(status, message, kind):
    assert type(said(status, message)) is kind


def test_a_model_can_be_missing_by_code():
    error = failure(400, {}, body("Unable to access model x.", code="model_not_available"), PRO)
    assert type(error) is ModelGone


def test_an_address_can_be_missing_without_any_model():
    assert type(failure(404, {}, b"")) is RequestRefused


def test_a_key_without_credit_is_not_busy():
    assert type(failure(429, {}, body("Quota.", code="insufficient_quota"), PRO)) is OwnerNeeded


def test_a_prompt_can_be_too_long():
    message = "The input tokens + max_tokens exceed the model's context length."
    error = said(403, message)
    assert type(error) is RequestRefused
    assert "shorten" in error.sentence


def test_pictures_can_be_too_large():
    error = failure(413, {}, b"<html><title>413 Request Entity Too Large</title></html>", PRO)
    assert "smaller" in error.sentence
    assert isinstance(error, RequestRefused)
    assert error.about_pictures


@pytest.mark.parametrize(
    "message",
    [
        "Invalid input image: expected a URL.",
        "'reference_images' must hold http(s) URLs.",
        "data: URIs are not supported",
        "Could not decode base64",
        "Failed to fetch the reference",
        "image_url[0]: Input should be a valid URL",
    ],
)
def test_a_refusal_may_be_of_the_pictures_to_work_from(message):
    error = said(400, message)
    assert isinstance(error, RequestRefused)
    assert error.about_pictures


@pytest.mark.parametrize(
    "message",
    [
        "Input validation error.",
        "The prompt is not in a language of this image model.",
        "Image generation failed for this prompt.",
        "Bad prompt. See https://docs.together.ai/docs/images-overview#url",
        "Personal preferences forbid this database.",
        "The prompt references a public figure.",
        "",
    ],
)
def test_and_may_be_of_something_else(message):
    error = said(400, message)
    assert isinstance(error, RequestRefused)
    assert not error.about_pictures


def test_mistakes_in_a_list_are_no_matter_of_safety():
    detail = [{"loc": ["body", "steps"], "msg": "Input should be at most 50", "type": "x"}]
    error = failure(422, {}, json.dumps({"detail": detail}).encode(), PRO)
    assert isinstance(error, ParameterRefused)
    assert (error.parameter, error.maximum) == ("steps", 50)
    prompt = json.dumps({"detail": [{"loc": ["body", "prompt"], "msg": "too short"}]}).encode()
    assert type(failure(422, {}, prompt, PRO)) is RequestRefused


# Shapes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (body("Read me"), "Read me"),
        (b'{"error_type": "dynamic_request_limited", "message": "Read me."}', "Read me"),
        (b'{"error": "Read me."}', "Read me"),
        (b'{"message": "Read me."}', "Read me"),
        (b'{"detail": "Read me."}', "Read me"),
        (b'{"error": {"message": "Read me."}, "message": null}', "Read me"),
        (b'{"error": {"message": "Read me.", "code": 17, "param": {}, "type": []}}', "Read me"),
        (b'{"errors": [1], "error": null, "detail": null, "message": "Read me."}', "Read me"),
        (CLOUDFLARE, "524: A timeout occurred"),
        (b"upstream connect error", "upstream connect error"),
        (b"", "no message"),
        (b"{}", "no message"),
        (b"null", "null"),
        (b"[" * 100_000, "[[["),
        (b"\xff\xfe\x00 broken \xf0", "broken"),
        (b'{"error": {"message": ["not", "text"]}}', "no message"),
    ],
)
def test_the_operator_reads_the_message_in_whatever_shape_it_comes(content, message):
    assert message in (failure(500, {}, content, PRO).operator or "")


@pytest.mark.parametrize(
    ("headers", "content", "expected"),
    [
        ({"x-request-id": "req-1", "cf-ray": "ray"}, body("No."), ID),
        ({"x-request-id": "req-1", "cf-ray": "ray"}, CLOUDFLARE, "req-1"),
        ({"CF-RAY": "9a78aa-PDX"}, b"", "9a78aa-PDX"),
        ({}, b"", None),
        ({"cf-ray": "a\x1b[31m" + "b" * 500}, b"", "a[31m" + "b" * 95),
    ],
)
def test_a_request_has_a_name(headers, content, expected):
    error = failure(503, CIMultiDict(headers), content, PRO)
    assert error.request_id == expected
    assert expected is None or expected in (error.operator or "")


# Parameters


@pytest.mark.parametrize(
    ("message", "parameter", "maximum"),
    [
        (
            (
                "Unsupported use of 'image_url' parameter. This parameter is not supported for the "
                "selected model."
            ),
            "image_url",
            None,
        ),
        (
            (
                "Invalid parameter detected. The parameter \"'negative_prompt'\" is not recognized "
                "or supported."
            ),
            "negative_prompt",
            None,
        ),
        (
            (
                "Invalid value for 'seed' parameter. Seed must be an integer value between 0 and "
                "2147483647. Default: Random."
            ),
            "seed",
            2147483647,
        ),
        ("steps must be between 1 and 12", "steps", 12),
        ("Unknown parameter: 'prompt_upsampling'.", "prompt_upsampling", None),
        ("Unsupported use of 'reference_images' parameter: at most 4", "reference_images", 4),
    ],
)
def test_a_refused_parameter_is_named(message, parameter, maximum):
    error = said(400, message)
    assert isinstance(error, ParameterRefused), f"{message!r} became {type(error).__name__}"
    assert (error.parameter, error.maximum, error.sizes) == (parameter, maximum, None)
    assert error.request_id == ID


def test_the_size_menu_of_a_refusal():
    sizes = "1024x1024 1264x848 848x1264 1200x896 896x1200 928x1152 1152x928 768x1376 1376x768 "
    sizes += "1584x672 2048x512 512x2048 3072x384 384x3072"
    listed = ", ".join(f"'{size}'" for size in sizes.split())
    error = said(
        400,
        "Unsupported use of width/height parameters. The specified dimensions are not supported "
        f"for the selected model. Supported values are: {listed}.",
    )
    assert isinstance(error, ParameterRefused)
    assert error.parameter == "width/height"
    expected = tuple(tuple(map(int, size.split("x"))) for size in sizes.split())
    assert error.sizes == AllowedSizes(menu=expected)
    assert "1024×1024" in error.sentence
    assert "`shape`" in error.sentence


def test_the_window_of_a_refusal():
    error = said(
        400,
        "Invalid dimensions. The total area (width × height) must be within the range of "
        "1265×1265 to 1440×1440. The aspect ratio must be between 1:4 and 4:1. For example, "
        "768*2700 is a valid resolution.",
    )
    assert isinstance(error, ParameterRefused)
    assert error.sizes == AllowedSizes(area=(1265**2, 1440**2), ratio=(0.25, 4.0))
    assert (error.parameter, error.maximum) == ("dimensions", None)


def test_the_catalogue_learns_from_every_refusal():
    messages = (
        "Unsupported use of 'image_url' parameter. This parameter is not supported.",
        "Unsupported use of width/height parameters. Supported values are: '512x512', '640x480'",
        "steps must be between 1 and 12",
        (
            "Invalid dimensions. The total area (width × height) must be within the range of "
            "1265×1265 to 1440×1440."
        ),
    )
    for message in messages:
        error = said(400, message)
        assert isinstance(error, ParameterRefused)
        assert Catalogue.load().learn("a/stranger", error), f"nothing is learnt from {message!r}"


def test_a_named_param_counts_where_the_text_says_nothing():
    error = failure(400, {}, body("Bad value.", param="steps"), PRO)
    assert isinstance(error, ParameterRefused)
    assert error.parameter == "steps"


@pytest.mark.parametrize(
    "content",
    [
        body(
            "Invalid value for 'prompt' parameter. Prompt must be between 3 and 45000 characters."
        ),
        body("No.", param="prompt"),
        body("No.", param="model"),
    ],
)
def test_what_cannot_be_left_out_is_not_offered_to_be(content):
    assert type(failure(400, {}, content, PRO)) is RequestRefused


@pytest.mark.parametrize(
    ("parameter", "option"),
    [
        ("negative_prompt", "avoid"),
        ("reference_images", "reference"),
        ("image_url", "reference"),
        ("n", "count"),
        ("seed", "seed"),
    ],
)
def test_people_read_of_the_option_and_not_of_the_field(parameter, option):
    sentence = said(400, f"Unsupported use of '{parameter}' parameter.").sentence
    assert f"`{option}`" in sentence
    assert "FLUX.2-pro" in sentence


# Waits


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": " 3 s"}, 3.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"x-ratelimit-reset": "4"}, 4.0),
        ({"retry-after": "soon", "x-ratelimit-reset": "4"}, 4.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "3600"}, RETRY_AFTER_MAX_S),
        ({"x-ratelimit-reset": "1795000000"}, None),
        ({"retry-after": "9" * 500}, None),
        ({"retry-after": "٣"}, None),
        (
            {
                "date": "Fri, 20 Nov 2026 19:00:00 GMT",
                "retry-after": "Fri, 20 Nov 2026 19:00:07 GMT",
            },
            7.0,
        ),
        (
            {
                "date": "Fri, 20 Nov 2026 19:00:00 GMT",
                "retry-after": "Fri, 20 Nov 2026 18:00:00 GMT",
            },
            None,
        ),
        ({"retry-after": "Fri, 20 Nov 2026 19:00:07 GMT"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers, wait):
    assert failure(429, CIMultiDict(headers), b"", PRO).retry_after == wait


def test_a_wait_is_only_read_where_it_is_one():
    headers = {"retry-after": "5", "x-ratelimit-reset": "7"}
    assert failure(503, headers, b"", PRO).retry_after == 5
    assert failure(503, {"x-ratelimit-reset": "7"}, b"", PRO).retry_after is None
    for status in (200, 400, 401, 404, 422, 504):
        assert failure(status, headers, b"", PRO).retry_after is None, f"{status} names a wait"


def test_people_read_when_to_come_back():
    assert "12 seconds" in failure(429, {"retry-after": "12.3"}, b"", PRO).sentence
    assert "moment" in failure(429, {}, b"", PRO).sentence


# Hostile texts


def outside_code(sentence: str) -> str:
    return re.sub(r"`[^`]*`", "", sentence)


@pytest.mark.parametrize(
    "message",
    [
        "@everyone come here",
        "<@80351110224678912> and <@&165511591545143296>",
        "[free nitro](https://evil.example/x)",
        "see https://evil.example/?a=b",
        "discord.gg/abc",
        "```\nout of the code\n```**bold** _it_ ||spoiler||",
        "`a` `b` `@here`",
        "# Heading\n> quote\n- list",
        "\u202eright to left\u202c \u200b@\u200beveryone",
        "\x1b[31mred\x07\x00",
    ],
)
def test_nothing_that_the_api_says_acts_in_a_message(message):
    error = said(400, message)
    assert type(error) is RequestRefused
    sentence = error.sentence
    assert sentence.count("`") == 2, f"the code is broken open: {sentence!r}"
    for sign in ("@", "://", "discord.gg", "<", "**", "[", "\n"):
        assert sign not in outside_code(sentence), f"{sign!r} stands outside of the code"
    assert "@" not in sentence
    assert "://" not in sentence
    for text in (sentence, error.operator or ""):
        assert all(character.isprintable() for character in text), f"controls in {text!r}"


@pytest.mark.parametrize("parameter", ["x`@everyone`", "a" * 5000, "<@1>", "\u202ex"])
def test_nor_does_a_parameter_s_name(parameter):
    error = failure(400, {}, body("No.", param=parameter), PRO)
    assert isinstance(error, ParameterRefused)
    assert error.sentence.count("`") == 2
    assert "@" not in error.sentence
    assert len(error.sentence) < 300


def test_a_long_message_is_clipped():
    error = said(400, "blah " * 100_000)
    assert len(error.sentence) < 450
    assert len(error.operator or "") < 600
    assert "…" in error.sentence


@pytest.mark.parametrize(
    "key",
    [
        "tgp_v1_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_abc",
        "sk-proj-abcdef0123456789",
        "0123456789abcdef" * 4,
        "Bearer abc.def.ghi",
    ],
)
@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_key_in_a_message_is_not_repeated(key, status):
    error = said(status, f"Incorrect API key provided: {key}. Look at your settings.")
    for text in (error.sentence, error.operator or "", repr(error)):
        assert key not in text
    assert "Look at your settings" in (error.operator or ""), "the rest is lost too"


def test_the_other_three_say_what_to_do():
    for error in (unreachable("ClientError x", PRO), answer_lost("x"), bad_answer("x", PRO, ID)):
        assert "try again" in error.sentence
        assert "othing was charged" in error.sentence
        assert "x" in (error.operator or "")
    assert type(unreachable("x")) is Unreachable
    assert unreachable("x").repeatable
    assert bad_answer("x", PRO, ID).request_id == ID


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=30) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "type", "code", "param", "detail", "id", "loc", "msg"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "retry-after-ms", "X-RateLimit-Reset", "Date", "cf-ray"]),
    st.text(max_size=40) | st.datetimes().map(lambda day: day.strftime("%a, %d %b %Y %T GMT")),
)


@given(
    status=st.integers(0, 999),
    content=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()),
    headers=HEADERS,
)
def test_every_answer_means_something(status, content, headers):
    error = failure(status, headers, content, PRO)
    assert error.sentence.endswith(".")
    assert error.operator
    assert "\n" not in error.sentence + error.operator
    wait = retry_after(headers, "x-ratelimit-reset")
    assert wait is None or 0 < wait <= RETRY_AFTER_MAX_S
