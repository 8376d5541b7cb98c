"""A machine that is lost with all that it had, but for the store's drives; and another one in its place."""

import asyncio
import hashlib
from pathlib import Path

from tests.deploy.keeping import typed
from tests.deploy.load import URL, session
from tests.deploy.steps import Trial, every_promise_is_kept, last_words, upload_through_the_front
from tests.support.images import pictures

RESTORED = "catalogue.sqlite has"


def lose_the_machine(trial: Trial) -> None:
    """Back up, destroy, install and restore on a second machine, and compare every image."""
    back_up_while_the_store_is_away(trial)
    with trial.table.step("destroy the machine: power, data directory, system"):
        trial.machine.destroy()
    second = trial.elsewhere("second")
    try:
        install_again(second)
        restore(second)
        every_promise_is_kept(second)
        upload_through_the_front(second)
    except Exception:
        last_words(second.machine)
        raise
    finally:
        second.machine.stop()


def install_again(trial: Trial) -> None:
    with trial.table.step("install on a second machine, with the store's drives"):
        trial.machine.boot()
        trial.ansible.play("site").ok()
        trial.trust()


def back_up_while_the_store_is_away(trial: Trial) -> None:
    """What the store never got is in the backup, and nowhere else once the machine is gone."""
    with trial.table.step("back up, with the store away") as step:
        with trial.load(seed=40) as account:
            pass
        trial.keep(account)
        trial.machine.sh("appliance drain && appliance undrain", within_s=120)
        trial.machine.do("systemctl", "stop", "minio")
        only_here = asyncio.run(_uploaded(trial.authority, 2))
        trial.promises |= only_here
        output = trial.machine.sh("appliance backup || echo status $?", within_s=300)  # the store's own place fails
        assert "2 originals that aren't in the store yet" in output, output
        assert "Saved to rclone's offsite:backups/img" in output, output
        assert "status 1" in output, output
        step.note = f"{len(trial.promises)} images, {len(only_here)} of them nowhere but in the backup"


def restore(trial: Trial) -> None:
    with trial.table.step("restore, as docs/operations.md says") as step:
        typed(trial, "systemctl stop appliance.socket appliance")
        typed(trial, "mv /var/lib/appliance/catalogue.sqlite* /root/")
        output = typed(trial, "appliance restore", within_s=600)
        assert "2 originals restored" in output, output
        assert RESTORED in output, output
        typed(trial, "systemctl start appliance.socket appliance")
        trial.machine.sh("until appliance status | grep -q '\"ready\": true'; do sleep 0.3; done", within_s=60)
        step.note = next(line for line in output.splitlines() if RESTORED in line)


async def _uploaded(authority: Path, count: int) -> dict[str, str]:
    made = {}
    async with session(authority) as client:
        for number in range(count):
            data = pictures.photo(seed=4000 + number)
            async with client.post(f"{URL}/api/v1/images?filename=late.jpg", data=data) as reply:
                image = await reply.json()
                assert reply.status == 201, image
                made[image["slug"]] = hashlib.sha256(data).hexdigest()
    return made
