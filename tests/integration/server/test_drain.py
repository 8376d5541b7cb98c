"""Draining: no uploads, views as always, everything to the store; by command, against the real server."""

import asyncio
import io
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from appliance.app import control_commands
from appliance.config.model import Config
from appliance.domain.errors import StoreUnavailable
from appliance.domain.model import Location
from appliance.domain.nodes import Node
from appliance.server.background_jobs import background_jobs
from tests.support.gates import row
from tests.support.host import DAY_S, Host, ManualClock, bearer, problem, running
from tests.support.images import pictures
from tests.support.programs import ROOT
from tests.support.server_process import COMMAND, ServerProcess, on_minio, serving
from tests.support.servers import minio_server
from tests.support.tus_client import sha256
from tests.support.uploaders import shows_a_rendition, upload
from tests.support.waiting import until

TUS = {"Tus-Resumable": "1.0.0"}


async def away(*_arguments: object, **_more: object) -> None:
    raise StoreUnavailable("The store is away.")


async def test_a_drained_host_shows_pictures_and_refuses_uploads_of_every_kind(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    created = await host.client.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "100"})
    begun = created.headers["Location"]
    host.appliance.drain(True)

    told = await host.get("/readyz")
    assert (told.status, (await told.json())["status"]) == (503, "draining")
    assert (await host.get("/healthz")).status == 200
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    assert (await host.get(f"/i/{slug}/original")).status == 200

    refused = await host.post(jpeg)
    await problem(refused, "draining")
    assert int(refused.headers["Retry-After"]) >= 1
    for reply in (
        await host.client.post("/api/v1/images?filename=a.jpg", data=jpeg),
        await host.client.put("/a.jpg", data=jpeg),
        await host.client.post("/api/1/upload", data={"source": io.BytesIO(b"x")}),
        await host.client.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "100"}),
        await host.client.patch(
            begun,
            data=b"x" * 100,
            headers=TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        ),
    ):
        assert reply.status == 503, await reply.text()
        assert "Retry-After" in reply.headers

    host.appliance.drain(False)
    assert (await host.get("/readyz")).status == 200
    await host.upload(pictures.png(9, 9))


async def test_an_announced_drain_sends_the_front_away_and_still_takes_uploads(host: Host, jpeg: bytes) -> None:
    host.appliance.drain(False, announced=True)
    told = await host.get("/readyz")
    assert (told.status, (await told.json())["status"]) == (503, "draining")
    await host.upload(jpeg)

    host.appliance.drain(True)
    await problem(await host.post(jpeg), "draining")
    host.appliance.drain(False)
    assert (await host.get("/readyz")).status == 200


async def test_what_is_let_in_before_may_finish(host: Host, jpeg: bytes) -> None:
    came = asyncio.Event()

    async def halves() -> AsyncIterator[bytes]:
        yield jpeg[:1000]
        await came.wait()
        yield jpeg[1000:]

    sending = asyncio.create_task(host.client.post("/api/v1/images?filename=a.jpg", data=halves()))
    await until(lambda: host.appliance.admission.in_progress == 1)
    host.appliance.drain(True)
    came.set()
    assert (await sending).status == 201


