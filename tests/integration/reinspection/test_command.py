"""The command itself: alone over a stopped server's data, and by the running server."""

import sqlite3
from pathlib import Path

import aiohttp

from tests.support.images import private_pictures
from tests.support.images.private_pictures import secrets_in
from tests.support.images_api import post
from tests.support.server_process import serving
from tests.support.stored_before import OLD_RULES
from tests.support.waiting import until


async def test_it_runs_alone_and_by_the_running_server(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        image = await post(session, served, private_pictures.jpeg(), "photo.jpg", keep_metadata="true")
        await until(lambda: not any((served.data_dir / "spool/landed").iterdir()), "it is in the store")
        await served.stop()
        with sqlite3.connect(served.data_dir / "catalogue.sqlite") as rows:
            values = OLD_RULES | {"frames": 7}
            rows.execute(f"UPDATE images SET {', '.join(f'{name} = :{name}' for name in values)}", values)
        rows.close()

        planned = served.command("reinspect", "--dry-run", "--clean")
        assert planned.returncode == 0, planned.stderr
        assert planned.stdout.splitlines() == [
            f"{image['slug']}: frames 7 -> 1, metadata is removed from the original",
            "Looked at 1 image.",
            "        1 would change",
            "        1 have metadata that would be removed",
            "Nothing was changed, because this was a dry run.",
        ]
        alone = served.command("reinspect")
        assert "        1 changed" in alone.stdout.splitlines(), alone.stderr

        await served.start()
        by_server = served.command("reinspect", "--clean")
        assert by_server.returncode == 0, by_server.stderr
        assert "        1 had metadata that was removed" in by_server.stdout.splitlines()
        async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
            assert secrets_in(await reply.read()) == []
        shown, status = served.on_terminal("reinspect", "--clean")
        assert status == 0
        assert "1/1" in shown, "there is no progress bar"
        assert "Nothing had to be changed." in shown
        assert await served.stop() == 0
