"""Never ready in vain: what the decoder can't do is known at upload, and what is unusual but decodable is shown."""

import struct

import pytest
import pyvips
from PIL import Image

from appliance.domain import refusals
from appliance.domain.errors import UnreadableImage
from appliance.domain.renditions import Format
from appliance.imaging.jpeg_header import MAX_SCANS
from appliance.workers import Workers
from tests.support.images import pictures, private_pictures
from tests.support.images.private_pictures import box
from tests.support.images.tiff_writer import Maker, long, short
from tests.support.workers import inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

SMALL = target("small", Format.PNG)


async def mean(workers: Workers, data: bytes) -> list[float]:
    """The mean of each band of a size that a real worker makes."""
    (made,) = await rendered(workers, data, SMALL)
    image = pyvips.Image.new_from_buffer(made.data, "")
    return [image.extract_band(band).avg() for band in range(image.bands)]


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
async def test_a_tiff_in_a_compression_that_libtiff_lacks_is_original_only(workers: Workers, compression: str) -> None:
    facts = await inspected(workers, pictures.saved(pictures.quarters(64, 48), "tiff", compression=compression))
    assert (facts.width, facts.height, facts.refusal) == (64, 48, refusals.UNDECODABLE)


@pytest.mark.parametrize("compression", [6, 34887, 34712, 50002])  # old-style JPEG, LERC, JPEG 2000, JPEG XL
async def test_a_tiff_coded_in_an_unusual_way_never_comes_out_black(workers: Workers, compression: int) -> None:
    maker = Maker()
    at = maker.picture(64, 48, b"\x7f" * 99)
    maker.page(at)
    facts = await inspected(workers, maker.file().replace(_entry(259, 1), _entry(259, compression)))
    assert facts.refusal == refusals.UNDECODABLE


@pytest.mark.parametrize("bits", [10, 12, 14, 24])
async def test_an_odd_depth_is_kept_as_an_original_and_not_called_damaged(workers: Workers, bits: int) -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, bytes(range(97, 103)) * 4))
    facts = await inspected(workers, maker.file().replace(_entry(258, 8), _entry(258, bits)))
    assert (facts.width, facts.height, facts.refusal) == (64, 48, refusals.UNDECODABLE)


async def test_an_old_jpeg_in_tiles_of_a_tiff_is_original_only(workers: Workers) -> None:
    """libtiff gives white for it, without an error."""
    maker = Maker()
    entries = [
        (256, 3, short(64)),
        (257, 3, short(48)),
        (258, 3, short(8, 8, 8)),
        (259, 3, short(6)),
        (262, 3, short(6)),
        (277, 3, short(3)),
        (284, 3, short(1)),
        (322, 3, short(64)),
        (323, 3, short(48)),
        (324, 4, long(maker.put(bytes(500)))),
        (325, 4, long(500)),
        (512, 3, short(1)),
        (530, 3, short(2, 2)),
    ]
    maker.page(maker.directory(entries))
    facts = await inspected(workers, maker.file())
    assert (facts.width, facts.height, facts.refusal) == (64, 48, refusals.UNDECODABLE)


async def test_a_tiff_whose_colours_lie_in_tiles_of_their_own_is_original_only(workers: Workers) -> None:
    maker = Maker()
    tiles = [maker.put(bytes((shade,)) * 64 * 48) for shade in (200, 100, 50)]
    entries = [
        (256, 3, short(64)),
        (257, 3, short(48)),
        (258, 3, short(8, 8, 8)),
        (259, 3, short(1)),
        (262, 3, short(2)),
        (277, 3, short(3)),
        (284, 3, short(2)),
        (322, 3, short(64)),
        (323, 3, short(48)),
        (324, 4, long(*tiles)),
        (325, 4, long(*[64 * 48] * 3)),
    ]
    maker.page(maker.directory(entries))
    facts = await inspected(workers, maker.file())
    assert (facts.width, facts.height, facts.refusal) == (64, 48, refusals.UNDECODABLE)


def _entry(tag: int, value: int) -> bytes:
    return struct.pack("<HHI", tag, 3, 1) + short(value).ljust(4, b"\0")


@pytest.mark.parametrize("bits", [1, 2, 4])
async def test_grey_of_few_bits_is_shown(workers: Workers, bits: int) -> None:
    grey = pyvips.Image.grey(256, 64, uchar=True)
    (level,) = await mean(workers, grey.tiffsave_buffer(bitdepth=bits))
    assert level == pytest.approx(grey.avg(), abs=24)


