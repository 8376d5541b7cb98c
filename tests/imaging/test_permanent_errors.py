"""Which faults are a verdict on the picture, and that it keeps its way over the wire."""

import errno
import os

import pytest
import pyvips

from appliance.domain.errors import CannotResize
from appliance.imaging.sources import is_permanent
from appliance.workers.answers import pack_answer, unpack_answer


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.EIO, os.strerror(errno.EIO)),
        MemoryError(),
        pyvips.Error("unable to call webpload_source", "vips_tracked: out of memory -- size == 186MB"),
        pyvips.Error("unable to copy to memory", "heif: Invalid input: Unspecified: Memory allocation error (2.0)"),
        pyvips.Error("unable to copy to memory", "source: read error\nunix error: Input/output error"),
        pyvips.Error("unable to copy to memory", "VipsJpeg: Insufficient memory (case 4)"),
    ],
)
def test_what_the_machine_lacked_is_not_held_against_the_picture(fault: Exception) -> None:
    assert not is_permanent(fault)


@pytest.mark.parametrize(
    "fault",
    [
        pyvips.Error("unable to copy to memory", "pngload_source: libspng read error"),
        pyvips.Error("unable to call webpload_source", "webp: unable to parse image"),
        ValueError("Invalid input: Unspecified"),
        EOFError(),
    ],
)
def test_what_the_decoder_says_of_the_pixels_is_final(fault: Exception) -> None:
    assert is_permanent(fault)


@pytest.mark.parametrize("final", [True, False])
def test_the_worker_says_whether_its_verdict_is_final(final: bool) -> None:
    said = CannotResize("No other size of this image can be made.")
    said.final = final
    heard = unpack_answer(pack_answer(said))
    assert isinstance(heard, CannotResize)
    assert (heard.detail, heard.final) == (said.detail, final)
