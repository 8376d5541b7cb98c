"""The long path: what can break on the machine is broken, and after each time the machine is as it should be."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from tests.deploy.load import HOST, URL, Account, session
from tests.deploy.machine import DRIVES, Broken, run
from tests.deploy.releases import built
from tests.deploy.steps import SERVICES, Trial
from tests.support.images import pictures

WITHIN_S = 180.0
DATA = "/var/lib/appliance"
LEFT_BYTES = 35_000_000  # less than the reserve, and more than the half of it that copies leave
FILL = f"""free=$(df --output=avail -B1 {DATA} | tail -1)
if [ "$free" -gt {LEFT_BYTES} ]; then fallocate -l $((free - {LEFT_BYTES})) {DATA}/filler.$(date +%s%N); fi"""
MOST_TAKEN = 30


def everything(trial: Trial, version: str) -> None:
    """Every fault, one after the other. `version` runs before, and after."""
    folder = trial.machine.folder
    ends = built(f"{version}1", folder, broken='raise SystemExit("this release is broken")')
    hangs = built(f"{version}2", folder, broken="__import__('time').sleep(10**6)")
    upgrade_to_a_broken_release(trial, ends, version, "ends at once")
    upgrade_to_a_broken_release(trial, hangs, version, "is never ready")
    roll_back_to_a_broken_release(trial, f"{version}1", version)
    kill_the_store(trial)
    kill_the_server(trial)
    kill_the_front(trial)
    reboot(trial)
    fill_the_disk(trial)
    pull_drives(trial, 1)
    pull_drives(trial, 2)
    own_certificate(trial)


def upgrade_to_a_broken_release(trial: Trial, release: Path, version: str, how: str) -> None:
    """It is installed, tried, and gone back from, and whoever came meanwhile was answered."""
    with trial.table.step(f"upgrade to a release that {how}") as step, trial.load(seed=11) as account:
        step.under(account)
        before = trial.ansible.set(appliance_release=str(release), appliance_ready_timeout_s=30)
        recap = trial.ansible.play("upgrade")
        trial.ansible.set(**before)
        assert recap.status != 0, recap.output[-3000:]
        assert f"Release {version} and its settings are back" in recap.output, recap.output[-3000:]
        assert trial.version() == version
        step.note = "went back by itself"
    trial.keep(account)


def roll_back_to_a_broken_release(trial: Trial, broken: str, version: str) -> None:
    """The one that ran is back, and whoever came meanwhile was answered."""
    with trial.table.step("roll back to a release that ends at once") as step, trial.load(seed=15) as account:
        step.under(account)
        recap = trial.ansible.play("rollback", "-e", f"appliance_rollback_to={broken}")
        assert recap.status != 0, recap.output[-3000:]
        assert f"Release {version} runs." in recap.output, recap.output[-3000:]
        assert trial.version() == version
        step.note = "came back by itself"
    trial.keep(account)


def kill_the_store(trial: Trial) -> None:
    """The server goes on without it: it takes what comes and shows what it has."""
    with trial.table.step("kill -9 MinIO under load") as step, trial.load(seed=12) as account:
        step.under(account)
        killed(trial, "minio")
    trial.keep(account)


def kill_the_server(trial: Trial) -> None:
    """What was under way is lost to its client, and nothing else."""
    with trial.table.step("kill -9 the server under load") as step, trial.load(seed=13) as account:
        step.under(account, may_fail=True)
        killed(trial, "appliance")
        until(lambda: trial.state() == "ready", "the server is ready again")
        step.note = "what was under way failed"
    assert account.failed <= account.clients, account.words
    trial.keep(account)


def kill_the_front(trial: Trial) -> None:
    with trial.table.step("kill -9 Caddy under load") as step, trial.load(seed=14) as account:
        step.under(account, may_fail=True)
        killed(trial, "caddy")
        step.note = "until it listens again"
    trial.keep(account)


def killed(trial: Trial, unit: str) -> None:
    """Kill -9 its main process, and wait until systemd has another one up."""
    before = trial.machine.main_pid(unit)
    trial.machine.do("kill", "-9", str(before))
    until(lambda: trial.machine.main_pid(unit) not in (0, before) and trial.is_active(unit), f"{unit} is up again")
    time.sleep(3)


def reboot(trial: Trial) -> None:
    with trial.table.step("reboot") as step:
        trial.machine.reboot()
        for service in SERVICES:
            until(lambda service=service: trial.is_active(service), f"{service} is up")  # type: ignore[misc]
        until(lambda: trial.state() == "ready", "the server is ready")
        asyncio.run(_uploads(trial.authority, 201))
        step.note = "all services came up; an upload was taken"


def fill_the_disk(trial: Trial) -> None:
    """Uploads are refused with the figures once no copy is left to make room; views go on, and room makes all well."""
    with trial.table.step("fill the data directory's disk") as step:
        answer: dict[str, object] = {}
        status, taken = 201, -1
        try:
            while status == 201 and taken < MOST_TAKEN:
                trial.machine.sh(FILL)
                status, answer = asyncio.run(_posted(trial.authority))
                taken += 1
            assert status == 507, answer
            asyncio.run(_views(trial.authority, list(trial.promises)[:20]))
        finally:
            trial.machine.sh(f"rm -f {DATA}/filler.*")
        asyncio.run(_uploads(trial.authority, 201))
        step.note = f"507 {answer['code']} after {taken} in the room of copies; 20 views went on; 201 with room again"


def pull_drives(trial: Trial, count: int) -> None:
    """In place of drives there are empty ones, as after a swap; then the drives are back."""
    names = [f"/srv/minio/disk{number}" for number in range(DRIVES, DRIVES - count, -1)]
    words = f"pull {count} of {DRIVES} drives under load"
    with trial.table.step(words) as step, trial.load(seed=20 + count) as account:
        step.under(account)
        for name in names:
            trial.machine.do("mount", "-t", "tmpfs", "-o", "size=1M,mode=0", "pulled", name)
        try:
            assert {seen_by_the_store(trial, name) for name in names} == {"tmpfs"}
            time.sleep(5)
            step.note = f"{read_the_store(trial)} objects read from the rest"
        finally:
            for name in names:
                trial.machine.do("umount", "-l", name)
        until(lambda: trial.state() == "ready", "the store is whole again", within_s=120)
    trial.keep(account)


def seen_by_the_store(trial: Trial, drive: str) -> str:
    """The kind of filesystem that the store's own process finds there."""
    inside = f"--target={trial.machine.main_pid('minio')}"
    return trial.machine.do("nsenter", inside, "--mount", "findmnt", "-n", "-o", "FSTYPE", drive).split()[-1]


