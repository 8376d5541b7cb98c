"""What is done to one machine: install, install again, upload through the front, restart, upgrade and roll back."""

import asyncio
import hashlib
import re
import shutil
import urllib.request
from pathlib import Path

from tests.deploy.ansible import Ansible
from tests.deploy.load import HOST, URL, Account, Load, broken_promises, session
from tests.deploy.machine import Machine
from tests.deploy.table import Table
from tests.support.images import pictures

AUTHORITY = "var/lib/caddy/pki/authorities/local/root.crt"
SERVICES = ("appliance", "minio", "caddy")


class Trial:
    """One machine, what is done to it, and what it promised."""

    def __init__(self, machine: Machine, ansible: Ansible, table: Table) -> None:
        self.machine = machine
        self.ansible = ansible
        self.table = table
        self.authority = machine.folder / "authority.crt"
        self.promises: dict[str, str] = {}

    def elsewhere(self, name: str) -> "Trial":
        """The same promises and inventory, on a machine of that name that has this one's drives."""
        machine = Machine(self.machine.folder / name, drives=self.machine.drives)
        other = Trial(machine, self.ansible.elsewhere(machine), self.table)
        other.promises = self.promises
        return other

    def load(self, seed: int) -> Load:
        return Load(self.authority, seed=seed)

    def keep(self, account: Account) -> None:
        """Remember what was promised under load, to be held to it at the end."""
        assert account.promises, "the load uploaded nothing"
        self.promises |= account.promises

    def trust(self) -> None:
        """Bring the front's own authority, which it makes soon after its first start."""
        self.machine.sh(f"until [ -s /{AUTHORITY} ]; do sleep 0.2; done")
        shutil.copy(self.machine.root / AUTHORITY, self.authority)

    def is_active(self, unit: str) -> bool:
        return self.machine.try_("systemctl", "is-active", unit) == "active"

    def state(self) -> str:
        """`ready`, `degraded`, or what else the server says of itself; empty when it says nothing."""
        found = re.search(r'"status": "([^"]+)"', self.machine.try_("/usr/local/sbin/appliance", "status"))
        return found[1] if found else ""

    def version(self) -> str:
        """The release that runs, as the server says itself."""
        found = re.search(r'"version": "([^"]+)"', self.machine.do("/usr/local/sbin/appliance", "status"))
        assert found
        return found[1]


def install(trial: Trial, version: str) -> None:
    with trial.table.step("install (site.yml)") as step:
        recap = trial.ansible.play("site").ok()
        step.note = f"changed={recap.changed}"
        assert trial.version() == version
        for service in SERVICES:
            assert trial.machine.do("systemctl", "is-active", service).strip() == "active"
    trial.trust()


def install_again(trial: Trial) -> None:
    with trial.table.step("second run") as step:
        recap = trial.ansible.play("site").ok()
        step.note = f"changed={recap.changed}"
        assert recap.changed == 0, recap.output[-8000:]


def upload_through_the_front(trial: Trial) -> None:
    with trial.table.step("upload through Caddy, TLS by its own authority") as step:
        step.note = asyncio.run(_upload_and_look(trial.authority))
        assert "appliance_uploads_total" in metrics()
        assert "caddy_" in metrics(9181)
        assert "minio_cluster_drive_offline_total" in metrics(9000, "minio/v2/metrics/cluster")
        assert ":443" in trial.machine.do("ss", "--udp", "--listening", "--numeric"), "HTTP/3 is not listened for"


async def _upload_and_look(authority: Path) -> str:
    data = pictures.camera_photo()
    async with session(authority) as client:
        async with client.post(f"{URL}/api/v1/images?filename=first.jpg", data=data) as reply:
            assert reply.status == 201, await reply.text()
            image = await reply.json()
        assert image["url"] == f"{URL}/i/{image['slug']}"
        async with client.get(image["original"]["url"]) as reply:
            assert hashlib.sha256(await reply.read()).hexdigest() == image["sha256"]
            assert "Content-Encoding" not in reply.headers
        async with client.get(image["url"], headers={"Accept-Encoding": "gzip"}) as reply:
            assert reply.headers["Content-Encoding"] == "gzip"
            assert "h3=" in reply.headers["Alt-Svc"]
        async with client.get(f"{URL}/", headers={"Host": "stranger.test"}) as reply:
            assert reply.status == 421
        async with client.get(f"http://{HOST}/", allow_redirects=False) as reply:
            assert (reply.status, reply.headers["Location"]) == (308, f"{URL}/")
        async with client.get(f"{URL}/metrics") as reply:
            assert reply.status == 404
        for method in ("PURGE", "BAN", "TRACE"):
            async with client.request(method, image["original"]["url"]) as reply:
                assert reply.status == 405, method
    return "same bytes back; 421 for a strange host; http to https"


def metrics(port: int = 9180, path: str = "metrics") -> str:
    """What Prometheus scrapes, which the front does not pass on: the server's, or another's."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as reply:
        return str(reply.read().decode())


def narrow_key(trial: Trial) -> None:
    """The key that the server has opens its bucket and nothing else."""
    with trial.table.step("the server's key opens its bucket alone"):
        script = Path(__file__).with_name("narrow_key.py").read_text()
        trial.machine.do("/opt/appliance/current/bin/python3", "-c", script)


def restart_under_load(trial: Trial, times: int = 3) -> None:
    with trial.table.step(f"{times} restarts under load") as step, trial.load(seed=1) as account:
        step.under(account)
        for _ in range(times):
            trial.machine.do("/usr/local/sbin/appliance-restart")
    trial.keep(account)


def upgrade_under_load(trial: Trial, release: Path, version: str) -> None:
    with trial.table.step(f"upgrade to {version} under load") as step, trial.load(seed=2) as account:
        step.under(account)
        trial.ansible.set(appliance_release=str(release))
        recap = trial.ansible.play("upgrade").ok()
        step.note = f"changed={recap.changed}"
        assert trial.version() == version
    trial.keep(account)


def roll_back_under_load(trial: Trial, version: str) -> None:
    with trial.table.step(f"roll back to {version} under load") as step, trial.load(seed=3) as account:
        step.under(account)
        trial.ansible.play("rollback").ok()
        assert trial.version() == version
    trial.keep(account)


def every_promise_is_kept(trial: Trial) -> None:
    with trial.table.step("every image that was acknowledged, byte for byte") as step:
        broken = asyncio.run(broken_promises(trial.authority, trial.promises))
        step.note = f"{len(trial.promises)} images"
        assert broken == []


def exposure(trial: Trial) -> None:
    """What systemd inside thinks of the units as they run, with their drop-ins."""
    with trial.table.step("exposure as installed") as step:
        scores = {}
        for service in SERVICES:
            table = trial.machine.do("systemd-analyze", "security", "--no-pager", f"{service}.service")
            found = re.search(r"exposure level for \S+: ([0-9.]+)", table)
            assert found, table
            scores[service] = float(found[1])
        step.note = ", ".join(f"{service} {score}" for service, score in scores.items())
        assert max(scores.values()) <= 1.5


def last_words(machine: Machine) -> None:
    """Print what each service's log says last."""
    if not machine.is_up:
        return
    for service in SERVICES:
        lines = machine.try_("journalctl", "--no-pager", "-n", "25", "-o", "cat", "-u", service)
        print(f"\n-- {service}\n{lines[-4000:]}", flush=True)
