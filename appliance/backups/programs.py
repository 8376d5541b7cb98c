"""Programs that backups need beside us: found, run, and their faults put in words."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

from appliance.errors import CommandFailed

MOST_SAID_CHARS = 600


def found(program: str, package: str) -> str:
    """The program's path: beside our own Python, where a wheel puts it, or on the PATH. Raises CommandFailed."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    program_path = shutil.which(program, path=path)
    if program_path is None:
        raise CommandFailed(f"The program {program} is missing. On Debian: apt-get install {package}")
    return program_path


def environment() -> dict[str, str]:
    """Ours without our own settings, among which are the store's keys."""
    return {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}


async def run(
    arguments: list[str], what: str, *, missing_status: int | None = None, given: Path | None = None
) -> bytes | None:
    """What the program prints, `given` being its standard input; None when it ends with `missing_status`.

    Raises CommandFailed with the program's own words.
    """
    with (given or Path(os.devnull)).open("rb") as standard_input:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=environment(),
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
    words = said.decode(errors="replace").strip()[-MOST_SAID_CHARS:]
    raise CommandFailed(f"{what} failed: {words or f'exit status {process.returncode}'}")