def own_certificate(trial: Trial) -> None:
    """The front takes a certificate of one's own, and then its own authority's again."""
    folder = trial.machine.folder
    certificate, key = folder / "own.crt", folder / "own.key"
    run([
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-out", str(certificate), "-keyout", str(key),
    ])  # fmt: skip
    with trial.table.step("a certificate of one's own") as step:
        settings = {"caddy_certificate": str(certificate), "caddy_certificate_key": str(key)}
        trial.ansible.set(caddy_tls="files", **settings)
        recap = trial.ansible.play("site").ok()
        asyncio.run(_views(certificate, list(trial.promises)[:3]))
        step.note = f"changed={recap.changed}"
    with trial.table.step("and back to Caddy's own") as step:
        trial.ansible.set(caddy_tls="internal")
        recap = trial.ansible.play("site").ok()
        asyncio.run(_views(trial.authority, list(trial.promises)[:3]))
        step.note = f"changed={recap.changed}"


def read_the_store(trial: Trial) -> str:
    """Reads every object that the server ever acknowledged as stored, past all of the server's copies."""
    script = Path(__file__).with_name("read_store.py").read_text()
    return trial.machine.do("/opt/appliance/current/bin/python3", "-c", script, within_s=300).strip()


def until(holds: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    end = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end:
            raise Broken(f"waited {within_s:g} s in vain: {what}")
        time.sleep(0.3)


def goes_on(account: Account) -> None:
    """What was broken is whole again: each client may have one request under way that still fails, and no more."""
    failed, sent = account.failed, account.sent
    until(lambda: account.sent > sent + 20, "the load continues")
    assert account.failed <= failed + account.clients, account.words


async def _uploads(authority: Path, status: int) -> None:
    found, answer = await _posted(authority)
    assert found == status, answer


async def _posted(authority: Path) -> tuple[int, dict[str, object]]:
    data = pictures.photo(seed=time.monotonic_ns() % 2**31)
    async with (
        session(authority) as client,
        client.post(f"{URL}/api/v1/images?filename=one.jpg", data=data) as reply,
    ):
        return reply.status, await reply.json()


async def _views(authority: Path, slugs: list[str]) -> None:
    async with session(authority) as client:
        for slug in slugs:
            for version in ("thumbnail.jpg", "original"):
                async with client.get(f"{URL}/i/{slug}/{version}") as reply:
                    assert reply.status == 200, await reply.text()
                    with_body = await reply.read()
                    assert with_body
