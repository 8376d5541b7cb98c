"""Installing by hand: the commands of docs/operations.md, as they stand there, on a machine of their own."""

import re
import shutil
from pathlib import Path

from tests.deploy.machine import Machine
from tests.deploy.table import Table
from tests.support.programs import ROOT

PAGE = ROOT / "docs" / "operations.md"
SECTION = "## Install by hand\n"
FILES = ("[", "{")  # how the blocks begin that are put into files: keys of another store, a Caddyfile, settings
TIMERS = ("appliance-backup.timer", "appliance-verify.timer")


def commands() -> list[str]:
    """The section's blocks of commands."""
    section = PAGE.read_text(encoding="utf-8").partition(SECTION)[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^ {4}.*\n)+", section, re.MULTILINE)
    found = [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]
    return [block for block in found if not block.startswith(FILES)]


def install_by_hand(table: Table, folder: Path, release: Path, version: str) -> None:
    """What the page says leads to a server that is ready, and takes and shows a picture."""
    machine = Machine(folder)
    folder.mkdir()
    try:
        with table.step("install by hand, as docs/operations.md says") as step:
            machine.boot()
            shutil.copy(release, machine.root / "root")
            for block in commands():
                script = block.replace("0.1.0", version)
                machine.sh(f"cd /root\nexport DEBIAN_FRONTEND=noninteractive\n{script}", within_s=300)
            photo = ROOT / "tests" / "photos" / "coffee.jpg"
            shutil.copy(photo, machine.root / "root")
            link = machine.sh("curl --silent --fail --upload-file /root/coffee.jpg http://127.0.0.1:8080/")
            size = machine.sh(f"curl --silent --fail {link.strip()}/thumbnail.jpg | wc -c")
            step.note = f"a thumbnail of {size.strip()} bytes"
            assert int(size) > 1000
            for timer in TIMERS:
                assert machine.do("systemctl", "is-active", timer).strip() == "active"
                assert machine.do("systemctl", "is-enabled", timer).strip() == "enabled"
    finally:
        machine.stop()
