"""The store remembers, for a year, who was deleted by a person, so that no backup and no rebuild brings them back."""

import json

from tests.support.host import DAY_S, Host


async def test_a_deleted_image_leaves_its_name_in_the_store_and_nothing_else(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, title="Secret words")
    await host.delete(image["slug"], image["delete_token"])
    [tombstone] = host.files("store/objects/tombstones")
    assert "restorable_until_s" in tombstone.read_text()  # it can be brought back yet
    await host.erase()
    [path] = host.files("store/objects")
    assert json.loads(path.read_bytes()) == {
        "slug": image["slug"],
        "ended": "deleted",
        "ended_s": int(host.clock()) - 11,
    }


async def test_an_expired_image_needs_no_tombstone_in_the_store(host: Host, jpeg: bytes) -> None:
    await host.upload(jpeg, expires_in="3600")
    host.clock.forward(3601)
    await host.appliance.image_lifecycle.end(clock_confirmed=True)
    host.clock.forward(8 * DAY_S)
    assert await host.appliance.image_lifecycle.erase() == 1
    assert host.files("store/objects") == []


async def test_after_a_year_the_store_forgets_it_too(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    await host.erase()
    [path] = host.files("store/objects")
    host.clock.now_s = path.stat().st_mtime + 365 * DAY_S - 10
    assert await host.appliance.sweeps.stored_tombstones() == 0
    host.clock.forward(20)
    assert await host.appliance.sweeps.stored_tombstones() == 1
    assert host.files("store/objects") == []


async def test_the_walk_for_orphans_leaves_tombstones_alone(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    await host.delete(image["slug"], image["delete_token"])
    await host.erase()
    assert await host.appliance.sweeps.orphans() == 0
    assert len(host.files("store/objects/tombstones")) == 1
