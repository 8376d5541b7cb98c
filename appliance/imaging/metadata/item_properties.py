"""The properties of HEIF items: those that an image needs stay, their profiles are cleaned, the others are emptied."""

from collections.abc import Iterator

from appliance.domain.model import KeepMetadata
from appliance.imaging.metadata.boxes import Box, BoxFields, Held
from appliance.imaging.metadata.dropping import cleaned
from appliance.imaging.metadata.icc import clean_icc

_NEEDED = frozenset(
    {b"hvcC", b"av1C", b"avcC", b"vvcC", b"lhvC", b"j2kH", b"jpgC", b"uncC", b"cmpd", b"icef", b"cmpC"}  # decoding
    | {b"ispe", b"pixi", b"pasp", b"clap", b"irot", b"imir", b"auxC", b"rref", b"lsel", b"a1op", b"a1lx", b"tols"}
    | {b"colr", b"clli", b"mdcv", b"cclv", b"amve", b"ndwt", b"reve"}
)
_PROFILES = (b"prof", b"rICC")


class Properties:
    """What `iprp` says: the properties, and which item has which."""

    def __init__(self, held: Held, iprp: Box) -> None:
        self._held = held
        children = list(held.boxes(iprp.body, iprp.end))
        self._listed = [each for box in children if box.kind == b"ipco" for each in held.boxes(box.body, box.end)]
        self._of: dict[int, list[int]] = {}
        for box in children:
            if box.kind == b"ipma":
                for number, property_ in _associations(held, box):
                    self._of.setdefault(number, []).append(property_)

    def auxiliaries(self) -> dict[int, bytes]:
        """What each auxiliary item is for."""
        return {
            number: BoxFields(self._held.data, box.body + 4, box.end).text()
            for number, numbers in self._of.items()
            for box in self._boxes(numbers)
            if box.kind == b"auxC"
        }

    def of(self, item: int) -> list[Box]:
        """An item's properties, in their order."""
        return list(self._boxes(self._of.get(item, [])))

    def _boxes(self, numbers: list[int]) -> Iterator[Box]:
        return (self._listed[number - 1] for number in numbers if 0 < number <= len(self._listed))

    def clean(self, kept: set[int], keep: KeepMetadata) -> None:
        """Empty all that no kept item needs. Nothing moves, for items have their properties by number."""
        needed = {box.start for number in kept for box in self._boxes(self._of.get(number, []))}
        for box in self._listed:
            if box.kind not in _NEEDED or box.start not in needed:
                self._held.empty(box)
            elif box.kind == b"colr" and self._held.data[box.body : box.body + 4] in _PROFILES:
                profile = cleaned(self._held.data[box.body + 4 : box.end], clean_icc, keep)
                if profile is None:
                    self._held.empty(box)
                else:
                    self._held.write(box.body + 4, profile)


def _associations(held: Held, ipma: Box) -> Iterator[tuple[int, int]]:
    """Each item with the number of a property. Raises Unclear."""
    fields = BoxFields(held.data, ipma.body, ipma.end)
    head = fields.number(4)
    wide, long = 4 if head >> 24 else 2, bool(head & 1)
    for _ in range(fields.number(4)):
        number = fields.number(wide)
        for _ in range(fields.number(1)):
            yield number, fields.number(2) & 0x7FFF if long else fields.number(1) & 0x7F
