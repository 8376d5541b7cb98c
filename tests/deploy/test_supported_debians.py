"""The supported Debians: installed by the README's commands on a bare one, the unit tests pass with its Python.

Each Debian is made once by debootstrap and kept in build/debian. The tests run in an overlay over it, in mount and
process namespaces that end with them, and use this machine's network and its settings for pip and npm.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.machine import run
from tests.deploy.releases import LEFT_OUT
from tests.support.programs import ROOT, require

PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
PACKAGES = "python3,python3-venv,make,ca-certificates"
"""What the README tells people to install, and the certificates that a bare Debian lacks."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PASSED_ON = ("PIP_", "NPM_", "npm_", "SSL_", "REQUESTS_", "NODE_EXTRA_", "HTTP_", "HTTPS_", "http_", "https_")
MAKE_S, RUN_S = 1800, 3600
SCRIPT = """
mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
mount -t proc proc "$WORK/root/proc"
mount --rbind /dev "$WORK/root/dev"
mount -t tmpfs tmpfs "$WORK/root/tmp"
exec nice chroot "$WORK/root" sh -c 'cd /root/appliance && python3 --version && make test ARGS="-q tests/unit"'
"""


def bare_debian(suite: str) -> Path:
    """A Debian with nothing but what the README asks for, made where it is missing."""
    base = ROOT / "build" / "debian" / f"bare-{suite}"
    mark = base / "etc" / "packages-of-the-test"
    if not mark.exists():
        shutil.rmtree(base, ignore_errors=True)
        base.parent.mkdir(parents=True, exist_ok=True)
        run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(base)], within_s=MAKE_S)
        mark.write_text(PACKAGES)
    return base


def settings_for_the_network(root: Path) -> dict[str, str]:
    """Give the Debian this machine's way to its package registries; the environment that goes with it."""
    for path in (Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/pip.conf"), CERTIFICATES):
        if path.exists():
            (root / path.parent.relative_to("/")).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path.relative_to("/"))
    if (npm := Path.home() / ".npmrc").exists():
        shutil.copy(npm, root / "root" / ".npmrc")
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    return passed_on | {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@pytest.mark.long
@pytest.mark.parametrize("suite", PYTHONS)
def test_a_bare_debian_installs_and_passes_the_unit_tests(suite: str, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        require("root", "it makes a Debian, and mounts")
    if shutil.which("debootstrap") is None:
        require("debootstrap", "it makes a Debian; Debian has a package of that name")
    for name in ("upper", "work", "root"):
        (tmp_path / name).mkdir()
    environment = {"BASE": str(bare_debian(suite)), "WORK": str(tmp_path)}
    (tmp_path / "upper" / "root").mkdir()
    shutil.copytree(ROOT, tmp_path / "upper" / "root" / "appliance", ignore=LEFT_OUT, symlinks=True)
    environment |= settings_for_the_network(tmp_path / "upper")
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-ec", SCRIPT],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"Python {PYTHONS[suite]}." in done.stdout
