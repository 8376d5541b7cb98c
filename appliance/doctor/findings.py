"""What the doctor says about one part."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious it is. With a `fault` the server doesn't start, or doesn't do its job."""

    OK = "ok"
    WARN = "warn"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: the part, its level, and words that say what to do where something is wrong."""

    part: str
    level: Level
    words: str

    def __str__(self) -> str:
        return f"{self.level:<5}  {self.part:<9}  {self.words}"


def ok(part: str, words: str) -> Finding:
    return Finding(part, Level.OK, words)


def warn(part: str, words: str) -> Finding:
    return Finding(part, Level.WARN, words)


def fault(part: str, words: str) -> Finding:
    return Finding(part, Level.FAULT, words)


def in_units(count: int) -> str:
    """Bytes for a person: `512 MB`, `20.5 GB`."""
    for power, unit in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "KB")):
        if count >= 10**power:
            return f"{count / 10**power:.1f}".removesuffix(".0") + f" {unit}"
    return f"{count} bytes"
