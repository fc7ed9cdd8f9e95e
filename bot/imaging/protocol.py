"""What is said to the image API and what it says, as bytes: pure, and blocking for large bodies."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import core_schema
from yarl import URL

from bot.errors import BadAnswer
from bot.imaging.catalogue import ListedModel
from bot.imaging.model import PriceUnit
from bot.imaging.request import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

#: The API's own SDK believes no longer wait either.
RETRY_AFTER_MAX_S: Final = 60.0
#: From here on a number is no wait: a point in time, or nonsense.
_NO_WAIT_S: Final = 24 * 60 * 60
#: Names and ids are not longer than that; whatever is would only fill the screen.
_NAME_MAX: Final = 100
#: What is searched of an error's text, as that takes time.
_MESSAGE_MAX: Final = 4000
#: What says that a price holds for any picture, and is no example or "starting price".
_PER_IMAGE: Final = ("per image", "per text-to-image", "per text-to-image image")
_VERSIONED = re.compile(r"/v\d+\w*(/|$)")
_ENDPOINT = "/images/generations"
_SECONDS: Final = re.compile(r"(\d{1,15}(?:\.\d{0,15})?) ?s?", re.ASCII)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
NO_PICTURE = (
    "The image service answered, but without a picture that I can read. Nothing was charged; "
    "please try again."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        items: for each picture its bytes, or the link (possibly relative) where it lies.
        seconds: how long the API says that it painted.
    """

    items: tuple[bytes | str, ...]
    request_id: str | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Account:
    """Whose key it is; None where the API does not say."""

    organisation: str | None
    project: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error's body says; empty where it says nothing.

    Attributes:
        kinds: its `type`, `error_type` and `code`, in lower case.
        listed: whether it is a list of mistakes in the request, as FastAPI sends with 422.
    """

    message: str
    kinds: frozenset[str]
    parameter: str
    request_id: str | None
    listed: bool = False


class _Lenient:
    """A field of the wrong shape counts as absent: no picture that is paid for is lost to it.

    No validator in Python: for that one, all that it might read is copied into objects first,
    and a picture's text is most of the answer.
    """

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=None, on_error="default")


_Text = Annotated[str | None, _Lenient]
_Number = Annotated[float | None, _Lenient]


class _Shape(BaseModel):
    # Of NaN and Infinity, which JSON has not but parsers let pass, nothing can be made.
    model_config = ConfigDict(allow_inf_nan=False, protected_namespaces=())


def _at(first: str, *rest: str | int) -> Any:  # noqa: ANN401 - as pydantic's own Field
    """An optional field that lies deeper, or under the first of several names."""
    return Field(None, validation_alias=AliasPath(first, *rest))


def _first(*names: str | AliasPath) -> Any:  # noqa: ANN401 - likewise
    return Field(None, validation_alias=AliasChoices(*names))


class _Item(_Shape):
    index: Annotated[int | None, _Lenient] = None
    b64_json: _Text = None
    url: _Text = None
    seconds: _Number = _at("timings", "inference")


class _Generations(_Shape):
    id: _Text = None
    data: list[Annotated[_Item | None, _Lenient]]


class _Model(_Shape):
    id: str
    type: str
    display_name: _Text = None
    organization: _Text = None
    # Both prices are undocumented, but three independent clients read them.
    per_megapixel: _Number = _at("pricing", "image_pixel", "price_per_megapixel")
    per_image: _Number = _at("pricing", "image", "example_price")
    example: _Text = _at("pricing", "image", "example_description")


_Models = list[Annotated[_Model | None, _Lenient]]


class _Page(_Shape):
    data: _Models


class _Whoami(_Shape):
    # https://docs.together.ai/reference/whoami
    organisation: _Text = _first(AliasPath("organization", "name"), AliasPath("organization", "id"))
    project: _Text = _first(AliasPath("project", "name"), AliasPath("project", "id"))


class _Failure(_Shape):
    id: _Text = None
    error: _Text = None
    detail: _Text = None
    message: _Text = _first(AliasPath("error", "message"), AliasPath("detail", 0, "msg"), "message")
    type: _Text = _first(AliasPath("error", "type"), "type")
    error_type: _Text = _first(AliasPath("error", "error_type"), "error_type")
    code: _Text = _first(AliasPath("error", "code"), "code")
    param: _Text = _first(AliasPath("error", "param"), "param")
    #: Where FastAPI says that the first mistake is, such as ["body", "steps"].
    mistake: Annotated[list[str | int] | None, _Lenient] = _at("detail", 0, "loc")


#: In a fifth of the time that Python's own decoder takes.
_BASE64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64"))
_MODELS: TypeAdapter[_Models | _Page] = TypeAdapter(_Models | _Page)


def base_address(url: str) -> str:
    """The address that paths are appended to: with its version, without a slash at the end.

    An address without any version gets `/v1`; a credential in it goes, as the key is sent.

    Raises:
        ValueError: it is no http or https address.
    """
    address = URL(url.strip())
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"{url!r} is no web address")
    path = address.path.rstrip("/").removesuffix(_ENDPOINT).rstrip("/")
    path = path if _VERSIONED.search(path) else f"{path}/v1"
    return str(address.with_user(None).with_path(path))


def encode(fields: Mapping[str, object]) -> dict[str, object]:
    """The body of a request; base64, as links expire and are refused to some clients."""
    return {**fields, "response_format": "base64"}


def dump(fields: Mapping[str, object]) -> bytes:
    """The same as bytes."""
    return json.dumps(encode(fields), allow_nan=False, separators=(",", ":")).encode()


def decode(body: bytes, headers: Mapping[str, str]) -> Answer:
    """The pictures of a 200 or 201, in the order of their indexes.

    Raises:
        BadAnswer: it holds no picture that can be read.
    """
    try:
        answer = _Generations.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(_shape_of(error), headers) from None
    request_id = _one_line(answer.id) or request_id_of(headers)
    found = [item for item in answer.data if item]
    # https://docs.together.ai/reference/post-images-generations has `type` tell the two
    # apart, but answers with null there are on record: what is filled in decides.
    placed = sorted(enumerate(found), key=_place)
    items = tuple(content for _, item in placed if (content := _content(item)))
    if not items:
        raise _unreadable(f"none of {len(answer.data)} items holds a picture", headers, request_id)
    seconds = max((item.seconds for item in found if item.seconds), default=None)
    return Answer(items, request_id, seconds)


def decode_models(body: bytes) -> tuple[ListedModel, ...]:
    """The picture models of a list, bare or under `data`.

    Raises:
        BadAnswer: it is no list.
    """
    try:
        page = _MODELS.validate_json(body)
    except ValidationError as error:
        raise _unreadable(_shape_of(error)) from None
    entries = page.data if isinstance(page, _Page) else page
    return tuple(_listed(each) for each in entries if each and each.type == "image" and each.id)


def decode_account(body: bytes) -> Account:
    """Names where there are any, else ids.

    Raises:
        BadAnswer: it is no JSON object.
    """
    try:
        whoami = _Whoami.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(_shape_of(error)) from None
    return Account(_one_line(whoami.organisation) or None, _one_line(whoami.project) or None)


def decode_problem(body: bytes, headers: Mapping[str, str]) -> Problem:
    """What an error's body says, in whatever shape it comes."""
    try:
        failure = _Failure.model_validate_json(body)
    except ValidationError:
        return Problem(_plain(body), frozenset(), "", request_id_of(headers))
    kinds = (failure.type, failure.error_type, failure.code)
    mistake = str(failure.mistake[-1]) if failure.mistake else ""
    return Problem(
        message=(failure.message or failure.error or failure.detail or "")[:_MESSAGE_MAX],
        kinds=frozenset(kind.lower()[:_NAME_MAX] for kind in kinds if kind),
        parameter=failure.param or mistake,
        request_id=_one_line(failure.id) or request_id_of(headers),
        listed=failure.mistake is not None,
    )


