"""A worker process: takes one order after another from its socket until the server closes it.

Run as `python -m appliance.imaging.worker FD PARENT_PID DECODE_BYTES OUTPUT_BYTES CPU_S`. With an order comes the
source's descriptor, and that of the file to write where there is one; with the answer go descriptors of files in
memory, one for each rendition.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Sequence

import pyvips

from appliance.domain import file_edits, refusals
from appliance.domain.details import Details
from appliance.domain.errors import ApplianceError, CannotResize, UnreadableImage
from appliance.domain.model import KeepMetadata
from appliance.domain.renditions import Facts, Format
from appliance.imaging import metadata, sandbox
from appliance.imaging.details import read_details
from appliance.imaging.encoders import encode
from appliance.imaging.fast_jpeg import extension
from appliance.imaging.inspection import inspect
from appliance.imaging.pyramid import build_pyramid
from appliance.imaging.regions import cut_all
from appliance.imaging.render import render
from appliance.imaging.sources import block_other_loaders, is_permanent
from appliance.imaging.versions import check_installation, libvips_version
from appliance.workers.answers import Answer, Edited, Examined, Ready, pack_answer
from appliance.workers.protocol import (
    MAX_MESSAGE_BYTES,
    BuildPyramid,
    CutOut,
    Examine,
    FindPrivate,
    Inspect,
    Order,
    ReadDetails,
    unpack_order,
)

_WARM_UP_PX = 64


def main(arguments: Sequence[str]) -> None:
    """Serve orders until the socket is closed."""
    fd, parent_pid, decode_bytes, output_bytes, cpu_s = map(int, arguments)
    sandbox.tie_to_parent(parent_pid)
    with socket.socket(fileno=fd) as orders:
        os.set_inheritable(fd, False)
        try:
            check_installation()
        except ApplianceError as error:
            orders.send(pack_answer(error))
            return
        protections = prepare(decode_bytes, output_bytes, cpu_s)
        with contextlib.suppress(BrokenPipeError):  # the server ended meanwhile: nobody waits for an answer
            orders.send(pack_answer(Ready(protections, ".".join(map(str, libvips_version())))))
            while _serve_one(orders):
                pass


def prepare(decode_bytes: int, output_bytes: int, cpu_s: int) -> tuple[str, ...]:
    """Load what is loaded from files, close the sandbox and warm libvips up; returns the protections in force."""
    pyvips.cache_set_max(0)
    block_other_loaders()
    extension.loaded()
    protections = sandbox.enter(decode_bytes, output_bytes, cpu_s)
    _warm_up()
    return protections


def _warm_up() -> None:
    """Make a rendition in each format, so that the first order finds every library loaded and started."""
    image = pyvips.Image.black(_WARM_UP_PX, _WARM_UP_PX, bands=3).copy(interpretation="srgb")
    for format in Format:
        encode(image.resize(0.5), format)


def _serve_one(orders: socket.socket) -> bool:
    message, fds, _, _ = socket.recv_fds(orders, MAX_MESSAGE_BYTES, 2)
    if not message:
        return False
    outputs: list[int] = []
    try:
        answer = _carried_out(unpack_order(message), fds, outputs)
        socket.send_fds(orders, [pack_answer(answer)], outputs)
    finally:
        for fd in (*fds, *outputs):
            os.close(fd)
    return True


def _carried_out(order: Order, fds: list[int], outputs: list[int]) -> Answer:
    sandbox.allow_cpu(order.cpu_s)
    try:
        match order:
            case Inspect() | ReadDetails():
                return _read(order, fds[0])
            case FindPrivate() | Examine():
                return _looked_through(order, fds[0], outputs)
            case BuildPyramid():
                build_pyramid(fds[0], fds[1])
                return ()
            case CutOut():
                cuts = cut_all(fds[0], order.facts, order.material, order.cuts)
                made = [(*size, False, False, data) for size, data in cuts]
            case _:
                rendered = render(
                    fds[0],
                    order.facts,
                    order.targets,
                    order.animated,
                    patient=order.patient,
                    fast_jpeg=order.fast_jpeg,
                )
                made = [(one.width, one.height, one.is_animated, one.has_gain_map, one.data) for one in rendered]
    except ApplianceError as error:
        return error
    except Exception as error:  # whatever a stranger's file brings about, the next order is another one's
        return _unforeseen(order, error)
    outputs += (_in_memory("rendition", data) for *_, data in made)
    return tuple((width, height, moves, has_map) for width, height, moves, has_map, _ in made)


def _read(order: Inspect | ReadDetails, fd: int) -> Facts | Details:
    if isinstance(order, ReadDetails):
        return read_details(fd, order.keep)
    return _inspected(order, fd)


def _inspected(order: Inspect, fd: int) -> Facts:
    return inspect(
        fd,
        max_pixels=order.max_pixels,
        max_memory_bytes=order.memory_bytes,
        animation_bytes=order.animation_bytes,
    )


def _unforeseen(order: Order, error: Exception) -> ApplianceError:
    if isinstance(order, Inspect | Examine):
        return UnreadableImage("This file can't be read. It is probably damaged.")
    refusal = CannotResize(refusals.DAMAGED)
    refusal.final = is_permanent(error)
    return refusal


def _edited(fd: int, keep: KeepMetadata, outputs: list[int]) -> Edited:
    found = metadata.find(fd, keep)
    packed = file_edits.pack(found.edits)
    if len(packed) > file_edits.MAX_PACKED_BYTES:  # all or nothing: half of them would leave the file worse than none
        outputs.append(_in_memory("edits", file_edits.pack(())))
        return Edited(complete=False)
    outputs.append(_in_memory("edits", packed))
    return Edited(found.complete, found.content_credentials, found.cut_at)


def _looked_through(order: FindPrivate | Examine, fd: int, outputs: list[int]) -> Edited | Examined:
    if isinstance(order, FindPrivate):
        return _edited(fd, order.keep, outputs)
    facts = _inspected(order.inspect, fd)
    sandbox.allow_cpu(order.find_private.cpu_s)
    try:
        return Examined(facts, _edited(fd, order.find_private.keep, outputs))
    except Exception:  # what the file is was found out all the same
        return Examined(facts, None)


def _in_memory(name: str, data: bytes) -> int:
    fd = os.memfd_create(name)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(data)
    return fd


if __name__ == "__main__":
    main(sys.argv[1:])
