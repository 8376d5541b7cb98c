"""Clients that generators make of the contract, and what its checkers find in it."""

import sys
from pathlib import Path

import pytest

from tests.support.client_programs import PROGRAMS, by_node, compiled, installed, run, uploads_and_deletes
from tests.support.programs import node_module, node_program

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_client_of_openapi_python_client_uploads_and_deletes(
    url: str, contract: Path, cat: Path, tmp_path: Path
) -> None:
    client, settings = tmp_path / "image_host", PROGRAMS / "openapi_python_client.json"
    generator = (installed("openapi-python-client"), "generate", "--meta", "none", "--config", settings)
    await run(*generator, "--path", contract, "--output-path", client)
    program = PROGRAMS / "with_openapi_python_client.py"
    await uploads_and_deletes(url, cat, sys.executable, program, PYTHONPATH=str(tmp_path))


async def test_openapi_fetch_uploads_and_deletes_with_the_types_of_openapi_typescript(
    url: str, contract: Path, cat: Path, tmp_path: Path
) -> None:
    generator = node_module("openapi-typescript/bin/cli.js")
    await run(node_program(), generator, contract, "-o", tmp_path / "contract.ts")
    await uploads_and_deletes(url, cat, *await compiled("with-openapi-fetch.ts", tmp_path))


async def test_redocly_and_spectral_find_nothing(contract: Path) -> None:
    node_module("@redocly/openapi-core")
    assert await by_node("lint.mjs", contract) == []