@pytest.mark.parametrize("format", ["short", "int", "uint", "float"])
async def test_numbers_beyond_eight_bits_are_stretched_from_black_to_white(workers: Workers, format: str) -> None:
    ramp = pyvips.Image.grey(256, 64).linear(25_000, 100).cast(format).copy(interpretation="b-w")
    (level,) = await mean(workers, ramp.tiffsave_buffer())
    assert level == pytest.approx(127.5, abs=1)


async def test_floating_point_from_zero_to_one_is_shown_as_it_is(workers: Workers) -> None:
    half = (pyvips.Image.grey(256, 64) * 0.5).cast("float").copy(interpretation="b-w")
    (level,) = await mean(workers, half.tiffsave_buffer())
    assert level == pytest.approx(63.75, abs=1)


async def test_what_is_no_number_is_black(workers: Workers) -> None:
    ramp = pyvips.Image.grey(256, 64)
    nothing = (ramp * 0) / (ramp * 0)
    (level,) = await mean(workers, (ramp > 0.5).ifthenelse(nothing, ramp).cast("float").tiffsave_buffer())
    assert level == pytest.approx(32, abs=1)


async def test_floating_point_colours_are_linear_light(workers: Workers) -> None:
    light = (pyvips.Image.black(64, 64, bands=3) + 0.2140).cast("float").copy(interpretation="scrgb")
    assert await mean(workers, light.tiffsave_buffer()) == pytest.approx([127.5] * 3, abs=1)


async def test_a_progressive_jpeg_of_too_many_scans_is_original_only(workers: Workers) -> None:
    facts = await inspected(workers, _with_scans(MAX_SCANS + 1))
    assert (facts.width, facts.height, facts.refusal) == (160, 120, refusals.TOO_MANY_SCANS)


async def test_a_progressive_jpeg_of_many_scans_and_warnings_is_shown(workers: Workers) -> None:
    source = _with_scans(MAX_SCANS)
    assert await mean(workers, source) == pytest.approx(await mean(workers, _with_scans(0)), abs=3)


