"""A Debian of its own to install on: a container with real systemd, booted without Docker (root, systemd-nspawn).

It has filesystems of its own for the data directory and for each of the store's drives, and shares the network
namespace of the test, which has nothing but loopback: tests, load and Ansible reach it at 127.0.0.1, nobody else does.
Several machines have namespaces and addresses of their own (see `network`).
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.programs import ROOT

SUITE = os.environ.get("DEPLOY_SUITE", "bookworm")  # or trixie
BASE = ROOT / "build" / "debian" / SUITE
DATABASE_BASE = ROOT / "build" / "debian" / f"{SUITE}-database"
CGROUPS = Path("/sys/fs/cgroup")
PACKAGES = (
    "age", "ca-certificates", "curl", "dbus", "e2fsprogs", "iproute2", "kmod", "nftables", "openssh-server", "procps",
    "python3", "python3-venv", "rclone", "systemd", "systemd-sysv",
)  # fmt: skip
DATABASE_PACKAGES = (*PACKAGES, "openssl", "postgresql")
NEEDED = ("debootstrap", "systemd-nspawn", "ssh", "ssh-keygen", "unshare", "nsenter", "mkfs.ext4", "ip", "openssl")
SSH_PORT = 22
OWN_SPACE = Path(f"/proc/{os.getpid()}/ns/net")
BOOT_S = 180.0
REBOOTS = 133  # systemd-nspawn's status when the machine wants to be started again
CALLS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "bpf")
"""Which nspawn keeps from it: for the workers' cage, and for IPAddressDeny=, which is no filter without."""
DRIVES = 4
DRIVE_MB = 4000  # sparse; on a slow machine the load goes on for long
DATA_MB = 6000  # sparse; more than the reserve that a server without settings keeps


class Broken(Exception):
    """The machine did not do what it was told; the words say what it said."""


def missing() -> str | None:
    """What this machine lacks to boot a container, in words; None when it has everything."""
    if os.geteuid() != 0:
        return "root is needed to boot a container"
    lacking = ", ".join(name for name in NEEDED if shutil.which(name) is None)
    packages = "debootstrap, systemd-container, openssh-client, openssl, iproute2, e2fsprogs"
    return f"{lacking} is missing (Debian: {packages})" if lacking else None


def build_base(base: Path, packages: Sequence[str]) -> None:
    """The Debian that machines start from, made once and kept, with all packages: machines reach no mirror."""
    wanted = "\n".join(packages)
    mark = base / "etc" / "packages-of-the-test"
    if mark.exists() and mark.read_text() == wanted:
        return
    shutil.rmtree(base, ignore_errors=True)
    base.parent.mkdir(parents=True, exist_ok=True)
    run(["debootstrap", "--variant=minbase", f"--include={','.join(packages)}", SUITE, str(base)], within_s=1800)
    shutil.rmtree(base / "var" / "cache" / "apt" / "archives", ignore_errors=True)
    mark.write_text(wanted)


