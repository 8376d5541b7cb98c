"""TIFF files: of their directories only the tags that may stay are left, and between what stays there are zeros.

Entries move up inside their own directory, and the offset of the next one with them; nothing else moves. Where a file
leaves doubt about where its pixels are, no gap is zeroed, only the values of the tags that go. Pixels are never written
to, however the directories of a file lie over one another.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Directory, Entry, Memory, Reader, Unclear
from appliance.imaging.metadata import tags
from appliance.imaging.metadata.cleaning import MAX_BLOCK_BYTES, Cleaner
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.iptc import clean_iptc
from appliance.imaging.metadata.pages import Pixels, is_shown
from appliance.imaging.metadata.photoshop import clean_resources
from appliance.imaging.metadata.ranges import Range, less, merged, overlaps
from appliance.imaging.metadata.xmp import clean_xmp

_EMBEDDED: dict[int, Cleaner] = {
    tags.XMP: clean_xmp,
    tags.IPTC: clean_iptc,
    tags.RESOURCES: clean_resources,
    tags.ICC_PROFILE: clean_icc,
}
_MAX_DIRECTORIES, _MAX_DEPTH = 20_000, 4
_BLANKS = b"\0 \t\r\n"
_SHORT = 3


@dataclass(slots=True)
class Plan:
    """What to do with a file: bytes to write, and ranges to zero.

    `complete` is false where something could not be looked into.
    """

    writes: list[tuple[int, bytes]] = field(default_factory=list)
    zeros: list[Range] = field(default_factory=list)
    complete: bool = True
    content_credentials: bool = False


class Walk:
    """A walk over every directory of a TIFF file, which starts at byte 0 of `memory`."""

    def __init__(self, memory: Memory, keep: KeepMetadata) -> None:
        self._memory = memory
        self._keep = keep
        self._allowed = tags.allowed(keep)
        self._rules = self._allowed.image
        self._plan = Plan()
        self._keeps: list[Range] = []
        self._values: list[Range] = []
        self._gone: list[Range] = []
        self._directories: list[Range] = []
        self._seen: set[int] = set()
        self._broken = False

    def plan(self) -> Plan:
        """Raises Unclear for a file that must be left as it is, and what `memory.read` raises."""
        reader = Reader.of(self._memory)
        if reader is None:
            raise Unclear("no TIFF file")
        self._reader = reader
        self._pixels = Pixels(reader)
        self._keeps.append((0, reader.head_bytes))
        pages = list(self._chain())
        if not pages:
            raise Unclear("a TIFF file without a directory")
        if pages[0].entry(tags.DNG_VERSION):
            self._rules = self._allowed.raw
        shown = [page for number, page in enumerate(pages) if number == 0 or is_shown(reader, page, pages[0])]
        self._gone += [(page.at, page.end) for page in pages]
        for page, following in zip(shown, [*(page.at for page in shown[1:]), 0], strict=True):
            self._rewrite(page, self._stay(page, self._rules, 0), following)
        self._finish()
        return self._plan

    def _chain(self) -> Iterator[Directory]:
        """The pages, each once."""
        try:
            for at, _ in self._reader.chain(self._seen):
                page = self._read(at)
                if page is None:
                    return
                yield page
        except Unclear:
            self._pixels.doubt = True

    def _read(self, at: int) -> Directory | None:
        """The directory there; None leaves doubt about what else there is."""
        self._seen.add(at)
        try:
            if len(self._seen) > _MAX_DIRECTORIES:
                raise Unclear("more directories than are looked at")
            return self._reader.directory(at)
        except Unclear:
            self._pixels.doubt = True
            return None

    def _stay(self, directory: Directory, rules: tags.Rules, depth: int) -> list[Entry]:
        kept: dict[int, Entry] = {}
        for entry in directory.entries:
            stays = None
            if entry.tag not in kept and entry.tag in rules and rules[entry.tag].allows(entry):
                with suppress(Unclear):  # a value that can't be read goes
                    stays = self._changed(directory, entry, depth)
            if stays is None:
                self._broken |= entry.tag in tags.PIXELS and entry.tag not in kept and rules is self._rules
                self._go(entry)
                continue
            kept[entry.tag] = stays
            if stays.outside:
                self._values.append((stays.at, stays.end))
        if rules is self._rules:
            self._pixels.note(replace(directory, entries=tuple(kept.values())))
        return [entry for entry in directory.entries if entry.tag in kept for entry in [kept.pop(entry.tag)]]

    def _go(self, entry: Entry) -> None:
        self._plan.content_credentials |= entry.tag == tags.CONTENT_CREDENTIALS
        if entry.outside:
            self._gone.append((entry.at, entry.end))

    def _changed(self, directory: Directory, entry: Entry, depth: int) -> Entry | None:
        """The entry as it stays, with what it points to cleaned; None where it goes."""
        if entry.tag in _EMBEDDED:
            return self._embedded(entry)
        if entry.tag == tags.EXIF_IFD:
            return entry if self._below(entry, self._allowed.exif, depth) else None
        if entry.tag == tags.INTEROP_IFD:
            return entry if self._below(entry, self._allowed.interop, depth) else None
        return self._sub_pages(directory, entry, depth) if entry.tag == tags.SUB_IFDS else entry

    def _embedded(self, entry: Entry) -> Entry | None:
        if not entry.outside or entry.length > MAX_BLOCK_BYTES:
            return None
        data = self._reader.value(entry)
        cleaned = _EMBEDDED[entry.tag](data, self._keep)
        if not cleaned.strip(_BLANKS):
            return None
        self._plan.writes.append((entry.at, cleaned))
        return entry

    def _below(self, entry: Entry, rules: tags.Rules, depth: int) -> bool:
        """Clean the directory that an entry points to; says whether anything is left of it."""
        at = next(iter(self._reader.numbers(entry)), 0)
        if at in self._seen or depth >= _MAX_DEPTH:
            return False
        found = self._read(at)
        kept = self._stay(found, rules, depth + 1) if found else []
        if found and kept:
            self._rewrite(found, kept, 0)
        elif found:
            self._gone.append((found.at, found.end))
        return bool(kept)

    def _sub_pages(self, directory: Directory, entry: Entry, depth: int) -> Entry | None:
        """The entry with the pages that are shown; None where none is."""
        shown: list[Directory] = []
        for at in self._reader.numbers(entry):
            page = self._read(at) if at not in self._seen and depth < _MAX_DEPTH else None
            if page is not None and is_shown(self._reader, page, directory):
                shown.append(page)
        for page in shown:
            self._rewrite(page, self._stay(page, self._rules, depth + 1), 0)
        if len(shown) == entry.count:
            return entry
        return self._fewer(entry, [page.at for page in shown]) if shown else None

    def _fewer(self, entry: Entry, places: Sequence[int]) -> Entry:
        """The entry with fewer offsets, which lie where the others did."""
        packed = self._reader.pack_offsets(entry.type, places)
        inline = len(packed) <= (8 if self._reader.big else 4)
        if not inline:
            self._plan.writes.append((entry.at, packed))
        value = packed if inline else entry.raw[-8 if self._reader.big else -4 :]
        raw = self._reader.pack_entry(entry.tag, entry.type, len(places), value)
        return replace(entry, count=len(places), length=len(packed), outside=not inline, raw=raw)

    def _rewrite(self, directory: Directory, kept: Sequence[Entry], following: int) -> None:
        raws = [entry.raw for entry in kept]
        if not raws:  # a directory has an entry at least: one that says what is so without it
            upright = self._reader.pack_offsets(_SHORT, [1])
            raws = [self._reader.pack_entry(tags.ORIENTATION, _SHORT, 1, upright)]
        data = self._reader.pack_directory(raws, following)
        if len(data) > directory.end - directory.at:
            self._plan.complete = False
            return
        self._plan.writes.append((directory.at, data))
        self._directories.append((directory.at, directory.end))
        self._gone.append((directory.at, directory.end))
        self._keeps.append((directory.at, directory.at + len(data)))

    def _finish(self) -> None:
        """Zero what isn't kept. Raises Unclear where things lie over one another, or can't be told apart."""
        pixels = merged(self._pixels.ranges())
        values = merged(self._values)
        writes = dict(self._plan.writes)  # what pages share is written once
        if self._broken or any(overlaps(pixels, at, at + len(data)) for at, data in writes.items()):
            raise Unclear("pixels that can't be told from what lies between them")
        if _lie_over(self._directories) or any(overlaps(values, *directory) for directory in self._directories):
            raise Unclear("directories that lie over something")
        doubt = self._pixels.doubt
        gone = merged(self._gone) if doubt else [(0, self._memory.length)]
        keeps = merged([*self._keeps, *values, *pixels])
        self._plan.zeros = [] if self._pixels.unknown else less(gone, keeps)
        self._plan.complete &= not (doubt or self._pixels.files)
        self._plan.writes = list(writes.items())


def _lie_over(ranges: Sequence[Range]) -> bool:
    return any(end > start for (_, end), (start, _) in pairwise(sorted(ranges)))
