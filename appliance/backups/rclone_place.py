"""Backups in a second place: anything that rclone reaches with a configuration from the sysadmin."""

from pathlib import Path

from appliance.backups.manifest import MANIFEST, is_backup_name
from appliance.backups.places import too_large
from appliance.backups.programs import find_program, run_program, run_program_into
from appliance.domain.errors import CommandFailed

_WRITE_ONLY = ("--no-check-dest", "--s3-no-check-bucket", "--s3-no-head", "--ignore-checksum", "--ignore-size")
"""Keeps rclone from reading a place whose key may only write."""
DIRECTORY_MISSING, FILE_MISSING = 3, 4  # rclone's exit statuses


class RemotePlace:
    """`remote` is in rclone's form: `name:bucket/folder`. rclone compares size and hash after copying.

    With a `write_only` key the place itself compares: S3 accepts no part whose MD5 differs from the declared one.
    """

    def __init__(self, remote: str, config: Path | None, *, write_only: bool = False) -> None:
        self._remote = remote if remote.endswith((":", "/")) else f"{remote}/"
        self._config = config
        self.write_only = write_only

    @property
    def name(self) -> str:
        return f"rclone's {self._remote}"

    async def files(self) -> dict[str, set[str]]:
        listed = await self._run(
            "lsf", "--recursive", "--files-only", "--max-depth", "2", self._remote, missing_status=DIRECTORY_MISSING
        )
        files: dict[str, set[str]] = {}
        for line in (listed or b"").decode(errors="replace").splitlines():
            backup, _, file = line.partition("/")
            if is_backup_name(backup) and file:
                files.setdefault(backup, set()).add(file)
        return files

    async def put(self, backup: str, path: Path) -> None:
        options = _WRITE_ONLY if self.write_only else ()
        await self._run("copyto", *options, str(path), self._at(backup, path.name))

    async def fetch(self, backup: str, file: str, to: Path, *, max_bytes: int) -> None:
        """Bytes are counted here, whatever size the place reports. Not retried: the output would start again."""
        command = self._command("cat", self._at(backup, file), retries=1)
        try:
            fits = await run_program_into(command, self._what, to, max_bytes=max_bytes)
        except OSError as fault:
            raise CommandFailed(f"{to} can't be written to: {fault.strerror}.") from fault
        if not fits:
            raise too_large(self.name, backup, file, max_bytes)

    async def remove(self, backup: str) -> None:
        await self._run("deletefile", self._at(backup, MANIFEST), missing_status=FILE_MISSING)
        await self._run("purge", f"{self._remote}{backup}", missing_status=DIRECTORY_MISSING)

    def _at(self, backup: str, file: str) -> str:
        return f"{self._remote}{backup}/{file}"

    async def _run(self, *arguments: str, missing_status: int | None = None) -> bytes | None:
        return await run_program(self._command(*arguments), self._what, missing_status=missing_status)

    def _command(self, *arguments: str, retries: int = 3) -> list[str]:
        options = ["--quiet", "--contimeout", "15s", "--retries", str(retries)]
        if self._config is not None:
            options += ["--config", str(self._config)]
        return [find_program("rclone", "rclone"), *arguments, *options]

    @property
    def _what(self) -> str:
        return f"{self.name}: rclone"
