"""From an answer of the image API without a picture to the error that says what to do: pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.errors import (
    AllowedSizes,
    AnswerLost,
    BadAnswer,
    Busy,
    ContentRefused,
    ModelGone,
    Overloaded,
    OwnerNeeded,
    ParameterRefused,
    RequestRefused,
    Unreachable,
)
from bot.imaging.protocol import NO_PICTURE, decode_problem, retry_after
from bot.imaging.request import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.errors import PaintingFailed
    from bot.imaging.protocol import Problem

_SAID_MAX: Final = 300
_NAME_MAX: Final = 100
#: How many sizes of a longer menu a sentence names.
_NAMED: Final = 4

# https://docs.together.ai/docs/error-codes, and of Cloudflare, which stands before the API,
# https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
_BUSY: Final = 429
_UNPROCESSABLE: Final = 422
#: https://www.rfc-editor.org/rfc/rfc9110#name-413-content-too-large
_TOO_LARGE: Final = 413
#: Nothing was painted: refused at once, or not passed on (521, 523, 525, 526, 530). A 409 is a
#: lock at the other end, which the API's own SDK repeats too. Missing here are 504 and 524, the
#: time-outs; 522, after which only the acknowledgement may be lost; and what nobody documents.
_NOTHING_PAINTED: Final = frozenset({409, 500, 502, 503, 520, 521, 523, 525, 526, 529, 530})
_POLICY: Final = frozenset({"content_policy_violation", "content_filter", "moderation_blocked"})
_NO_CREDIT: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_NO_MODEL: Final = frozenset({"model_not_found", "model_not_available"})
_UNSAFE: Final = re.compile(
    r"\bnsfw\b|safety (?:checker|filter|system)|content polic|moderation", re.IGNORECASE
)
_NO_THIRD_PARTIES: Final = re.compile(r"third.party.data.sharing", re.IGNORECASE)
_TOO_LONG: Final = re.compile(r"\bmax_tokens\b|\bcontext (?:length|window)\b", re.IGNORECASE)
#: Every model makes images: what is said of their making is not said of those to work from.
_ABOUT_PICTURES: Final = re.compile(
    r"(?<![a-z])(?:(?:images?|pictures?)(?! (?:generation|model|service|size))|reference|ur[il]s?"
    r"|base64|data:|decode|download|fetch)(?![a-z])",
    re.IGNORECASE,
)

_REFUSED_KEY: Final = "TOGETHER_API_KEY is missing or refused: put in a valid key and restart."
_ADD_CREDIT: Final = (
    "No credit is left, or the monthly limit is reached: add credit at Settings > Billing (image "
    "models need a positive balance)."
)
_ALLOW_PASSTHROUGH: Final = (
    "The key's organisation shares nothing with third parties: turn on Settings > Privacy > allow "
    "passthrough models."
)
_NO_RIGHT: Final = "The key may not do this: look at its organisation's rights and settings."
_REDIRECTED: Final = "TOGETHER_BASE_URL is not the API's own address: it leads elsewhere."
_NOT_OFFERED: Final = "If that is said of every model, TOGETHER_BASE_URL is wrong."
_MAYBE_BILLED: Final = "It may have been painted and billed, so it is not repeated."

#: What people call a field of the API; the others have the same name there and here.
_OPTIONS: Final = {
    **dict.fromkeys(("width", "height", "width/height", "aspect_ratio"), "shape"),
    **dict.fromkeys(("image_url", "reference_images"), "reference"),
    "negative_prompt": "avoid",
    "n": "count",
}
#: Without these there is nothing to paint, so there is no use in leaving them out.
_INDISPENSABLE: Final = frozenset({"", "prompt", "model"})

# How 400s name a parameter, its limits, and sizes; all but one pattern were seen of this API.
_QUOTED: Final = r"['\"`]*([\w/]+)['\"`]*"
_NAMES: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"unsupported use of {_QUOTED} parameter",
        rf"the parameter {_QUOTED} is not",
        rf"invalid value for {_QUOTED} parameter",
        r"^['\"`]*(n|steps|seed|width|height|guidance(?:_scale)?)['\"`]* (?:must|should) be\b",
        rf"(?:unknown|unrecogni[sz]ed|unsupported) parameter:? {_QUOTED}",
        r"invalid (dimensions)\b",
    )
)
_SIZE: Final = r"(\d{2,5})\s*[x×*]\s*(\d{2,5})"  # noqa: RUF001 - the API writes a times sign
_MENU: Final = re.compile(r"supported values are:(.*)", re.IGNORECASE | re.DOTALL)
_AREA: Final = re.compile(rf"\barea\b.{{0,80}}?{_SIZE}\s*(?:to|and|-)\s*{_SIZE}", re.IGNORECASE)
_PART: Final = r"([1-9]\d{0,3})"
_RATIO: Final = re.compile(
    rf"\bratio\b.{{0,40}}?{_PART}:{_PART}\s*(?:to|and|-)\s*{_PART}:{_PART}", re.IGNORECASE
)
_MAXIMUM: Final = re.compile(
    r"\b(?:between -?[\d.]+ and|at most|up to|no more than|less than or equal to|maximum (?:of|is))"
    r" (\d{1,10})\b",
    re.IGNORECASE,
)

_LINK: Final = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bdiscord\.gg/\S+", re.IGNORECASE)
#: Keys by their form: the ids of requests are shorter, or have dashes in them.
_KEY: Final = re.compile(
    r"\b(?:tgp_v\d+_|sk-)[\w-]+|\bBearer\s+\S+|\b[0-9a-f]{40,}\b", re.IGNORECASE
)


def failure(
    status: int, headers: Mapping[str, str], body: bytes, model: str | None = None
) -> PaintingFailed:
    """What an answer without a picture means.

    Args:
        status: any, 200 included: a refusal of the content comes under whatever status.
        headers: of the answer.
        body: of the answer; it may be cut off.
        model: whom it was asked of; None for a question about no model.
    """
    problem = decode_problem(body, headers)
    # Together names it so: https://docs.together.ai/docs/rate-limits
    more = ("x-ratelimit-reset",) if status == _BUSY else ()
    case = _Case(status, problem, model, _parameter(problem), retry_after(headers, *more))
    by_status = _BY_STATUS.get(status) or _BY_CLASS.get(status // 100, _Case.answer_lost)
    return (_by_words(case) or by_status)(case)


def unreachable(cause: str, model: str | None = None) -> Unreachable:
    """The request never left."""
    return Unreachable(
        "I can't reach the image service just now. Nothing was charged; please try again in a "
        "few minutes.",
        operator=_line("The image API cannot be reached", model, cause),
    )


def answer_lost(cause: str, model: str | None = None, request_id: str | None = None) -> AnswerLost:
    """The request left, and nobody knows what became of it."""
    return AnswerLost(
        "The image service took the request, but its answer never came. Nothing was charged; "
        "please try again.",
        operator=_line(
            "The image API's answer is lost", model, cause, _MAYBE_BILLED if model else ""
        ),
        request_id=request_id,
    )


def bad_answer(cause: str, model: str | None = None, request_id: str | None = None) -> BadAnswer:
    """An answer that should hold a picture, and does not."""
    return BadAnswer(
        NO_PICTURE,
        operator=_line("The image API's answer cannot be used", model, cause),
        request_id=request_id,
    )


def inert(text: str, limit: int = _SAID_MAX) -> str:
    """Somebody else's words on one line, without keys, ready for a log."""
    words = " ".join(clean_text(text[: 4 * limit]).split())
    words = _KEY.sub("(a key)", words)
    return words if len(words) <= limit else f"{words[: limit - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class _Case:
    """One refusal, and each error that it may turn out to be."""

    status: int
    problem: Problem
    model: str | None
    parameter: str | None
    wait: float | None

    @property
    def is_about_content(self) -> bool:
        if self.problem.kinds & _POLICY:
            return True
        if self.parameter or self.problem.listed or self.problem.kinds & _NO_MODEL:
            return False
        unsafe = bool(_UNSAFE.search(self.problem.message))
        # 422 is the safety checker's own status; what it says is not documented.
        return self.status == _UNPROCESSABLE or (self.status in (400, 403) and unsafe)

    @property
    def is_about_pictures(self) -> bool:
        if _TOO_LONG.search(self.problem.message):
            return False
        # An address in it may well lead to a page about pictures.
        words = _LINK.sub("", f"{self.problem.message} {self.problem.parameter}")
        return self.status == _TOO_LARGE or bool(_ABOUT_PICTURES.search(words))

    @property
    def report(self) -> str:
        said = inert(", ".join(sorted(self.problem.kinds)), _NAME_MAX)
        kinds = f" ({said})" if said else ""
        message = inert(self.problem.message) or "no message"
        request = f" [request {self.problem.request_id}]" if self.problem.request_id else ""
        return f"{self.status}{kinds}: {message.rstrip('.')}{request}"

    @property
    def painter(self) -> str:
        """The model's name without its house, as a sentence begins with it."""
        return inert((self.model or "").rpartition("/")[2]) or "The image service"

    def operator(self, advice: str = "") -> str:
        return _line("The image API refused", self.model, self.report, advice)

    def content_refused(self) -> ContentRefused:
        return ContentRefused(
            "The image service's safety filter turned this down. Nothing was charged; please "
            "describe something else.",
            operator=self.operator(),
            request_id=self.problem.request_id,
        )

    def owner_needed(self) -> OwnerNeeded:
        return OwnerNeeded(
            "I can't paint until my owner has looked after something. Nothing was charged; please "
            "let them know.",
            operator=self.operator(self._advice()),
            request_id=self.problem.request_id,
        )

    def model_gone(self) -> ModelGone:
        return ModelGone(
            f"{self.painter} is not on offer just now. Nothing was charged; please pick another "
            "`model`.",
            operator=self.operator(_NOT_OFFERED),
            request_id=self.problem.request_id,
        )

    def busy(self) -> Busy:
        soon = self.wait is None or self.wait <= 1
        when = "in a moment" if soon else f"in {round(self.wait or 0)} seconds"
        return Busy(
            f"The image service has too much to do just now. Nothing was charged; please try "
            f"again {when}.",
            operator=self.operator(),
            retry_after=self.wait,
            request_id=self.problem.request_id,
        )

    def overloaded(self) -> Overloaded:
        return Overloaded(
            "The image service is in trouble just now. Nothing was charged; please try again in "
            "a few minutes.",
            operator=self.operator(),
            retry_after=self.wait,
            request_id=self.problem.request_id,
        )

    def answer_lost(self) -> AnswerLost:
        return answer_lost(self.report, self.model, self.problem.request_id)

    def bad_answer(self) -> BadAnswer:
        return bad_answer(self.report, self.model, self.problem.request_id)

    def parameter_refused(self) -> ParameterRefused:
        parameter, message = self.parameter or "", self.problem.message
        sizes, maximum = _sizes(message), _MAXIMUM.search(message)
        highest = int(maximum[1]) if maximum else None
        return ParameterRefused(
            self._objection(parameter, sizes, highest),
            parameter=parameter,
            sizes=sizes,
            maximum=highest,
            operator=self.operator(),
            request_id=self.problem.request_id,
        )

    def request_refused(self) -> RequestRefused:
        if _TOO_LONG.search(self.problem.message):
            why = f"{self.painter} can't read a prompt that long. Please shorten it"
        elif self.status == _TOO_LARGE:
            why = "The pictures to work from are too large. Please use smaller ones"
        elif said := _quoted(self.problem.message):
            why = f"The image service turned this down: {said}. Please change it and try again"
        else:
            why = "The image service turned this down without a reason. Please try another `model`"
        return RequestRefused(
            f"{why}; nothing was charged.",
            about_pictures=self.is_about_pictures,
            operator=self.operator(),
            request_id=self.problem.request_id,
        )

    def _advice(self) -> str:
        if self.problem.kinds & _NO_CREDIT:
            return _ADD_CREDIT
        if _NO_THIRD_PARTIES.search(f"{self.problem.message} {self.problem.kinds}"):
            return _ALLOW_PASSTHROUGH
        return {401: _REFUSED_KEY, 402: _ADD_CREDIT, 403: _NO_RIGHT}.get(self.status, _REDIRECTED)

    def _objection(self, parameter: str, sizes: AllowedSizes | None, highest: int | None) -> str:
        if sizes and sizes.menu:
            named = ", ".join(f"{width}×{height}" for width, height in sizes.menu[:_NAMED])  # noqa: RUF001 - times
            more = " and others" if len(sizes.menu) > _NAMED else ""
            why = f"{self.painter} only paints certain sizes: {named}{more}. Try another `shape`"
        elif sizes:
            why = f"{self.painter} doesn't paint that size. Try another `shape`"
        elif highest is not None:
            option = _OPTIONS.get(parameter, inert(parameter))
            why = f"{self.painter} takes `{option}` only up to {highest:,}. Please lower it"
        else:
            option = _quoted(_OPTIONS.get(parameter, parameter))
            why = f"{self.painter} can't use {option}. Please leave it out"
        return f"{why}; nothing was charged."


