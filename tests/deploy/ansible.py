"""Ansible, as a sysadmin runs it: an inventory, a playbook, and ssh."""

import copy
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.deploy.load import HOST
from tests.deploy.machine import DRIVES, SSH_PORT, Broken, Machine
from tests.support.programs import ROOT

BIN = Path(sys.executable).parent
READY_S = 180
WITHIN_S = 2400.0  # a first installation of several machines, on a machine that others use too


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ansible:
    """Runs the project's playbooks on the machine."""

    def __init__(self, machine: Machine, release: Path, minio: Path, caddy: Path) -> None:
        self.folder = machine.folder
        self._variables: dict[str, Any] = {
            "ansible_host": "127.0.0.1",
            "ansible_port": SSH_PORT,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(machine.key),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            "appliance_public_url": f"https://{HOST}",
            "appliance_release": str(release),
            "appliance_settings": {
                "limits": {"proof_of_work": "never"},  # the load is one program without a key
                "uploads": {"reserve_bytes": 50_000_000, "spool_bytes": 200_000_000},
                "cache": {"disk_bytes": 100_000_000, "memory_bytes": 50_000_000},
                "renditions": {"workers": 1, "prewarm": ["thumbnail"]},
            },
            "appliance_ready_timeout_s": READY_S,
            "minio_binary": str(minio),
            "minio_sha256": sha256_of(minio),
            "minio_drives": [f"/srv/minio/disk{number}" for number in range(1, DRIVES + 1)],
            "caddy_binary": str(caddy),
            "caddy_sha256": sha256_of(caddy),
            "caddy_tls": "internal",
            "firewall_enabled": True,
            "firewall_ssh_port": SSH_PORT,
        }

    def set(self, **variables: Any) -> dict[str, Any]:
        """Change the inventory for the runs that follow; returns what it said of these variables before."""
        before = {name: self._variables[name] for name in variables if name in self._variables}
        self._variables |= variables
        return before

    def elsewhere(self, machine: Machine) -> "Ansible":
        """The same inventory for another machine."""
        other = copy.copy(self)
        other.folder = machine.folder
        other._variables = self._variables | {"ansible_ssh_private_key_file": str(machine.key)}
        return other

    def play(self, playbook: str, *arguments: str) -> "Recap":
        """Runs a playbook to its end, whatever that is."""
        return play(self.folder, {"appliance": {"hosts": {"img": self._variables}}}, playbook, *arguments)


def play(folder: Path, inventory: dict[str, Any], playbook: str, *arguments: str) -> "Recap":
    """Runs a playbook to its end, whatever that is. Its log stays in the folder."""
    written = folder / "inventory.json"
    written.write_text(json.dumps(inventory))
    command = [str(BIN / "ansible-playbook"), "-i", str(written), f"playbooks/{playbook}.yml", *arguments]
    environment = os.environ | {
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),  # machines of several runs have one address
        "ANSIBLE_NOCOLOR": "1",
    }
    log = folder / f"{len(list(folder.glob('*.log'))):02}-{playbook}.log"
    with log.open("w") as output:
        done = subprocess.run(
            command,
            cwd=ROOT / "ansible",
            env=environment,
            check=False,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=WITHIN_S,
        )
    return Recap(done.returncode, log.read_text())


class Recap:
    """How a playbook ended."""

    def __init__(self, status: int, output: str) -> None:
        self.status = status
        self.output = output
        found = re.findall(r"\bchanged=(\d+)", output)
        self.changed = sum(map(int, found)) if found else -1

    def ok(self) -> "Recap":
        """Itself, when all went well; raises Broken."""
        if self.status != 0:
            raise Broken(f"the playbook failed:\n{self.output[-5000:]}")
        return self
