"""The backup that one of two nodes makes: it has the rows of both, and what waits in its own spool."""

import math
from pathlib import Path

import aiohttp
import pytest

from appliance.backups.last_results import record_results
from tests.integration.nodes.conftest import Nodes
from tests.support.images import pictures
from tests.support.nodes import node_process
from tests.support.postgres import new_schema
from tests.support.server_process import ServerProcess, on_minio
from tests.support.servers import Server, minio_server
from tests.support.waiting import until


@pytest.mark.asyncio(loop_scope="module")
async def test_a_node_that_makes_no_backups_is_not_behind_with_them(nodes: Nodes) -> None:
    one, two = nodes
    record_results(one.appliance.config, backup_s=17, verified_s=18, verified=True)
    for name, noted in (("backup_timestamp_seconds", 17), ("backup_verified_timestamp_seconds", 18)):
        assert one.counted(name) == noted
        assert math.isnan(two.counted(name))


async def test_the_rows_of_all_come_back_and_each_spool_has_its_own(tmp_path: Path, postgres: Server) -> None:
    (tmp_path / "backups").mkdir()
    database = new_schema(postgres)
    with minio_server(tmp_path / "minio") as minio:
        settings = on_minio(
            minio, APPLIANCE_BACKUP_IN_STORE="false", APPLIANCE_BACKUP_DIRECTORY=str(tmp_path / "backups")
        )
        one, two = (node_process(tmp_path, name, database, **settings) for name in ("box-1", "box-2"))
        try:
            async with aiohttp.ClientSession() as session:
                for node in (one, two):
                    await node.start()
                minio.stop()
                slugs = [await upload(session, node, seed) for seed, node in enumerate((one, two))]
                made = one.command("backup")
                assert made.returncode == 0, made.stderr
                assert ": 2 images, 0 albums, 1 originals that aren't in the store yet;" in made.stdout
                new = new_schema(postgres)
                for node in (one, two):
                    await node.stop()
                    node.environment["APPLIANCE_CATALOGUE_URL"] = new
                minio.start()
                refused = two.command("serve")
                assert refused.returncode == 1
                assert "is empty. Run `appliance restore`" in refused.stderr
                done = one.command("restore")
                assert done.returncode == 0, done.stdout + done.stderr
                for node in (one, two):
                    await node.start()
                for node in (one, two):
                    assert [await view(session, node, slug) for slug in slugs] == [200, 200]
                await until(lambda: not waiting_in(one) and not waiting_in(two), "both spools are shipped")
        finally:
            one.abandon()
            two.abandon()


def waiting_in(node: ServerProcess) -> list[Path]:
    return list((node.data_dir / "spool/landed").iterdir())


async def upload(session: aiohttp.ClientSession, to: ServerProcess, seed: int) -> str:
    async with session.post(f"{to.url}/api/v1/images", data=pictures.photo(seed=seed)) as reply:
        assert reply.status == 201, await reply.text()
        return str((await reply.json())["slug"])


async def view(session: aiohttp.ClientSession, on: ServerProcess, slug: str) -> int:
    async with session.get(f"{on.url}/i/{slug}/small.jpg") as reply:
        await reply.read()
        return reply.status