_BY_STATUS: Final[Mapping[int, Callable[[_Case], PaintingFailed]]] = {
    401: _Case.owner_needed,
    402: _Case.owner_needed,
    403: _Case.owner_needed,
    404: _Case.model_gone,
    408: _Case.answer_lost,
    410: _Case.model_gone,
    _BUSY: _Case.busy,
    **dict.fromkeys(_NOTHING_PAINTED, _Case.overloaded),
}
#: Where a status says no more than its class; of other classes nobody knows how they ended.
_BY_CLASS: Final[Mapping[int, Callable[[_Case], PaintingFailed]]] = {
    2: _Case.bad_answer,
    3: _Case.owner_needed,
    4: _Case.request_refused,
}


def _by_words(case: _Case) -> Callable[[_Case], PaintingFailed] | None:
    """What the answer says, where that tells more than its status."""
    kinds, status = case.problem.kinds, case.status
    if case.is_about_content:
        return _Case.content_refused
    if kinds & _NO_CREDIT:
        return _Case.owner_needed
    if status in (400, _UNPROCESSABLE) and case.model and kinds & _NO_MODEL:
        return _Case.model_gone
    if status in (400, _UNPROCESSABLE) and case.parameter:
        return _Case.parameter_refused
    if (status == 403 and _TOO_LONG.search(case.problem.message)) or (  # noqa: PLR2004 - documented
        status in (404, 410) and not case.model
    ):
        return _Case.request_refused
    return None


