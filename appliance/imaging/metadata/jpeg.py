"""JPEG: the segments that an image needs stay, its metadata is cleaned, everything else becomes empty segments.

Behind the image only its gain map stays; there the file is cut.
"""

from collections.abc import Callable, Sequence

from appliance.imaging.metadata.cleaning import Cleaner, Cleaning
from appliance.imaging.metadata.dropping import Ranges, cleaned
from appliance.imaging.metadata.exif import EXIF_MARK, clean_exif, clean_resources
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.multi_picture import MPF_MARK, Place, places, rewritten
from appliance.imaging.metadata.segments import EOI, MIN_EMPTY_BYTES, SOS, Segment, empty, segments
from appliance.imaging.metadata.xmp import clean_xmp

_JFIF, _EXIF, _ADOBE = b"JFIF\0", b"Exif\0", b"Adobe"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_RESOURCES = b"Photoshop 3.0\0"
_ICC = b"ICC_PROFILE\0"
_GAIN = b"urn:iso:std:iso:ts:21496:-1\0"
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
_MARKS = (
    (_APP0, _JFIF),
    (_APP1, _EXIF),
    (_APP1, _XMP),
    (_APP2, _ICC),
    (_APP2, MPF_MARK),
    (_APP2, _GAIN),
    (_APP13, _RESOURCES),
    (_APP14, _ADOBE),
)
"""The metadata that may stay, by the marker and the mark that decoders know it by."""
_NEEDED = frozenset({*range(0xC0, 0xD0), SOS, EOI, 0xDB, 0xDD, 0xDE, 0xDF} - {0xC8})
"""Frames, scans, and the tables that they need."""
_DNL, _DNL_BYTES = 0xDC, 6
"""The number of lines, which may stand behind the first scan."""
_JFIF_BYTES, _ADOBE_BYTES, _MAX_GAIN_BYTES = 14, 12, 1024
_GAIN_MAPS = (b"http://ns.adobe.com/hdr-gain-map/1.0/", b"http://ns.apple.com/HDRGainMap/1.0/")
_MAX_OTHERS = 8

Change = Callable[[bytes], bytes | None]
"""Gives what stays of a segment's body, None for nothing."""


def clean_jpeg(cleaning: Cleaning) -> None:
    """A whole JPEG file."""
    primary = _Stream(cleaning, 0)
    primary.clean_header()
    primary.clean_scans()
    gain = _gain_map_behind(cleaning, primary)
    end = primary.end
    if gain is not None:
        cleaning.fill(primary.end, gain.start - primary.end)
        gain.clean_header()
        gain.clean_scans()
        gain.keep_gain_map(None)
        end = gain.end
    primary.keep_gain_map(gain)
    if end < cleaning.length:
        cleaning.cut_at = end


def _gain_map_behind(cleaning: Cleaning, primary: "_Stream") -> "_Stream | None":
    """The one stream that may stay there, since it says itself that it is a gain map."""
    for start in (primary.end, *primary.others):
        if start >= primary.end and cleaning.read(start, 3) == b"\xff\xd8\xff":
            other = _Stream(cleaning, start)
            if other.is_gain_map:
                return other
    return None


