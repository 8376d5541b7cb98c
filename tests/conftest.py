"""The real application over real parts, for every suite that speaks HTTP to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestClient, TestServer

from appliance.app import Appliance, started
from appliance.config import GB, MB, Config, Renditions, Uploads
from tests import pictures

DAY_S = 86_400


@dataclass
class HeldClock:
    """A clock that stands still until a test moves it."""

    now_s: float = field(default_factory=lambda: 1_790_000_000.0)

    def __call__(self) -> float:
        return self.now_s

    def forward(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Host:
    """One running appliance, a client of it, and the clock it goes by."""

    appliance: Appliance
    client: "TestClient[Any, Any]"
    clock: HeldClock

    async def upload(self, data: bytes, filename: str = "photo.jpg", **fields: str) -> dict[str, Any]:
        """An accepted upload's resource."""
        response = await self.post(data, filename, **fields)
        assert response.status == 201, await response.text()
        resource: dict[str, Any] = await response.json()
        return resource

    async def post(self, data: bytes, filename: str = "photo.jpg", **fields: str) -> ClientResponse:
        form = FormData()
        form.add_field("file", data, filename=filename, content_type="application/octet-stream")
        for name, value in fields.items():
            form.add_field(name, value)
        return await self.client.post("/api/v1/images", data=form)

    async def get(self, path: str, **headers: str) -> ClientResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=named, allow_redirects=False)


OpenHost = Callable[..., Awaitable[Host]]


def small_config(data_dir: Path) -> Config:
    """A whole appliance that starts fast and leaves the machine's other core alone."""
    return Config(
        data_dir=data_dir,
        uploads=Uploads(reserve_bytes=1 * MB, spool_bytes=1 * GB),
        renditions=Renditions(workers=1, prewarm=()),
    )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small_config(tmp_path / "data")


@pytest.fixture
async def open_host(config: Config) -> AsyncIterator[OpenHost]:
    """Opens hosts over the same data directory, one after another or with other settings."""
    async with AsyncExitStack() as stack:
        clock = HeldClock()

        async def open_(**sections: Any) -> Host:
            appliance = await stack.enter_async_context(started(replace(config, **sections), clock))
            client = await stack.enter_async_context(TestClient(TestServer(appliance.site())))
            return Host(appliance, client, clock)

        yield open_


@pytest.fixture
async def host(open_host: OpenHost) -> Host:
    return await open_host()


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    return pictures.photo(640, 480)
