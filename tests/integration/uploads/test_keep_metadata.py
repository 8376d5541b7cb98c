"""What is to stay of a file's metadata: three choices, by every way in, told by every answer."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import FormData

from appliance.domain import tokens
from appliance.domain.errors import DiskFull
from appliance.domain.file_edits import Findings
from appliance.domain.renditions import Facts
from appliance.spool import disk, transfers
from tests.support.host import Host, OpenHost, problem
from tests.support.images import private_pictures
from tests.support.managed_images import resource
from tests.support.server_process import serving
from tests.support.tus_client import Tus

BROWSER = {"Accept": "text/html"}
KEY = "a-key-of-sixteen-and-more"
SAID = ("private_data", "content_credentials", "keep_metadata")


def form(field: str, data: bytes, **fields: str) -> FormData:
    made = FormData()
    for name, value in fields.items():
        made.add_field(name, value)
    made.add_field(field, data, filename="a.jpg")
    return made


async def by_every_way(host: Host, data: bytes, keep: str) -> list[str]:
    raw = await host.client.post(f"/api/v1/images?keep_metadata={keep}", data=data)
    put = await host.client.put(f"/a.jpg?keep_metadata={keep}", data=data)
    plain = await host.client.post("/", data=form("file", data, keep_metadata=keep), headers=BROWSER)
    chevereto = await host.client.post("/api/1/upload", data=form("source", data, keep_metadata=keep))
    api_form = await host.upload(data, keep_metadata=keep)
    tus = await Tus(host).slug(await Tus(host).whole(data, keep_metadata=keep))
    slugs = [(await raw.json())["slug"], put.headers["Location"][3:], plain.headers["Location"][3:]]
    return [*slugs, (await chevereto.json())["image"]["id_encoded"], api_form["slug"], tus]


@pytest.mark.parametrize("said", ["credits", "Credits"])
async def test_every_way_in_can_keep_the_credits(host: Host, said: str) -> None:
    for slug in await by_every_way(host, private_pictures.jpeg(), said):
        told = await resource(host, slug)
        assert (told["private_data"], told["keep_metadata"]) == ("removed", "credits")
        stored = await (await host.get(f"/i/{slug}/original")).read()
        assert b"2024:05:06 07:08:09" in stored
        assert b"SERIAL-4711" not in stored


@pytest.mark.parametrize(
    ("said", "keep"), [("", "false"), ("0", "false"), ("off", "false"), ("credits", "credits"), ("on", "true")]
)
async def test_the_resource_says_what_was_asked_for(host: Host, jpeg: bytes, said: str, keep: str) -> None:
    for slug in await by_every_way(host, jpeg, said):
        assert (await resource(host, slug))["keep_metadata"] == keep


async def test_what_nobody_looked_for_is_not_said_to_be_gone(host: Host) -> None:
    image = await host.upload(private_pictures.jpeg(), keep_metadata="true")
    assert {name: image[name] for name in SAID} == {
        "private_data": "kept",
        "content_credentials": "kept",
        "keep_metadata": "true",
    }


async def test_a_choice_that_is_none_of_the_three_is_refused_with_their_names(host: Host) -> None:
    data = private_pictures.jpeg()
    for reply in (
        await host.post(data, keep_metadata="maybe"),
        await host.client.post("/api/v1/images?keep_metadata=maybe", data=data),
        await Tus(host).post(10, headers={"Upload-Metadata": "keep_metadata bWF5YmU="}),
    ):
        told = await problem(reply, "invalid-field")
        assert told["detail"] == "keep_metadata must be false, credits or true."
    put = await host.client.put("/a.jpg?keep_metadata=maybe", data=data)
    assert (put.status, "false, credits or true" in await put.text()) == (400, True)
    assert host.files("spool/landed") == []


@pytest.mark.parametrize(
    ("said", "chosen"), [("true", "true"), ("1", "true"), ("credits", "credits"), ("", "false"), ("maybe", "false")]
)
async def test_a_refused_form_comes_back_with_its_choice(host: Host, said: str, chosen: str) -> None:
    """`1` is what the box of earlier releases' pages sends."""
    refused = await host.client.post("/", data=form("file", b"none", keep_metadata=said), headers=BROWSER)
    page = await refused.text()
    assert f'value="{chosen}" checked' in page
    assert page.count(" checked") == 1
    assert ('<details class="options" open>' in page) is (chosen != "false")


# --- content credentials ------------------------------------------------------------------------------------------


