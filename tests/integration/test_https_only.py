"""A host with an https address tells browsers to keep to it."""

from dataclasses import replace
from pathlib import Path

from tests.conftest import OpenHost, small_config


async def test_a_host_of_https_stays_one(open_host: OpenHost, tmp_path: Path, jpeg: bytes) -> None:
    server = replace(small_config(tmp_path).server, public_url="https://pictures.example.org")
    host = await open_host(server=server)
    slug = (await host.upload(jpeg))["slug"]
    for path in ("/", f"/i/{slug}", f"/i/{slug}/small.jpg", f"/i/{slug}/small.jpg", "/nothing", "/api/v1/limits"):
        assert (await host.get(path)).headers["Strict-Transport-Security"] == "max-age=15552000"


async def test_a_host_of_plain_http_says_nothing_of_it(open_host: OpenHost, tmp_path: Path) -> None:
    server = replace(small_config(tmp_path).server, public_url="http://pictures.example.org")
    assert "Strict-Transport-Security" not in (await (await open_host(server=server)).get("/")).headers
