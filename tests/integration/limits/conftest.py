"""Hosts with small limits, behind a trusted proxy, so that a test can be many clients."""

from collections.abc import Awaitable, Callable

import pytest

from appliance.config.model import Server
from tests.support.host import Host, OpenHost
from tests.support.limits import only

OpenLimited = Callable[..., Awaitable[Host]]


@pytest.fixture
def open_limited(open_host: OpenHost) -> OpenLimited:
    """Opens a host with these limits alone. X-Forwarded-For says who asks."""

    async def open_(**settings: int | str) -> Host:
        return await open_host(limits=only(**settings), server=Server(trusted_proxies=("127.0.0.1",)))

    return open_
