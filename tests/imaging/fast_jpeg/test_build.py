"""How `make` builds the extension, with a compiler and libjpeg's header or without, and which one a wheel gets."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from appliance.imaging.fast_jpeg.extension import LIBRARY
from appliance.imaging.fast_jpeg.wheel import WithExtension
from tests.support.programs import ROOT

TARGET = LIBRARY.relative_to(ROOT)
COMPILER = """#!/bin/sh
for word in "$@"; do
    case $word in
    -E) [ "$(wc -l)" -eq 2 ]; exit ;;
    -o) is_next=1 ;;
    *) [ -z "$is_next" ] || {made}; is_next= ;;
    esac
done
"""
"""Stands in for one: it preprocesses two lines, and compiles in its own way."""
SHELLS = [shell for shell in ("/bin/dash", "/bin/bash") if Path(shell).exists()]


def compiler(folder: Path, made: str) -> Path:
    program = folder / "compiler"
    program.write_text(COMPILER.replace("{made}", made))
    program.chmod(0o755)
    return program


def make(folder: Path, shell: str, cc: Path) -> str:
    """What `make` says in a folder with the Makefile and the extension's sources; it succeeds."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / TARGET.parent / "native").mkdir(parents=True)
    (folder / TARGET.parent / "native/fast_jpeg.c").touch()
    for name in ("ansible", "systemd", "web/src", "web/styles"):
        (folder / name).mkdir(parents=True)
    command = ["make", "--no-print-directory", f"SHELL={shell}", f"CC={cc}", str(TARGET)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=folder, env=plain, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_any_shell_finds_the_header(tmp_path: Path, shell: str) -> None:
    assert make(tmp_path, shell, compiler(tmp_path, 'echo made >"$word"')) == ""
    assert (tmp_path / TARGET).read_text() == "made\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("is_there", [True, False])
def test_without_the_extension_make_succeeds_and_says_so_in_a_line(tmp_path: Path, shell: str, is_there: bool) -> None:
    said = make(tmp_path, shell, compiler(tmp_path, "exit 1") if is_there else tmp_path / "missing")
    assert said.startswith("JPEGs are resized by libvips alone: ")
    assert said.count("\n") == 1
    assert ("can't compile" in said) is is_there
    assert not (tmp_path / TARGET).exists()


def wheel_for(machine: str, root: Path, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    patch.setenv("MACHINE", machine)
    build: dict[str, Any] = {"force_include": {}}
    WithExtension(str(root), {}, None, None, "", "wheel").initialize("standard", build)  # type: ignore[arg-type]
    return build


def test_a_wheel_has_the_extension_for_its_own_kind_of_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, other = tmp_path / TARGET, tmp_path / "cross-compiled.so"
    here.parent.mkdir(parents=True)
    for machine, library in ((platform.machine(), here), ("of-a-vax", other)):
        library.touch()
        monkeypatch.setenv("CROSS_COMPILED", str(other))
        built = wheel_for(machine, tmp_path, monkeypatch)
        assert built["force_include"] == {str(library): str(TARGET)}
        assert built["tag"] == f"py3-none-linux_{machine}"


def test_without_a_cross_compiler_a_wheel_for_another_kind_has_no_extension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROSS_COMPILED", raising=False)
    assert wheel_for("of-a-vax", tmp_path, monkeypatch) == {"force_include": {}}
