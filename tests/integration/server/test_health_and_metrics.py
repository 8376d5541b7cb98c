"""What operators and clients see beside the pictures: health, metrics, request ids, and problems at odd addresses."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientSession

from appliance.domain.errors import StoreUnavailable
from appliance.server.metrics_site import serving_metrics
from tests.support.host import Host, OpenHost, problem, small_config


@contextmanager
def broken(part: object, method: str, fault: Exception) -> Iterator[None]:
    async def raising(*_: object, **__: object) -> None:
        raise fault

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, method, raising)
        yield


async def test_a_healthy_host_says_so(host: Host) -> None:
    alive = await host.get("/healthz")
    assert (alive.status, await alive.text(), alive.headers["Cache-Control"]) == (200, "alive\n", "no-store")
    ready = await host.get("/readyz")
    report = await ready.json()
    assert (ready.status, report["status"]) == (200, "ready")
    assert report["parts"] == {"catalogue": "ok", "workers": "ok", "store": "ok", "disk": "ok"}


async def test_without_its_store_a_host_is_ready_and_degraded(host: Host, jpeg: bytes) -> None:
    with broken(host.appliance.store, "put", StoreUnavailable("It does not answer.")):
        resource = await host.upload(jpeg)
        ready = await host.get("/readyz")
        report = await ready.json()
        assert (ready.status, report["status"]) == (200, "degraded")
        assert report["parts"]["store"] != "ok"
        assert (await host.get(f"/i/{resource['slug']}/small.jpg")).status == 200
        assert host.counted("store_up") == 0


async def test_a_stopping_host_is_not_ready_and_closes_its_connections(host: Host) -> None:
    host.appliance.health.stopping = True
    ready = await host.get("/readyz")
    assert (ready.status, (await ready.json())["status"]) == (503, "stopping")
    assert ready.headers["Connection"] == "close"
    assert (await host.get("/healthz")).status == 200


async def test_metrics_have_a_listener_of_their_own_and_count_what_happened(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(server=replace(small_config(Path()).server, metrics_listen="127.0.0.1:0"))
    slug = (await host.upload(jpeg))["slug"]
    for path in ("small.jpg", "small.jpg", "nothing.jpg"):
        await host.get(f"/i/{slug}/{path}")
    await host.post(b"no picture")
    async with serving_metrics(host.appliance.config.server, host.appliance.metrics.text) as addresses:
        _, port = addresses[0][:2]
        async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as reply:
            text = await reply.text()
        assert reply.content_type == "text/plain"
        assert reply.headers["Server"] == "appliance"
    for line in (
        'appliance_uploads_total{outcome="accepted"} 1.0',
        'appliance_uploads_total{outcome="not-an-image"} 1.0',
        f"appliance_upload_bytes_total {float(len(jpeg))}",
        'appliance_renditions_total{format="jpg",preset="small"} 1.0',
        'appliance_cache_lookups_total{layer="memory"} 1.0',
        "appliance_shipped_total 1.0",
        "appliance_store_up 1.0",
        "appliance_in_flight_requests 0.0",
        'method="POST",route="/api/v1/images",status="4xx"} 1.0',
    ):
        assert line in text, line
    assert slug not in text


async def test_metrics_are_not_on_the_public_listener(host: Host) -> None:
    await problem(await host.get("/metrics"), "no-such-page")


async def test_a_request_id_of_a_trusted_proxy_is_echoed_and_others_are_minted(open_host: OpenHost) -> None:
    host = await open_host(server=replace(small_config(Path()).server, trusted_proxies=("127.0.0.1",)))
    for given in ("abc-123_X", "x" * 64):
        assert (await host.get("/healthz", X_Request_ID=given)).headers["X-Request-ID"] == given
    minted = [(await host.get("/healthz")).headers["X-Request-ID"] for _ in range(2)]
    assert minted[0] != minted[1]
    for odd in ("x" * 65, "a b", "<script>", "ü"):
        assert (await host.get("/healthz", X_Request_ID=odd)).headers["X-Request-ID"] != odd


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", "no-such-page"),
        ("GET", "/wp-login.php", "no-such-page"),
        ("GET", "/b/c/d", "no-such-page"),
        ("GET", "/i/", "no-such-page"),
        ("GET", "/i/%00", "no-such-page"),
        ("GET", "/i/..%2f..%2fetc%2fpasswd", "no-such-page"),
        ("GET", "/static/../app.py", "no-such-page"),
        ("GET", "/static/nothing.css", "no-such-page"),
        ("GET", "/api/v2/images", "no-such-page"),
        ("GET", "/api/v1/images", "method-not-allowed"),
    ],
)
async def test_odd_addresses_are_problem_documents(host: Host, method: str, path: str, code: str) -> None:
    await problem(await host.client.request(method, path), code)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PATCH"])
async def test_a_wrong_method_says_which_are_right(host: Host, method: str) -> None:
    reply = await host.client.request(method, "/api/v1/limits")
    await problem(reply, "method-not-allowed")
    assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/i/00000000000000000", 404), ("/i/00000000000000000/manage", 404)]
)
async def test_browsers_get_a_page_with_code_and_request_id(host: Host, path: str, status: int) -> None:
    reply = await host.get(path, Accept="text/html")
    page = await reply.text()
    assert (reply.status, reply.content_type) == (status, "text/html")
    assert reply.headers["X-Request-ID"] in page
    assert reply.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
    assert 'href="/"' in page


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_the_text_of_an_exception_is_never_shown(
    host: Host, jpeg: bytes, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    slug = (await host.upload(jpeg))["slug"]
    secret = RuntimeError("secret-path /srv/data and a password")
    with broken(host.appliance.delivery, "resolve", secret), caplog.at_level(logging.ERROR):
        for path in (f"/i/{slug}", f"/i/{slug}/small.jpg", f"/api/v1/images/{slug}"):
            reply = await host.get(path, Accept=accept)
            assert reply.status == 500
            assert "secret" not in await reply.text()
            assert "internal-error" in await reply.text()
    assert "secret-path" in caplog.text


async def test_a_bare_wrong_request_line_is_no_server_fault(host: Host) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"BREW / HTTP/1.1\r\nHost: a",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
        writer.write(raw + b"\r\n\r\n")
        writer.write_eof()
        head = await reader.read(200)
        assert b" 500 " not in head.split(b"\r\n")[0]
        assert b"Traceback" not in head
        writer.close()
    assert (await host.get("/healthz")).status == 200


async def test_a_body_that_breaks_off_on_our_side_is_cut_and_not_filled_up(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await host.appliance.spool.remove(slug)
    (original,) = host.files("store/objects")
    whole = original.read_bytes()
    real_open = host.appliance.store.open

    async def shorter(*args: Any) -> Any:
        reader = await real_open(*args)
        original.write_bytes(whole[: len(whole) // 2])
        return reader

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host.appliance.store, "open", shorter)
        with pytest.raises(ClientPayloadError):
            await (await host.get(f"/i/{slug}/original")).read()
