"""A drive of the store is lost and replaced by an empty one: nothing fails meanwhile, and it is filled again."""

import shutil
from pathlib import Path

import aiohttp

from tests.support.server_process import on_minio, serving
from tests.support.servers import minio_server
from tests.support.uploaders import Uploaders, broken_promises
from tests.support.waiting import until

HEALED_WITHIN_S = 120


def originals_on(drive: Path) -> set[str]:
    return {path.parent.name for path in (drive / "images" / "originals").glob("*/*/xl.meta")}


async def test_an_empty_drive_in_the_place_of_a_lost_one_is_filled_by_itself(tmp_path: Path) -> None:
    minio = minio_server(tmp_path / "minio")
    first, second, third, lost = (minio.folder / f"disk{number}" for number in range(1, 5))
    with minio:
        async with serving(tmp_path / "data", **on_minio(minio)) as served, aiohttp.ClientSession() as session:
            uploaders = Uploaders(served.url, seed=13)
            async with uploaders.at_work(2):
                await until(lambda: len(uploaders.promises) > 10, "some images")
                lost.rename(lost.with_name("lost"))  # the drive is gone, at once, as rmtree beside a busy server is not
                more = len(uploaders.promises) + 5
                await until(lambda: len(uploaders.promises) > more, "uploads go on without it")
                lost.mkdir()  # an empty one is mounted in its place
            assert uploaders.faults == []
            assert "Everything is in the store." in served.command("drain").stdout
            slugs = {promise.slug for promise in uploaders.promises}
            await until(lambda: originals_on(lost) >= slugs, "the new drive has everything", within_s=HEALED_WITHIN_S)
            for held in (first, second):  # with these two gone only the new drive and one other are left to read from
                held.rename(held.with_name(f"{held.name}.away"))
            shutil.rmtree(served.data_dir / "spool" / "copies")  # nothing is near any more
            (served.data_dir / "spool" / "copies").mkdir()
            assert await broken_promises(session, served.url, uploaders.promises) == []
            assert third.exists()
