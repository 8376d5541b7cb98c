"""People whom a proxy in front has signed in: who is believed to be one, and what that opens."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.config.model import Access, Config, Server
from tests.support.access import minted, only_image, raw
from tests.support.host import OpenHost, bearer, problem
from tests.support.wire import wires

WRONG = "imgk_" + "0" * 44


@pytest.fixture
def proxied(config: Config) -> dict[str, Any]:
    server = replace(config.server, trusted_proxies=("127.0.0.1",))
    return {"server": server, "access": Access(uploads=("signed-in",), user_header="Remote-User")}


async def test_who_is_signed_in_uploads(open_host: OpenHost, jpeg: bytes, proxied: dict[str, Any]) -> None:
    host = await open_host(**proxied)
    assert (await raw(host, jpeg, {"Remote-User": "ada"})).status == 201
    for sent in ({}, {"Remote-User": ""}, {"Remote-User": " "}, {"Remote-User": "a" * 300}):
        await problem(await raw(host, jpeg, sent), "sign-in-required")


async def test_a_key_does_not_replace_who_is_signed_in(
    open_host: OpenHost, jpeg: bytes, proxied: dict[str, Any]
) -> None:
    """Some programs send a key with everything."""
    host = await open_host(**proxied)
    both = {"Remote-User": "ada", "X-API-Key": await minted(host)}
    assert (await raw(host, jpeg, both)).status == 201
    me = await (await host.client.get("/api/v1/me", headers=both)).json()
    assert (me["may_upload"], me["signed_in_as"], me["key"]["name"]) == (True, "ada", "scanner")
    await problem(await raw(host, jpeg, {"X-API-Key": both["X-API-Key"]}), "sign-in-required")
    await problem(await raw(host, jpeg, both | {"X-API-Key": WRONG}), "key-invalid")


async def test_another_site_cannot_upload_as_who_is_signed_in(
    open_host: OpenHost, jpeg: bytes, proxied: dict[str, Any]
) -> None:
    """Browsers say which site asks by `Sec-Fetch-Site`, or only by `Origin`."""
    public = "https://images.example.org"
    proxied["server"] = replace(proxied["server"], public_url=public)
    host, ada = await open_host(**proxied), {"Remote-User": "ada"}
    here = f"http://127.0.0.1:{host.port}"
    for sent in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": here},
        {"Origin": "https://evil.example"},
        {"Origin": f"{here}.evil.example"},
        {"Origin": "null"},
    ):
        await problem(await raw(host, jpeg, ada | sent), "sign-in-required")
    for sent in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": here}, {"Origin": public}):
        assert (await raw(host, jpeg, ada | sent)).status == 201, sent


async def test_people_are_signed_in_on_the_page_to_which_a_sign_in_service_leads(
    open_host: OpenHost, proxied: dict[str, Any]
) -> None:
    host, ada = await open_host(**proxied), {"Remote-User": "ada", "Sec-Fetch-Site": "cross-site"}
    page = await host.client.get("/", headers=ada | {"Accept": "text/html"})
    assert "You are signed in as" in await page.text()
    assert (await (await host.client.get("/api/v1/me", headers=ada)).json())["may_upload"] is True


async def test_nobody_is_two_people(open_host: OpenHost, proxied: dict[str, Any]) -> None:
    host = await open_host(**proxied)
    async with wires(host.port, 1) as [wire]:
        twice = "Remote-User: ada\r\nRemote-User: eve\r\n"
        await wire.send(f"PUT /a.jpg HTTP/1.1\r\nHost: a\r\n{twice}Content-Length: 9\r\n\r\n")
        assert (await wire.head()).split()[1] == "403"


async def test_nobody_is_believed_but_a_trusted_proxy(
    open_host: OpenHost, jpeg: bytes, proxied: dict[str, Any]
) -> None:
    elsewhere = replace(proxied["server"], trusted_proxies=("192.0.2.9",))
    host = await open_host(**proxied | {"server": elsewhere})
    await problem(await raw(host, jpeg, {"Remote-User": "ada"}), "sign-in-required")


async def test_who_is_signed_in_may_send_a_key_as_well(open_host: OpenHost, jpeg: bytes) -> None:
    access = Access(uploads=("signed-in",), user_header="Remote-User")
    host = await open_host(access=access, server=Server(trusted_proxies=("127.0.0.1",)))
    key = await minted(host)
    await problem(await raw(host, jpeg, bearer(key)), "sign-in-required")
    assert (await raw(host, jpeg, bearer(key) | {"Remote-User": "bob"})).status == 201
    assert (await only_image(host)).access_key == key[5:15]
