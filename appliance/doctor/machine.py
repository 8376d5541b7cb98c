"""The doctor's checks of the machine: Python, the data directory and its disk, the addresses to listen on."""

import errno
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from appliance.config.model import Config, split_listen
from appliance.doctor.findings import Finding, fault, in_units, ok, warn
from appliance.domain.errors import ApplianceError, ServerNotRunning
from appliance.server.control import ask_status

SOCKET_UNIT = "appliance.socket"
_PROBE_ATTRIBUTE = "user.appliance"  # where the spool keeps an image's metadata
_PROBE_VALUE = b"x" * 3000  # its limit: 2 KB of metadata, as JSON


async def python(_config: Config) -> AsyncIterator[Finding]:
    yield ok("python", f"{platform.python_version()} ({sys.executable})")


async def disk(config: Config) -> AsyncIterator[Finding]:
    folder = config.data_dir
    if not folder.exists():
        parent = next(above for above in folder.absolute().parents if above.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            yield warn("disk", f"{folder} doesn't exist yet; the first start creates it")
        else:
            yield fault("disk", f"{folder} doesn't exist, and {parent} isn't writable: create it for this user")
        return
    yield _room(config)
    yield _keeps_files(folder)
    if folder.stat().st_uid != os.geteuid():
        yield warn("disk", f"{folder} belongs to another user: run this as that user, or files may become unreadable")


def _room(config: Config) -> Finding:
    free, reserve = shutil.disk_usage(config.data_dir).free, config.uploads.reserve_bytes
    words = f"{in_units(free)} free, including a reserve of {in_units(reserve)}"
    if free <= reserve:
        return fault("disk", f"{words}: uploads are refused. Free some space, or lower uploads.reserve_bytes")
    wanted = reserve + config.uploads.spool_bytes + config.cache.all_disk_bytes
    of_processes = config.data_dir.glob("node-*")
    held = sum(_bytes_below(folder) for folder in (config.spool_dir, config.cache_dir, *of_processes))
    if free + held < wanted:
        return warn(
            "disk",
            f"{words}; reserve, spool and cache may want {in_units(wanted)}: "
            "lower uploads.spool_bytes and the cache's budgets, or use a larger disk",
        )
    return ok("disk", words)


def _bytes_below(folder: Path) -> int:
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(above, name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def _keeps_files(folder: Path) -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"probe")
            probe.flush()
            os.fsync(probe.fileno())
            keeps_attributes = _keeps_attributes(probe.fileno())
    except OSError as error:
        return fault("disk", f"{folder} can't be written to: {error.strerror}")
    if keeps_attributes:
        return ok("disk", f"{folder} is writable, syncs and supports extended attributes")
    return warn(
        "disk",
        f"{folder} has no extended attributes of 3 KB: if the catalogue were lost, images not yet in the store "
        "could not be recovered. Use ext4, XFS, btrfs or ZFS",
    )


def _keeps_attributes(descriptor: int) -> bool:
    try:
        os.setxattr(descriptor, _PROBE_ATTRIBUTE, _PROBE_VALUE)
    except OSError:
        return False
    return True


async def addresses(config: Config) -> AsyncIterator[Finding]:
    owner, served = await _running_server(config)
    wanted = [
        ("listen", config.server.listen),
        ("metrics", config.server.metrics_listen),
        ("node", config.node.listen),
    ]
    for part, listen in wanted:
        if listen is None:
            continue
        if owner is not None and part == "listen" and served not in (None, listen):
            yield warn(
                part, f"process {owner} serves {served}, not {listen}: this is another configuration than its own"
            )
        elif owner is not None:
            yield ok(part, f"{listen}, served by process {owner}")
        else:
            yield _free(part, listen)
    if not config.server.links_work:
        yield warn(
            "links", f"they begin with {config.server.base_url}, which doesn't work from outside: set server.public_url"
        )


async def _running_server(config: Config) -> tuple[object | None, object | None]:
    """The running server's process id and the address that it serves, as far as it says."""
    try:
        status = await ask_status(config)
    except ServerNotRunning:
        return None, None
    except ApplianceError:
        return "unknown (it doesn't answer)", None
    return status.get("pid"), status.get("listen")


def _free(part: str, listen: str) -> Finding:
    host, port = split_listen(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and part == "listen" and _waits_for_a_server():
            return ok(part, f"{listen}, held by {SOCKET_UNIT} until a server runs")
        advice = {
            errno.EADDRINUSE: "another program is using it; stop that program or choose another port",
            errno.EACCES: "this user isn't allowed to; choose port 1024 or higher",
            errno.EADDRNOTAVAIL: "this machine doesn't have this address",
        }
        return fault(part, f"{listen} can't be listened on: {advice.get(error.errno or 0, error.strerror)}")
    return ok(part, f"{listen} is free")


def _waits_for_a_server() -> bool:
    """Whether systemd holds the address for the next server."""
    program = shutil.which("systemctl")
    asking = [program or "true", "is-active", "--quiet", SOCKET_UNIT]
    return program is not None and subprocess.run(asking, check=False).returncode == 0
