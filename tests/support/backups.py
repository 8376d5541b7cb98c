"""What the tests of backups share: hosts with places for them, keys of age, and what a directory holds."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.support.images import pictures
from tests.support.programs import rclone_program, require
from tests.support.server_process import ServerProcess, serving
from tests.support.uploaders import upload


@dataclass(frozen=True)
class Key:
    """A pair of age: what encrypts, and the file that opens."""

    recipient: str
    identity: Path


def age_key(path: Path) -> Key:
    """A fresh one; without age the test is skipped or fails (see `require`)."""
    program = shutil.which("age-keygen")
    if program is None or shutil.which("age") is None:
        require("age", "install Debian's package of that name")
    subprocess.run(["age-keygen", "-o", str(path)], check=True, capture_output=True)
    recipient = subprocess.run(["age-keygen", "-y", str(path)], check=True, capture_output=True, text=True)
    return Key(recipient.stdout.strip(), path)


def second_place(folder: Path) -> dict[str, str]:
    """Settings for a second place that rclone reaches: a remote of its own configuration, on this disk."""
    rclone_program()
    folder.mkdir(parents=True)
    config = folder / "rclone.conf"
    config.write_text(f"[offsite]\ntype = alias\nremote = {folder / 'bucket'}\n")
    return {"APPLIANCE_BACKUP_REMOTE": "offsite:appliance", "APPLIANCE_BACKUP_RCLONE_CONFIG": str(config)}


def backups_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def environment_for(data_dir: Path, of: dict[str, str], **changed: str) -> dict[str, str]:
    """The same settings for another data directory."""
    return of | {"APPLIANCE_DATA_DIR": str(data_dir)} | changed


def without(name: str) -> str:
    """A PATH on which a program is not found."""
    folders = [folder for folder in os.environ["PATH"].split(":") if not (Path(folder) / name).exists()]
    return ":".join(folders) or "/nonexistent"


def on_a_new_machine(served: ServerProcess, data_dir: Path, **changed: str) -> ServerProcess:
    """The same settings and an empty data directory."""
    fresh = ServerProcess(
        data_dir, **{name: value for name, value in served.environment.items() if name.startswith("APPL")}
    )
    fresh.environment = environment_for(data_dir, fresh.environment, **changed)
    fresh.environment["APPLIANCE_SERVER_LISTEN"] = f"127.0.0.1:{fresh.port}"
    return fresh


def signing_key(path: Path) -> str:
    """Makes a private key; its public one."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "backups", "-f", str(path)], check=True)
    return path.with_suffix(".pub").read_text().strip()


async def backed_up(tmp_path: Path, **settings: str) -> tuple[ServerProcess, Path]:
    """A stopped host with one image, and its backup in a folder."""
    places = tmp_path / "backups"
    places.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(places), "APPLIANCE_BACKUP_IN_STORE": "false"} | settings
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        await upload(session, served.url, pictures.photo(seed=1))
        done = served.command("backup")
        assert done.returncode == 0, done.stderr
    [name] = backups_in(places)
    return served, places / name
