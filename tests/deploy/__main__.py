"""`python -m tests.deploy [--long] [--part PART] [--keep]`: runs the steps on machines of their own, and prints tables.

There are two parts: one machine with everything and the catalogue in a file, and several machines with PostgreSQL. Each
has mount and network namespaces that end with it, so that nothing is left on this machine.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.deploy import breaking, cage, cluster, keeping, losing, parting, sharing, steps
from tests.deploy.ansible import BIN, Ansible
from tests.deploy.hand import install_by_hand
from tests.deploy.machine import BASE, DATABASE_BASE, DATABASE_PACKAGES, PACKAGES, Machine, build_base, missing, run
from tests.deploy.releases import built, own_version
from tests.deploy.table import Table
from tests.support.programs import ROOT, find_minio

INSIDE = "--inside"
PARTS = {"one": "one machine", "several": "several machines"}
NAMESPACES = ["unshare", "--mount", "--net", "--propagation", "private"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.deploy", description=__doc__)
    parser.add_argument("--long", action="store_true", help="break what can be broken, too")
    parser.add_argument("--part", choices=PARTS, help="only this part")
    parser.add_argument("--keep", action="store_true", help="keep the folder with all logs")
    parser.add_argument(INSIDE, type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.inside is not None:
        return _inside(said.inside, said.part, is_long=said.long)
    lacking = missing()
    if lacking is not None:
        return _skipped(lacking)
    return _outside([said.part] if said.part else list(PARTS), is_long=said.long, keep=said.keep)


def _skipped(reason: str) -> int:
    must = os.environ.get("REQUIRE_ALL") == "1" or "CI" in os.environ
    print(f"{'failed' if must else 'skipped'}: deploy-test ({reason})", file=sys.stderr)
    return 1 if must else 0


def _outside(parts: Sequence[str], *, is_long: bool, keep: bool) -> int:
    """Makes what needs a network and what the parts share, then runs them in namespaces that have none.

    The short parts run side by side, because Ansible does one thing at a time. The long ones break things, and how that
    ends may depend on how busy the machine is: they run one after the other.
    """
    table = Table("what both parts need")
    folder = Path(tempfile.mkdtemp(prefix="deploy-", dir=_made(ROOT / "build")))
    try:
        with table.step("Debian, made or found in build/"), ThreadPoolExecutor() as threads:
            list(threads.map(build_base, (BASE, DATABASE_BASE), (PACKAGES, DATABASE_PACKAGES)))
        with table.step("releases: this one and the next"):
            built(f"{own_version()}.1", folder)
        print(f"{table}\n", flush=True)
        with ThreadPoolExecutor(1 if is_long else len(parts)) as threads:
            statuses = list(threads.map(lambda part: _run_apart(part, folder, is_long=is_long), parts))
        return int(any(statuses))
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _run_apart(part: str, folder: Path, *, is_long: bool) -> int:
    """The status of a process of its own in namespaces of its own."""
    arguments = [sys.executable, "-m", "tests.deploy", "--part", part, INSIDE, str(folder)]
    return subprocess.call([*NAMESPACES, *arguments, *(["--long"] if is_long else [])])


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _inside(folder: Path, part: str, *, is_long: bool) -> int:
    run(["ip", "link", "set", "lo", "up"])
    run(["umount", "-R", "/sys/fs/cgroup"])
    run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"])
    table = Table(PARTS[part])
    release = ROOT / "dist" / f"appliance-{own_version()}.tar.gz"
    next_release = folder / f"appliance-{own_version()}.1.tar.gz"
    trial = _on_one_machine if part == "one" else _on_several
    try:
        trial(table, _made(folder / part), release, next_release, is_long=is_long)
    except Exception as error:
        print(f"{table}\n\n{type(error).__name__}: {error}", flush=True)
        return 1
    print(f"{table}\n\n{len(table.steps)} passed, 0 failed", flush=True)
    return 0


def _on_several(table: Table, folder: Path, release: Path, next_release: Path, *, is_long: bool) -> None:
    version, following = own_version(), f"{own_version()}.1"
    with cluster.running(folder, release, table, databases=2 if is_long else 1) as trial:
        sharing.everything(trial, version, next_release, following)
        if is_long:
            parting.everything(trial)


def _on_one_machine(table: Table, folder: Path, release: Path, next_release: Path, *, is_long: bool) -> None:
    machine = Machine(folder)
    try:
        _run_all(table, machine, release, next_release, is_long=is_long)
    except Exception:
        steps.last_words(machine)
        raise
    finally:
        machine.stop()


def _run_all(table: Table, machine: Machine, release: Path, next_release: Path, *, is_long: bool) -> None:
    version, following = own_version(), f"{own_version()}.1"
    minio = find_minio()
    assert minio, "make minio"
    with table.step("boot"):
        machine.boot()
    trial = steps.Trial(machine, Ansible(machine, release, Path(minio).resolve(), BIN / "caddy"), table)
    steps.install(trial, version)
    steps.upload_through_the_front(trial)
    cage.holds(trial.machine, table)
    steps.narrow_key(trial)
    steps.exposure(trial)
    steps.restart_under_load(trial)
    if not is_long:  # several machines are installed again and upgraded in the short form, too
        steps.every_promise_is_kept(trial)
        return
    steps.install_again(trial)
    steps.upgrade_under_load(trial, next_release, following)
    steps.roll_back_under_load(trial, version)
    steps.upgrade_under_load(trial, next_release, following)
    breaking.everything(trial, following)
    with keeping.offsite_server(machine.folder) as offsite:
        keeping.everything(trial, offsite)
        steps.roll_back_under_load(trial, version)
        steps.every_promise_is_kept(trial)
        trial.ansible.set(appliance_release=str(release))
        losing.lose_the_machine(trial)
    install_by_hand(table, machine.folder / "by-hand", release, version)


if __name__ == "__main__":
    sys.exit(main())