async def test_deletions_and_changes_go_on(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    host.appliance.drain(True)
    assert (await host.patch(image["slug"], image["delete_token"], title="x")).status == 200
    assert (await host.delete(image["slug"], image["delete_token"])).status == 204


async def test_the_command_waits_for_the_store_and_says_when_all_is_there(tmp_path: Path) -> None:
    minio = minio_server(tmp_path / "minio")
    with minio:
        async with serving(tmp_path / "data", **on_minio(minio)) as served, aiohttp.ClientSession() as session:
            await upload(session, served.url, pictures.photo(seed=1))
            minio.stop()
            status, held = await upload(session, served.url, pictures.photo(seed=2))
            assert status == 201

            draining = await asyncio.create_subprocess_exec(
                *COMMAND, "drain", env=served.environment, cwd=ROOT, stdout=subprocess.PIPE
            )
            assert draining.stdout is not None
            first = (await draining.stdout.readline()).decode()
            second = (await draining.stdout.readline()).decode()
            assert first.startswith("Uploads are now refused")
            assert second.startswith("Waiting: 1 originals not yet in the store (the store has a fault:")
            assert (await upload(session, served.url, pictures.photo(seed=3)))[0] == 503
            assert await shows_a_rendition(session, served.url, held["slug"])

            minio.start()
            rest, _ = await asyncio.wait_for(draining.communicate(), 60)
            assert rest.splitlines()[-1] == b"Everything is in the store."
            assert draining.returncode == 0

            assert served.command("undrain").stdout == "Uploads are accepted again.\n"
            assert (await upload(session, served.url, pictures.photo(seed=3)))[0] == 201


async def test_what_is_in_the_bin_is_waited_for_and_can_be_restored_on_another_machine(tmp_path: Path) -> None:
    minio, photo = minio_server(tmp_path / "minio"), pictures.photo(seed=4)
    with minio:
        async with serving(tmp_path / "data", **on_minio(minio)) as served, aiohttp.ClientSession() as session:
            minio.stop()
            status, image = await upload(session, served.url, photo)
            assert status == 201
            here = f"{served.url}/api/v1/images/{image['slug']}"
            owner = bearer(image["delete_token"])
            assert (await session.delete(f"{here}?bin=true", headers=owner)).status == 200

            draining = await asyncio.create_subprocess_exec(
                *COMMAND, "drain", env=served.environment, cwd=ROOT, stdout=subprocess.PIPE
            )
            assert draining.stdout is not None
            await draining.stdout.readline()
            assert (await draining.stdout.readline()).startswith(b"Waiting: 1 originals not yet in the store")
            minio.start()
            rest, _ = await asyncio.wait_for(draining.communicate(), 60)
            assert rest.splitlines()[-1] == b"Everything is in the store."

            assert await served.stop() == 0
            shutil.rmtree(served.data_dir / "spool")
            await served.start()
            restored = await session.patch(here, json={"deleted": False}, headers=owner)
            assert restored.status == 200, await restored.text()
            original = await session.get(f"{served.url}/i/{image['slug']}/original")
            assert (original.status, sha256([await original.read()])) == (200, image["sha256"])


@pytest.mark.parametrize("former", [None, "box-1"], ids=["always-alone", "once-a-node"])
async def test_only_a_drained_host_ships_what_is_in_the_bin(config: Config, jpeg: bytes, former: str | None) -> None:
    async with running(config, ManualClock(time.time())) as host:
        if former is not None:
            await host.appliance.catalogue.nodes.join(Node(former, "http://127.0.0.1:1", "home", "0.2.0"), "proof")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(host.appliance.store, "put", away)
            image = await host.upload(jpeg)
            if former is not None:
                await host.appliance.catalogue.images.claim([image["slug"]], former)
            await host.bin(image)
        await until(lambda: not host.appliance.shipper.backlog, "a shipper that has noticed")
        commands, ended = control_commands(host.appliance), host.appliance.ended_originals
        assert ((await commands.status())["waiting_for_the_store"], await ended.run()) == (0, 0)
        await commands.drain(True, False)
        assert (await commands.status())["waiting_for_the_store"] == 1
        assert "ended-originals" in background_jobs(host.appliance).first_runs()
        assert await ended.run() == 1
        assert (await commands.status())["waiting_for_the_store"] == 0
        assert (await host.patch(image["slug"], image["delete_token"], deleted=False)).status == 200
        assert (await row(host, image["slug"])).location is Location.STORE
        await host.bin(image)
        host.clock.forward(7 * DAY_S)
        assert await host.appliance.image_lifecycle.erase() == 1
        assert host.files("store/originals") == []


async def test_a_restart_opens_the_doors(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served:
        told = served.command("drain", "--announce", "1").stdout
        assert "Uploads are accepted for 1 s more." in told
        assert "Everything is in the store." in told
        assert served.command("status").returncode == 1
        assert await served.stop() == 0
        await served.start()
        assert served.command("status").returncode == 0


async def test_without_a_server_the_command_says_so(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    served.data_dir.mkdir()
    done = served.command("drain")
    assert done.returncode == 1
    assert "No server is running on" in done.stderr


async def test_undrain_while_a_drain_waits_ends_it_in_words(tmp_path: Path) -> None:
    minio = minio_server(tmp_path / "minio")
    with minio:
        async with serving(tmp_path / "data", **on_minio(minio)) as served, aiohttp.ClientSession() as session:
            minio.stop()
            await upload(session, served.url, pictures.photo(seed=1))
            draining = await asyncio.create_subprocess_exec(
                *COMMAND, "drain", env=served.environment, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
            )

            async def is_drained() -> bool:
                return await asyncio.to_thread(lambda: '"drained": true' in served.command("status").stdout)

            await until(is_drained, "it is drained")
            assert served.command("undrain").returncode == 0
            _, words = await asyncio.wait_for(draining.communicate(), 60)
            assert draining.returncode == 1
            assert b"Uploads were accepted again by" in words
            served.kill()
