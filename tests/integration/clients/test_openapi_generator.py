"""Clients that openapi-generator makes of the contract, in three languages."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.client_programs import PROGRAMS, compiled, run, uploads_and_deletes
from tests.support.programs import go_program, openapi_generator_program

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]
OPEN = "disallowAdditionalPropertiesIfNotPresent=false"  # new fields are no error


async def generate(language: str, contract: Path, folder: Path, *options: str) -> None:
    command = (openapi_generator_program(), "generate", "-g", language, "-i", contract, "-o", folder)
    await run(*command, *options)


async def test_the_python_client_uploads_and_deletes(url: str, contract: Path, cat: Path, tmp_path: Path) -> None:
    await generate("python", contract, tmp_path, "--package-name", "image_host", f"--additional-properties={OPEN}")
    program = PROGRAMS / "with_openapi_generator.py"
    await uploads_and_deletes(url, cat, sys.executable, program, PYTHONPATH=str(tmp_path))


async def test_the_go_client_uploads_and_deletes(url: str, contract: Path, cat: Path, tmp_path: Path) -> None:
    go, client = go_program(), tmp_path / "client"
    place = ("--git-host", "example.org", "--git-user-id", "image", "--git-repo-id", "host")
    await generate("go", contract, client, "--package-name=imagehost", f"--additional-properties={OPEN}", *place)
    shutil.copytree(PROGRAMS / "go", client / "program")
    await run(go, "build", "-o", tmp_path / "program", "./program", cwd=client)
    await uploads_and_deletes(url, cat, tmp_path / "program")


async def test_the_typescript_client_uploads_and_deletes(url: str, contract: Path, cat: Path, tmp_path: Path) -> None:
    options = f"--additional-properties={OPEN},importFileExtension=.js"
    await generate("typescript-fetch", contract, tmp_path / "client", options)
    await uploads_and_deletes(url, cat, *await compiled("with-openapi-generator.ts", tmp_path))
