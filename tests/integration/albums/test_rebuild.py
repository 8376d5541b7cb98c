"""Albums come back from the store when the catalogue is lost."""

import asyncio

import pytest

from appliance.commands.catalogue import rebuild
from appliance.config.model import Config
from tests.support.albums import changed, delete, made, shown, uploaded
from tests.support.host import DAY_S, ManualClock, problem, running


async def test_a_rebuilt_catalogue_has_its_albums_as_they_were(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock()
    async with running(config, clock) as host:
        images = await uploaded(host, 3)
        kept = await made(host, images, title="Grüße", description="Vom See", cover=images[1]["slug"], expires_in="30d")
        ended = await made(host, images)
        await delete(host, ended)
        await host.appliance.shipper.check_and_enqueue()
        assert await host.appliance.album_lifecycle.sync_records() == 0  # the deletion took all along
        kept_as = await shown(host, kept)
        row = await host.appliance.catalogue.albums.get(kept["slug"])
    for path in config.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    unreadable = config.data_dir / "store/objects/albums/0000" / ("0" * 17 + ".json")
    unreadable.parent.mkdir()
    unreadable.write_text("{}")

    assert await asyncio.to_thread(rebuild, config) == 1
    told = capsys.readouterr()
    assert "3 images" in told.out
    assert "does not describe an album" in told.err
    async with running(config, clock) as host:
        assert await host.appliance.catalogue.albums.get(kept["slug"]) == row
        assert await shown(host, kept) == kept_as
        await problem(await host.get(f"/a/{ended['slug']}"), "album-gone")
        await changed(host, kept, title="The token still fits")
        clock.forward(31 * DAY_S)
        assert await host.appliance.album_lifecycle.end() == 1
