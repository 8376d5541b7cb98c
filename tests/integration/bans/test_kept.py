"""A ban holds from the moment the command is done: over a crash, a restart, and the loss of the catalogue."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from appliance.access.bans import NewBan
from appliance.commands.catalogue import rebuild
from appliance.config.model import Config, Server
from appliance.domain.errors import UnknownBan
from tests.support.host import Host, ManualClock, problem, running
from tests.support.images import pictures
from tests.support.server_process import ServerProcess


async def status_from(session: aiohttp.ClientSession, served: ServerProcess, address: str) -> int:
    headers = {"X-Forwarded-For": address}
    async with session.post(f"{served.url}/api/v1/images", data=pictures.png(9, 9), headers=headers) as reply:
        return reply.status


async def test_the_command_and_what_becomes_of_its_bans(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data", APPLIANCE_SERVER_TRUSTED_PROXIES="127.0.0.1")
    done = served.command("ban", "add", "192.0.2.7/24", "--until", "7d", "--reason", "Spam")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "192.0.2.0/24 is banned until 2" in done.stderr
    try:
        await served.start()
        async with aiohttp.ClientSession() as session:
            assert await status_from(session, served, "192.0.2.9") == 403
            assert served.command("ban", "add", "2001:db8::1", "--views").returncode == 0
            served.kill()
            await served.start()
            assert await status_from(session, served, "2001:db8::9") == 403
            removed = served.command("ban", "remove", "192.0.2.0/24")
            assert (removed.returncode, removed.stderr) == (0, "192.0.2.0/24 is no longer banned.\n")
            assert await status_from(session, served, "192.0.2.9") == 201
            served.kill()
            await served.start()
            assert await status_from(session, served, "192.0.2.9") == 201
        listed = json.loads(served.command("ban", "list", "--json").stdout)
        assert [(each["subject"], each["until_s"], each["views"]) for each in listed] == [("2001:db8::/64", None, True)]
        assert served.command("ban", "list").stdout.splitlines()[1].split() == ["2001:db8::/64", "never", "refused"]
    finally:
        served.abandon()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("add", "127.0.0.1"), 1, "Use --force"),
        (("add", "nobody"), 1, "'nobody' is no address, no network and no access key"),
        (("add", "192.0.2.1", "--until", "2001-01-01"), 1, "would have ended already"),
        (("add", "192.0.2.1", "--until", "-3d"), 1, "would have ended already"),
        (("add", "192.0.2.1", "--until", "soon"), 2, "expected a duration such as 7d, or a date"),
        (("add", "192.0.2.1", "--until", "999999999999d"), 2, "before the year 10000"),
        (("remove", "192.0.2.1"), 1, "There is no ban of 192.0.2.1/32 itself"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], status: int, words: str) -> None:
    done = ServerProcess(tmp_path / "data").command("ban", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr


async def refused_from(host: Host, address: str) -> bool:
    reply = await host.client.post("/api/v1/images", data=b"", headers={"X-Forwarded-For": address})
    if reply.status == 403:
        await problem(reply, "banned")
    return reply.status == 403


async def test_a_rebuild_brings_back_bans_and_their_ends_and_keeps_what_it_cannot_read(
    config: Config, jpeg: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    config = replace(config, server=Server(trusted_proxies=("127.0.0.1",)))
    clock = ManualClock()
    async with running(config, clock) as host:
        await host.upload(jpeg)
        for whom in ("192.0.2.0/24", "198.51.100.1", "203.0.113.0/24"):
            await host.appliance.bans.add(NewBan(whom))
        await host.appliance.bans.remove("198.51.100.1")
        names = [path.name for path in host.files("store/objects/records")]
        assert names == ["192.0.2.0_24.json", "198.51.100.1_32.json", "203.0.113.0_24.json"]
        await host.appliance.store.put_bytes("records/bans/203.0.113.0_24.json", b"{", media_type="application/json")
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    assert await asyncio.to_thread(rebuild, config) == 1
    assert "records/bans/203.0.113.0_24.json does not describe" in (said := capsys.readouterr().err)
    assert "it stays in force" in said
    async with running(config, clock) as host:
        addresses = ("192.0.2.9", "203.0.113.9", "198.51.100.1")
        assert [await refused_from(host, address) for address in addresses] == [True, True, False]
        await host.appliance.bans.remove("203.0.113.0/24")
        assert not await refused_from(host, "203.0.113.9")


async def test_what_ended_a_year_ago_is_forgotten_here_and_in_the_store(host: Host) -> None:
    await host.appliance.bans.add(NewBan("192.0.2.1"))
    await host.appliance.bans.remove("192.0.2.1")
    assert await host.appliance.bans.forget() == 0
    host.clock.forward(366 * 86_400)
    assert await host.appliance.bans.forget() == 1
    await host.appliance.access_records.settle_due()
    assert host.files("store/objects/records") == []
    with pytest.raises(UnknownBan):
        await host.appliance.bans.remove("192.0.2.1")
