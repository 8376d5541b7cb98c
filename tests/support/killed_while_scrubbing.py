"""An upload whose server is killed while it removes metadata from the file."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.catalogue_file import edits_are_recorded
from tests.support.server_process import serving
from tests.support.tus_client import UPLOADS, VERSION, patch_from_start
from tests.support.waiting import until


async def upload_through_a_kill(data_dir: Path, data: bytes) -> tuple[dict[str, Any], bytes]:
    """The image and its stored bytes, once a restarted server has finished it."""
    async with serving(data_dir) as served, aiohttp.ClientSession() as session:
        headers = VERSION | {"Upload-Length": str(len(data))}
        async with session.post(served.url + UPLOADS, headers=headers) as reply:
            where = reply.headers["Location"]
        patching = asyncio.create_task(patch_from_start(session, served.url + where, data))
        await until(lambda: edits_are_recorded(served.data_dir), "edits are committed")
        served.kill()
        with contextlib.suppress(aiohttp.ClientError):
            await patching
        await served.start()

        async def state() -> dict[str, Any]:
            async with session.get(served.url + where) as reply:
                return dict(await reply.json())

        async def done() -> bool:
            return bool((await state())["state"] == "done")

        await until(done, "the upload is finished")
        image = (await state())["image"]
        async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
            return image, await reply.read()