def retry_after(headers: Mapping[str, str], *more: str) -> float | None:
    """The seconds to wait that an answer names, at most a minute; None for nonsense.

    Args:
        headers: of the answer.
        more: headers in seconds that count where the usual ones say nothing.
    """
    milliseconds = _seconds(header(headers, "retry-after-ms"), headers)
    waits = [milliseconds / 1000 if milliseconds else None]
    waits += [_seconds(header(headers, name), headers) for name in ("retry-after", *more)]
    return next((min(wait, RETRY_AFTER_MAX_S) for wait in waits if wait), None)


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The API's own name of a request, else that of the network before it."""
    named = header(headers, "x-request-id") or header(headers, "cf-ray")
    return _one_line(named) or None


def header(headers: Mapping[str, str], name: str) -> str | None:
    """A header, in whatever case the mapping keeps its names."""
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _seconds(text: str | None, headers: Mapping[str, str]) -> float | None:
    """Seconds, or the time until a date, as the sender's own clock has it."""
    # https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    text = (text or "").strip()[:40]
    number = _SECONDS.fullmatch(text)
    seconds = float(number[1]) if number else _timestamp(text) - _timestamp(header(headers, "date"))
    return seconds if 0 < seconds < _NO_WAIT_S else None


def _timestamp(date: str | None) -> float:
    try:
        parts = parsedate_tz(date) if date else None
        return mktime_tz(parts) if parts else float("nan")
    except (ValueError, OverflowError):
        return float("nan")


