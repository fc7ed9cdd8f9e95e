"""Secrets go in whatever spelling they come; the rest of the text stays."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.logs import REDACTED, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

BOT_TOKEN = "MTE5ODY4NzU0MzIxOTg3NjU0Mw.GcAnRy.b0t-Tok3n_canary-b0t-Tok3n_canary"
# A character of every kind that an encoding changes.
API_KEY = "api/key+canary&with=every%kind'of\"sign\\é~42"
# Unknown to the redactor: to be found by form or place alone.
INTERACTION_TOKEN = base64.urlsafe_b64encode(
    b"interaction:1198687543219876543:" + b"l1veInteracti0nCanary" * 6
).decode()
WEBHOOK_TOKEN = "w3bhook-Can4ry_" * 4 + "w3bhook8"
WINDOW = 12


def pieces(canary: str) -> set[str]:
    """Every run of 12 characters, of the canary and of its encodings."""
    forms = [canary, json.dumps(canary)[1:-1], repr(canary)[1:-1]]
    forms += [quote(canary, safe=""), quote(canary, safe="").lower(), quote_plus(canary)]
    for before in ("", "u", "u:"):
        encoded = encode(before + canary)
        forms += [encoded[4:], encoded[4:].translate(str.maketrans("+/", "-_"))]
    return {form[at : at + WINDOW] for form in forms for at in range(len(form) - WINDOW + 1)}


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PIECES = set().union(*map(pieces, (BOT_TOKEN, API_KEY, INTERACTION_TOKEN, WEBHOOK_TOKEN)))
HEADERS = {"Authorization": f"Bot {WEBHOOK_TOKEN}", "X-Other": "x"}
PAYLOAD = json.dumps(
    {
        "t": "INTERACTION_CREATE",
        "d": {"token": INTERACTION_TOKEN, "id": "5"},
        "hooks": [{"token": WEBHOOK_TOKEN, "api_key": API_KEY, "password": WEBHOOK_TOKEN}],
    }
)
NESTED = json.dumps({"a": json.dumps({"b": PAYLOAD})})
LINK = f"https://discord.com/api/v10/webhooks/1198687543219876543/{WEBHOOK_TOKEN}/messages/7"

TEXTS = {
    "raw": f"{BOT_TOKEN} {API_KEY} {INTERACTION_TOKEN}",
    "JSON": PAYLOAD,
    "JSON in JSON in JSON": NESTED,
    "repr of JSON": repr(NESTED),
    "repr of repr of JSON": repr([repr(NESTED)]),
    "headers": repr(HEADERS),
    "headers in JSON": json.dumps(HEADERS),
    "header bytes": repr((b"Authorization", f"Bearer {WEBHOOK_TOKEN}".encode())),
    "header text": f"Authorization: Bearer {WEBHOOK_TOKEN}",
    "header line": f"AUTHORIZATION: {WEBHOOK_TOKEN}\r\n",
    "scheme": f"sent Bearer {WEBHOOK_TOKEN}",
    "base64 after nothing": f"Basic {encode(BOT_TOKEN)} {encode(API_KEY)}",
    "base64 after one": f"{encode('1' + BOT_TOKEN)} {encode('1' + API_KEY)}",
    "base64 after two": f"{encode('1:' + BOT_TOKEN)} {encode('1:' + API_KEY)}",
    "base64 for URLs": base64.urlsafe_b64encode(API_KEY.encode()).decode(),
    "base64 in a URL": quote(encode(API_KEY), safe=""),
    "link": LINK,
    "quoted link": quote(LINK, safe=""),
    "link in JSON": json.dumps(LINK).replace("/", r"\/"),
    "callback": f"/interactions/1198687543219876543/{WEBHOOK_TOKEN}/callback",
    "bucket": f"bucket hash b with '1198687543219876543+{WEBHOOK_TOKEN}' major parameters",
    "query": f"https://x/?key={quote(API_KEY)}&q={quote_plus(API_KEY)}",
    "named": f"Row(interaction_token='{WEBHOOK_TOKEN}', secret={WEBHOOK_TOKEN})",
    "in colour": f"\x1b[36mtoken\x1b[0m=\x1b[35m{WEBHOOK_TOKEN}\x1b[0m",
    "login": f"postgresql://easel:{WEBHOOK_TOKEN}@host/x",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_no_canary_comes_out(text: str) -> None:
    redacted = Redactor([BOT_TOKEN, API_KEY])(f"before {text} after")
    found = sorted(piece for piece in PIECES if piece in redacted)
    assert not found, f"{found[0]} came through: {redacted}"
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@pytest.mark.parametrize("token", [BOT_TOKEN, INTERACTION_TOKEN, "tgp_v1_" + "aB3" * 14])
def test_tokens_of_others_are_known_by_their_form(token: str) -> None:
    assert Redactor([])(f"look: {token}, odd") == "look: <redacted>, odd"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LINK, "https://discord.com/api/v10/webhooks/1198687543219876543/<redacted>/messages/7"),
        ("/interactions/12/abc/callback sent", "/interactions/12/<redacted>/callback sent"),
        ("{'token': 'abc', 'id': 5}", "{'token': '<redacted>', 'id': 5}"),
        ('{"token": "abc", "id": 5}', '{"token": "<redacted>", "id": 5}'),
        (r'{"d": "{\"token\": \"abc\"}"}', r'{"d": "{\"token\": \"<redacted>\"}"}'),
        ("Row(token='abc', id=5)", "Row(token='<redacted>', id=5)"),
        ("GET /?token=abc&id=5", "GET /?token=<redacted>&id=5"),
        ("{'token': 'abc", "{'token': '<redacted>"),
        ("Authorization: Bot abc, Via: x", "Authorization: Bot <redacted>, Via: x"),
        ("{'Authorization': 'abc', 'Via': 'x'}", "{'Authorization': '<redacted>', 'Via': 'x'}"),
        ("key is s3cret-word!", "key is <redacted>!"),
    ],
)  # fmt: skip
def test_only_the_secret_goes(before: str, after: str) -> None:
    assert Redactor(["s3cret-word"])(before) == after


@pytest.mark.parametrize(
    "line",
    [
        "Shard ID None has connected to Gateway (Session ID: 0123456789abcdef0123456789abcdef).",
        "The bot reconnected successfully; basic authentication is off",
        "bot.studio.life generation.painted id=01J9Z seed=123456789012345678 cost=0.0027",
        "POST https://api.together.ai/v1/images/generations has returned 200",
        "asking /webhooks/{webhook_id}/{webhook_token} of 12",
        "{'token': None, 'tokens': '512', 'author': 'ann'}",
        "a cat with a secret: token of love, password forgotten",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "https://cdn.discordapp.com/attachments/1/2/3-1.png?ex=66f1&is=66f0&hm=abc",
        "discord.ext.commands.cog.something_long_enough.and_another_name_that_is_long",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert Redactor([BOT_TOKEN, API_KEY])(line) == line


def test_a_short_secret_does_not_eat_the_words() -> None:
    assert Redactor(["a", ""])("a banana") == "a banana"


def test_one_secret_may_be_a_part_of_another() -> None:
    assert Redactor(["s3cret-word", "s3cret-word-too"])("s3cret-word-too!") == "<redacted>!"


SECRETS = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=16)
ENCODINGS: list[Callable[[str], str]] = [
    str,
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(json.dumps(secret))[3:-3],
    quote,
    lambda secret: quote(secret, safe=""),
    quote_plus,
]


@given(SECRETS, st.sampled_from(ENCODINGS), st.text(), st.text())
def test_any_secret_in_any_spelling(secret: str, spell, before: str, after: str) -> None:
    assert spell(secret) not in Redactor([secret])(f"{before}\n{spell(secret)}\n{after}")


@given(SECRETS, st.binary(max_size=4), st.binary(max_size=4))
def test_any_secret_in_base64(secret: str, before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    left = Redactor([secret])(encoded).replace(REDACTED, " ")
    assert max(map(len, left.split()), default=0) <= 12, left


@given(
    st.recursive(
        st.text() | st.sampled_from(["token", BOT_TOKEN, "'token': '", 'password="', "Bot \\"]),
        lambda deeper: (
            st.dictionaries(st.text() | st.just("token"), deeper, max_size=3)
            | st.builds(json.dumps, deeper)
            | st.builds(repr, deeper)
        ),
        max_leaves=6,
    )
)
def test_json_stays_json(value: object) -> None:
    redacted = Redactor([BOT_TOKEN])(json.dumps({"event": value, "end": 1}))
    assert json.loads(redacted)["end"] == 1
