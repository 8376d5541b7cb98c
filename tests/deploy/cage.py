"""The workers' cage as installed: in force within the unit's own filter, in no picture's way, and with no way out."""

import ctypes
import json
import re
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path

from appliance.imaging import landlock
from tests.deploy.machine import Machine
from tests.deploy.table import Table
from tests.support.images import pictures

URL = "http://127.0.0.1:8080"
PICTURES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.photo(1400, 1300),
    "png": pictures.alpha_png,
    "gif": lambda: pictures.animated("gif"),
    "webp": lambda: pictures.animated("webp"),
    "tiff": pictures.tiff,
    "avif": pictures.avif,
    "heic": pictures.heic,
}
FORMATS = ("jpg", "webp", "avif", "png", "gif")
PROGRAM = Path(__file__).parents[1] / "support" / "escape.py"
UNIT = "/etc/systemd/system/appliance.service"
TRIAL = "/run/systemd/system/appliance-cage.service"
LINES = {  # what makes a trial of the server's unit; the sandbox stays as it is
    "Type": "oneshot",
    "ExecStart": "/opt/appliance/current/bin/python3 /opt/cage/cage_inside.py /opt/cage/escape.py",
}
DROPPED = ("WatchdogSec", "NotifyAccess", "Restart", "RestartSec", "Requires", "WantedBy", "Also")


def holds(machine: Machine, table: Table) -> None:
    with table.step("the workers' cage, within the unit's") as step:
        status = json.loads(machine.do("/usr/local/sbin/appliance", "status"))
        walls = {"seccomp", "memory-limit", "cpu-limit"}
        if landlock.version(ctypes.CDLL(None)):  # the machine shares this one's kernel
            walls.add("landlock-files")
        assert walls <= set(status["worker_protections"]), status
        shown = sum(_shown(name, make()) for name, make in PICTURES.items())
        tried = _tried(machine)
        assert "seccomp" in tried["protections"], tried
        assert [name for name, outcome in tried["found"].items() if outcome == "out"] == []
        assert tried["spared"]
        step.note = f"{shown} renditions of {len(PICTURES)} formats; {len(tried['found'])} ways out tried"


def _shown(name: str, data: bytes) -> int:
    """How many renditions of a picture came, each in the format that was asked for."""
    upload = urllib.request.Request(f"{URL}/api/v1/images?filename=cage.{name}", data=data, method="POST")
    with urllib.request.urlopen(upload, timeout=60) as reply:
        image = json.load(reply)
    assert image["state"] == "ready", image
    paths = [f"/i/{image['slug']}/thumbnail.{each}" for each in FORMATS]
    paths.append(f"/iiif/3/{image['slug']}/0,0,64,64/32,/0/default.jpg")
    for path in paths:
        with urllib.request.urlopen(f"{URL}{path}", timeout=60) as reply:
            assert reply.headers["Content-Type"].startswith("image/"), path
            assert pictures.opened(reply.read()).width > 0
    return len(paths)


def _tried(machine: Machine) -> dict[str, dict[str, str]]:
    """What hostile code in a worker finds, in a unit that has every line of the server's sandbox."""
    folder = machine.root / "opt" / "cage"
    folder.mkdir(mode=0o755)
    for program in (PROGRAM, Path(__file__).with_name("cage_inside.py")):
        shutil.copy(program, folder)
    lines = machine.do("cat", UNIT).splitlines()
    kept = [_line(line) for line in lines if line.partition("=")[0] not in DROPPED]
    machine.sh(f"mkdir -p /run/systemd/system && cat >{TRIAL} <<'END'\n" + "\n".join(kept) + "\nEND\n")
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "start", "appliance-cage", within_s=180)
    said = machine.do("journalctl", "--no-pager", "-o", "cat", "-u", "appliance-cage")
    found = re.search(r'^\{"protections".*$', said, re.MULTILINE)
    assert found, said
    return dict(json.loads(found[0]))


def _line(line: str) -> str:
    name = line.partition("=")[0]
    return f"{name}={LINES[name]}" if name in LINES else line
