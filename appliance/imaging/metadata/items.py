"""The items of a HEIF file: what each is, where it lies, what refers to what, and which of them make up the image."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.boxes import Box, BoxFields, Held
from appliance.imaging.metadata.dropping import Range

_IMAGES = frozenset(
    {b"hvc1", b"av01", b"avc1", b"vvc1", b"lhv1", b"hev1", b"j2k1", b"jpeg", b"unci"}
    | {b"grid", b"iovl", b"iden", b"tmap"}
)
_AUXILIARIES = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
    b"urn:mpeg:avc:2015:auxid:1",
    b"urn:com:apple:photo:2020:aux:hdrgainmap",
)
"""What goes with an image to show it right: transparency and gain maps. Depth and mattes are for editing."""
_ASIDE = frozenset({b"thmb", b"auxl", b"cdsc"})
_HIDDEN = 1


@dataclass(slots=True)
class Item:
    """An item as its `infe` box tells it. `pieces` lie in the file, or in the body of `idat` where `inside`."""

    number: int
    kind: bytes
    hidden: bool
    box: Box
    name: Range
    content: tuple[bytes, bytes] = (b"", b"")
    pieces: list[Range] = field(default_factory=list)
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """From one item to others; `kind` says in which sense."""

    kind: bytes
    source: int
    targets: tuple[int, ...]
    box: Box


def items(held: Held, iinf: Box, iloc: Box) -> tuple[dict[int, Item], bool]:
    """Every item with its place, and whether all have one that can be told. Raises Unclear."""
    version = BoxFields(held.data, iinf.body, iinf.end).number(1)
    found = {item.number: item for item in _described(held, iinf.body + (6 if version == 0 else 8), iinf.end)}
    return found, _located(held.data, iloc, found)


def _described(held: Held, start: int, end: int) -> Iterator[Item]:
    for box in held.boxes(start, end):
        fields = BoxFields(held.data, box.body, box.end)
        head = fields.number(4)
        version, hidden = head >> 24, bool(head & _HIDDEN)
        if box.kind != b"infe" or version not in (2, 3):
            raise Unclear("an item that is described in another way")
        number, _ = fields.number(2 if version == 2 else 4), fields.number(2)
        kind, start = fields.number(4).to_bytes(4, "big"), fields.at
        name = (start, start + len(fields.text()))
        content = (fields.text(), fields.text()) if kind == b"mime" else (b"", b"")
        yield Item(number, kind, hidden, box, name, content)


def _located(data: bytes, iloc: Box, found: dict[int, Item]) -> bool:
    clear = True
    fields = BoxFields(data, iloc.body, iloc.end)
    version = fields.number(4) >> 24
    sizes = fields.number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    for _ in range(fields.number(wide)):
        number = fields.number(wide)
        method = fields.number(2) & 15 if version in (1, 2) else 0
        elsewhere, base = fields.number(2), fields.number(base_size)
        pieces = []
        for _ in range(fields.number(2)):
            fields.number(index_size)
            start = base + fields.number(offset_size)
            pieces.append((start, start + fields.number(length_size)))
        if elsewhere or method > 1 or not length_size:
            clear = False
        elif number in found:
            found[number].pieces, found[number].inside = pieces, method == 1
    return clear


def references(held: Held, iref: Box) -> list[Reference]:
    """Which item refers to which. Raises Unclear."""
    wide = 4 if held.data[iref.body : iref.body + 1] == b"\1" else 2
    found = []
    for box in (each for each in held.boxes(iref.body + 4, iref.end) if each.kind != b"free"):
        fields = BoxFields(held.data, box.body, box.end)
        source = fields.number(wide)
        targets = tuple(fields.number(wide) for _ in range(fields.number(2)))
        found.append(Reference(box.kind, source, targets, box))
    return found


def shown_items(found: dict[int, Item], refs: list[Reference], primary: int, auxiliaries: dict[int, bytes]) -> set[int]:
    """The items that an image is shown with. `auxiliaries` says what an auxiliary item is for.

    Those are all images that stand for themselves, what they are put together from, their transparency and gain maps.
    Thumbnails are none of them, for they may show what was cropped away.
    """
    aside = {each.source for each in refs if each.kind in (b"thmb", b"auxl")}
    parts = {target for each in refs if each.kind not in _ASIDE for target in each.targets}
    wanted = [
        item.number
        for item in found.values()
        if item.number == primary
        or (item.kind in _IMAGES and item.number not in aside | parts and (not item.hidden or item.kind == b"tmap"))
    ]
    needs: dict[int, list[int]] = {}
    for each in refs:
        if each.kind not in _ASIDE:
            needs.setdefault(each.source, []).extend(each.targets)
        elif each.kind == b"auxl" and auxiliaries.get(each.source, b"").startswith(_AUXILIARIES):
            for target in each.targets:
                needs.setdefault(target, []).append(each.source)
    kept: set[int] = set()
    while wanted:
        number = wanted.pop()
        if number not in kept and number in found:
            kept.add(number)
            wanted += needs.get(number, ())
    return kept
