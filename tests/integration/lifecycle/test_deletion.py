"""Deleting: what the token is for, what counts, and what does not bring a deleted image back."""

from typing import Any

import pytest

from tests.support.host import Host, problem


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, title="Cat", alt="A cat")


async def test_the_resource_never_shows_the_token_again(host: Host, mine: dict[str, Any]) -> None:
    shown = await (await host.get(f"/api/v1/images/{mine['slug']}")).json()
    assert shown == {name: value for name, value in mine.items() if name != "delete_token"}


async def test_a_deletion_counts_once_however_often_it_is_repeated(host: Host, mine: dict[str, Any]) -> None:
    for _ in range(3):
        assert (await host.delete(mine["slug"], mine["delete_token"])).status == 204
    assert host.counted("deleted_total") == 1


async def test_only_undo_restores_a_deleted_image(host: Host, mine: dict[str, Any]) -> None:
    slug, token = mine["slug"], mine["delete_token"]
    await host.delete(slug, token)
    await problem(await host.patch(slug, token, title="x"), "gone")
    await problem(await host.patch(slug, token, expires_in="30d"), "gone")
    await problem(await host.get(f"/i/{slug}"), "gone")
    back = await host.patch(slug, token, deleted=False)
    assert (await back.json())["expires_at"] == mine["expires_at"]


async def test_a_change_of_a_megabyte_is_refused(host: Host, mine: dict[str, Any]) -> None:
    await problem(await host.patch(mine["slug"], mine["delete_token"], title="x" * 900_000), "too-large")
