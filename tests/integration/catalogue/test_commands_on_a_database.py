"""The commands for a whole host, with the real server as a process and its catalogue in PostgreSQL."""

import json
from pathlib import Path

import aiohttp

from tests.support.full_catalogue import asked
from tests.support.images import private_pictures
from tests.support.images.private_pictures import secrets_in
from tests.support.images_api import post
from tests.support.server_process import serving
from tests.support.stored_before import OLD_RULES
from tests.support.waiting import until


async def test_commands_work_alone_and_by_the_running_server(tmp_path: Path, url: str) -> None:
    async with (
        serving(tmp_path / "data", APPLIANCE_CATALOGUE_URL=url) as served,
        aiohttp.ClientSession() as session,
    ):
        image = await post(session, served, private_pictures.jpeg(), "photo.jpg", keep_metadata="true")
        await until(lambda: not any((served.data_dir / "spool/landed").iterdir()), "it is in the store")
        await served.stop()
        values = ", ".join(f"{name} = '{value}'" for name, value in OLD_RULES.items())
        asked(url, f"UPDATE images SET frames = 7, {values}")

        planned = served.command("reinspect", "--dry-run", "--clean")
        assert planned.returncode == 0, planned.stderr
        assert planned.stdout.splitlines()[:3] == [
            f"{image['slug']}: frames 7 -> 1, metadata is removed from the original",
            "Looked at 1 image.",
            "        1 would change",
        ]
        alone = served.command("reinspect")
        assert "        1 changed" in alone.stdout.splitlines(), alone.stderr
        assert served.command("status").returncode == 1

        await served.start()
        shown, exit_status = served.on_terminal("reinspect", "--clean")
        assert exit_status == 0
        assert "1/1" in shown, "there is no progress bar"
        assert "1 had metadata that was removed" in shown
        async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
            assert secrets_in(await reply.read()) == []

        status = served.command("status")
        assert status.returncode == 0, status.stderr
        assert json.loads(status.stdout)["ready"] is True
        assert served.command("drain").returncode == 0
        assert json.loads(served.command("status").stdout)["status"] == "draining"
        assert served.command("undrain").returncode == 0
        assert served.command("doctor").returncode == 0
        assert served.command("takedown", image["slug"]).returncode == 0
        async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
            assert reply.status == 410
        assert await served.stop() == 0
