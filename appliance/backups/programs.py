"""The programs that backups need: finds them, runs them, and reports their errors."""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from appliance.domain.errors import CommandFailed

MAX_MESSAGE_CHARS = 600
_BLOCK_BYTES = 1 << 18


def find_program(program: str, package: str) -> str:
    """The program's path: next to our own Python, where a wheel installs it, or on the PATH. Raises CommandFailed."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    program_path = shutil.which(program, path=path)
    if program_path is None:
        raise CommandFailed(f"The program {program} is missing. On Debian: apt-get install {package}")
    return program_path


def program_environment() -> dict[str, str]:
    """Our environment without our own settings, which include the store's keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}


async def run_program(
    arguments: list[str], what: str, *, missing_status: int | None = None, given: Path | None = None
) -> bytes | None:
    """Run a program with `given` as its standard input. Returns its output, or None if it ends with `missing_status`.

    Raises CommandFailed with the program's own message; `what` says what it was for.
    """
    with (given or Path(os.devnull)).open("rb") as standard_input:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=program_environment(),
            stdin=standard_input,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    try:
        printed, said = await process.communicate()
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode == 0:
        return printed
    if missing_status is not None and process.returncode == missing_status:
        return None
    raise _failure(what, said, process.returncode)


async def run_program_into(arguments: list[str], what: str, to: Path, *, max_bytes: int) -> bool:
    """Write what the program prints to `to`. False, with nothing left there, if it prints more than `max_bytes`.

    Raises CommandFailed with the program's own message; OSError if `to` can't be written.
    """
    with tempfile.TemporaryFile() as complaints:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=program_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
        )
        fits = False
        try:
            fits = await _save_output(process, to, max_bytes)
        finally:
            if not fits:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.communicate()
        complaints.seek(0)
        said = complaints.read()
    if fits and process.returncode:
        raise _failure(what, said, process.returncode)
    return fits


async def _save_output(process: asyncio.subprocess.Process, to: Path, max_bytes: int) -> bool:
    left = max_bytes
    with to.open("wb") as file:
        while process.stdout and (block := await process.stdout.read(_BLOCK_BYTES)):
            left -= len(block)
            if left < 0:
                to.unlink()
                return False
            await asyncio.to_thread(file.write, block)
    return True


def _failure(what: str, said: bytes, status: int | None) -> CommandFailed:
    words = said.decode(errors="replace").strip()[-MAX_MESSAGE_CHARS:]
    return CommandFailed(f"{what} failed: {words or f'exit status {status}'}")
