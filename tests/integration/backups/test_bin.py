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
from appliance.domain.errors import StoreUnavailable
from appliance.domain.slugs import tombstone_key
from appliance.objectstore.records import RECORD_TYPE
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
        image, erased, back = await host.upload(jpeg), await host.upload(jpeg), await host.upload(jpeg)
        album = await made(host, [image])
        for each in (image, erased, back):
            await host.bin(each)
        ends = await host.bin(album, "albums")
        assert (await host.patch(back["slug"], back["delete_token"], restore=True)).status == 200
        await host.appliance.image_lifecycle.sync_records()
    async with await rebuilt(config, clock) as host:
        assert await original(host, back["slug"]) == jpeg
        for each in (image, erased):
            gone = await problem(await host.patch(each["slug"], each["delete_token"]), "gone")
            assert gone["restorable_until"] == moment(clock() + 7 * DAY_S) == ends
        await problem(await host.get(f"/a/{album['slug']}"), "album-gone")
        assert (await host.patch(image["slug"], image["delete_token"], restore=True)).status == 200
        assert await original(host, image["slug"]) == jpeg
        clock.forward(7 * DAY_S)
        assert await host.appliance.image_lifecycle.erase() == 1
        assert sorted(path.name for path in host.files("store/objects/originals")) == sorted(
            (image["slug"], back["slug"])
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
        await host.appliance.store.put_bytes(tombstone_key(image["slug"]), late, media_type=RECORD_TYPE)
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
                await restored(session, fresh, image)
                assert await status(session, fresh, image) == 200
        finally:
            fresh.abandon()


async def test_a_deletion_that_was_answered_holds_after_a_kill_while_the_store_is_away(tmp_path: Path) -> None:
    """The catalogue is lost too: a file next to it knows."""
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
            await restored(session, served, image)
            assert await status(session, served, image) == 200


async def test_a_store_that_was_away_is_told_by_the_job(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, again = await host.upload(jpeg), await host.upload(jpeg)
    await host.bin(again)

    async def away(*_arguments: object, **_more: object) -> None:
        raise StoreUnavailable("It is away.")

    with monkeypatch.context() as patch:
        for method in ("put_bytes", "delete", "check"):
            patch.setattr(host.appliance.store, method, away)
        await host.bin(image)
        assert (await host.patch(again["slug"], again["delete_token"], restore=True)).status == 200
        with pytest.raises(StoreUnavailable):
            await host.appliance.tombstones.settle_due()
    assert [path.stem for path in host.files("store/objects/tombstones")] == [again["slug"]]
    assert await host.appliance.tombstones.settle_due() == 2
    assert [path.stem for path in host.files("store/objects/tombstones")] == [image["slug"]]
    assert await host.appliance.tombstones.settle_due() == 0


async def test_a_kill_in_the_middle_leaves_store_and_row_of_one_mind(tmp_path: Path) -> None:
    """Deletions and restorations are cut short; after the next start the store says what the rows say."""
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        images = [(await upload(session, served.url, pictures.photo(64, 48, seed=seed)))[1] for seed in range(8)]
        binning, restoring = images[:4], images[4:]
        await asyncio.gather(*(binned(session, served, image) for image in restoring))
        changes = [asyncio.create_task(binned(session, served, image)) for image in binning]
        changes += [asyncio.create_task(restored(session, served, image)) for image in restoring]
        await asyncio.wait(changes, return_when=asyncio.FIRST_COMPLETED)
        served.kill()
        results = await asyncio.gather(*changes, return_exceptions=True)
        await served.start()
        statuses = [await status(session, served, image) for image in images]
        wanted = [410] * len(binning) + [200] * len(restoring)
        answered = [result is None for result in results]
        assert any(answered)
        for was_answered, found, expected in zip(answered, statuses, wanted, strict=True):
            assert found == expected or not was_answered
        gone = {image["slug"] for image, found in zip(images, statuses, strict=True) if found == 410}
        await until(lambda: tombstoned(served) == gone, "the store says what the rows say")


# --- a client of a process --------------------------------------------------------------------------------------------


def tombstoned(served: ServerProcess) -> set[str]:
    return {path.stem for path in (served.data_dir / "store/objects/tombstones").rglob("*.json")}


async def binned(session: aiohttp.ClientSession, served: ServerProcess, image: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {image['delete_token']}"}
    async with session.delete(f"{served.url}/api/v1/images/{image['slug']}?bin=true", headers=bearer) as reply:
        assert reply.status == 200, await reply.text()


async def restored(session: aiohttp.ClientSession, served: ServerProcess, image: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {image['delete_token']}"}
    address = f"{served.url}/api/v1/images/{image['slug']}"
    async with session.patch(address, json={"restore": True}, headers=bearer) as reply:
        assert reply.status == 200, await reply.text()


async def status(session: aiohttp.ClientSession, served: ServerProcess, image: dict[str, Any]) -> int:
    async with session.get(f"{served.url}/i/{image['slug']}/original") as reply:
        return reply.status
