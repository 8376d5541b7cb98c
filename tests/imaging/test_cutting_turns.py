"""Which of the regions that wait for one image go into the next decode."""

import asyncio

from appliance.clients import Clients
from appliance.delivery.cutting import Wish, in_turns
from appliance.regions import Cut, Quality, Region
from appliance.renditions import Format


def cut(at: int) -> Cut:
    return Cut(Region(at, 0, 100, 100), 100, 100, False, 0, Quality.DEFAULT, Format.JPG)


async def test_every_client_has_its_first_region_made_before_anybodys_second() -> None:
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    asked = [*((at, ("flood",)) for at in range(5)), (5, ("other",)), (6, ("flood", "third")), (7, ("other",))]
    wanted = {cut(at): Wish(future, Clients(*clients)) for at, clients in asked}
    assert [each.region.x for each in in_turns(wanted)] == [0, 5, 6, 1, 7, 2, 3, 4]
