"""What looks at foreign bytes takes so much longer as there are more of them, and no longer; and so do the patterns."""

import importlib
import inspect
import logging
import pkgutil
import re
from collections.abc import Callable, Iterator

import pytest

import appliance
from appliance.albums.ordering import AlbumChanges, arranged
from appliance.domain.errors import ApplianceError
from appliance.domain.upload_options import clean_filename, clean_text, parse_duration
from appliance.http.byte_ranges import byte_range
from appliance.http.localization.languages import ENGLISH, choose_language
from appliance.http.negotiation import parse_accept as liking
from appliance.http.pages.album_pages import slugs_in
from appliance.imaging.sniffing import sniff
from appliance.observability.logs import MAX_BYTES, HumanLines, JsonLines, redacted
from appliance.resumable.progress import part_ids
from tests.support.growth import assert_linear

UNITS = (
    "a", " ", ". ", "\n", "token", "token ", "a?a", "a=", ":", "; ", ",", "q=1;", '"', "\\", "/i/", "/uploads/", "%0A",
    "bearer ", "\u0315\u0316", "\ud800", "1", "<?xml?>",
)  # fmt: skip
PRIVATE = "appliance.imaging.metadata"


def record(text: str) -> logging.LogRecord:
    fault = ValueError(text)
    line = logging.LogRecord("appliance.access", logging.INFO, "", 0, "%s %s", (text, text), (ValueError, fault, None))
    line.path = text
    return line


def tolerant(call: Callable[[str], object]) -> Callable[[str], object]:
    def called(text: str) -> object:
        try:
            return call(text)
        except ApplianceError as fault:
            return fault

    return called


WORK: dict[str, Callable[[str], object]] = {
    "secrets of a log line": redacted,
    "a line for machines": lambda text: JsonLines().format(record(text)),
    "a line for people": lambda text: HumanLines().format(record(text)),
    "a file name": clean_filename,
    "a title": lambda text: clean_text("title", text, 200),
    "a span": parse_duration,
    "links that were pasted": slugs_in,
    "an Accept header": liking,
    "an Accept-Language header": lambda text: choose_language(text, [ENGLISH]),
    "a Range header": lambda text: byte_range("bytes=" + text, 1000),
    "the parts of an upload": lambda text: part_ids("final;" + text),
    "the first bytes of a file": lambda text: sniff(text.encode(errors="replace")),
    "images to be removed": lambda text: arranged(text[:500], AlbumChanges(remove=tuple(text))),
}


@pytest.mark.parametrize("work", WORK)
def test_foreign_bytes_are_looked_at_once(work: str) -> None:
    for unit in UNITS:
        assert_linear(tolerant(WORK[work]), unit, small=8192, large=131_072)


@pytest.mark.parametrize("formatter", [JsonLines(), HumanLines()])
def test_a_line_takes_a_kilobyte_of_what_a_stranger_sent(formatter: logging.Formatter) -> None:
    for unit in ("a", "猫", "\ud800", '"'):
        line = formatter.format(record(unit * 100_000))
        assert len(line.encode()) < 2 * MAX_BYTES + 500  # a quotation mark is two in JSON
        assert "100,000 characters" in line


def test_a_long_path_does_not_hide_who_sent_it() -> None:
    line = record("/" * 100_000)
    line.client = "203.0.113.9"
    assert '"client": "203.0.113.9"' in JsonLines().format(line)


def test_a_trace_keeps_its_frames() -> None:
    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError("x" * 100_000)

    try:
        try:
            deep(40)
        except ValueError as fault:
            raise KeyError("outer") from fault
    except KeyError as fault:
        info = (KeyError, fault, fault.__traceback__)
        line = logging.LogRecord("appliance", logging.ERROR, "", 0, "failed", (), info)
    text = JsonLines().format(line)
    assert text.count("in deep") >= 3
    assert "KeyError: 'outer'" in text
    assert text.count("x") < MAX_BYTES + 100


# --- every pattern ----------------------------------------------------------------------------------------------------


def patterns() -> Iterator[tuple[str, "re.Pattern[str] | re.Pattern[bytes]"]]:
    """Those that modules keep; the worlds of metadata have tests of their own."""
    for module in pkgutil.walk_packages(appliance.__path__, "appliance."):
        if not module.name.startswith(PRIVATE) and not module.name.endswith("__main__"):
            for name, value in vars(importlib.import_module(module.name)).items():
                for place, pattern in enumerate(flattened(value)):
                    yield f"{module.name}.{name}.{place}", pattern


def is_searched(name: str) -> bool:
    """Whether the module looks for the pattern anywhere in a text, and not at its beginning alone."""
    module, variable, _ = name.rsplit(".", 2)
    source = inspect.getsource(importlib.import_module(module))
    return re.search(rf"\b(?:{variable}|pattern)\.(?:search|sub|findall|finditer|split)\(", source) is not None


def flattened(value: object) -> Iterator["re.Pattern[str] | re.Pattern[bytes]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from flattened(one)


PATTERNS = dict(patterns())


def provoking(pattern: "re.Pattern[str] | re.Pattern[bytes]") -> Iterator[str]:
    """What the pattern itself names, to be repeated: its literals, alone, behind one another, and with blanks."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    plain = re.sub(r"\\[wdsSWDbBAZ]|\\x[0-9a-f]{2}|[\\^$*+?{}()|\[\]]", " ", source)
    atoms = [*dict.fromkeys(plain.split())][:8]
    yield from atoms
    yield from ("a", " ", "0", ".", "a ", "0.", "=", "\n", "a\n", "/", "-")
    yield from (f"{atom}{end}" for atom in atoms for end in (" ", "a", "?>", "\n"))
    yield "".join(atoms) or "a"


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_is_linear(name: str) -> None:
    pattern = PATTERNS[name]
    is_text = isinstance(pattern.pattern, str)
    ways = (pattern.match, pattern.fullmatch, *([pattern.search] if is_searched(name) else []))

    def match(text: str) -> None:
        for tried in (text, text + "\0", "\0" + text):
            given = tried if is_text else tried.encode("latin-1", "replace")
            for way in ways:
                way(given)  # type: ignore[arg-type]

    for unit in provoking(pattern):
        assert_linear(match, unit, small=1024, large=16_384)
