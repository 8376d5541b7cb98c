"""The real application over real parts in this process, with a client and a clock that a test moves."""

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient, TestServer

from appliance.app import started
from appliance.config.model import GB, MB, Config, LimitsConfig, Renditions, Uploads
from appliance.container import Container, site_of
from appliance.http.problems import STATUSES
from appliance.http.transport.connections import Runner
from tests.support.waiting import until

DAY_S = 86_400
PATIENCE_S = 15.0
"""How long requests wait for a busy disk: less than a gate is held (see `gates.py`)."""
CODES = {kind.code: status for kind, status in STATUSES.items()}


@dataclass
class ManualClock:
    """A clock that stands still until a test moves it. `boot_s` is the machine's steady clock."""

    now_s: float = field(default_factory=lambda: 1_790_000_000.0)
    jumped_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s

    def forward(self, seconds: float) -> None:
        """So much time passes."""
        self.now_s += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set, and the steady one doesn't notice."""
        self.now_s += seconds
        self.jumped_s += seconds

    def boot_s(self) -> float:
        return self.now_s - self.jumped_s


@dataclass
class Host:
    """One running appliance, a client of it, and the clock it goes by."""

    appliance: Container
    client: "TestClient[Any, Any]"
    clock: ManualClock

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        assert self.client.port is not None
        return self.client.port

    async def upload(self, data: bytes, filename: str = "photo.jpg", **fields: str) -> dict[str, Any]:
        """An accepted upload's resource."""
        response = await self.post(data, filename, **fields)
        assert response.status == 201, await response.text()
        resource: dict[str, Any] = await response.json()
        return resource

    async def post(self, data: bytes, filename: str = "photo.jpg", **fields: str) -> ClientResponse:
        form = FormData()
        form.add_field("file", io.BytesIO(data), filename=filename, content_type="application/octet-stream")
        for name, value in fields.items():
            form.add_field(name, value)
        return await self.client.post("/api/v1/images", data=form)

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(path, headers=dashed(headers), allow_redirects=False)

    async def patch(self, slug: str, token: str | None, **members: Any) -> ClientResponse:
        return await self.client.patch(f"/api/v1/images/{slug}", json=members, headers=bearer(token))

    async def delete(self, slug: str, token: str | None, **query: str) -> ClientResponse:
        return await self.client.delete(f"/api/v1/images/{slug}", params=query, headers=bearer(token))

    async def bin(self, image: dict[str, Any], kind: str = "images") -> str:
        """Move an image, or an album, to the bin. Until when it can be restored, as the reply says."""
        path, headers = f"/api/v1/{kind}/{image['slug']}?bin=true", bearer(image["delete_token"])
        response = await self.client.delete(path, headers=headers)
        assert response.status == 200, await response.text()
        return str((await response.json())["restorable_until"])

    async def erase(self) -> int:
        """Let the undo time pass, and the eraser run."""
        self.clock.forward(11)
        return await self.appliance.image_lifecycle.erase()

    async def all_cached(self) -> None:
        """Returns once nothing is being rendered: a view is answered a moment before the cache's disk has its size."""
        await until(lambda: not self.appliance.cache.images_in_progress, "the end of all rendering")

    def files(self, folder: str) -> list[Path]:
        """Every file below a folder of the data directory."""
        return sorted(path for path in (self.appliance.config.data_dir / folder).rglob("*") if path.is_file())

    def counted(self, name: str, **labels: str) -> float:
        """A metric's value; 0 for labels that nothing was counted under."""
        return self.appliance.metrics.registry.get_sample_value(f"appliance_{name}", labels) or 0.0


OpenHost = Callable[..., Awaitable[Host]]


def dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


async def problem(response: ClientResponse, code: str) -> dict[str, Any]:
    """The problem document of a reply, which must have this code, its status, and all that every problem has."""
    body: dict[str, Any] = await response.json()
    assert body["code"] == code, body
    assert response.status == body["status"] == CODES[code]
    assert response.content_type == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Request-ID"] == body["request_id"]
    assert body["title"]
    assert body["detail"].endswith((".", "…"))
    assert not re.search(r"Traceback|Error\(|Exception|/tmp|\.py", str(body))
    return body


def small_config(data_dir: Path) -> Config:
    """A whole appliance that starts fast and leaves the machine's other core alone; it has time for its store."""
    return Config(
        data_dir=data_dir,
        uploads=Uploads(reserve_bytes=1 * MB, spool_bytes=1 * GB, ack_budget_s=PATIENCE_S),
        renditions=Renditions(workers=1, prewarm=()),
        limits=LimitsConfig(mode="off"),
    )


class HostServer(TestServer):
    """Serves as `appliance serve` does: a handler goes on to its end when its client is gone."""

    async def _make_runner(self, **kwargs: Any) -> web.BaseRunner:
        kwargs |= {"handler_cancellation": False, "access_log": None}
        return Runner(self.app, **kwargs)


@asynccontextmanager
async def running(config: Config, clock: ManualClock) -> AsyncIterator[Host]:
    async with started(config, clock, clock.boot_s) as appliance, TestClient(HostServer(site_of(appliance))) as client:
        appliance.resumable.locks.wait_s = PATIENCE_S
        yield Host(appliance, client, clock)
