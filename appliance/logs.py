"""How log lines look: JSON for machines, short lines for a person at a terminal; and what may never stand in them.

A line may carry fields: `log.info("shipped", extra={"slug": slug, "seconds": 0.2})`.
"""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that the current task serves, None outside of one."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRETS = (
    (re.compile(r"\b(bearer|basic)\s+[^\s\"',;]+", re.IGNORECASE), r"\1 (hidden)"),
    (re.compile(r"(?<=[\w/])\?[^\s\"'<>]*=[^\s\"'<>]*"), "?(hidden)"),
    (re.compile(r"(/uploads/)[\w-]+"), r"\1(hidden)"),  # a resumable upload's id opens its delete token
    (
        re.compile(r"\b(\w*(?:token|secret|password)\w*)([\"']?\s*[=:]\s*)[\"']?[^\s\"',;}]+", re.IGNORECASE),
        r"\1\2(hidden)",
    ),
)


def redacted(text: str) -> str:
    """`text` without query strings, authorisation values and whatever is called a token, secret or password."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    known_id = request_id.get()
    return fields if known_id is None else {"request_id": known_id, **fields}


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, message, then the line's fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        for name, value in _fields(record).items():
            line.setdefault(name, redacted(value) if isinstance(value, str) else value)
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=lambda value: redacted(str(value)))


class HumanLines(logging.Formatter):
    """`12:30:05 warning shipping: words slug=... seconds=0.2`; a trace follows where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()} "
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        area = record.name.removeprefix("appliance.")
        line = f"{_moment(record).astimezone():%H:%M:%S} {level}{area}: {record.getMessage()}{fields}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return redacted(line)


def start_logging(level: str, stream: TextIO | None = None) -> None:
    """Sends every log line of `level` and above to `stream` (standard error unless given).

    A second call replaces the first. Of other libraries only warnings are kept, and of aiohttp's access log nothing:
    it would write query strings.
    """
    target = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(target)
    handler.setFormatter(HumanLines() if target.isatty() else JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, getattr(logging, level.upper())))
    logging.getLogger("appliance").setLevel(level.upper())
    logging.getLogger("aiohttp.access").disabled = True
    logging.captureWarnings(True)
