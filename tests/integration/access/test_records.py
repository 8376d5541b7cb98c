"""Access keys outlive a crash, a store that is down, and the catalogue itself."""

import asyncio
from dataclasses import replace

import pytest

from appliance.access.ban_orders import BanOrder, BanVerb, carry_out_ban
from appliance.access.orders import KeyOrder, Verb, carry_out
from appliance.commands.catalogue import rebuild
from appliance.config.model import Config
from appliance.domain.access_keys import AccessKey, KeyLimits, Scope
from appliance.domain.access_records import RecordKind
from appliance.domain.errors import StoreUnavailable
from appliance.objectstore.access_records import record_key
from tests.support.access import minted, raw
from tests.support.host import Host, ManualClock, bearer, problem, running

KEY = AccessKey("0123456789", "scanner", "ab" * 32, (Scope.UPLOAD,), 1_790_000_000, limits=KeyLimits(max_images=9))


def lose_catalogue(config: Config) -> None:
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()


async def test_a_rebuild_brings_back_a_key_and_its_revocation(config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        keys, records = host.appliance.catalogue.keys, host.appliance.access_records
        await host.upload(jpeg)
        await keys.add(KEY)
        await records.settle_now(RecordKind.KEY, KEY.id)
        [path] = host.files("store/objects/records")
        assert path.parts[-2:] == ("keys", f"{KEY.id}.json")
        await keys.change(KEY.id, lambda key: replace(key, revoked_s=int(clock())))
        await keys.add(replace(KEY, id="x" * 10))
        assert await records.settle_due() == 2
        known = await keys.all()
    lose_catalogue(config)
    assert await asyncio.to_thread(rebuild, config) == 0
    async with running(config, clock) as host:
        assert await host.appliance.catalogue.keys.all() == known
        assert await host.appliance.catalogue.records.due() == []


async def test_a_rebuild_knows_which_key_an_image_has_and_what_it_has_used(config: Config, jpeg: bytes) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        key, bare = await minted(host), await minted(host, "other")
        images = [await (await raw(host, jpeg, bearer(text))).json() for text in (key, key, bare)]
        album = {"images": [images[0]["slug"]]}
        album = await (await host.client.post("/api/v1/albums", json=album, headers=bearer(key))).json()
        await host.appliance.album_lifecycle.sync_records()
        used = await host.appliance.catalogue.keys.usage(key[5:15])
    lose_catalogue(config)
    assert await asyncio.to_thread(rebuild, config) == 0
    async with running(config, clock) as host:
        assert await host.appliance.catalogue.keys.usage(key[5:15]) == used
        await problem(await host.delete(images[2]["slug"], key), "key-scope")
        assert (await host.delete(images[0]["slug"], key)).status == 204
        assert (await host.client.delete(f"/api/v1/albums/{album['slug']}", headers=bearer(key))).status == 204


async def test_a_crash_between_row_and_record_loses_neither(config: Config) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        await host.appliance.catalogue.keys.add(KEY)
    async with running(config, clock) as host:
        assert host.files("store/objects/records") == []
        assert await host.appliance.access_records.settle_due() == 1
        assert await host.appliance.access_records.settle_due() == 0
        assert len(host.files("store/objects/records")) == 1


async def test_a_record_waits_for_a_store_that_is_down(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    async def put_bytes(key: str, data: bytes, *, media_type: str) -> None:
        raise StoreUnavailable("The drive is unplugged.")

    await host.appliance.catalogue.keys.add(KEY)
    with monkeypatch.context() as patched:
        patched.setattr(host.appliance.store, "put_bytes", put_bytes)
        await host.appliance.access_records.settle_now(RecordKind.KEY, KEY.id)
        with pytest.raises(StoreUnavailable):
            await host.appliance.access_records.settle_due()
    assert await host.appliance.access_records.settle_due() == 1


async def test_whoever_changes_something_hears_that_the_store_does_not_know_of_it(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, bans, records = host.appliance.access_keys, host.appliance.bans, host.appliance.catalogue.records

    async def put_bytes(key: str, data: bytes, *, media_type: str) -> None:
        raise StoreUnavailable("The drive is unplugged.")

    with monkeypatch.context() as patched:
        patched.setattr(host.appliance.store, "put_bytes", put_bytes)
        added = await carry_out(keys, records, KeyOrder(Verb.ADD, "scanner", ("upload",)))
        banned = await carry_out_ban(bans, records, BanOrder(BanVerb.ADD, "192.0.2.1"))
    assert (added["in_store"], banned["in_store"]) == (False, False)
    await host.appliance.store.check()
    await host.appliance.access_records.settle_due()
    [named] = (await carry_out_ban(bans, records, BanOrder(BanVerb.ADD, "scanner")))["bans"]
    assert (named["subject"], named["name"]) == (f"key:{added['keys'][0]['id']}", "scanner")
    assert (await carry_out(keys, records, KeyOrder(Verb.REVOKE, "scanner")))["in_store"]
    assert (await carry_out_ban(bans, records, BanOrder(BanVerb.REMOVE, "192.0.2.1")))["in_store"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (record_key(RecordKind.KEY, "0123456789"), b"{"),
        (record_key(RecordKind.KEY, "0123456789"), b'{"kind": "keys", "id": "0123456789", "version": 1, "name": "a"}'),
        ("records/spells/a.json", b'{"kind": "spells", "id": "a", "version": 1}'),
    ],
)
async def test_a_rebuild_counts_and_reports_a_record_that_it_cannot_read(
    config: Config, jpeg: bytes, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(config, ManualClock()) as host:
        await host.upload(jpeg)
        await host.appliance.store.put_bytes(name, content, media_type="application/json")
    lose_catalogue(config)
    assert await asyncio.to_thread(rebuild, config) == 1
    assert f"left out: {name} does not describe an access record" in capsys.readouterr().err
