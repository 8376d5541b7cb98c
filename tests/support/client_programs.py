"""Programs of others that upload here: how they are run, and how a client is generated and tried."""

import asyncio
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.programs import ROOT, node_module, node_program

PROGRAMS = ROOT / "tests" / "support" / "clients"
TYPESCRIPT = ROOT / "tests" / "node"
RUN_S = 600


async def run(*command: str | Path, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """What the command prints. An AssertionError has what it says if it fails."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(RUN_S):
            out, words = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"{command}: {(out + words).decode()[-4000:]}"
    return out.decode()


async def uploads_and_deletes(url: str, file: Path, *program: str | Path, **environment: str) -> None:
    """The program uploads the file in one request and by tus; its link works, and the program deletes it."""
    for verb in ("upload", "tus"):
        image = json.loads(await run(*program, url, verb, file, environment=environment))
        await is_shared(url, image["slug"], file)
        await run(*program, url, "delete", image["slug"], image["delete_token"], environment=environment)
        assert await status(url, f"/i/{image['slug']}") == 410


async def is_shared(url: str, slug: str, file: Path) -> None:
    """The image's link shows it, and its original is the file."""
    assert await status(url, f"/i/{slug}") == 200
    async with aiohttp.ClientSession(url) as session, session.get(f"/i/{slug}/original") as reply:
        assert hashlib.sha256(await reply.read()).digest() == hashlib.sha256(file.read_bytes()).digest()


async def deletes(url: str, slug: str, token: str) -> None:
    """The token deletes the image."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(url, headers=headers) as session,
        session.delete(f"/api/v1/images/{slug}") as reply,
    ):
        assert reply.status == 204
    assert await status(url, f"/i/{slug}") == 410


async def status(url: str, path: str) -> int:
    async with aiohttp.ClientSession(url) as session, session.get(path) as reply:
        return reply.status


async def by_node(script: str, *arguments: str | Path) -> Any:
    """What a script of tests/node prints at last, which is JSON."""
    return json.loads((await run(node_program(), TYPESCRIPT / script, *arguments)).splitlines()[-1])


async def compiled(program: str, folder: Path) -> tuple[str, Path]:
    """The command that runs a TypeScript program of tests/node, compiled next to the client in `folder`."""
    tsc = node_module("typescript/bin/tsc")
    for name in (program, "tsconfig.json", "package.json"):
        shutil.copy(TYPESCRIPT / name, folder)
    (folder / "node_modules").symlink_to(TYPESCRIPT / "node_modules")
    await run(node_program(), tsc, "-p", folder)
    return node_program(), folder / "out" / program.replace(".ts", ".js")


def installed(name: str) -> Path:
    """The path of a program that a Python package has brought."""
    return Path(sys.executable).with_name(name)