def _parameter(problem: Problem) -> str | None:
    """What the API objects to, if it is something that can be left out."""
    found = (match[1] for pattern in _NAMES if (match := pattern.search(problem.message)))
    named = (problem.parameter or next(found, "")).strip("'\"` ").lower()
    return None if named in _INDISPENSABLE else inert(named, _NAME_MAX)


def _sizes(message: str) -> AllowedSizes | None:
    menu = _MENU.search(message)
    if menu and (sizes := re.findall(_SIZE, menu[1])):
        return AllowedSizes(menu=tuple((int(width), int(height)) for width, height in sizes))
    area, ratio = _AREA.search(message), _RATIO.search(message)
    if not (area or ratio):
        return None
    sides = [int(side) for side in area.groups()] if area else []
    parts = [int(part) for part in ratio.groups()] if ratio else []
    return AllowedSizes(
        area=(sides[0] * sides[1], sides[2] * sides[3]) if sides else None,
        ratio=(parts[0] / parts[1], parts[2] / parts[3]) if parts else None,
    )


def _quoted(text: str) -> str:
    """The same for a sentence: code, in which Discord lets nothing act; empty for nothing."""
    words = _LINK.sub("(a link)", inert(text)).replace("`", "'").replace("@", "(at)").rstrip(". ")
    return f"`{words}`" if words else ""


def _line(what: str, model: str | None, cause: str, advice: str = "") -> str:
    whom = f" ({inert(model)})" if model else ""
    return f"{what}{whom}: {cause}. {advice}".rstrip(" .") + "."
