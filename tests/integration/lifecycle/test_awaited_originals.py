"""Awaited originals: they have landed, and the catalogue doesn't say yet whether their rows are saved."""

import asyncio

from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Image, Location
from appliance.domain.slugs import mint
from tests.support import rows
from tests.support.host import Host
from tests.support.images import pictures
from tests.support.waiting import until

TINY = pictures.one_pixel()


def awaited(host: Host) -> tuple[Image, "asyncio.Future[object]"]:
    """One that has landed without a row, and the answer that is to come."""
    image = rows.image(slug=mint(host.clock()), bytes=len(TINY), expires_s=int(host.clock()) + rows.YEAR_S)
    (host.appliance.config.spool_dir / "landed" / image.slug).write_bytes(TINY)
    answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    host.appliance.awaited_originals.add(image, answer, "192.0.2.1")
    return image, answer


async def swept(host: Host) -> int:
    return await host.appliance.sweeps.spool(older_than_s=-60)


async def test_one_whose_row_was_not_saved_is_left_to_the_sweep(host: Host) -> None:
    _, answer = awaited(host)
    assert await swept(host) == 0
    answer.set_exception(CatalogueUnavailable("The change was refused."))
    await asyncio.sleep(0)
    assert await swept(host) == 1
    assert not host.appliance.shipper.queue
    assert host.files("spool/landed") == []


async def test_one_that_a_stopping_server_no_longer_waits_for_is_shipped_by_its_row(host: Host) -> None:
    image, answer = awaited(host)
    await host.appliance.awaited_originals.stop()
    assert not answer.done()
    assert [path.name for path in host.files("spool/landed")] == [image.slug]
    await host.appliance.catalogue.images.add(image)
    await host.appliance.shipper.enqueue_unshipped()

    async def is_stored() -> bool:
        row = await host.appliance.catalogue.images.get(image.slug)
        return isinstance(row, Image) and row.location is Location.STORE

    await until(is_stored, "the original in the store")