def _with_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again, which decoders warn of each time."""
    source = pictures.photo(160, 120, progressive=True)
    starts = [at for at in range(len(source)) if source[at : at + 2] == b"\xff\xda"]
    return source[:-2] + source[starts[-1] : -2] * (count - len(starts)) + source[-2:]


@pytest.mark.parametrize(("marker", "precision"), [(0xC3, 8), (0xC1, 12)])
async def test_a_jpeg_of_another_kind_is_original_only(workers: Workers, marker: int, precision: int) -> None:
    """Lossless, or of 12 bits."""
    source = pictures.photo(64, 48)
    at = source.index(b"\xff\xc0")
    facts = await inspected(
        workers, source[: at + 1] + bytes((marker,)) + source[at + 2 : at + 4] + bytes((precision,)) + source[at + 5 :]
    )
    assert (facts.width, facts.height) == (64, 48)
    assert facts.refusal == refusals.UNDECODABLE


async def test_a_jpeg_cut_short_is_shown_and_said_to_be_incomplete(workers: Workers) -> None:
    source = pictures.photo()
    facts = await inspected(workers, source[: len(source) // 2])
    assert (facts.incomplete, facts.refusal) == (True, None)
    await mean(workers, source[: len(source) // 2])
    assert not (await inspected(workers, source)).incomplete
    assert not (await inspected(workers, source + b"\0" * 300_000)).incomplete


@pytest.mark.parametrize("kind", ["png", "tiff"])
async def test_other_files_cut_short_are_incomplete_too(workers: Workers, kind: str) -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"abcdef"))
    source = maker.file() if kind == "tiff" else pictures.png()
    strip = struct.pack("<HHII", 279, 4, 1, 64 * 48)  # the directory lies behind the pixels, so its claim grows
    cut = (
        source.replace(strip, strip[:8] + struct.pack("<I", 64 * 480)) if kind == "tiff" else source[: len(source) // 2]
    )
    assert (await inspected(workers, cut)).incomplete
    assert not (await inspected(workers, source)).incomplete


async def test_a_png_with_something_behind_its_end_is_complete(workers: Workers) -> None:
    assert not (await inspected(workers, pictures.png() + bytes(3000))).incomplete


async def test_premultiplied_heic_has_its_colours(workers: Workers) -> None:
    red = Image.new("RGBA", (64, 64), (100, 50, 25, 128))
    source = pictures.heic_of(pictures.saved(red, "png"), "png", "--premultiplied-alpha")
    assert await mean(workers, source) == pytest.approx([200, 100, 50, 128], abs=6)


@pytest.mark.parametrize("bits", [10, 12])
async def test_grey_heic_of_many_bits_is_shown(workers: Workers, bits: int) -> None:
    ramp = (pyvips.Image.grey(256, 128) * 65_535).cast("ushort").copy(interpretation="grey16")
    (level,) = await mean(workers, pictures.heic_of(ramp.pngsave_buffer(), "png", "-b", str(bits)))
    assert level == pytest.approx(127.5, abs=2)


async def test_av1_under_the_general_brand_of_heif_is_shown(workers: Workers) -> None:
    source = pictures.avif()
    size = int.from_bytes(source[:4], "big")
    general = box(b"ftyp", b"mif1\0\0\0\0mif1miaf".ljust(size - 8, b"\0"))
    facts = await inspected(workers, general + source[size:])
    assert (facts.media_type, facts.refusal) == ("image/heic", None)
    assert await mean(workers, general + source[size:]) == pytest.approx(await mean(workers, source), abs=0.1)


async def test_a_heif_in_a_coding_that_no_decoder_knows_is_original_only(workers: Workers) -> None:
    source = pictures.heic().replace(b"hvc1", b"unci")
    try:
        facts = await inspected(workers, source)
    except UnreadableImage:
        return  # pi-heif may find no picture in it at all: refused, and never ready in vain
    assert facts.refusal == refusals.UNDECODABLE


async def test_a_heic_of_one_picture_beyond_the_levels_of_hevc_is_original_only(workers: Workers) -> None:
    source = pictures.heic()
    size = source.index(b"ispe") + 8
    facts = await inspected(workers, source[:size] + struct.pack(">II", 16_320, 12_240) + source[size + 8 :])
    assert (facts.width, facts.height, facts.refusal) == (16_320, 12_240, refusals.BEYOND_HEVC)


@pytest.mark.parametrize(
    ("type", "other"), [(b"Exif", b"E\xeaif"), (b"application/rdf+xml", b"applica\xeaion/rdf+xml")]
)
async def test_no_worker_dies_of_a_heic_with_a_type_that_is_no_text(
    workers: Workers, type: bytes, other: bytes
) -> None:
    source = private_pictures.heic()
    assert type in source
    before = workers.deaths
    with pytest.raises(UnreadableImage):
        await inspected(workers, source.replace(type, other))
    assert workers.deaths == before


async def test_a_heic_whose_description_lies_behind_a_video_is_read(workers: Workers) -> None:
    """The boxes are put behind 40 MB of other data, and the offsets moved along."""
    source = pictures.heic()
    head, meta, media = _top_boxes(source)
    video = box(b"free", bytes(40_000_000))
    facts = await inspected(workers, head + video + _moved(meta, len(video)) + media)
    assert (facts.width, facts.height, facts.refusal) == (640, 480, None)


def _top_boxes(source: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(source):
        size = int.from_bytes(source[at : at + 4], "big")
        parts.append(source[at : at + size])
        at += size
    return parts


def _moved(meta: bytes, by: int) -> bytes:
    """With the one extent of each item that far behind: libheif's writer gives them four-byte offsets."""
    at = meta.index(b"iloc")
    version, sizes = meta[at + 4], meta[at + 8]
    assert sizes == 0x44
    count = int.from_bytes(meta[at + 10 : at + 12], "big")
    moved, place = bytearray(meta), at + 12
    for _ in range(count):
        place += 2 + (2 if version else 0) + 2 + (meta[at + 9] >> 4) + 2
        moved[place : place + 4] = (int.from_bytes(meta[place : place + 4], "big") + by).to_bytes(4, "big")
        place += 8
    return bytes(moved)


async def test_a_giant_of_floating_point_is_not_read_through_at_upload(workers: Workers) -> None:
    """A sparse file of 1.6 GB of numbers: only its first strip is tried."""
    maker = Maker()
    at = maker.put(bytes(4 * 20_000))
    entries = [
        (256, 4, long(20_000)),
        (257, 4, long(20_000)),
        (258, 3, short(32)),
        (259, 3, short(1)),
        (262, 3, short(1)),
        (273, 4, long(*[at] * 20_000)),
        (277, 3, short(1)),
        (278, 3, short(1)),
        (279, 4, long(*[4 * 20_000] * 20_000)),
        (339, 3, short(3)),
    ]
    maker.page(maker.directory(entries))
    facts = await inspected(workers, maker.file())
    assert (facts.width, facts.refusal) == (20_000, None)
