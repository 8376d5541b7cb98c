"""`python -m tests.deploy [--long] [--keep]`: runs the steps on a machine of its own, and prints the table.

Everything happens in mount and network namespaces that end with it, so that nothing is left on this machine.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.deploy import breaking, cage, keeping, losing, steps
from tests.deploy.ansible import BIN, Ansible
from tests.deploy.hand import install_by_hand
from tests.deploy.machine import Machine, build_base, missing, run
from tests.deploy.releases import built, own_version
from tests.deploy.table import Table
from tests.support.programs import ROOT, find_minio

INSIDE = "--inside"
NAMESPACES = ["unshare", "--mount", "--net", "--propagation", "private"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.deploy", description=__doc__)
    parser.add_argument("--long", action="store_true", help="break what can be broken, too")
    parser.add_argument("--keep", action="store_true", help="keep the folder with all logs")
    parser.add_argument(INSIDE, type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.inside is not None:
        return _inside(said.inside, is_long=said.long)
    lacking = missing()
    if lacking is not None:
        return _skipped(lacking)
    return _outside(keep=said.keep)


def _skipped(reason: str) -> int:
    must = os.environ.get("REQUIRE_ALL") == "1" or "CI" in os.environ
    print(f"{'failed' if must else 'skipped'}: deploy-test ({reason})", file=sys.stderr)
    return 1 if must else 0


def _outside(*, keep: bool) -> int:
    """Makes what needs a network, then goes on in namespaces that have none."""
    table = Table()
    folder = Path(tempfile.mkdtemp(prefix="deploy-", dir=_made(ROOT / "build")))
    try:
        with table.step("Debian, made or found in build/"):
            build_base()
        print(f"{table}\n", flush=True)
        arguments = [sys.executable, "-m", "tests.deploy", *sys.argv[1:], INSIDE, str(folder)]
        return os.spawnvp(os.P_WAIT, NAMESPACES[0], [*NAMESPACES, *arguments])
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _inside(folder: Path, *, is_long: bool) -> int:
    run(["ip", "link", "set", "lo", "up"])
    run(["umount", "-R", "/sys/fs/cgroup"])
    run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"])
    table = Table()
    machine = Machine(folder)
    try:
        _run_all(table, machine, is_long=is_long)
    except Exception as error:
        print(f"{table}\n\n{type(error).__name__}: {error}", flush=True)
        steps.last_words(machine)
        return 1
    finally:
        machine.stop()
    print(f"{table}\n\n{len(table.steps)} passed, 0 failed", flush=True)
    return 0


def _run_all(table: Table, machine: Machine, *, is_long: bool) -> None:
    version, following = own_version(), f"{own_version()}.1"
    minio = find_minio()
    assert minio, "make minio"
    with table.step("releases: this one and the next"):
        release = ROOT / "dist" / f"appliance-{version}.tar.gz"
        next_release = built(following, machine.folder)
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
