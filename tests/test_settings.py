"""All mistakes at once, no value of a secret ever, and `.env.example` in step."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.settings import Settings, SettingsError, describe, load

ROOT = Path(__file__).resolve().parent.parent
NEEDED = {"DISCORD_TOKEN": "c4nary-token-0123456789", "TOGETHER_API_KEY": "c4nary-key-0123456789"}


def mistakes(environ: dict[str, str], env_file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(environ, env_file)
    assert "c4nary" not in str(refused.value), "a secret's value is in the message"
    assert all(mistake in refused.value.sentence for mistake in refused.value.mistakes)
    return refused.value.mistakes


def written(folder: Path, text: str) -> Path:
    file = folder / ".env"
    file.write_text(text, encoding="utf-8")
    return file


def test_two_settings_are_enough() -> None:
    settings = load(NEEDED, env_file=None)
    assert settings.discord_token.get_secret_value() == NEEDED["DISCORD_TOKEN"]
    assert settings.secrets == tuple(NEEDED.values())
    assert settings.together_base_url == "https://api.together.ai/v1"
    assert settings.database_url == "sqlite+aiosqlite:///data/easel.db"
    assert settings.archive_url == "data/pictures"
    assert (settings.default_model, settings.draft_model, settings.edit_model) == (None,) * 3
    assert (settings.max_concurrent_calls, settings.call_timeout_seconds) == (50, 150)
    assert (settings.user_images_per_day, settings.user_images_per_minute) == (100, 20)
    assert settings.user_waiting_max == 8
    assert settings.message_content_intent is False
    assert (settings.log_level, settings.log_format) == ("INFO", "console")
    assert settings.shard_count is None


def test_settings_cannot_be_changed_and_hide_their_secrets() -> None:
    settings = load(NEEDED, env_file=None)
    with pytest.raises(ValidationError, match="frozen"):
        settings.log_level = "DEBUG"
    assert "c4nary" not in f"{settings!r} {settings}"


def test_the_environment_is_above_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "LOG_LEVEL=debug\nUSER_WAITING_MAX=3\nSOMETHING_ELSE=1\n")
    settings = load({**NEEDED, "LOG_LEVEL": "Error", "PATH": "x"}, file)
    assert (settings.log_level, settings.user_waiting_max) == ("ERROR", 3)


def test_nothing_comes_from_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    written(tmp_path, "LOG_LEVEL=DEBUG\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOG_FORMAT", "json")
    settings = load(NEEDED, env_file=None)
    assert (settings.log_level, settings.log_format) == ("INFO", "console")


def test_a_file_as_people_write_it(tmp_path: Path) -> None:
    text = (
        "\ufeffDISCORD_TOKEN = 'c4nary-token'\r\n"
        'export TOGETHER_API_KEY="c4nary-key"  # mine\r\n'
        "discord_token_old\r\n"
        "DEFAULT_MODEL=\r\n"
        "draft_model=  \r\n"
        "MAX_CONCURRENT_CALLS= 8 \r\n"
        "LOG_FORMAT=JSON\r\n"
    )
    settings = load({"EDIT_MODEL": " ", "SHARD_COUNT": ""}, written(tmp_path, text))
    assert settings.secrets == ("c4nary-token", "c4nary-key")
    assert (settings.default_model, settings.draft_model, settings.edit_model) == (None,) * 3
    assert (settings.max_concurrent_calls, settings.log_format) == (8, "json")


def test_all_mistakes_come_at_once() -> None:
    found = mistakes(
        {
            "TOGETHER_BASE_URL": "together.ai",
            "DATABASE_URL": "postgresql+asyncpg://easel:c4nary@db/easel",
            "MAX_CONCURRENT_CALLS": "1001",
            "CALL_TIMEOUT_SECONDS": "c4nary",
            "USER_IMAGES_PER_DAY": "0",
            "MESSAGE_CONTENT_INTENT": "perhaps",
            "LOG_LEVEL": "c4nary",
            "LOG_FORMAT": "xml",
            "SHARD_COUNT": "-1",
        }
    )
    assert found == (
        (
            "DISCORD_TOKEN is missing. Create a bot at https://discord.com/developers/applications "
            "→ Bot → Reset Token, and put it into .env."
        ),
        (
            "TOGETHER_API_KEY is missing. Create a key at "
            "https://api.together.ai/settings/api-keys, and put it into .env."
        ),
        "TOGETHER_BASE_URL must be a web address, such as https://api.together.ai/v1.",
        (
            "DATABASE_URL names a PostgreSQL database, but this release keeps its data in SQLite "
            "only. Leave the setting out, or write sqlite+aiosqlite:///data/easel.db."
        ),
        "MAX_CONCURRENT_CALLS must be a whole number, 1 to 1000.",
        "CALL_TIMEOUT_SECONDS must be a whole number, 5 to 850.",
        "USER_IMAGES_PER_DAY must be a whole number, 1 or more.",
        "MESSAGE_CONTENT_INTENT must be on or off.",
        "LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.",
        "LOG_FORMAT must be console or json.",
        "SHARD_COUNT must be a whole number, 1 or more.",
    )


@pytest.mark.parametrize("written", ["on", "On", "true", "yes", "1"])
def test_a_switch_as_people_write_it(written: str) -> None:
    assert load({**NEEDED, "MESSAGE_CONTENT_INTENT": written}, None).message_content_intent
    assert not load({**NEEDED, "MESSAGE_CONTENT_INTENT": "OFF"}, None).message_content_intent


def test_the_message_counts_and_lists() -> None:
    one = load_error({**NEEDED, "LOG_LEVEL": "loud"}).splitlines()
    assert one[0] == "Easel can't start yet: one setting needs your attention."
    assert one[1].startswith("  • LOG_LEVEL must be")
    two = load_error({**NEEDED, "LOG_LEVEL": "loud", "SHARD_COUNT": "x"}).splitlines()
    assert two[0] == "Easel can't start yet: 2 settings need your attention."


def load_error(environ: dict[str, str], env_file: Path | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        load(environ, env_file)
    return refused.value.sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    nowhere = tmp_path / ".env"
    assert load_error({}, nowhere).splitlines()[-1].startswith(f"There is no {nowhere} here yet")
    assert "There is no" not in load_error({}, written(tmp_path, ""))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DISCORD_TOKEN", "put-your-bot-token-here", "is still the one of .env.example"),
        ("TOGETHER_API_KEY", "put-your-api-key-here", "is still the one of .env.example"),
        ("DISCORD_TOKEN", "Bot c4nary", "begins with “Bot”: leave that word out"),
        ("DISCORD_TOKEN", "bot  c4nary", "begins with “Bot”"),
        ("TOGETHER_API_KEY", "Bearer c4nary", "begins with “Bearer”"),
        ("DISCORD_TOKEN", "c4nary c4nary", "has a space or a line break inside"),
        ("TOGETHER_API_KEY", "c4nary\nc4nary", "has a space or a line break inside"),
        ("DISCORD_TOKEN", "c4nary\u00a0c4nary", "has a space or a line break inside"),
    ],
)
def test_a_credential_that_cannot_be_one(name: str, value: str, told: str) -> None:
    (mistake,) = mistakes({**NEEDED, name: value})
    assert mistake.startswith(f"{name} ")
    assert told in mistake


@pytest.mark.parametrize("token", ["x", "Botany", "a.b.c", "Bearer-of-news", "MTE5.GcAn.b0t_-"])
def test_a_credential_may_look_like_anything_else(token: str) -> None:
    settings = load({"DISCORD_TOKEN": f" {token}\n", "TOGETHER_API_KEY": token}, None)
    assert settings.secrets == (token, token)


@pytest.mark.parametrize(
    "url",
    ["https://api.together.ai/v1", "https://api.together.ai/", "http://127.0.0.1:8080/v1",
     "http://[::1]:80", "http://painter"],
)  # fmt: skip
def test_base_urls_that_pass(url: str) -> None:
    assert load({**NEEDED, "TOGETHER_BASE_URL": url}, None).together_base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["ftp://x/v1", "//x/v1", "https:///v1", "http://[::1", "http://x:port", "http://a b/",
     "https://x/v1?key=c4nary", "c4nary"],
)  # fmt: skip
def test_base_urls_that_do_not(url: str) -> None:
    (mistake,) = mistakes({**NEEDED, "TOGETHER_BASE_URL": url})
    assert mistake.startswith("TOGETHER_BASE_URL must be a web address")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///data/easel.db", "must begin with sqlite+aiosqlite:///"),
        ("sqlite+aiosqlite://data/easel.db", "must begin with sqlite+aiosqlite:///"),
        ("data/easel.db", "must begin with sqlite+aiosqlite:///"),
        ("postgres://easel:c4nary@db/easel", "SQLite only"),
    ],
)
def test_databases_that_do_not_pass(url: str, told: str) -> None:
    (mistake,) = mistakes({**NEEDED, "DATABASE_URL": url})
    assert mistake.startswith("DATABASE_URL ")
    assert told in mistake


def test_a_slip_in_a_name_is_pointed_out(tmp_path: Path) -> None:
    file = written(tmp_path, "TOGETHER_KEY=c4nary\nSOMETHING=1\nc4nary-alone-on-a-line\n")
    token, key = mistakes({"DISCORD_BOT_TOKEN": "c4nary", "HOME": "x"}, file)
    assert "There is a DISCORD_BOT_TOKEN: if that is meant, rename it." in token
    assert "There is a TOGETHER_KEY: if that is meant, rename it." in key
    assert load({**NEEDED, "DISCORD_BOT_TOKEN": "x"}, file), "strangers alone are no mistake"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("LOG_LEVEL=INFO".encode("utf-16"))
    assert mistakes(NEEDED, file) == (f"{file} isn't plain text. Save it again as UTF-8.",)


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = written(tmp_path, "LOG_LEVEL=DEBUG\n")
    monkeypatch.setattr("builtins.open", refuse)  # root may read everything
    with pytest.raises(SettingsError) as refused:
        load(NEEDED, file)
    monkeypatch.undo()
    assert refused.value.mistakes == (f"{file} can't be read: Permission denied.",)


NAMES = [doc.name for doc in describe()]


@given(st.dictionaries(st.sampled_from(NAMES), st.text().map(lambda text: f"c4nary{text}")))
def test_whatever_is_written_settings_come_out_or_a_sentence(environ: dict[str, str]) -> None:
    refused = None
    try:
        load(environ, None)
    except SettingsError as error:
        refused = error
    if refused:
        assert "c4nary" not in str(refused)
        assert all(mistake.split(" ")[0] in NAMES for mistake in refused.mistakes)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_described(name: str) -> None:
    field = Settings.model_fields[name.lower()]
    assert field.description
    assert field.description.endswith("."), f"{name}: a description is a sentence"


def test_the_two_credentials_come_first_and_alone_have_no_default() -> None:
    assert [doc.name for doc in describe() if doc.default is None] == list(NEEDED)
    assert NAMES[:2] == list(NEEDED)


def test_env_example_says_what_the_settings_say() -> None:
    blocks = []
    for doc in describe():
        comment = textwrap.fill(
            doc.description,
            98,
            initial_indent="# ",
            subsequent_indent="# ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        off = "" if doc.default is None else "# "
        blocks.append(f"{comment}\n{off}{doc.name}={doc.example}")
    _heading, *found = (ROOT / ".env.example").read_text(encoding="utf-8").rstrip().split("\n\n")
    assert found == blocks, "write .env.example as bot/settings.py describes it, in its order"


def test_env_example_alone_starts_nothing_and_filled_in_gives_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    placeholders = mistakes({}, written(tmp_path, text))
    assert [mistake.split(" ")[0] for mistake in placeholders] == list(NEEDED)
    for doc in describe():
        text = text.replace(f"# {doc.name}=", f"{doc.name}=")
    text = text.replace("put-your-bot-token-here", NEEDED["DISCORD_TOKEN"])
    text = text.replace("put-your-api-key-here", NEEDED["TOGETHER_API_KEY"])
    assert load({}, written(tmp_path, text)) == load(NEEDED, None)
