"""Programs made of the extension's sources, where wanted with sanitizers, which end a program at its first fault."""

import shutil
import subprocess
from pathlib import Path

from tests.support.programs import ROOT, require

NATIVE = ROOT / "appliance/imaging/fast_jpeg/native"
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def compiled(program: Path, *sources_and_options: str | Path, compiler: str = "gcc") -> Path:
    """Make the program, and return its path."""
    command = [compiler, "-std=gnu11", f"-I{NATIVE}", "-o", program, *sources_and_options, "-ldl", "-lm"]
    subprocess.run(command, check=True)
    return program


def sanitizer() -> Path:
    """The library of AddressSanitizer; without it the test is skipped or fails (see `require`)."""
    found = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    library = Path(found.stdout.strip())
    if not library.is_absolute():  # gcc prints the bare name of what it hasn't got
        require("AddressSanitizer", "it comes with gcc")
    return library


def native_sources(without: frozenset[str] = frozenset()) -> list[Path]:
    return [path for path in sorted(NATIVE.glob("*.c")) if path.name not in without]


def require_aarch64() -> None:
    """The compiler and the emulator for that processor; without them the test is skipped or fails (see `require`)."""
    for program, package in {"aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"}.items():
        if shutil.which(program) is None:
            require(program, f"Debian package {package}")
