"""Structured logs, ours and the libraries', in which no secret and no live token appears.

Whatever carries a secret (an argument, a repr, an address, a traceback) is text by the time
its line is rendered: that is where secrets are taken out.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from structlog.typing import EventDict, Processor

#: No pattern below finds anything in it, or leaves a part of it behind.
REDACTED = "<redacted>"
#: Shorter ones would take ordinary words out of every line.
_SHORTEST_SECRET = 8

# aiosqlite logs the parameters of every statement at DEBUG and sqlalchemy.engine at INFO (the
# tokens and prompts of everybody), Pillow at DEBUG the tags of people's photographs.
_NEVER_BELOW_WARNING = ("aiosqlite", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "PIL")

_BACKSLASHES = r"\\{0,64}"
_QUOTE = _BACKSLASHES + r"[\"']"  # escaped where JSON or a repr stands inside another
_COLOUR = r"(?:\x1b\[[\d;]*m)*"
_SLASH = rf"(?:{_BACKSLASHES}/|%2F)"
_SPACE = r"(?:\s|%20|\+)"
_NAME = r"(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key)"
#: What is secret by the place where it stands or by its form; \1 stays.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # https://discord.com/developers/docs/resources/webhook: the token stands in the path.
        rf"((?:webhooks|interactions){_SLASH}\d+{_SLASH})(?:[\w.~+=:-]|%(?!2F))+",
        # discord.py names a rate limit's bucket by the webhook's id and token.
        r"(\b\d{15,20}\+)[\w.=-]{20,}",
        # A live interaction token: base64 of "interaction:…".
        r"()aW50ZXJhY3Rpb246[\w+/=.%-]*",
        r"()\b[\w-]{23,30}\.[\w-]{6,7}\.[\w-]{27,}",  # any bot's token
        r"()\btgp_v\d+_[\w-]+",  # any key of Together's
        (
            rf"(\bauthorization(?:{_QUOTE}\s*[:,=]|{_COLOUR}\s*[:=]){_COLOUR}\s*(?:b?{_QUOTE})?"
            rf"(?:(?:Bot|Bearer|Basic){_SPACE}+)?)[^\s\"'\\,;)}}\]\x1b]+"
        ),
        rf"(\b(?:Bot|Bearer|Basic){_SPACE}+)[\w.~+/=%-]{{20,}}",
        rf"({_NAME}{_QUOTE}\s*:\s*b?{_QUOTE})[^\"']{{0,4096}}?(?={_QUOTE}|\s*$)",
        rf"({_NAME}{_COLOUR}\s*={_COLOUR}\s*(?:b?{_QUOTE})?(?!None\b))[^\s\"'\\,;&)}}\]\x1b]+",
        r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,100}:)[^\s/@\"']+(?=@)",
    )
)

#: Colours stay; whatever else could move the cursor or forge a line becomes visible.
_CONTROLS = re.compile(
    r"\x1b(?!\[[\d;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)

#: One list for all calls of `configure`, as loggers that were used once hold on to it.
_CHAIN: list[Processor] = [
    structlog.stdlib.filter_by_level,
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.StackInfoRenderer(),
    ProcessorFormatter.wrap_for_formatter,
]


def configure(
    level: str,
    log_format: Literal["console", "json"],
    secrets: Iterable[str],
    stream: TextIO | None = None,
) -> None:
    """Send every log of this process to `stream` (stderr when None), without `secrets`.

    May be called again: the last call counts. Loggers are structlog's; context that all
    lines of a task should carry is bound with `structlog.contextvars.bound_contextvars`.
    """
    out = stream or sys.stderr
    root = logging.getLogger()
    # Alone: whatever a library has put here would write lines as they are.
    root.handlers[:] = [_Handler(out, _Formatter(log_format, out, Redactor(secrets)))]
    root.setLevel(level)
    for name in _NEVER_BELOW_WARNING:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread
    structlog.configure(
        processors=_CHAIN,
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


class Redactor:
    """Takes secrets out of a text; the rest of it stays readable, and JSON stays JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first: one secret may be a part of another.
        spelt = [_any_spelling(form) for form in sorted(forms, key=len, reverse=True)]
        self._secrets = re.compile("|".join(spelt)) if spelt else None

    def __call__(self, text: str) -> str:
        if self._secrets:
            text = self._secrets.sub(REDACTED, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{REDACTED}", text)
        return text


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < _SHORTEST_SECRET:
        return
    yield secret
    data = secret.encode("utf-8", "surrogatepass")
    # What stands before the secret ("user:", "Bot ") decides which of three base64 forms it
    # takes; the characters that its neighbours have a part in are left out.
    for before in range(3):
        encoded = b64encode(bytes(before) + data).decode()
        core = encoded[(0, 2, 3)[before] : (before + len(data)) // 3 * 4]
        yield core
        yield core.translate({ord("+"): "-", ord("/"): "_"})


def _any_spelling(text: str) -> str:
    """A pattern for `text` as it is, in a URL, and in JSON or a repr however deep."""
    return "".join(
        character if character.isascii() and character.isalnum() else _spellings(character)
        for character in text
    )


def _spellings(character: str) -> str:
    in_url = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass")
    in_json = "".join(rf"\\{{1,64}}u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    return rf"(?:{_BACKSLASHES}{re.escape(character)}|(?i:{in_json}|{in_url}))"


class _Formatter(ProcessorFormatter):
    def __init__(
        self, log_format: Literal["console", "json"], stream: TextIO, redactor: Redactor
    ) -> None:
        self._last = _rendering(log_format, colours=stream.isatty())
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._redactor = redactor
        super().__init__(
            processors=[
                structlog.stdlib.PositionalArgumentsFormatter(),
                ProcessorFormatter.remove_processors_meta,
                *self._last,
            ],
            foreign_pre_chain=_CHAIN[1:4],
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._finish(super().format(record))

    def excuse(self, record: logging.LogRecord, problem: str) -> str:
        """A line for a record that cannot be rendered, without the arguments to blame."""
        line: EventDict = {
            "event": "log.unreadable",
            "level": record.levelname.lower(),
            "logger": record.name,
            "problem": problem,
            "where": f"{record.filename}:{record.lineno}",
        }
        for processor in self._last:
            line = processor(None, "error", line)  # pyright: ignore[reportAssignmentType] - the last one makes a str
        return self._finish(str(line))

    def _finish(self, line: str) -> str:
        visible = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
        # Indented, so that no text with a line break in it can pass for a line of its own.
        clean = self._redactor(visible).replace("\n", "\n    ")
        return clean.encode(self._encoding, "backslashreplace").decode(self._encoding)


def _rendering(log_format: Literal["console", "json"], *, colours: bool) -> list[Processor]:
    if log_format == "json":
        return [
            structlog.processors.TimeStamper("iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    return [
        structlog.processors.TimeStamper("%Y-%m-%d %H:%M:%S", utc=False),
        # The renderer's own choice of traceback shows local variables where rich is installed.
        structlog.dev.ConsoleRenderer(
            colors=colours and sys.platform != "win32",
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines at once, so that a killed process leaves its last one behind."""

    def __init__(self, stream: TextIO, formatter: _Formatter) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)
        self._excuse = formatter.excuse

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except RecursionError:  # the one that StreamHandler lets through
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        # Logging's own would write the record's arguments to stderr as they are.
        problem = sys.exc_info()[0]
        with suppress(OSError, ValueError):  # a full disk, a closed pipe: nowhere to say it
            line = self._excuse(record, problem.__name__ if problem else "unknown")
            self.stream.write(f"{line}{self.terminator}")
            self.flush()


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    structlog.stdlib.get_logger(__name__).critical("process.died", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(died: threading.ExceptHookArgs) -> None:
    if died.exc_type is SystemExit or died.exc_value is None:
        return
    structlog.stdlib.get_logger(__name__).critical("thread.died", exc_info=died.exc_value)
