"""The backup of a server of several processes, each of which has a spool of its own."""

import json
import os
from pathlib import Path

import aiohttp

from appliance.backups.last_results import read_results, record_results
from appliance.backups.spool_archive import link_files
from appliance.config.model import Config
from tests.support.boxes import box_of_two
from tests.support.images import pictures
from tests.support.postgres import new_schema
from tests.support.servers import Server, minio_server

SLUG = "1yNqEvM1Xh6dnaz5k"


def spool_of(data_dir: Path, name: str, text: str, changed_s: int) -> Path:
    path = data_dir / name / "spool/landed" / SLUG
    path.parent.mkdir(parents=True)
    path.write_text(text)
    os.utime(path, (changed_s, changed_s))
    return path.parent.parent


def test_of_two_files_of_one_image_the_newer_one_is_saved_and_none_is_changed(tmp_path: Path) -> None:
    spools = [spool_of(tmp_path, f"node-{number}", text, 100 + number) for number, text in ((1, "old"), (2, "new"))]
    for number, order in enumerate((spools, spools[::-1])):
        link_files(order, tmp_path / f"held-{number}")
        assert (tmp_path / f"held-{number}/landed" / SLUG).read_text() == "new"
    assert [(spool / "landed" / SLUG).read_text() for spool in spools] == ["old", "new"]


def test_the_result_of_a_backup_is_recorded_for_each_process(tmp_path: Path) -> None:
    for name in ("node-1", "node-2", "node-x"):
        (tmp_path / name).mkdir()
    record_results(Config(data_dir=tmp_path), backup_s=17)
    record_results(Config(data_dir=tmp_path), verified=True)
    for name in ("", "node-1", "node-2"):
        assert read_results(tmp_path / name / "backups") == {"backup_s": 17, "verified": True}
    assert not (tmp_path / "node-x/backups").exists()


async def test_what_waits_in_any_spool_is_in_the_backup_and_comes_back(tmp_path: Path, postgres: Server) -> None:
    (tmp_path / "backups").mkdir()
    with minio_server(tmp_path / "minio") as minio:
        async with box_of_two(tmp_path, new_schema(postgres), minio) as box, aiohttp.ClientSession() as session:
            minio.stop()
            slugs = []
            for number, url in enumerate(box.own_urls):
                async with session.post(f"{url}/api/v1/images", data=pictures.photo(seed=number)) as reply:
                    assert reply.status == 201, await reply.text()
                    slugs.append((await reply.json())["slug"])
            box.environment |= {
                "APPLIANCE_BACKUP_IN_STORE": "false",
                "APPLIANCE_BACKUP_DIRECTORY": str(tmp_path / "backups"),
            }
            made = box.command("backup")
            assert made.returncode == 0, made.stderr
            assert ": 2 images, 0 albums, 2 originals that aren't in the store yet;" in made.stdout
            for number in (1, 2):
                assert json.loads((box.data_dir / f"node-{number}/backups/state.json").read_text())["backup_s"]
            assert await box.stop() == 0
            minio.start()
            box.data_dir.rename(tmp_path / "lost")
            box.environment["APPLIANCE_CATALOGUE_URL"] = new_schema(postgres)
            done = box.command("restore")
            assert done.returncode == 0, done.stdout + done.stderr
            assert "2 originals restored" in done.stdout
            assert box.command("restore").returncode == 1
            box.launch()
            await box.all_ready()
            for url in box.own_urls:
                for slug in slugs:
                    async with session.get(f"{url}/i/{slug}/small.jpg") as reply:
                        assert reply.status == 200, await reply.text()
            assert await box.stop() == 0


async def test_a_restore_that_was_killed_starts_no_process(tmp_path: Path, postgres: Server) -> None:
    with minio_server(tmp_path / "minio") as minio:
        async with box_of_two(tmp_path, new_schema(postgres), minio) as box:
            assert await box.stop() == 0
            (box.data_dir / "restore").mkdir()
            refused = box.command("serve")
            assert refused.returncode == 1
            assert "A restore or rebuild of" in refused.stderr
