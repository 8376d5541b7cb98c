"""A tus client of a host of its own."""

import pytest

from tests.support.host import Host
from tests.support.tus_client import Tus


@pytest.fixture
def tus(host: Host) -> Tus:
    return Tus(host)