def find_credentials_with_edits(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that have something to remove have credentials too."""
    workers = host.appliance.workers
    real_examine, real_find = workers.examine, workers.find_private

    def with_credentials(findings: Findings) -> Findings:
        return replace(findings, content_credentials=bool(findings.edits))

    async def examine(*asked: Any) -> tuple[Facts, Findings]:
        facts, findings = await real_examine(*asked)
        return facts, with_credentials(findings)

    async def find(*asked: Any) -> Findings:
        return with_credentials(await real_find(*asked))

    monkeypatch.setattr(workers, "examine", examine)
    monkeypatch.setattr(workers, "find_private", find)


async def test_the_loss_of_content_credentials_is_said(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_credentials_with_edits(host, monkeypatch)
    signed, plain = await host.upload(private_pictures.jpeg()), await host.upload(jpeg)
    assert (signed["content_credentials"], plain["content_credentials"]) == ("removed", "none")
    assert "(C2PA) were removed" in await (await host.get(f"/i/{signed['slug']}")).text()
    assert "C2PA" not in await (await host.get(f"/i/{plain['slug']}")).text()


async def test_the_loss_is_said_although_removing_them_took_two_tries(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transfers.overwrite
    tries: list[Any] = []

    def fails_once(incoming: Any, edits: Any) -> Any:
        tries.append(real(incoming, edits))
        if len(tries) == 1:
            raise DiskFull("The disk is full.")
        return tries[-1]

    monkeypatch.setattr(disk, "overwrite", fails_once)
    host = await open_host()
    find_credentials_with_edits(host, monkeypatch)
    tus, data = Tus(host), private_pictures.jpeg()
    where = await tus.create(len(data))
    assert (await tus.patch(where, 0, data)).status == 507
    assert await tus.offset(where) == len(data)  # which begins it again
    assert (await resource(host, await tus.slug(where)))["content_credentials"] == "removed"


# --- repeats ------------------------------------------------------------------------------------------------------


async def repeated(host: Host, data: bytes, keep: str) -> dict[str, Any]:
    query = f"?filename=a.jpg&keep_metadata={keep}"
    reply = await host.client.post(f"/api/v1/images{query}", data=data, headers={"Idempotency-Key": KEY})
    told: dict[str, Any] = await reply.json()
    return told


@pytest.mark.parametrize(("first", "other"), [("credits", "true"), ("true", "credits"), ("credits", "false")])
async def test_a_repeat_says_the_same_of_what_is_to_stay(host: Host, jpeg: bytes, first: str, other: str) -> None:
    assert (await repeated(host, jpeg, first))["slug"] == (await repeated(host, jpeg, first))["slug"]
    assert (await repeated(host, jpeg, other))["code"] == "idempotency-key-reused"


@pytest.mark.parametrize(("said", "flag"), [("false", []), ("1", ["keep_metadata"])])
async def test_repeats_of_what_an_earlier_release_took_are_known(
    host: Host, jpeg: bytes, said: str, flag: list[str]
) -> None:
    """Its fingerprints stand in the catalogue for a day, over an upgrade."""
    await repeated(host, jpeg, said)
    record = await host.appliance.catalogue.idempotency.get(tokens.hash_secret(KEY))
    sent = [hashlib.sha256(jpeg).hexdigest(), "a.jpg", None, None, None, *flag]
    assert record is not None
    assert record.fingerprint == hashlib.sha256(json.dumps(sent).encode()).hexdigest()


# --- what is remembered ---------------------------------------------------------------------------------------------


async def test_what_was_to_stay_survives_the_loss_of_the_catalogue(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        images = []
        for keep in ("false", "credits", "true"):
            query = f"?keep_metadata={keep}"
            async with session.post(f"{served.url}/api/v1/images{query}", data=private_pictures.jpeg()) as reply:
                images.append(await reply.json())
        await served.stop()
        for path in served.data_dir.glob("catalogue.sqlite*"):
            path.unlink()
        assert served.command("catalogue", "rebuild").returncode == 0
        await served.start()
        for image in images:
            async with session.get(f"{served.url}/api/v1/images/{image['slug']}") as reply:
                told = await reply.json()
            assert {name: told[name] for name in SAID} == {name: image[name] for name in SAID}
    assert [image["keep_metadata"] for image in images] == ["false", "credits", "true"]
    assert [image["private_data"] for image in images] == ["removed", "removed", "kept"]
