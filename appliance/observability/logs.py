"""The form of log lines: JSON for machines, short lines for a person at a terminal; and what must not be in them.

A line may have fields: `log.info("shipped", extra={"slug": slug, "seconds": 0.2})`. Message, fields and exceptions may
hold what a stranger sent: they are cut to a kilobyte in all before any pattern runs, and every pattern is linear.
"""

import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that the current task serves, None outside of one."""

MAX_BYTES = 1024  # of the message, the fields and the texts of exceptions together; frames of a trace are ours
MAX_FIELD_BYTES = 128
EXCEPTION_BYTES = 384  # what the message leaves for the text of an exception

_json = json.JSONEncoder(ensure_ascii=False).encode
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], "\ufffd") | {ord("\n"): "⏎", ord("\t"): " "}
"""Some of them control terminals; a line break would let a stranger begin a line."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_QUERY = re.compile(r"(?<=[\w/])\?[^\s\"'<>]++")
_SECRETS = (  # possessive: each looks at a run of characters once
    (re.compile(r"\b(bearer|basic)\s++[^\s\"',;]++", re.IGNORECASE), r"\1 (hidden)"),
    (re.compile(r"(/uploads/)[\w-]++"), r"\1(hidden)"),  # a resumable upload's id opens its delete token
    (
        re.compile(
            r"\b(?=\w*?(?:token|secret|password|passphrase))(\w++)([\"']?+\s*+[=:]\s*+)[\"']?+[^\s\"',;}]++",
            re.IGNORECASE,
        ),
        r"\1\2(hidden)",
    ),
)
_MARKS = ("?", "bearer", "basic", "/uploads/", "token", "secret", "password", "passphrase")
"""In lower case; a text without any of them has nothing to hide."""
_OURS = (
    '  File "',
    "Traceback (most recent call last):",
    "\nThe above exception was",
    "\nDuring handling of the above",
)
"""How the pieces of a trace begin that no stranger can influence."""


def redacted(text: str) -> str:
    """`text` without query strings, authorisation values and whatever is called a token, secret, password and so on."""
    if text.isascii() and not any(mark in text.lower() for mark in _MARKS):
        return text  # most texts; where there is more than ASCII, case is more than `lower` knows
    text = _QUERY.sub(lambda query: "?(hidden)" if "=" in query[0] else query[0], text)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def shortened(text: str, max_bytes: int) -> str:
    """The first `max_bytes` of a text, and how long it was; without controls, and with escapes where UTF-8 has none."""
    if len(text) <= max_bytes and text.isascii() and text.isprintable():
        return text
    kept = text[:max_bytes].translate(_CONTROLS).encode(errors="backslashreplace")
    if len(kept) <= max_bytes and len(text) <= max_bytes:
        return kept.decode()
    return f"{kept[:max_bytes].decode(errors='ignore')}… ({len(text):,} characters)"


class _Line:
    """The parts of one line, which share its kilobyte: first the fields, so that no long message hides who sent it."""

    def __init__(self, record: logging.LogRecord) -> None:
        self._left = MAX_BYTES
        fault = record.exc_info[1] if record.exc_info else None
        self.fields = {name: self._field(value) for name, value in _fields(record).items()}
        self.message = self._cut(record.getMessage(), self._left - (EXCEPTION_BYTES if fault else 0))
        self.trace = "" if fault is None else self._trace(fault)

    def _cut(self, text: str, max_bytes: int) -> str:
        short = shortened(text, min(max_bytes, self._left))
        self._left = max(0, self._left - len(short.encode()))
        return redacted(short)

    def _field(self, value: object) -> object:
        if value is None or isinstance(value, (int, float)):
            return value
        return self._cut(str(value), MAX_FIELD_BYTES)

    def _trace(self, fault: BaseException) -> str:
        """As Python writes it."""
        pieces = traceback.format_exception(fault)
        return "".join(piece if piece.startswith(_OURS) else self._words(piece) for piece in pieces).rstrip("\n")

    def _words(self, piece: str) -> str:
        """Half of what is left, so that the cause, which comes first, leaves room for what followed from it."""
        return self._cut(piece.rstrip("\n"), self._left // 2) + "\n"


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    known_id = request_id.get()
    return fields if known_id is None else {"request_id": known_id, **fields}


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, then the line's fields.

    Of several server processes each line has the number of its own.
    """

    def __init__(self, process: int | None = None) -> None:
        super().__init__()
        self._constant = {} if process is None else {"process": process}

    def format(self, record: logging.LogRecord) -> str:
        parts = _Line(record)
        line: dict[str, object] = {
            "time": _moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": parts.message,
            **self._constant,
        }
        for name, value in parts.fields.items():
            line.setdefault(name, value)
        if parts.trace:
            line["exception"] = parts.trace
        return _json(line)


class HumanLines(logging.Formatter):
    """`12:30:05 warning shipping: words slug=... seconds=0.2`; a trace follows where there is one.

    Of several server processes a line begins with the number of its own, as in `[2] 12:30:05`.
    """

    def __init__(self, process: int | None = None) -> None:
        super().__init__()
        self._begin = "" if process is None else f"[{process}] "

    def format(self, record: logging.LogRecord) -> str:
        parts = _Line(record)
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()} "
        fields = "".join(f" {name}={value}" for name, value in parts.fields.items())
        area = record.name.removeprefix("appliance.")
        line = f"{self._begin}{_moment(record).astimezone():%H:%M:%S} {level}{area}: {parts.message}{fields}"
        return f"{line}\n{parts.trace}" if parts.trace else line


def start_logging(level: str, stream: TextIO | None = None, *, process: int | None = None) -> None:
    """Sends every log line of `level` and above to `stream` (standard error unless given).

    `process` is the number of this one among several server processes.

    A second call replaces the first. Of other libraries only warnings are kept, and of aiohttp's access log nothing:
    it would write query strings.
    """
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.setFormatter(HumanLines(process) if target.isatty() else JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))
    logging.getLogger("appliance").setLevel(level.upper())
    logging.getLogger("aiohttp.access").disabled = True
    logging.captureWarnings(True)
