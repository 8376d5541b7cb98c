"""A worker process: takes one order after another from its socket until the server closes it.

Run as `python -m appliance.imaging.worker FD PARENT_PID DECODE_BYTES`. With an order comes the source's descriptor;
with the answer go descriptors of files in memory, one for each rendition.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Sequence

import pyvips

from appliance.errors import ApplianceError
from appliance.imaging import sandbox
from appliance.imaging.encoders import encode
from appliance.imaging.inspection import inspect
from appliance.imaging.render import render
from appliance.imaging.sources import block_other_loaders
from appliance.imaging.versions import check_installation, libvips_version
from appliance.orders import MAX_MESSAGE_BYTES, Inspect, Order, Ready, Sizes, pack_answer, unpack_order
from appliance.renditions import Facts, Format, Made

_WARM_UP_PX = 64


def main(arguments: Sequence[str]) -> None:
    """Serve orders until the socket is closed."""
    fd, parent_pid, decode_bytes = map(int, arguments)
    sandbox.tie_to_parent(parent_pid)
    with socket.socket(fileno=fd) as orders:
        os.set_inheritable(fd, False)
        try:
            check_installation()
        except ApplianceError as error:
            orders.send(pack_answer(error))
            return
        protections = prepare(decode_bytes)
        with contextlib.suppress(BrokenPipeError):  # the server ended meanwhile: nobody waits for an answer
            orders.send(pack_answer(Ready(protections, ".".join(map(str, libvips_version())))))
            while _serve_one(orders):
                pass


def prepare(decode_bytes: int) -> tuple[str, ...]:
    """Close the sandbox and warm libvips up; returns the protections that are in force."""
    pyvips.cache_set_max(0)
    block_other_loaders()
    protections = sandbox.enter(decode_bytes)
    _warm_up()
    return protections


def _warm_up() -> None:
    """Make a rendition in each format, so that the first order finds every library loaded and started."""
    picture = pyvips.Image.black(_WARM_UP_PX, _WARM_UP_PX, bands=3).copy(interpretation="srgb")
    for format in Format:
        encode(picture.resize(0.5), format)


def _serve_one(orders: socket.socket) -> bool:
    message, fds, _, _ = socket.recv_fds(orders, MAX_MESSAGE_BYTES, 1)
    if not message:
        return False
    outputs: list[int] = []
    try:
        answer = _carried_out(unpack_order(message), fds[0], outputs)
        socket.send_fds(orders, [pack_answer(answer)], outputs)
    finally:
        for fd in (*fds, *outputs):
            os.close(fd)
    return True


def _carried_out(order: Order, fd: int, outputs: list[int]) -> Facts | Sizes | ApplianceError:
    sandbox.allow_cpu(order.cpu_s)
    try:
        if isinstance(order, Inspect):
            return inspect(fd, max_pixels=order.max_pixels, max_memory_bytes=order.memory_bytes)
        made = render(fd, order.facts, order.targets)
    except ApplianceError as error:
        return error
    outputs += map(_in_memory, made)
    return tuple((rendition.width, rendition.height) for rendition in made)


def _in_memory(made: Made) -> int:
    fd = os.memfd_create(made.target.name)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(made.data)
    return fd


if __name__ == "__main__":
    main(sys.argv[1:])
