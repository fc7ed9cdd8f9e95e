"""Every setting, typed, from the environment and `.env`; all mistakes in one message."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from annotated_types import Ge, Le
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from bot.errors import EaselError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails
    from pydantic_settings import PydanticBaseSettingsSource

#: Three slashes: with two, the folder would be taken for the name of a machine.
_SQLITE = "sqlite+aiosqlite:///"
_SQLITE_DEFAULT = f"{_SQLITE}data/easel.db"
#: How alike two names must be for the one to be taken as a slip of the other.
_NEAR_MISS = 0.7


@dataclass(frozen=True, slots=True)
class _Credential:
    """A setting without a default.

    Attributes:
        placeholder: what stands for it in `.env.example`.
        scheme: the word before it in a header, which people copy along with it.
        source: where one gets it.
    """

    placeholder: str
    scheme: str
    source: str


_CREDENTIALS = {
    "discord_token": _Credential(
        placeholder="put-your-bot-token-here",
        scheme="Bot ",
        source="Create a bot at https://discord.com/developers/applications → Bot → Reset Token",
    ),
    "together_api_key": _Credential(
        placeholder="put-your-api-key-here",
        scheme="Bearer ",
        source="Create a key at https://api.together.ai/settings/api-keys",
    ),
}


class SettingsError(EaselError):
    """One or more settings are missing or wrong; the sentence lists them all."""

    def __init__(self, mistakes: tuple[str, ...], *, advice: str = "") -> None:
        count = "one setting needs" if len(mistakes) == 1 else f"{len(mistakes)} settings need"
        lines = [f"Easel can't start yet: {count} your attention."]
        lines += [f"  • {mistake}" for mistake in mistakes]
        super().__init__("\n".join([*lines, advice] if advice else lines))
        self.mistakes = mistakes


class Settings(BaseSettings):
    """What can be set. `load` knows where the values come from; this reads no environment."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    discord_token: SecretStr = Field(
        description=f"The bot's token. {_CREDENTIALS['discord_token'].source}."
    )
    together_api_key: SecretStr = Field(
        description="The key for Together AI, which paints the pictures. "
        f"{_CREDENTIALS['together_api_key'].source}."
    )
    together_base_url: str = Field(
        "https://api.together.ai/v1",
        description="Where the image API is, with or without /v1.",
    )
    database_url: str = Field(
        _SQLITE_DEFAULT,
        description="Where requests, allowances and votes are kept: an SQLite file.",
    )
    archive_url: str = Field(
        "data/pictures",
        description="Where finished pictures are kept: a folder, as a path or as file://…, "
        "or a bucket.",
    )
    default_model: str | None = Field(
        None,
        description="The model for /imagine; empty: Easel's own choice.",
    )
    draft_model: str | None = Field(
        None,
        description="The model for quick previews; empty: Easel's own choice.",
    )
    edit_model: str | None = Field(
        None,
        description="The model that edits and blends pictures; empty: Easel's own choice.",
    )
    max_concurrent_calls: int = Field(
        50,
        ge=1,
        le=1000,
        description="How many calls to the image API may run at once. Easel finds out by itself "
        "what the API bears; this is the most it tries.",
    )
    call_timeout_seconds: int = Field(
        150,
        ge=5,
        le=850,
        description="How long one call to the image API may take, 5 to 850 seconds.",
    )
    user_images_per_day: int = Field(100, ge=1, description="Pictures a person may make in a day.")
    user_images_per_minute: int = Field(
        20, ge=1, description="Pictures a person may make in a minute."
    )
    user_waiting_max: int = Field(
        8, ge=1, description="Requests that a person may have waiting in the line."
    )
    message_content_intent: bool = Field(
        False,
        description="Whether every reply to a picture is heard: on or off. While it is off, "
        "Discord hides from bots what is replied to the answer of a command, and other people's "
        "pictures. It must be on at https://discord.com/developers/applications → Bot → Message "
        "Content Intent, too.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO",
        description="How much is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL. DEBUG shows "
        "what people write, so keep it for looking into a problem.",
    )
    log_format: Literal["console", "json"] = Field(
        "console",
        description="How it is logged: console, for reading, or json, one object a line.",
    )
    shard_count: int | None = Field(
        None,
        ge=1,
        description="How many connections to Discord share the servers; empty: as many as "
        "Discord recommends.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen, for `bot.logs.configure`."""
        return (self.discord_token.get_secret_value(), self.together_api_key.get_secret_value())

    @field_validator("discord_token", "together_api_key")
    @classmethod
    def _whole(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        credential, text = _CREDENTIALS[info.field_name or ""], value.get_secret_value()
        if text == credential.placeholder:
            raise ValueError(f"is still the one of .env.example. {_fetch(credential)}")
        if text.lower().startswith(credential.scheme.lower()):
            raise ValueError(f"begins with “{credential.scheme.strip()}”: leave that word out.")
        if len(text.split()) != 1:
            raise ValueError("has a space or a line break inside. Copy it again, in one piece.")
        return value

    @field_validator("together_base_url")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if not _is_web_address(value):
            raise ValueError("must be a web address, such as https://api.together.ai/v1.")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str) -> str:
        if value.startswith("postgres"):
            raise ValueError(
                "names a PostgreSQL database, but this release keeps its data in SQLite only. "
                f"Leave the setting out, or write {_SQLITE_DEFAULT}."
            )
        if not value.startswith(_SQLITE):
            raise ValueError(f"must begin with {_SQLITE}, such as {_SQLITE_DEFAULT}.")
        if not value.removeprefix(_SQLITE).strip("/") or ":memory:" in value:
            raise ValueError(f"names no file, so nothing would be kept. Write {_SQLITE_DEFAULT}.")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case_level(cls, value: str) -> str:
        return value.upper()

    @field_validator("log_format", mode="before")
    @classmethod
    def _any_case_format(cls, value: str) -> str:
        return value.lower()


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One setting for people to read.

    Attributes:
        default: None for the two that have none; empty where Easel decides by itself.
        example: what stands in `.env.example`.
    """

    name: str
    default: str | None
    description: str
    example: str


def describe() -> tuple[SettingDoc, ...]:
    """All settings, in the order of `.env.example` and of the README."""
    return tuple(_doc(name, field) for name, field in Settings.model_fields.items())


def load(environ: Mapping[str, str] = os.environ, env_file: Path | None = Path(".env")) -> Settings:
    """Settings from the environment and, below it, from `env_file`.

    An empty value means the default.

    Raises:
        SettingsError: with every mistake, and with no value of any setting in it.
    """
    given = {**_written(env_file), **_filled(environ)}
    known = {name: value for name, value in given.items() if name in Settings.model_fields}
    try:
        return Settings.model_validate(known)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    strangers = [name.upper() for name in given if name not in Settings.model_fields]
    raise SettingsError(
        tuple(_mistake(detail, strangers) for detail in details), advice=_advice(env_file)
    )


def _doc(name: str, field: FieldInfo) -> SettingDoc:
    credential = _CREDENTIALS.get(name)
    default = None if credential else _written_default(field)
    return SettingDoc(
        name=name.upper(),
        default=default,
        description=field.description or "",
        example=credential.placeholder if credential else default or "",
    )


def _written_default(field: FieldInfo) -> str:
    default = field.get_default()
    if isinstance(default, bool):
        return "on" if default else "off"
    return str(default or "")


def _written(env_file: Path | None) -> dict[str, str]:
    try:
        return _filled(DotEnvSettingsSource(Settings, env_file=env_file).env_vars)
    except UnicodeDecodeError:
        raise SettingsError((f"{env_file} isn't plain text. Save it again as UTF-8.",)) from None
    except OSError as error:
        raise SettingsError((f"{env_file} can't be read: {error.strerror}.",)) from None


def _filled(values: Mapping[str, str | None]) -> dict[str, str]:
    return {
        name.lower(): value.strip() for name, value in values.items() if value and value.strip()
    }


def _mistake(detail: ErrorDetails, strangers: list[str]) -> str:
    field = str(detail["loc"][0])
    name, context = field.upper(), detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"{name} is missing. {_near_miss(name, strangers)}{_fetch(_CREDENTIALS[field])}"
        case "value_error":
            return f"{name} {context['error']}"
        case "literal_error":
            choices = str(context["expected"]).replace("'", "")
            return f"{name} must be {choices}."
        case "bool_parsing":
            return f"{name} must be on or off."
        case _:
            return f"{name} must be {_limits(Settings.model_fields[field])}."


def _near_miss(name: str, strangers: list[str]) -> str:
    close = difflib.get_close_matches(name, strangers, n=1, cutoff=_NEAR_MISS)
    return f"There is a {close[0]}: if that is meant, rename it. " if close else ""


def _fetch(credential: _Credential) -> str:
    return f"{credential.source}, and put it into .env."


def _limits(field: FieldInfo) -> str:
    low = next(rule.ge for rule in field.metadata if isinstance(rule, Ge))
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    return f"a whole number, {low} or more" if high is None else f"a whole number, {low} to {high}"


def _advice(env_file: Path | None) -> str:
    if env_file is None or env_file.is_file():
        return ""
    return f"There is no {env_file} here yet: copy .env.example to it and fill it in."


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken [IPv6] or a port that is none
        return False
    return (
        named
        and parts.scheme in ("http", "https")
        and not (parts.query or parts.fragment)
        and len(value.split()) == 1
    )