def run(command: list[str], within_s: float = 120, **options: object) -> str:
    """What a command of this machine prints. Raises Broken with its last lines when it fails."""
    done = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=within_s, **options
    )  # type: ignore[call-overload]
    if done.returncode != 0:
        raise Broken(f"{' '.join(command[:4])}… ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return str(done.stdout)


class Machine:
    """One container over an overlay of the base. Call it inside namespaces of one's own (see `__main__`).

    `drives` is the folder of a machine that was destroyed, whose drives this one gets.
    """

    def __init__(
        self,
        folder: Path,
        drives: Path | None = None,
        *,
        name: str = "img",
        base: Path = BASE,
        space: Path = OWN_SPACE,
    ) -> None:
        self.name = name
        self.base = base
        self.space = space
        self.folder = folder
        self.drives = drives or folder
        self.root = folder / "root"
        self.key = folder / "ssh-key"
        self.console = folder / "console.log"
        self._cgroup = CGROUPS / f"deploy-test-{os.getpid()}-{name}"
        self._nspawn: subprocess.Popen[bytes] | None = None

    def boot(self) -> None:
        """Returns when it has started and ssh answers."""
        self._mount()
        self._let_ssh_in()
        self._cgroup.mkdir()
        self._start()

    def _start(self) -> None:
        command = [
            "systemd-nspawn", f"--directory={self.root}", f"--machine=trial-{os.getpid()}-{self.name}", "--boot",
            "--register=no", "--keep-unit", f"--network-namespace-path={self.space}", "--capability=CAP_NET_ADMIN",
            f"--system-call-filter={' '.join(CALLS)}", "--link-journal=no", "--console=pipe",
            f"--hostname={self.name}",
            *self._binds(),
        ]  # fmt: skip
        entering = f'echo $$ >{self._cgroup}/cgroup.procs; exec "$@"'
        with self.console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["sh", "-c", entering, "sh", *command], stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        self._await_boot()

    def _await_boot(self) -> None:
        until = time.monotonic() + BOOT_S
        while time.monotonic() < until:
            if self.leader and self.try_("systemctl", "is-system-running", "--wait") in ("running", "degraded"):
                return
            time.sleep(0.2)
        raise Broken(f"the machine did not boot within {BOOT_S:g} s:\n{self.console.read_text()[-3000:]}")

    @property
    def is_up(self) -> bool:
        return self._nspawn is not None and self.leader != 0

    @property
    def leader(self) -> int:
        """The pid of its systemd as this machine sees it; 0 while there is none."""
        assert self._nspawn is not None
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        pids = children.read_text().split() if children.exists() else []
        return int(pids[0]) if pids else 0

    def do(self, *command: str, within_s: float = 120) -> str:
        """What a command prints inside. Raises Broken."""
        return run(self._inside(command), within_s)

    def try_(self, *command: str) -> str:
        """The same, whether it fails or not."""
        done = subprocess.run(self._inside(command), check=False, capture_output=True, text=True, timeout=120)
        return done.stdout.strip()

    def sh(self, script: str, within_s: float = 120) -> str:
        return self.do("sh", "-ec", script, within_s=within_s)

    def main_pid(self, unit: str) -> int:
        """A service's main process, as the machine itself numbers it."""
        return int(self.do("systemctl", "show", "--value", "-p", "MainPID", unit))

    def reboot(self) -> None:
        """As its own systemd does it, with all services stopped in order; the container's manager starts it again."""
        assert self._nspawn is not None
        self.try_("systemctl", "reboot")
        status = self._nspawn.wait(120)
        if status != REBOOTS:
            raise Broken(f"the machine did not ask to be started again, but ended with {status}")
        self._start()

    def stop(self) -> None:
        """Nothing of it is left running, however it stands with it."""
        if self._nspawn is None:
            return
        self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            (self._cgroup / "cgroup.kill").write_text("1")
            self._nspawn.wait(20)
        self._wait_for_the_last_process()
        for group in sorted(self._cgroup.rglob("*/"), reverse=True):
            group.rmdir()
        self._cgroup.rmdir()
        self._nspawn = None

    def _wait_for_the_last_process(self) -> None:
        """Killed at once is not gone at once, and the kernel keeps groups that are not empty."""
        until = time.monotonic() + BOOT_S
        while "populated 1" in (self._cgroup / "cgroup.events").read_text():
            if time.monotonic() > until:
                raise Broken("processes of the machine are still there")
            time.sleep(0.1)

    def lose_power(self) -> None:
        """Everything ends at once; what is on its disks stays."""
        assert self._nspawn is not None
        (self._cgroup / "cgroup.kill").write_text("1")
        self._nspawn.wait(20)
        self.stop()

    def boot_again(self) -> None:
        """After the power was lost."""
        self._cgroup.mkdir()
        self._start()

    def destroy(self) -> None:
        """The power goes, and then all that it had, but for the store's drives."""
        self.lose_power()
        for name in ("root", "data"):
            run(["umount", str(self.folder / name)])
        (self.folder / "data.img").unlink()
        shutil.rmtree(self.folder / "upper")

    def _inside(self, command: tuple[str, ...]) -> list[str]:
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return ["nsenter", f"--target={self.leader}", "--all", "env", "-i", path, "LANG=C.UTF-8", *command]

    def _mount(self) -> None:
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        layers = f"lowerdir={self.base},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        run(["mount", "-t", "overlay", "overlay", "-o", layers, str(self.root)])
        sizes = {"data": DATA_MB}
        if self.drives == self.folder:
            sizes |= {f"disk{number}": DRIVE_MB for number in range(1, DRIVES + 1)}
        for name, megabytes in sizes.items():
            image, mounted = self.folder / f"{name}.img", self.folder / name
            mounted.mkdir()
            with image.open("wb") as file:
                file.truncate(megabytes * 1_000_000)
            run(["mkfs.ext4", "-q", "-m", "0", str(image)])
            run(["mount", "-o", "loop", str(image), str(mounted)])

    def _binds(self) -> list[str]:
        drives = [f"--bind={self.drives}/disk{number}:/srv/minio/disk{number}" for number in range(1, DRIVES + 1)]
        return [*drives, f"--bind={self.folder}/data:/var/lib/appliance"]

    def _let_ssh_in(self) -> None:
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)])
        keys = self.root / "root" / ".ssh"
        keys.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), keys / "authorized_keys")
