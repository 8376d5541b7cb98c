"""Programs that upload by Chevereto's API, as people install them. They delete nothing, but show the link for it."""

import json
from pathlib import Path

import pytest

from tests.support.client_programs import by_node, deletes, installed, is_shared, run, status
from tests.support.programs import node_module, require

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def is_shared_and_deleted(url: str, delete_url: str, file: Path) -> None:
    """The image behind a `delete_url` is the file, and the token in it deletes it."""
    link, _, token = delete_url.partition("#")
    slug = link.rpartition("/")[2]
    await is_shared(url, slug, file)
    await deletes(url, slug, token)


async def test_imgbb_uploader(url: str, cat: Path, tmp_path: Path) -> None:
    node_module("imgbb-uploader")
    told = await by_node("chevereto.mjs", "imgbb-uploader", url, cat, tmp_path)
    await is_shared_and_deleted(url, told["image"]["delete_url"], cat)


async def test_picgo(url: str, cat: Path, tmp_path: Path) -> None:
    node_module("picgo")
    [told] = await by_node("chevereto.mjs", "picgo", url, cat, tmp_path)
    await is_shared_and_deleted(url, told["imgUrl"], cat)


async def test_chupo(url: str, cat: Path, tmp_path: Path) -> None:
    chupo = installed("chupo")
    if not chupo.exists():
        require("chupo", "run `make test`, which installs it")
    command = (chupo, cat, "--base-url", url, "--key", "any", "--format")
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    address = await run(*command, "txt", environment=home)
    assert await status(url, address.strip().removeprefix(url)) == 200
    told = json.loads(await run(*command, "json", environment=home))
    await is_shared_and_deleted(url, told["image"]["delete_url"], cat)