def _place(placed: tuple[int, _Item]) -> int:
    position, item = placed
    return position if item.index is None else item.index


def _content(item: _Item) -> bytes | str | None:
    data = _picture(item.b64_json or "")
    if data or not item.url:
        return data
    # Some servers of this shape put the picture itself where the link belongs.
    return _picture(item.url) if item.url.startswith("data:") else item.url.strip() or None


def _picture(text: str) -> bytes | None:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    # Of text that was cut off, pydantic's decoder would make what it can.
    if len(text) % 4 == 0:
        with suppress(ValidationError):
            return _BASE64.validate_strings(text) or None
    # Some break the line every 76 characters.
    try:
        return b64decode("".join(text.split()), validate=True) or None
    except ValueError:
        return None


def _listed(model: _Model) -> ListedModel:
    organisation, _, name = model.id.rpartition("/")
    price, unit = _price(model)
    return ListedModel(
        id=model.id,
        name=_one_line(model.display_name) or name,
        organisation=_one_line(model.organization) or organisation,
        price_usd=price,
        price_unit=unit,
    )


def _price(model: _Model) -> tuple[float | None, str | None]:
    if model.id.lower().endswith("-free"):
        return 0.0, PriceUnit.FREE.value
    if _is_price(model.per_megapixel):
        return model.per_megapixel, PriceUnit.MEGAPIXEL.value
    if _is_price(model.per_image):
        plain = (model.example or _PER_IMAGE[0]).strip().lower() in _PER_IMAGE
        unit = PriceUnit.IMAGE if plain else PriceUnit.IMAGE_ESTIMATED
        return model.per_image, unit.value
    return None, None


def _is_price(amount: float | None) -> bool:
    return amount is not None and amount > 0


def _one_line(text: str | None) -> str:
    """A name, as short and plain as names are."""
    return " ".join(clean_text((text or "")[: 4 * _NAME_MAX]).split())[:_NAME_MAX]


def _plain(body: bytes) -> str:
    """What a body that is no JSON says: a page's title, or the text itself."""
    text = body[:_MESSAGE_MAX].decode(errors="replace").strip()
    if not text.startswith("<"):
        return text
    title = _TITLE.search(text)
    return title[1].strip() if title else ""


def _shape_of(error: ValidationError) -> str:
    """Where the shape is wrong, without what stands there."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _unreadable(
    why: str, headers: Mapping[str, str] | None = None, request_id: str | None = None
) -> BadAnswer:
    kind = header(headers or {}, "content-type") or "no content-type"
    request_id = request_id or request_id_of(headers or {})
    return BadAnswer(
        NO_PICTURE,
        operator=f"The image API's answer ({kind}) cannot be used: {why} (request {request_id}).",
        request_id=request_id,
    )
