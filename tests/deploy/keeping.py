"""What keeps images over the years: backups and their check as the timers start them, and the store's key changed."""

import re
from pathlib import Path

from tests.deploy.machine import Broken, run
from tests.deploy.steps import Trial, metrics, narrow_key
from tests.support.servers import Server, rclone_server

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
KEY = "/etc/appliance/credentials/store_access_key"
KINDS = ("backup", "verify")


def everything(trial: Trial, offsite: Server) -> None:
    take_backups_as_the_role_says(trial, offsite)
    run_the_timers_units(trial)
    rotate_the_stores_key(trial)


def offsite_server(folder: Path) -> Server:
    """The second place, on no disk of the machine's: an S3 of its own."""
    return rclone_server(folder / "offsite")


def take_backups_as_the_role_says(trial: Trial, offsite: Server) -> None:
    """Encrypted, in three places. A second run changes nothing."""
    with trial.table.step("backups encrypted, and to a second place (site.yml --tags backup)") as step:
        identity = trial.machine.sh("age-keygen 2>/dev/null").strip()  # on stderr it tells the public key once more
        public = re.search(r"public key: (age1\S+)", identity)
        assert public, identity
        signing_key = trial.machine.folder / "backup-signing"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "backups", "-f", str(signing_key)])
        remote = {
            "type": "s3",
            "provider": "Other",
            "endpoint": f"http://{offsite.endpoint}",
            "access_key_id": offsite.access_key,
            "secret_access_key": offsite.secret_key,
        }
        trial.ansible.set(
            backup_age_recipients=[public[1]],
            backup_age_identity=f"{identity}\n",
            backup_signing_key=signing_key.read_text(),
            backup_signers=[signing_key.with_suffix(".pub").read_text().strip()],
            backup_remote="offsite:backups/img",
            backup_rclone_config="\n".join(["[offsite]", *(f"{name} = {value}" for name, value in remote.items()), ""]),
        )
        first = trial.ansible.play("site", "--tags", "backup").ok()
        again = trial.ansible.play("site", "--tags", "backup").ok()
        step.note = f"changed={first.changed}, then {again.changed}"
        assert again.changed == 0, again.output[-8000:]


def run_the_timers_units(trial: Trial) -> None:
    """Each timer waits for its time; its unit, started as it would start it, does its work within its sandbox."""
    machine = trial.machine
    for kind in KINDS:
        with (
            trial.table.step(f"the unit of appliance-{kind}.timer, under load") as step,
            trial.load(seed=30) as account,
        ):
            step.under(account)
            timer = f"appliance-{kind}.timer"
            assert trial.is_active(timer)
            assert machine.do("systemctl", "is-enabled", timer).strip() == "enabled"
            assert machine.do("systemctl", "show", "--value", "-p", "NextElapseUSecRealtime", timer).strip()
            assert (
                machine.do("systemctl", "show", "--value", "-p", "Unit", timer).strip() == f"appliance-{kind}.service"
            )
            machine.do("systemctl", "start", f"appliance-{kind}.service", within_s=300)
            step.note = said(trial, f"appliance-{kind}")[-1]
        trial.keep(account)
    shown = metrics()
    assert re.search(r"^appliance_backup_up 1(\.0)?$", shown, re.MULTILINE)
    for name in ("backup_timestamp", "backup_verified_timestamp"):
        assert re.search(rf"^appliance_{name}_seconds [1-9]", shown, re.MULTILINE), name
    assert len(re.findall("^Saved to ", "\n".join(said(trial, "appliance-backup")), re.MULTILINE)) == 3
    assert len(re.findall("matches the live data", "\n".join(said(trial, "appliance-verify")))) == 3


def said(trial: Trial, unit: str) -> list[str]:
    """What the unit's last run wrote."""
    run = trial.machine.do("systemctl", "show", "--value", "-p", "InvocationID", unit).strip()
    text = trial.machine.do("journalctl", "--no-pager", "-o", "cat", f"_SYSTEMD_INVOCATION_ID={run}")
    return text.strip().splitlines()


def rotate_the_stores_key(trial: Trial) -> None:
    """Nobody is refused; the new key is as narrow, and the old one opens nothing."""
    with trial.table.step("rotate-keys.yml under load") as step, trial.load(seed=31) as account:
        step.under(account)
        before = trial.machine.do("cat", KEY).strip()
        trial.ansible.play("rotate-keys").ok()
        after = trial.machine.do("cat", KEY).strip()
        assert before != after
        users = trial.machine.do("/opt/appliance/current/bin/python3", "-c", USERS).split()
        assert after in users
        assert before not in users
        step.note = f"{len(users)} key in the store"
    trial.keep(account)
    narrow_key(trial)


def typed(trial: Trial, command: str, within_s: float = 300) -> str:
    """What a command of docs/operations.md shows. The page must have it as a line; a comment may stand behind it."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    if not any(re.fullmatch(rf" {{4}}{re.escape(command)}( +#.*)?", line) for line in lines):
        raise Broken(f"docs/operations.md does not say: {command}")
    return trial.machine.sh(f"cd /root; {command}", within_s)


USERS = """
import json
from pathlib import Path
from minio.credentials.providers import StaticProvider
from minio.minioadmin import MinioAdmin

root = [(Path("/etc/minio/credentials") / name).read_text().strip() for name in ("root_user", "root_password")]
admin = MinioAdmin(endpoint="127.0.0.1:9000", credentials=StaticProvider(*root), secure=False)
print(*json.loads(admin.user_list()))
"""
