"""Nodes that have joined, without a server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from appliance.catalogue import Catalogue
from appliance.catalogue.opening import open_catalogue
from appliance.config.model import Config
from appliance.domain.clock import Clock, system_clock
from appliance.membership.building import membership_of
from appliance.membership.membership import Membership
from appliance.objectstore import ObjectStore, open_store


class Told:
    """What a start waits for; the `event` is called each time."""

    def __init__(self, event: Callable[[], None] = lambda: None) -> None:
        self.parts: list[str] = []
        self._event = event

    async def __call__(self, part: str, _state: str, _details: str) -> None:
        self.parts.append(part)
        self._event()


@asynccontextmanager
async def node(
    config: Config, clock: Clock = system_clock, tell: Told | None = None, store: ObjectStore | None = None
) -> AsyncIterator[tuple[Catalogue, Membership]]:
    """A node that has joined, as long as the block lasts."""
    async with AsyncExitStack() as stack:
        catalogue = await stack.enter_async_context(open_catalogue(config, clock))
        if store is None:
            store = open_store(config.store, config.data_dir)
            stack.push_async_callback(store.close)
        membership = membership_of(config, catalogue, store, clock)
        assert membership is not None
        stack.push_async_callback(membership.leave)
        await membership.join(tell or Told())
        yield catalogue, membership
