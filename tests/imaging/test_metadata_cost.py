"""What cleaning costs: in proportion to the block, and a second of a core for a file at most."""

import itertools
import struct
import tempfile
import time
from collections.abc import Callable

import pytest

from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Block
from appliance.imaging.metadata import find
from appliance.imaging.metadata.cleaning import Cleaner
from appliance.imaging.metadata.exif import clean_exif
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.iptc import clean_iptc
from appliance.imaging.metadata.photoshop import clean_resources
from appliance.imaging.metadata.tiff import Walk
from appliance.imaging.metadata.xmp import clean_xmp
from tests.support.images import private_pictures
from tests.support.images.tiff_writer import Maker, long, short
from tests.support.metadata import found_in

SMALL, LARGE = 64 * 1024, 1024 * 1024
SLACK = 4
MAX_ROUNDS = 20
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '


def filled(part: bytes, length: int, head: bytes = b"") -> bytes:
    return (head + part * (length // len(part) + 1))[:length]


def attributes(length: int) -> bytes:
    return RDF + b" ".join(b"a%d='1'" % number for number in range(length // 10)) + b"/></rdf:RDF>"


def directory(length: int) -> bytes:
    entries = b"".join(struct.pack("<HHII", 0x8298, 2, 900, number % length) for number in range(4000))
    return filled(b"II*\0\x08\0\0\0" + short(4000) + entries, length)


BLOCKS: dict[str, tuple[Cleaner, Callable[[int], bytes]]] = {
    "XMP of instructions": (clean_xmp, lambda length: filled(b"<?", length)),
    "XMP of comments": (clean_xmp, lambda length: filled(b"<!--", length)),
    "XMP of CDATA": (clean_xmp, lambda length: filled(b"<![CDATA[", length, RDF + b">")),
    "XMP of open elements": (clean_xmp, lambda length: filled(b"<a>", length)),
    "XMP of elements": (clean_xmp, lambda length: filled(b"<a/>", length, b"<a>")),
    "XMP of attributes": (clean_xmp, attributes),
    "XMP of quotes": (clean_xmp, lambda length: filled(b"'\"", length, RDF + b"a=")),
    "XMP of entities": (clean_xmp, lambda length: filled(b"&amp;", length, RDF + b">")),
    "UTF-32": (clean_xmp, lambda length: filled("<a>".encode("utf-32-le"), length)),
    "IPTC of empty datasets": (clean_iptc, lambda length: filled(b"\x1c\x02\x74\0\0", length)),
    "empty resources": (clean_resources, lambda length: filled(b"8BIM\4\x0b\0\0\0\0\0\0", length)),
    "EXIF of one tag": (clean_exif, directory),
    "profile": (clean_icc, lambda length: filled(b"rXYZ\0\0\0\0\0\1\0\0", length, bytes(36) + b"acsp" + bytes(90))),
}


def cost_s(clean: Cleaner, block: bytes) -> float:
    """In seconds of the processor."""
    start = time.process_time()
    assert len(clean(block, KeepMetadata.NOTHING)) == len(block)
    return time.process_time() - start


@pytest.mark.parametrize("name", BLOCKS)
def test_sixteen_times_the_block_costs_no_more_than_in_proportion(name: str) -> None:
    """With much slack: what is quadratic costs 256 times as much, in every round, however busy the machine is."""
    clean, block = BLOCKS[name]
    small, large = block(SMALL), block(LARGE)
    assert any(
        cost_s(clean, large) <= max(cost_s(clean, small), 0.002) * LARGE / SMALL * SLACK for _ in range(MAX_ROUNDS)
    )


@pytest.mark.parametrize("make", [private_pictures.jpeg, private_pictures.png, private_pictures.tiff])
def test_past_its_second_of_a_core_a_file_is_not_called_clean(make: Callable[[], bytes]) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(make())
        file.flush()
        found = find(file.fileno(), KeepMetadata.NOTHING, itertools.count(0.0, 0.6).__next__)
    assert not found.complete


def test_a_tiff_that_runs_out_of_time_stays_as_it_is() -> None:
    data = private_pictures.tiff()
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        assert find(file.fileno(), KeepMetadata.NOTHING, itertools.count(0.0, 0.1).__next__) == Findings((), False)


class CountingBlock(Block):
    reads = 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        return super().read(offset, length)


def test_of_a_tiff_of_300_000_directories_a_bounded_number_is_read() -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x40"))
    at, one = len(maker.data), short(1) + struct.pack("<HHII", 256, 3, 1, 1)
    maker.data[maker.pointer : maker.pointer + 4] = long(at)
    maker.data += b"".join(one + long(at + 18 * number) for number in range(1, 300_000)) + one + long(0)
    block = CountingBlock(maker.file())
    plan = Walk(block, KeepMetadata.NOTHING).plan()
    assert not plan.complete
    assert block.reads < 200_000
    assert not found_in(maker.file()).complete
