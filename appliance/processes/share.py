"""One process's share of a machine: the configuration of each of several processes, made from that of all.

What belongs to the machine is divided: workers, caches and the spool's copies. A limit on clients or on one image is
left as it is: nodes count together what clients use.
"""

import os
import secrets
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from appliance.config.model import CacheConfig, Config, Renditions, Uploads, counted_on
from appliance.config.node_name import MAX_CHARS, node_name
from appliance.domain.errors import UnfitInstallation
from appliance.shared import files

LOOPBACK = "127.0.0.1:0"
SECRET_BYTES = 32
Section = TypeVar("Section", CacheConfig, Renditions, Uploads)


def folder_of(config: Config, number: int) -> Path:
    """The data directory of one process."""
    return config.data_dir / f"node-{number}"


def node_address(config: Config, number: int, bound: socket.socket | None = None) -> str:
    """Where the other nodes reach this process: by `node.listen`, else at any free port of this machine.

    `bound` is the socket at that port, once there is one.
    """
    if config.node.listen is not None:
        return counted_on(config.node.listen, number - 1)
    return LOOPBACK if bound is None else "{}:{}".format(*bound.getsockname())


def node_secret(config: Config) -> str:
    """The secret of `node.secret`, else one that this machine makes once and keeps. Raises UnfitInstallation."""
    if config.node.secret is not None:
        return config.node.secret
    path = config.node_secret_path
    try:
        if not path.exists():
            unfinished = path.with_name(f".{path.name}")
            with files.writing(unfinished, mode=0o600) as file:
                file.write(secrets.token_hex(SECRET_BYTES).encode())
            files.rename(unfinished, path)
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as fault:
        raise UnfitInstallation(f"{path} can't be used: {fault}. Remove it if the disk is fine.") from fault


def share_of(config: Config, number: int, *, node_listen: str, secret: str) -> Config:
    """The configuration of the process with this number, from 1 on."""
    count = config.server.processes
    return replace(
        config,
        data_dir=folder_of(config, number),
        server=replace(
            config.server,
            processes=1,
            process_listen=config.server.process_listen and counted_on(config.server.process_listen, number - 1),
            metrics_listen=None,
        ),
        node=replace(config.node, name=_name(config, number), listen=node_listen, secret=secret),
        uploads=_divided(config.uploads, count, "concurrency", "spool_bytes"),
        renditions=_renditions(config.renditions, count),
        cache=_divided(
            config.cache, count, "memory_bytes", "disk_bytes", "tiles_memory_bytes", "tiles_bytes", "pyramids_bytes"
        ),
    )


def _name(config: Config, number: int) -> str:
    suffix = f"-{number}"
    return node_name(config.node)[: MAX_CHARS - len(suffix)] + suffix


def _renditions(config: Renditions, count: int) -> Renditions:
    """Each process makes one expensive image at a time; all of them together get half of the machine's memory."""
    half_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    heavy_bytes = max(config.memory_bytes, min(config.heavy_memory_bytes, half_bytes // count))
    return replace(_divided(config, count, "workers"), heavy_memory_bytes=heavy_bytes)


def _divided(section: Section, count: int, *names: str) -> Section:
    """The section with a part of these amounts. 0, which means none or no limit, stays 0."""
    parts: dict[str, Any] = {name: _part(getattr(section, name), count) for name in names}
    return replace(section, **parts)


def _part(amount: int, count: int) -> int:
    return amount and max(1, amount // count)
