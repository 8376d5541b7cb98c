"""The contract against the running application: generated requests over real TCP, answers held to openapi.json."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from appliance.config.model import Config, Server
from appliance.http.api.contract import build_contract
from appliance.http.links import EXTENSIONS
from tests.support.host import Host, ManualClock, bearer, running, small_config
from tests.support.images import pictures

EXAMPLES = 25
ALBUM_PATHS = ("/a/", "/api/v1/albums/", "/iiif/presentation/")


def no_fault_of_the_server(context: Any, response: Any, case: Any) -> bool | None:
    """A 501 is an answer (oEmbed and IIIF ask for it), and 507 to who announces more than this machine's disk has.

    That they are documented, another check sees to.
    """
    if response.status_code in (501, 507):
        return None
    return schemathesis.checks.not_a_server_error(context, response, case)


CHECKS = [
    no_fault_of_the_server,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
IMAGES = st.sampled_from([pictures.png(20, 20), pictures.photo(20, 20), pictures.animated("gif", 2), b"text", b""])
RESUMED = ["application/offset+octet-stream", "application/partial-upload"]
for media_type in (*EXTENSIONS, "application/octet-stream", *RESUMED):
    schemathesis.openapi.media_type(media_type, IMAGES)
schemathesis.serializer.alias(RESUMED, "application/octet-stream")

schema = schemathesis.openapi.from_dict(build_contract(Config()))


CLIENTS = itertools.count()


class ThreadedHost:
    """A host on a thread and loop of its own, for clients that block."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._up = threading.Event()
        self.slugs: list[str] = []
        self.albums: list[str] = []
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["ThreadedHost"]:
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(self._serve(stop)))
        thread.start()
        assert self._up.wait(30)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()

    async def _serve(self, stop: asyncio.Event) -> None:
        config = replace(small_config(self._data_dir), server=Server(trusted_proxies=("127.0.0.1",)))
        async with running(config, ManualClock()) as host:
            self.url = f"http://127.0.0.1:{host.port}"
            self.slugs = await self._images(host)
            self.albums = await self._albums(host, self.slugs[0])
            self._up.set()
            await stop.wait()

    @staticmethod
    async def _images(host: Host) -> list[str]:
        """One that lives, one that is deleted."""
        living, deleted = [await host.upload(pictures.photo(60, 40, seed=seed)) for seed in (1, 2)]
        await host.delete(deleted["slug"], deleted["delete_token"])
        return [living["slug"], deleted["slug"]]

    @staticmethod
    async def _albums(host: Host, image: str) -> list[str]:
        """One that lives, one that is deleted."""
        slugs = []
        for ends in (False, True):
            album = await (await host.client.post("/api/v1/albums", json={"images": [image]})).json()
            if ends:
                await host.client.delete(f"/api/v1/albums/{album['slug']}", headers=bearer(album["delete_token"]))
            slugs.append(album["slug"])
        return slugs


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedHost]:
    with ThreadedHost(tmp_path_factory.mktemp("served") / "data").running() as it:
        yield it


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_what_the_contract_says(case: Any, served: ThreadedHost) -> None:
    parameters = case.path_parameters
    if parameters and "slug" in parameters:  # generated slugs are unknown; two of three are made known
        kind = sum(str(parameters["slug"]).encode()) % 3
        if kind < 2:
            known = served.albums if case.path.startswith(ALBUM_PATHS) else served.slugs
            case.path_parameters = parameters | {"slug": known[kind]}
    client = {
        "X-Forwarded-For": f"2001:db8:{next(CLIENTS):x}::1"
    }  # one that sends many wrong tokens would have to wait
    case.call_and_validate(base_url=served.url, headers=client, checks=CHECKS)