class _Stream:
    """A JPEG stream from its SOI at `start` to its `end`, which is the file's where an EOI is missing."""

    def __init__(self, cleaning: Cleaning, start: int) -> None:
        self._cleaning = cleaning
        self.start = start
        self.end = cleaning.length
        self.is_gain_map = False
        self._drops = Ranges()
        self._found: dict[bytes, list[Segment]] = {}
        self._segments = segments(cleaning, start + 2)
        for segment in self._segments:
            if segment.marker == SOS:
                break
            self._end_at(segment)
            if segment.marker not in _NEEDED and not self._known(segment):
                self._drop(segment)

    def _end_at(self, segment: Segment) -> None:
        if segment.marker == EOI:
            self.end = segment.end

    def clean_scans(self) -> None:
        """Drop what lies between the scans, and find the end."""
        for number, segment in enumerate(self._segments):
            self._end_at(segment)
            lines = number == 0 and segment.marker == _DNL and segment.end - segment.start == _DNL_BYTES
            if segment.marker not in _NEEDED and not lines:
                self._drop(segment)
        self._fill()

    def _fill(self) -> None:
        for start, end in self._drops.merged():
            empty(self._cleaning, start, end)
        self._drops = Ranges()

    def _drop(self, segment: Segment) -> None:
        if segment.marker == _APP11 and (b"jumb" in segment.head or b"c2pa" in segment.head):
            self._cleaning.content_credentials = True
        self._drops.add(segment.start, segment.end)

    def _known(self, segment: Segment) -> bool:
        """Whether the segment is of a kind that may stay; then it waits until all are known."""
        for marker, mark in _MARKS:
            if segment.marker == marker and segment.head.startswith(mark):
                self._found.setdefault(mark, []).append(segment)
                self.is_gain_map |= mark == _GAIN
                if mark == _XMP and not self.is_gain_map:
                    self.is_gain_map = any(name in self._body(segment) for name in _GAIN_MAPS)
                return True
        return False

    def _body(self, segment: Segment) -> bytes:
        return self._cleaning.read(segment.body, segment.end - segment.body)

    @property
    def others(self) -> list[int]:
        """Where the image says that further ones begin."""
        segment = next(iter(self._found.get(MPF_MARK, ())), None)
        if segment is None:
            return []
        header = segment.body + len(MPF_MARK)
        return [header + offset for offset, _ in places(self._body(segment))[1:_MAX_OTHERS]]

    def clean_header(self) -> None:
        """Keep what may stay of each kind, and drop the rest; what tells of a gain map waits until one is found."""
        self._keep(_JFIF, lambda body: body[:12] + b"\0\0" if len(body) >= _JFIF_BYTES else None)
        self._keep(_ADOBE, lambda body: body[:_ADOBE_BYTES] if len(body) >= _ADOBE_BYTES else None, which=-1)
        self._keep(_EXIF, self._cleaned(EXIF_MARK, clean_exif))
        for number in range(len(self._found.get(_XMP, []))):  # the first that says anything that may stay
            if self._keep(_XMP, self._cleaned(_XMP, clean_xmp), number):
                break
        self._keep_joined(self._found.get(_RESOURCES, []), len(_RESOURCES), clean_resources)
        profile = sorted(self._found.pop(_ICC, []), key=lambda part: part.head)
        if _whole(profile):
            self._keep_joined(profile, len(_ICC) + 2, clean_icc)
        self._drop_found(profile, *(self._found[mark] for mark in self._found if mark not in (_GAIN, MPF_MARK)))

    def _drop_found(self, *found: list[Segment]) -> None:
        for segment in (segment for kind in found for segment in kind):
            self._drop(segment)
        self._fill()

    def keep_gain_map(self, gain: "_Stream | None") -> None:
        """Keep what tells of a gain map if there is one, or if this is it."""
        if gain is not None or self.is_gain_map:
            self._keep(_GAIN, lambda body: body if len(body) <= _MAX_GAIN_BYTES else None)
        if gain is not None:
            self._keep(MPF_MARK, lambda body: rewritten(body, self._places(gain)))
        self._drop_found(self._found.get(_GAIN, []), self._found.get(MPF_MARK, []))

    def _places(self, gain: "_Stream") -> list[Place]:
        """This stream and its gain map, with offsets as this stream's MPF segment counts them."""
        header = self._found[MPF_MARK][0].body + len(MPF_MARK)
        return [(0, self.end - self.start), (gain.start - header, gain.end - gain.start)]

    def _cleaned(self, mark: bytes, clean: Cleaner) -> Change:
        """Cleans what follows the mark. The mark stays: decoders that ignored a wrong one would obey a right one."""

        def change(body: bytes) -> bytes | None:
            block = cleaned(body[len(mark) :], clean, self._cleaning.keep)
            return None if block is None else body[: len(mark)] + block

        return change

    def _keep(self, mark: bytes, change: Change, which: int = 0) -> bool:
        """Keep one segment of its kind: the first, or the last where decoders take that. Says whether it stays."""
        found = self._found.get(mark)
        if not found:
            return False
        body = change(self._body(found[which]))
        if body is not None:
            self._replace(found.pop(which), body)
        return body is not None

    def _replace(self, segment: Segment, body: bytes) -> None:
        spare = segment.end - segment.body - len(body)
        if spare < MIN_EMPTY_BYTES:
            body += bytes(spare)
        after = (len(body) + 2).to_bytes(2, "big") + body
        self._cleaning.put(segment.start + 2, self._cleaning.read(segment.start + 2, len(after)), after)
        self._drops.add(segment.start + 2 + len(after), segment.end)

    def _keep_joined(self, found: list[Segment], head_bytes: int, clean: Cleaner) -> None:
        """Keep a block that goes over several segments."""
        bodies = [self._body(segment) for segment in found]
        block = cleaned(b"".join(body[head_bytes:] for body in bodies), clean, self._cleaning.keep)
        if block is None:
            return
        for segment, body in zip(found, bodies, strict=True):
            length = len(body) - head_bytes
            self._replace(segment, body[:head_bytes] + block[:length])
            block = block[length:]
        found.clear()


def _whole(profile: Sequence[Segment]) -> bool:
    """Whether these are all parts of a profile, each once: decoders take no other."""
    numbers = [segment.head[len(_ICC) : len(_ICC) + 2] for segment in profile]
    return bool(profile) and numbers == [bytes((number + 1, len(profile))) for number in range(min(255, len(profile)))]
