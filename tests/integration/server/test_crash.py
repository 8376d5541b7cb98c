"""kill -9 at random moments, under uploads: what was promised is there afterwards, and nothing else lies about."""

import asyncio
import os
import random
import sqlite3
from pathlib import Path

import aiohttp
import pytest

from appliance.catalogue.opening import CatalogueFile
from tests.support.procfs import is_alive
from tests.support.server_process import ServerProcess, on_minio
from tests.support.servers import Server, minio_server
from tests.support.uploaders import Promise, Uploaders, broken_promises, shows_a_rendition
from tests.support.waiting import until

SHOWN = 3  # of each round's images, have a rendition made; the others' originals tell enough
MOST_ALIVE_S = 0.7


class Crashes:
    """Rounds of upload, kill and start again, on one data directory."""

    def __init__(self, served: ServerProcess, rounds: int, seed: int) -> None:
        self.served = served
        self.uploaders = Uploaders(served.url, seed)
        self._rounds = rounds
        self._choose = random.Random(seed)
        self._looked_at = 0

    async def run(self) -> None:
        """All rounds, each with its killing and its looking after."""
        async with aiohttp.ClientSession() as session, self.uploaders.at_work():
            await self.served.start()
            for _ in range(self._rounds):
                await asyncio.sleep(self._choose.uniform(0.05, MOST_ALIVE_S))
                await self.crash()
                await self.served.start()
                await self._look(session)

    async def crash(self) -> None:
        """The server dies, now and then a second time while it starts; its workers go with it."""
        for unready_s in (0.0, *([self._choose.uniform(0.1, 1.5)] if self._choose.random() < 0.2 else [])):
            if unready_s:
                self.served.launch()
                await asyncio.sleep(unready_s)
            workers = self.served.workers()
            self.served.kill()
            await all_dead(workers)

    async def _look(self, session: aiohttp.ClientSession) -> None:
        fresh = self.uploaders.promises[self._looked_at :]
        self._looked_at += len(fresh)
        assert await broken_promises(session, self.served.url, fresh) == []
        for promise in self._choose.sample(fresh, min(SHOWN, len(fresh))) + fresh[-1:]:
            assert await shows_a_rendition(session, self.served.url, promise.slug), promise.slug


async def all_dead(pids: list[int]) -> None:
    await until(lambda: not any(map(is_alive, pids)), f"the end of {pids}")


async def all_kept(served: ServerProcess, promises: list[Promise]) -> None:
    """Every promise of all rounds holds, whatever was killed since."""
    async with aiohttp.ClientSession() as session:
        assert await broken_promises(session, served.url, promises) == []


async def nothing_left_over(served: ServerProcess, promises: list[Promise]) -> None:
    """After a stop: no half-received, half-written or unknown file, a whole catalogue, every original shipped."""
    spool = served.data_dir / "spool"
    assert os.listdir(spool / "incoming") == []
    assert os.listdir(spool / "landed") == []
    temporary = [path for path in served.data_dir.rglob("*") if path.is_file() and path.name.startswith(".")]
    assert temporary == []
    assert await CatalogueFile(served.data_dir / "catalogue.sqlite").find_problems() == []
    rows = _slugs(served.data_dir / "catalogue.sqlite")
    assert {promise.slug for promise in promises} <= rows
    assert set(os.listdir(spool / "copies")) <= rows


def _slugs(catalogue: Path) -> set[str]:
    connection = sqlite3.connect(catalogue)
    try:
        return {slug for (slug,) in connection.execute("SELECT slug FROM images")}
    finally:
        connection.close()


def seed_of_this_run() -> int:
    """CRASH_SEED repeats a run that failed."""
    seed = int(os.environ.get("CRASH_SEED") or random.randrange(10**6))
    print(f"CRASH_SEED={seed}")
    return seed


async def survives(tmp_path: Path, rounds: int) -> None:
    served = ServerProcess(tmp_path / "data")
    crashes = Crashes(served, rounds, seed_of_this_run())
    promises = crashes.uploaders.promises
    try:
        await crashes.run()
        await all_kept(served, promises)
        await until(lambda: not os.listdir(tmp_path / "data/spool/landed"), "everything shipped")
        assert await served.stop() == 0
    finally:
        served.abandon()
    print(f"{rounds} kills survived, {len(promises)} images kept, {crashes.uploaders.broken} uploads broken off")
    assert crashes.uploaders.faults == []
    assert len(promises) > rounds
    await nothing_left_over(served, promises)


async def survives_with_minio(tmp_path: Path, rounds: int) -> None:
    """The server and its store die in turn, and sometimes together."""
    minio = minio_server(tmp_path / "minio")
    served = ServerProcess(tmp_path / "data", **on_minio(minio))
    crashes = CrashesOfBoth(served, rounds, seed_of_this_run(), minio)
    promises = crashes.uploaders.promises
    try:
        with minio:
            await crashes.run()
            await all_kept(served, promises)
            await until(lambda: not os.listdir(tmp_path / "data/spool/landed"), "everything shipped")
            for copy in (tmp_path / "data/spool/copies").iterdir():
                copy.unlink()  # so that the bytes have to come from the store
            await all_kept(served, promises)
            assert await served.stop() == 0
    finally:
        served.abandon()
    print(f"{rounds} kills survived with MinIO, {crashes.stores_killed} of MinIO, {len(promises)} images kept")
    assert crashes.uploaders.faults == []
    await nothing_left_over(served, promises)


class CrashesOfBoth(Crashes):
    def __init__(self, served: ServerProcess, rounds: int, seed: int, minio: Server) -> None:
        super().__init__(served, rounds, seed)
        self._minio = minio
        self.stores_killed = 0

    async def crash(self) -> None:
        if self._choose.random() < 0.6:
            self._minio.stop()
            self.stores_killed += 1
            await asyncio.sleep(self._choose.uniform(0, 0.5))  # uploads go on without the store
            await super().crash()
            await asyncio.to_thread(self._minio.start)
        else:
            await super().crash()


async def test_five_kills_under_upload_lose_no_promised_image(tmp_path: Path) -> None:
    await survives(tmp_path, 5)


async def test_kills_of_server_and_store_lose_no_promised_image(tmp_path: Path) -> None:
    await survives_with_minio(tmp_path, 3)


@pytest.mark.long
async def test_two_hundred_kills_under_upload_lose_no_promised_image(tmp_path: Path) -> None:
    await survives(tmp_path, 200)


@pytest.mark.long
async def test_forty_kills_of_server_and_store_lose_no_promised_image(tmp_path: Path) -> None:
    await survives_with_minio(tmp_path, 40)
