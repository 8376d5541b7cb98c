"""`python -m tests.deploy [--long] [--keep]`: runs the steps on a machine of its own, and prints the table.

Everything happens in mount and network namespaces that end with it, so that nothing is left on this machine.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.deploy import breaking, cage, cluster, keeping, losing, parting, sharing, steps
from tests.deploy.ansible import BIN, Ansible
from tests.deploy.hand import install_by_hand
from tests.deploy.machine import BASE, DATABASE_BASE, DATABASE_PACKAGES, PACKAGES, Machine, build_base, missing, run
from tests.deploy.releases import built, own_version
from tests.deploy.table import Table
from tests.support.programs import ROOT, find_minio

INSIDE = "--inside"
BASES = ((BASE, PACKAGES), (DATABASE_BASE, DATABASE_PACKAGES))
NAMESPACES = ["unshare", "--mount", "--net", "--propagation", "private"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.deploy", description=__doc__)
    parser.add_argument("--long", action="store_true", help="break what can be broken, too")
    parser.add_argument(
        "--cluster", action="store_true", help="only what needs several machines, which otherwise only --long does"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder with all logs")
    parser.add_argument(INSIDE, type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.inside is not None:
        return _inside(said.inside, is_long=said.long, is_cluster=said.cluster)
    lacking = missing()
    if lacking is not None:
        return _skipped(lacking)
    return _outside(keep=said.keep, bases=BASES if said.long or said.cluster else BASES[:1])


def _skipped(reason: str) -> int:
    must = os.environ.get("REQUIRE_ALL") == "1" or "CI" in os.environ
    print(f"{'failed' if must else 'skipped'}: deploy-test ({reason})", file=sys.stderr)
    return 1 if must else 0


def _outside(*, keep: bool, bases: Sequence[tuple[Path, Sequence[str]]]) -> int:
    """Makes what needs a network, then goes on in namespaces that have none."""
    table = Table()
    folder = Path(tempfile.mkdtemp(prefix="deploy-", dir=_made(ROOT / "build")))
    try:
        with table.step("Debian, made or found in build/"):
            for base, packages in bases:
                build_base(base, packages)
        print(f"{table}\n", flush=True)
        arguments = [sys.executable, "-m", "tests.deploy", *sys.argv[1:], INSIDE, str(folder)]
        return os.spawnvp(os.P_WAIT, NAMESPACES[0], [*NAMESPACES, *arguments])
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _inside(folder: Path, *, is_long: bool, is_cluster: bool) -> int:
    run(["ip", "link", "set", "lo", "up"])
    run(["umount", "-R", "/sys/fs/cgroup"])
    run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"])
    table = Table()
    try:
        with table.step("releases: this one and the next"):
            release = ROOT / "dist" / f"appliance-{own_version()}.tar.gz"
            next_release = built(f"{own_version()}.1", folder)
        if not is_cluster:
            _on_one_machine(table, folder, release, next_release, is_long=is_long)
        if is_cluster or is_long:
            _on_several(table, folder / "cluster", release, next_release, is_long=is_long)
    except Exception as error:
        print(f"{table}\n\n{type(error).__name__}: {error}", flush=True)
        return 1
    print(f"{table}\n\n{len(table.steps)} passed, 0 failed", flush=True)
    return 0


def _on_several(table: Table, folder: Path, release: Path, next_release: Path, *, is_long: bool) -> None:
    folder.mkdir()
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
    steps.upgrade_under_load(trial, next_release, following)
    if not is_long:
        steps.roll_back_under_load(trial, version)
        steps.every_promise_is_kept(trial)
        return
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
