"""The bin outlives what is lost: a catalogue, a process, a machine. What is in it is never shown again by a repair."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.commands.catalogue import rebuild
from appliance.config.model import Config
from tests.support.albums import made
from tests.support.backups import on_a_new_machine
from tests.support.host import DAY_S, Host, ManualClock, problem, running
from tests.support.images import pictures
from tests.support.managed_images import moment, original
from tests.support.server_process import ServerProcess, on_minio, serving
from tests.support.servers import minio_server
from tests.support.uploaders import upload
from tests.support.waiting import until


async def rebuilt(config: Config, clock: ManualClock, *, lost: tuple[str, ...] = ("spool",)) -> Any:
    """A host whose machine was lost but for its store."""
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    for folder in lost:
        shutil.rmtree(config.data_dir / folder)
    assert await asyncio.to_thread(rebuild, config) == 0
    return running(config, clock)


async def test_the_store_knows_before_the_answer_and_forgets_with_the_restoration(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, title="Secret words")
    await host.bin(image)
    [path] = host.files("store/objects/tombstones")
    assert json.loads(path.read_bytes()) == {
        "slug": image["slug"],
        "ended": "deleted",
        "ended_s": int(host.clock()),
        "restorable_until_s": int(host.clock()) + 7 * DAY_S,
        "version": 2,
    }
    assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200
    assert host.files("store/objects/tombstones") == []


async def test_what_is_in_the_bin_stays_gone_and_restorable_after_a_rebuild(config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        image, erased, restored = await host.upload(jpeg), await host.upload(jpeg), await host.upload(jpeg)
        album = await made(host, [image])
        for each in (image, erased, restored):
            await host.bin(each)
        ends = await host.bin(album, "albums")
        assert (await host.patch(restored["slug"], restored["delete_token"], restore=True)).status == 200
        await host.appliance.image_lifecycle.sync_records()
    async with await rebuilt(config, clock) as host:
        assert await original(host, restored["slug"]) == jpeg
        for each in (image, erased):
            gone = await problem(await host.patch(each["slug"], each["delete_token"]), "gone")
            assert gone["restorable_until"] == moment(clock() + 7 * DAY_S) == ends
        await problem(await host.get(f"/a/{album['slug']}"), "album-gone")
        assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200
        assert await original(host, image["slug"]) == jpeg
        clock.forward(7 * DAY_S)
        assert await host.appliance.image_lifecycle.erase() == 1
        assert sorted(path.name for path in host.files("store/objects/originals")) == sorted(
            (image["slug"], restored["slug"])
        )
    async with await rebuilt(config, clock) as host:  # the restoration counts, though it followed a rebuild
        assert await original(host, image["slug"]) == jpeg
        await problem(await host.get(f"/i/{erased['slug']}"), "gone")


async def test_a_late_tombstone_does_not_end_an_image_that_was_restored(config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        image = await host.upload(jpeg)
        await host.bin(image)
        [tombstone] = host.files("store/objects/tombstones")
        late = tombstone.read_bytes()
        assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200
        await host.appliance.image_lifecycle.sync_records()
        tombstone.write_bytes(late)
    async with await rebuilt(config, clock) as host:
        assert await original(host, image["slug"]) == jpeg


async def test_a_restored_backup_has_what_was_binned_since_in_the_bin(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(folder), "APPLIANCE_BACKUP_IN_STORE": "false"}
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        _, before = await upload(session, served.url, pictures.photo(seed=1))
        assert served.command("backup").returncode == 0
        _, after = await upload(session, served.url, pictures.photo(seed=2))
        for image in (before, after):
            await binned(session, served, image)
        served.kill()
        fresh = on_a_new_machine(served, tmp_path / "new")
        shutil.copytree(served.data_dir / "store", fresh.data_dir / "store")
        done = fresh.command("restore")
        assert done.returncode == 0, done.stderr
        assert "1 uploads, 0 changes, 2 deletions" in done.stdout
        assert fresh.command("catalogue", "check").returncode == 0
        await fresh.start()
        try:
            for image in (before, after):
                assert await status(session, fresh, image) == 410
                assert await restore_status(session, fresh, image) == 200
                assert await status(session, fresh, image) == 200
        finally:
            fresh.abandon()


async def test_a_deletion_that_was_answered_holds_after_a_kill_while_the_store_is_away(tmp_path: Path) -> None:
    """The row, and a file next to it, know of it; the store is told as soon as it is back."""
    minio = minio_server(tmp_path / "minio")
    with minio:
        async with serving(tmp_path / "data", **on_minio(minio)) as served, aiohttp.ClientSession() as session:
            _, image = await upload(session, served.url, pictures.photo(seed=3))
            await until(lambda: not list((served.data_dir / "spool/landed").iterdir()), "it is shipped")
            minio.stop()
            await binned(session, served, image)
            served.kill()
            for path in served.data_dir.glob("catalogue.sqlite*"):
                path.rename(tmp_path / path.name)
            await asyncio.to_thread(minio.start)
            assert served.command("catalogue", "rebuild").returncode == 0
            await served.start()
            assert await status(session, served, image) == 410
            assert await restore_status(session, served, image) == 200
            minio.stop()
            await binned(session, served, image)
            served.kill()
            await asyncio.to_thread(minio.start)
            await served.start()
            assert await status(session, served, image) == 410
            await until(lambda: any(minio.folder.glob("disk1/images/tombstones/*/*")), "the store is told")
            assert await served.stop() == 0


@pytest.mark.parametrize("action", ["bin", "restore"])
async def test_a_kill_in_the_middle_leaves_store_and_row_of_one_mind(tmp_path: Path, action: str) -> None:
    """Many deletions or restorations are cut short; after the next start the store says what the rows say."""
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        images = [(await upload(session, served.url, pictures.photo(64, 48, seed=seed)))[1] for seed in range(12)]
        if action == "restore":
            await asyncio.gather(*(binned(session, served, image) for image in images))
        act = binned if action == "bin" else restore_status
        running_now = [asyncio.create_task(act(session, served, image)) for image in images]
        await asyncio.wait(running_now, return_when=asyncio.FIRST_COMPLETED)
        served.kill()
        answered = await asyncio.gather(*running_now, return_exceptions=True)
        await served.start()
        statuses = [await status(session, served, image) for image in images]
        wanted = 410 if action == "bin" else 200
        for result, found in zip(answered, statuses, strict=True):
            assert found == wanted or isinstance(result, aiohttp.ClientError | OSError)
        gone = {image["slug"] for image, found in zip(images, statuses, strict=True) if found == 410}
        await until(lambda: tombstoned(served) == gone, "the store says what the rows say")


# --- a client of a process --------------------------------------------------------------------------------------------


def tombstoned(served: ServerProcess) -> set[str]:
    return {path.stem for path in (served.data_dir / "store/objects/tombstones").rglob("*.json")}


async def binned(session: aiohttp.ClientSession, served: ServerProcess, image: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {image['delete_token']}"}
    async with session.delete(f"{served.url}/api/v1/images/{image['slug']}?bin=true", headers=bearer) as reply:
        assert reply.status == 200, await reply.text()


async def restore_status(session: aiohttp.ClientSession, served: ServerProcess, image: dict[str, Any]) -> int:
    bearer = {"Authorization": f"Bearer {image['delete_token']}"}
    address = f"{served.url}/api/v1/images/{image['slug']}"
    async with session.patch(address, json={"restore": True}, headers=bearer) as reply:
        return reply.status


async def status(session: aiohttp.ClientSession, served: ServerProcess, image: dict[str, Any]) -> int:
    async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
        return reply.status
