"""Several machines: two servers, a database or two, a store and a front, by the example's inventory."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.ansible import BIN, READY_S, Recap, play, sha256_of
from tests.deploy.load import HOST, Account, Load
from tests.deploy.machine import BASE, DATABASE_BASE, SSH_PORT, Machine
from tests.deploy.network import Network
from tests.deploy.steps import AUTHORITY
from tests.deploy.table import Table
from tests.support.programs import ROOT, find_minio

EXAMPLE = ROOT / "ansible" / "inventory" / "example-cluster.yml"
GROUPS = {
    "appliance": ["app1", "app2"],
    "database": ["db1"],
    "store": ["store1"],
    "front": ["front1"],
}
SETTINGS = {
    "limits": {"proof_of_work": "never"},  # the load is one program without a key
    "uploads": {"reserve_bytes": 50_000_000, "spool_bytes": 200_000_000},
    "cache": {"disk_bytes": 100_000_000, "memory_bytes": 50_000_000},
    "renditions": {"workers": 1, "prewarm": ["thumbnail"]},
}


class Cluster:
    """The machines, what is done to them, and what they promised."""

    def __init__(self, folder: Path, release: Path, table: Table, groups: dict[str, list[str]]) -> None:
        self.folder = folder
        self.table = table
        self.groups = groups
        self.network = Network()
        self.machines: dict[str, Machine] = {}
        self.addresses: dict[str, str] = {}
        for name in dict.fromkeys(name for names in groups.values() for name in names):
            space, self.addresses[name] = self.network.join(name)
            base = DATABASE_BASE if name in groups["database"] else BASE
            self.machines[name] = Machine(folder / name, name=name, base=base, space=space)
        self.variables = _variables(release)
        self.promises: dict[str, str] = {}
        self.authority = folder / "authority.crt"

    @property
    def front(self) -> str:
        return self.addresses["front1"]

    def boot(self) -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(Machine.boot, self.machines.values()))

    def stop(self) -> None:
        """Nothing of them is left running."""
        for machine in self.machines.values():
            machine.stop()
        self.network.close()

    def play(self, playbook: str, *arguments: str) -> Recap:
        inventory = {
            group: {"hosts": {name: self._host(name) for name in names}} for group, names in self.groups.items()
        }
        return play(self.folder, {"all": {"vars": self.variables}, **inventory}, playbook, *arguments)

    def _host(self, name: str) -> dict[str, Any]:
        return {
            "ansible_host": self.addresses[name],
            "ansible_ssh_private_key_file": str(self.machines[name].key),
            "cluster_address": self.addresses[name],
        }

    def load(self, seed: int) -> Load:
        return Load(self.authority, seed=seed, front=self.front)

    def keep(self, account: Account) -> None:
        """Remember what was promised under load, to be held to it at the end."""
        assert account.promises, "the load uploaded nothing"
        self.promises |= account.promises

    def trust(self) -> None:
        """Bring the front's own authority, which it makes soon after its first start."""
        front = self.machines["front1"]
        front.sh(f"until [ -s /{AUTHORITY} ]; do sleep 0.2; done", within_s=30)
        shutil.copy(front.root / AUTHORITY, self.authority)

    def words(self) -> str:
        """What each machine's logs say last."""
        said = []
        for name, machine in self.machines.items():
            units = ("appliance", "caddy", "minio", "postgresql@*")
            lines = machine.try_("journalctl", "--no-pager", "-n", "30", "-o", "cat", *(f"-u{unit}" for unit in units))
            said.append(f"-- {name}\n{lines[-5000:]}")
        return "\n\n".join(said)


def _variables(release: Path) -> dict[str, Any]:
    """The example's, with what it asks to change."""
    minio, caddy = find_minio(), BIN / "caddy"
    assert minio, "make minio"
    example: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["all"]["vars"]
    return example | {
        "ansible_user": "root",
        "ansible_port": SSH_PORT,
        "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
        "appliance_public_url": f"https://{HOST}",
        "appliance_release": str(release),
        "appliance_settings": SETTINGS,
        "appliance_ready_timeout_s": READY_S,
        "appliance_node_secret": "the secret of the nodes of this trial",
        "postgresql_password": "it's a word: with / and \\ in it",
        "postgresql_replication_password": "it's another: with \\ in it",
        "postgresql_memory_percent": 1,  # all machines of the trial share one machine's
        "minio_binary": str(Path(minio).resolve()),
        "minio_sha256": sha256_of(Path(minio)),
        "caddy_binary": str(caddy),
        "caddy_sha256": sha256_of(caddy),
        "caddy_tls": "internal",
        "firewall_ssh_port": SSH_PORT,
    }


@contextmanager
def running(folder: Path, release: Path, table: Table, databases: int) -> Iterator[Cluster]:
    """The machines, booted, until the block ends."""
    names = [f"db{number + 1}" for number in range(databases)]
    cluster = Cluster(folder, release, table, GROUPS | {"database": names})
    try:
        with table.step(f"boot {len(cluster.machines)} machines"):
            cluster.boot()
        yield cluster
    except Exception:
        print(cluster.words(), flush=True)
        raise
    finally:
        cluster.stop()
