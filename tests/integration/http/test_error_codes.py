"""Every code that a request can meet is met here once, over HTTP; the table is held to the code's own."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientResponse

from appliance.config.model import Renditions
from appliance.domain import errors
from tests.support.host import CODES, Host, OpenHost, bearer, problem, small_config
from tests.support.images import pictures
from tests.support.tus_client import Tus

KEY = {"Idempotency-Key": "a-key-that-is-long-enough"}
Provoked = Callable[[Host], Awaitable[ClientResponse]]


async def _post(host: Host, data: bytes = b"", **headers: str) -> ClientResponse:
    return await host.client.post("/api/v1/images", data=data, headers=headers)


async def _reused(host: Host) -> ClientResponse:
    await _post(host, pictures.png(9, 9), **KEY)
    return await _post(host, pictures.png(8, 8), **KEY)


async def _locked(host: Host) -> ClientResponse:
    """Another request has the upload, and does not let go."""

    async def refused(_upload_id: str) -> None:
        raise errors.UploadLocked("Another request has this upload.", retry_after_s=1)

    host.appliance.resumable.state = refused  # type: ignore[method-assign, assignment]
    return await host.client.get("/api/v1/uploads/" + "a" * 22)


async def _in_use(host: Host) -> ClientResponse:
    """The first one waits for its inspection while the second one comes."""
    begun, goes_on = asyncio.Event(), asyncio.Event()
    examine = host.appliance.workers.examine

    async def waiting(*order: Any) -> Any:
        begun.set()
        await goes_on.wait()
        return await examine(*order)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host.appliance.workers, "examine", waiting)
        first = asyncio.create_task(_post(host, pictures.png(9, 9), **KEY))
        await begun.wait()
        second = await _post(host, pictures.png(9, 9), **KEY)
        goes_on.set()
        assert (await first).status == 201
    return second


async def _gone(host: Host) -> ClientResponse:
    resource = await host.upload(pictures.png(9, 9))
    await host.delete(resource["slug"], resource["delete_token"])
    return await host.get(f"/api/v1/images/{resource['slug']}")


async def _of_one(host: Host, path: str, **headers: str) -> ClientResponse:
    return await host.get(f"/i/{(await host.upload(pictures.png(9, 9)))['slug']}{path}", **headers)


async def _region_of_one(host: Host, wanted: str) -> ClientResponse:
    return await host.get(f"/iiif/3/{(await host.upload(pictures.png(9, 9)))['slug']}/{wanted}/0/default.jpg")


async def _changed(host: Host, token: str | None) -> ClientResponse:
    return await host.patch((await host.upload(pictures.png(9, 9)))["slug"], token, title="x")


async def _changed_meanwhile(host: Host) -> ClientResponse:
    resource = await host.upload(pictures.png(9, 9))
    headers = bearer(resource["delete_token"]) | {"If-Match": '"999"'}
    return await host.client.delete(f"/api/v1/images/{resource['slug']}", headers=headers)


async def _conflict(host: Host) -> ClientResponse:
    """Somebody else is faster every time."""
    resource = await host.upload(pictures.png(9, 9))
    return await _when(
        host.appliance.catalogue.images,
        "change",
        errors.Conflict("The image has changed in the meantime."),
        lambda: host.patch(resource["slug"], resource["delete_token"], title="x"),
    )


async def _faulty(
    host: Host, part: Callable[[Host], object], method: str, fault: Exception, path: str = "/small.jpg"
) -> ClientResponse:
    slug = (await host.upload(pictures.png(9, 9)))["slug"]
    await host.appliance.spool.remove(slug)
    return await _when(part(host), method, fault, lambda: host.get(f"/i/{slug}{path}"))


async def _when(
    part: object, method: str, fault: Exception, ask: Callable[[], Awaitable[ClientResponse]]
) -> ClientResponse:
    async def raising(*_: object, **__: object) -> None:
        raise fault

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part, method, raising)
        return await ask()


async def _slow(host: Host) -> ClientResponse:
    async def dripping() -> AsyncIterator[bytes]:
        yield b"\xff\xd8"
        with suppress(ClientError):
            await asyncio.sleep(5)

    return await host.client.post("/api/v1/images", data=dripping())


async def _stopping(host: Host) -> ClientResponse:
    slug = (await host.upload(pictures.png(9, 9)))["slug"]
    await host.appliance.workers.stop(0)
    return await host.get(f"/i/{slug}/small.jpg")


async def _draining(host: Host) -> ClientResponse:
    host.appliance.drain_switch.drained = True
    return await _post(host, pictures.png(9, 9))


async def _refused_as_form(host: Host, body: bytes) -> ClientResponse:
    return await _post(host, body, **{"Content-Type": "multipart/form-data; boundary=b"})


async def _album(host: Host) -> dict[str, Any]:
    slug = (await host.upload(pictures.png(9, 9)))["slug"]
    album: dict[str, Any] = await (await host.client.post("/api/v1/albums", json={"images": [slug]})).json()
    return album


async def _gone_album(host: Host) -> ClientResponse:
    album = await _album(host)
    await host.client.delete(f"/api/v1/albums/{album['slug']}", headers=bearer(album["delete_token"]))
    return await host.get(f"/api/v1/albums/{album['slug']}")


async def _paused(host: Host) -> ClientResponse:
    tus = Tus(host)
    return await tus.patch(await tus.create(None), 0, b"x")


async def _too_many(host: Host) -> ClientResponse:
    return await host.client.post("/api/v1/albums", json={"images": [f"{number:017}" for number in range(501)]})


URL_FORM = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhttps://a.example/b.jpg\r\n--b--\r\n'
LIMITED: dict[str, dict[str, Any]] = {
    "upload-paused": {"reserve_bytes": 10**15},
    "too-large": {"max_bytes": 10},
    "disk-full": {"reserve_bytes": 10**15},
    "upload-timeout": {"idle_timeout_s": 0.1},
    "cannot-resize": {"max_pixels": 10},
}
PROVOKED: dict[str, Provoked] = {
    "malformed-request": lambda host: _refused_as_form(host, b"no form"),
    "missing-file": _post,
    "empty-upload": lambda host: host.post(b""),
    "invalid-field": lambda host: host.post(b"x", title="x" * 201),
    "invalid-expiry": lambda host: host.post(b"x", expires_in="never"),
    "remote-url-refused": lambda host: _refused_as_form(host, URL_FORM),
    "invalid-idempotency-key": lambda host: _post(host, b"x", **{"Idempotency-Key": "short"}),
    "idempotency-key-in-use": _in_use,
    "idempotency-key-reused": _reused,
    "token-required": lambda host: _changed(host, None),
    "token-wrong": lambda host: _changed(host, "wrong"),
    "not-found": lambda host: host.get("/i/00000000000000000"),
    "album-not-found": lambda host: host.get("/a/00000000000000000"),
    "album-gone": _gone_album,
    "too-many-images": _too_many,
    "unknown-rendition": lambda host: _of_one(host, "/huge"),
    "invalid-image-request": lambda host: _region_of_one(host, "0,0,0,0/max"),
    "unsupported-image-request": lambda host: _region_of_one(host, "full/^1000,"),
    "no-such-page": lambda host: host.get("/nowhere"),
    "format-not-offered": lambda host: host.get("/oembed?format=xml"),
    "method-not-allowed": lambda host: host.client.post("/api/v1/limits"),
    "upload-timeout": _slow,
    "conflict": _conflict,
    "gone": _gone,
    "precondition-failed": _changed_meanwhile,
    "too-large": lambda host: _post(host, bytes(11)),
    "unsupported-format": lambda host: host.post(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "not-an-image": lambda host: host.post(b"text"),
    "range-not-satisfiable": lambda host: _of_one(host, "/original", Range="bytes=999999-"),
    "unreadable-image": lambda host: host.post(pictures.png()[:30]),
    "cannot-resize": lambda host: _of_one(host, "/small.jpg"),
    "disk-full": lambda host: host.post(b"x"),
    "busy": lambda host: _faulty(host, lambda it: it.appliance.delivery, "rendition", errors.Busy("Too many wait.")),
    "store-unavailable": lambda host: _faulty(
        host, lambda it: it.appliance.store, "fetch", errors.StoreUnavailable("It is away.")
    ),
    "catalogue-unavailable": lambda host: _faulty(
        host, lambda it: it.appliance.catalogue.images, "get", errors.CatalogueUnavailable("It is away.")
    ),
    "stopping": _stopping,
    "draining": _draining,
    "encoded-body": lambda host: _post(host, gzip.compress(pictures.png(9, 9)), **{"Content-Encoding": "gzip"}),
    "partial-upload": lambda host: _post(host, pictures.png(9, 9), **{"Content-Range": "bytes 0-99/900"}),
    "digest-mismatch": lambda host: _post(host, pictures.png(9, 9), **{"Content-Digest": f"sha-256=:{'A' * 43}=:"}),
    "upload-locked": _locked,
    "upload-paused": _paused,
    "internal-error": lambda host: _faulty(host, lambda it: it.appliance.delivery, "resolve", ValueError("secret")),
}
MET_BY_LIMITS = {"rate-limited", "budget-spent"}  # in tests/integration/limits
MET_BY_TUS = {  # each in a flow of its own, in tests/integration/resumable
    "checksum-mismatch",
    "completed-upload",
    "inconsistent-upload-length",
    "not-here-yet",
    "offset-mismatch",
    "parts-unfinished",
    "unsupported-tus-version",
    "upload-gone",
    "upload-is-final",
    "upload-not-found",
    "wrong-content-type",
}
MET_WITH_KEYS = {  # each in tests/integration/access
    "key-expired",
    "key-invalid",
    "key-required",
    "key-revoked",
    "key-rotated",
    "key-scope",
    "key-used-up",
    "sign-in-required",
}
MET_BY_LOCKS = {  # in tests/integration/locks
    "all-locked",
    "being-viewed",
    "locked",
    "passphrase-wrong",
    "too-many-guesses",
}
MET_UNDER_ATTACK = {"banned", "proof-required"}  # in tests/integration/bans and limits
MET_BY_GUESTS = {"invite-full", "invite-gone", "unknown-invite"}  # in tests/integration/invites
MET_WITH_NODES = {"node-unavailable", "upload-moving"}  # in tests/integration/nodes
NEVER_TOLD = {
    "incomplete-upload",  # its client is gone; what it leaves behind is tested in uploads/test_admission
    "object-missing",  # told as store-unavailable wherever a row lives
}


def test_the_table_holds_every_code_that_a_request_can_meet() -> None:
    by_kind = MET_BY_TUS, MET_BY_LIMITS, MET_BY_LOCKS, MET_WITH_KEYS, MET_BY_GUESTS, MET_UNDER_ATTACK, MET_WITH_NODES
    elsewhere = set.union(NEVER_TOLD, *by_kind)
    assert set(PROVOKED) | elsewhere == set(CODES)
    assert not set(PROVOKED) & elsewhere


@pytest.mark.parametrize("code", PROVOKED)
async def test_each_code_is_met_with_its_status_and_words(open_host: OpenHost, code: str) -> None:
    uploads = replace(small_config(Path()).uploads, **LIMITED.get(code, {}))
    host = await open_host(uploads=uploads, renditions=Renditions(workers=1, prewarm=()))
    response = await PROVOKED[code](host)
    told = await problem(response, code)
    assert "secret" not in str(told)
    if response.status in (409, 503):
        assert int(response.headers["Retry-After"]) >= 1
