"""What callers learn of themselves."""

from appliance.config.model import Access, LimitsConfig
from appliance.domain.access_keys import KeyLimits, Scope
from tests.support.access import minted, raw
from tests.support.host import Host, OpenHost, bearer
from tests.support.managed_images import moment


async def test_a_key_learns_its_limits_and_what_is_left(host: Host, jpeg: bytes) -> None:
    limits = KeyLimits(max_images=5, max_bytes_a_day=1_000_000)
    key = await minted(host, limits=limits, expires_in_s=3600)
    await raw(host, jpeg, bearer(key))
    response = await host.client.get("/api/v1/me", headers=bearer(key))
    assert response.headers["Cache-Control"] == "no-store"
    me = await response.json()
    assert (me["may_upload"], me["signed_in_as"]) == (True, None)
    told = me["key"]
    assert (told["name"], told["scopes"]) == ("scanner", ["upload", "manage"])
    assert told["expires_at"] == moment(host.clock() + 3600)
    assert told["used"] == {"images": 1, "bytes": len(jpeg), "images_today": 1, "bytes_today": len(jpeg)}
    left = 1_000_000 - len(jpeg)
    assert told["left"] == {"images": 4, "bytes": None, "images_today": None, "bytes_today": left}
    assert key not in await response.text()
    host.clock.forward(86_400 - host.clock() % 86_400)  # it has expired, so ask with another one
    other = await (await host.client.get("/api/v1/me", headers=bearer(await minted(host, "other")))).json()
    assert other["key"]["used"]["images_today"] == 0


async def test_who_has_no_key_learns_whether_one_is_needed(open_host: OpenHost) -> None:
    host = await open_host(access=Access(uploads=("key",)))
    assert await (await host.get("/api/v1/me")).json() == {
        "may_upload": False,
        "signed_in_as": None,
        "key": None,
        "quotas": [],
    }
    assert (await (await host.get("/api/v1/limits")).json())["access"] == {"uploads": ["key"]}
    key = await minted(host, scopes=(Scope.MANAGE,))
    me = await (await host.client.get("/api/v1/me", headers=bearer(key))).json()
    assert me["may_upload"] is False


async def test_callers_learn_what_is_left_of_the_limits_of_the_host(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host(limits=LimitsConfig(mode="on", key_day_bytes=5_000_000, address_uploads=10))
    key = await minted(host, limits=KeyLimits(max_uploads_a_minute=3))

    async def left(headers: dict[str, str]) -> dict[str, int]:
        quotas = (await (await host.client.get("/api/v1/me", headers=headers)).json())["quotas"]
        return {quota["name"]: quota["left"] for quota in quotas}

    assert (await raw(host, jpeg, bearer(key))).status == 201
    assert (await raw(host, jpeg, {})).status == 201
    with_key, without = await left(bearer(key)), await left({})
    assert (with_key["key-day-bytes"], with_key["key-uploads-a-minute"]) == (5_000_000 - len(jpeg), 2)
    assert without["address-uploads"] == 9
    assert {name.partition("-")[0] for name in without} == {"address", "prefix", "anonymous"}
