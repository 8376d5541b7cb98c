"""Idempotency-Key: a repeat gives the first answer again, and nothing else does."""

import asyncio
import hashlib
import sqlite3
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.domain import tokens
from appliance.domain.access_keys import KeyLimits
from tests.support import albums
from tests.support.access import minted
from tests.support.host import DAY_S, Host, bearer, problem
from tests.support.images import pictures

KEY = "3f0c7a52-9b1e-4b4e-8a49-1f6a7c0f7d11"


async def post(host: Host, data: bytes, key: str = KEY, query: str = "?filename=a.jpg") -> ClientResponse:
    return await host.client.post(f"/api/v1/images{query}", data=data, headers={"Idempotency-Key": key})


async def image(response: ClientResponse) -> dict[str, Any]:
    assert response.status == 201, await response.text()
    resource: dict[str, Any] = await response.json()
    return resource


async def test_a_repeat_gives_the_same_answer_and_makes_no_second_image(host: Host, jpeg: bytes) -> None:
    first, second = await image(await post(host, jpeg)), await image(await post(host, jpeg))
    assert first == second
    assert len(host.files("store/objects")) == 1
    assert host.files("spool/incoming") == host.files("spool/landed") == []
    assert (await host.delete(first["slug"], second["delete_token"])).status == 204


async def test_a_repeat_after_a_restart_gives_the_same_answer(open_host: Any, jpeg: bytes) -> None:
    first = await image(await post(await open_host(), jpeg))
    assert await image(await post(await open_host(), jpeg)) == first


async def test_repeats_that_run_at_once_make_one_image(host: Host, jpeg: bytes) -> None:
    replies = await asyncio.gather(*(post(host, jpeg) for _ in range(8)))
    made = {(await reply.json())["slug"] for reply in replies if reply.status == 201}
    assert len(made) == 1
    for reply in replies:
        if reply.status != 201:
            await problem(reply, "idempotency-key-in-use")
            assert int(reply.headers["Retry-After"]) >= 1
    assert len(host.files("store/objects")) == 1


async def test_a_key_that_came_with_something_else_is_refused(host: Host, jpeg: bytes) -> None:
    await image(await post(host, jpeg))
    await problem(await post(host, pictures.photo(64, 64)), "idempotency-key-reused")
    await problem(await post(host, jpeg, query="?filename=b.jpg"), "idempotency-key-reused")
    await problem(await post(host, jpeg, query="?filename=a.jpg&expires_in=60"), "idempotency-key-reused")
    assert host.files("spool/incoming") == []


@pytest.mark.parametrize(
    ("key", "limit"), [("short", 16), ("x" * 15, 16), ("x" * 256, 255), ("with-an-umlaut-ü-in-it", 255)]
)
async def test_a_key_that_could_be_guessed_or_is_too_long_is_refused(
    host: Host, jpeg: bytes, key: str, limit: int
) -> None:
    told = await problem(await post(host, jpeg, key), "invalid-idempotency-key")
    assert told["limit"] == limit


async def test_a_key_whose_image_was_deleted_answers_gone(host: Host, jpeg: bytes) -> None:
    resource = await image(await post(host, jpeg))
    await host.delete(resource["slug"], resource["delete_token"])
    await problem(await post(host, jpeg), "gone")
    await host.erase()
    await problem(await post(host, jpeg), "gone")


async def test_a_key_whose_image_expired_answers_gone(host: Host, jpeg: bytes) -> None:
    await image(await post(host, jpeg, query="?filename=a.jpg&expires_in=60"))
    host.clock.forward(61)
    await problem(await post(host, jpeg, query="?filename=a.jpg&expires_in=60"), "gone")


async def test_a_key_is_forgotten_after_a_day(host: Host, jpeg: bytes) -> None:
    first = await image(await post(host, jpeg))
    host.clock.forward(DAY_S + 1)
    assert await host.appliance.image_lifecycle.forget() == 1
    assert (await image(await post(host, jpeg)))["slug"] != first["slug"]


async def test_a_refused_upload_does_not_use_up_its_key(host: Host, jpeg: bytes) -> None:
    await problem(await post(host, b"no picture"), "not-an-image")
    await image(await post(host, jpeg))


@pytest.mark.parametrize("key", ["k" * 16, "the hash of the file"])
async def test_no_key_tells_the_token_to_somebody_who_guesses_it(host: Host, jpeg: bytes, key: str) -> None:
    key = hashlib.sha256(jpeg).hexdigest() if key.startswith("the") else key
    resource = await image(await post(host, jpeg, key))
    assert tokens.derive_token(key, resource["slug"]) != resource["delete_token"]
    assert (await host.delete(resource["slug"], tokens.derive_token(key, resource["slug"]))).status == 403
    album = await albums.post(host, key=key + "-album", images=[resource["slug"]])
    made = await album.json()
    assert made["delete_token"] != tokens.derive_token(key + "-album", made["slug"])
    assert (await (await albums.post(host, key=key + "-album", images=[resource["slug"]])).json()) == made


async def test_a_key_of_an_older_release_opens_the_same_token(open_host: Any, jpeg: bytes) -> None:
    host = await open_host()
    slug, _ = (await image(await post(host, jpeg)))["slug"], None
    token = tokens.derive_token(KEY, slug)
    await host.appliance.catalogue.stop()
    with sqlite3.connect(host.appliance.config.data_dir / "catalogue.sqlite") as rows:
        rows.execute("UPDATE idempotency SET secret = ''")
        rows.execute("UPDATE images SET token_hash = ?", (bytes.fromhex(tokens.hash_secret(token)),))
    rows.close()
    again = await image(await post(await open_host(), jpeg))
    assert again["delete_token"] == token


@pytest.mark.parametrize(
    "limits", [KeyLimits(max_images=1), KeyLimits(max_images_a_day=1), KeyLimits(max_bytes=100_000)]
)
async def test_a_repeat_is_answered_to_a_key_that_has_reached_its_limits(
    host: Host, jpeg: bytes, limits: KeyLimits
) -> None:
    headers = bearer(await minted(host, limits=limits)) | {"Idempotency-Key": KEY}
    first = await image(await host.client.post("/api/v1/images", data=jpeg, headers=headers))
    assert await image(await host.client.post("/api/v1/images", data=jpeg, headers=headers)) == first
    other = await host.client.post("/api/v1/images", data=jpeg, headers=headers | {"Idempotency-Key": f"{KEY}-2"})
    assert (await other.json())["code"] in ("key-used-up", "budget-spent")
    another_file = await host.client.post("/api/v1/images", data=pictures.photo(64, 48), headers=headers)
    await problem(another_file, "idempotency-key-reused")
    assert len(host.files("store/objects/originals")) == 1
