"""Details of an original: as JSON and as a page, for what its uploader wanted kept, and as long as the image lives."""

import asyncio
from typing import Any

import pytest

from appliance.workers import worker
from appliance.workers.process import WorkerLost
from appliance.workers.supervised_worker import SupervisedWorker
from tests.support.counts import counting
from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.images.detailed_pictures import CAMERA, RIGHTS, WHOLE, detailed, exif, jpeg_with
from tests.support.rendered_page import Page
from tests.support.stored_before import only, set_columns, uploaded_before
from tests.support.tus_client import Tus

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def host(shared: Host) -> Host:
    return shared


async def details(host: Host, slug: str) -> dict[str, Any]:
    reply = await host.get(f"/api/v1/images/{slug}/details")
    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "public, no-cache"
    found: dict[str, Any] = await reply.json()
    return found


async def page_of(host: Host, slug: str, rest: str = "/details", **headers: str) -> Page:
    reply = await host.get(f"/i/{slug}{rest}", Accept="text/html", **headers)
    assert reply.status == 200
    return Page(await reply.text())


@pytest.mark.parametrize(
    ("keep", "said"),
    [("false", RIGHTS), ("credits", CAMERA | RIGHTS), ("true", CAMERA | RIGHTS | WHOLE)],
)
async def test_as_much_is_told_as_was_to_be_kept(host: Host, keep: str, said: dict[str, Any]) -> None:
    slug = (await host.upload(detailed("jpg"), keep_metadata=keep))["slug"]
    assert await details(host, slug) == pytest.approx(said | {"complete": True})
    page = await page_of(host, slug)
    assert ("Canon EOS R5" in page.text) is (keep != "false")
    assert ("33.85694° S, 151.21528° E" in page.text) is (keep == "true")
    offered = [link["href"] for link in (await page_of(host, slug, "")).all("a") if link["href"].endswith("/details")]
    assert offered == ([] if keep == "false" else [f"/i/{slug}/details"])
    assert not [link for link in page.all("a") if "//" in link["href"]]  # a position leads to nobody else's map


async def test_what_could_not_be_removed_is_not_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_findings", lambda *_: worker._NOTHING_FOUND)
    image = await host.upload(detailed("jpg"))
    assert image["private_data"] == "not-removable"
    assert await details(host, image["slug"]) == RIGHTS | {"complete": True}


async def test_a_page_says_it_in_the_language_of_its_reader(host: Host) -> None:
    slug = (await host.upload(detailed("jpg"), keep_metadata="true"))["slug"]
    english, german = await page_of(host, slug), await page_of(host, slug, Accept_Language="de")
    for text in ("f/1.8", "1/125 s", "50 mm (75 mm equivalent)", "6 May 2024, 07:08 (UTC+02:00)", "Date taken"):
        assert text in english.text
    for text in ("f/1,8", "1/125 s", "75 mm im Kleinbildformat", "6. Mai 2024, 07:08 Uhr", "33,85694° S, 151,21528° O"):
        assert text in german.text


async def test_an_original_that_says_nothing_has_a_page_that_says_so(host: Host) -> None:
    slug = (await host.upload(pictures.photo(64, 48), keep_metadata="true"))["slug"]
    assert await details(host, slug) == {"complete": True}
    assert "The original has no such details." in (await page_of(host, slug)).text


async def test_nothing_in_an_original_becomes_markup(host: Host) -> None:
    hostile = jpeg_with(exif({0x010E: b"<script>alert(1)</script>", 0x0110: "\u202eR5\x1b[31m".encode()}))
    slug = (await host.upload(hostile, keep_metadata="true"))["slug"]
    page = await page_of(host, slug)
    assert "<script>alert(1)</script>" in page.text
    assert "Canon R5[31m" in page.text
    assert all(script.get("src", "").startswith("/static/") for script in page.all("script"))


async def test_an_image_that_cannot_be_resized_has_details(host: Host) -> None:
    slug = (await host.upload(detailed("jpg"), keep_metadata="credits"))["slug"]
    await set_columns(host, slug, original_only="It is too large.")
    assert (await details(host, slug))["camera"] == "Canon EOS R5"


# --- what it costs --------------------------------------------------------------------------------------------------


async def test_a_file_is_read_once_for_all_who_ask(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counting(monkeypatch)
    slug = (await host.upload(detailed("jpg"), keep_metadata="credits"))["slug"]
    await host.get(f"/i/{slug}")
    counts.forget()
    replies = await asyncio.gather(*(details(host, slug) for _ in range(20)), page_of(host, slug))
    assert len({str(reply) for reply in replies[:20]}) == 1
    await details(host, slug)
    assert [kind for kind, _ in counts.orders] == ["ReadDetails"]


async def test_a_client_that_has_them_gets_none(host: Host) -> None:
    slug = (await host.upload(detailed("jpg"), keep_metadata="credits"))["slug"]
    for path in (f"/api/v1/images/{slug}/details", f"/i/{slug}/details"):
        first = await host.get(path)
        again = await host.get(path, If_None_Match=first.headers["ETag"])
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"].removeprefix("W/")  # a compressed body is another one


async def test_they_are_read_from_the_store_when_the_spool_has_no_copy(host: Host) -> None:
    slug = (await host.upload(detailed("jpg"), keep_metadata="credits"))["slug"]
    await host.appliance.spool.remove(slug)
    assert (await details(host, slug))["camera"] == "Canon EOS R5"


async def test_a_file_that_ends_its_worker_does_so_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = (await host.upload(detailed("jpg"), keep_metadata="credits"))["slug"]
    deaths: list[object] = []

    async def dies(*arguments: object) -> Any:
        deaths.append(arguments)
        raise WorkerLost("SIGKILL")

    monkeypatch.setattr(SupervisedWorker, "run", dies)
    for _ in range(3):
        assert await details(host, slug) == {"complete": False}
    assert "Some details in the original can’t be read." in (await page_of(host, slug)).text
    assert len(deaths) == 1


# --- as long as the image lives -------------------------------------------------------------------------------------


async def test_nobody_gets_the_details_of_an_image_that_has_ended(host: Host) -> None:
    deleted = await host.upload(detailed("jpg"), keep_metadata="credits")
    expired = await host.upload(detailed("webp"), keep_metadata="credits")
    for image in (deleted, expired):
        await details(host, image["slug"])
    await host.bin(deleted)
    await set_columns(host, expired["slug"], expires_s=int(host.clock()) - 1)
    for image in (deleted, expired):
        await problem(await host.get(f"/api/v1/images/{image['slug']}/details"), "gone")
        page = await host.get(f"/i/{image['slug']}/details", Accept="text/html")
        assert page.status == 410
        assert "Canon" not in await page.text()


async def test_there_are_none_of_what_does_not_exist_or_is_not_here_yet(host: Host) -> None:
    await problem(await host.get("/api/v1/images/1A2b7Qw9ZxCvBnMkL/details"), "not-found")
    assert (await host.get("/i/1A2b7Qw9ZxCvBnMkL/details", Accept="text/html")).status == 404
    tus = Tus(host)
    slug = await tus.slug(await tus.create(1000))
    reply = await host.get(f"/api/v1/images/{slug}/details")
    await problem(reply, "not-here-yet")
    assert reply.headers["Retry-After"]


async def test_an_original_that_is_cleaned_later_loses_its_details(host: Host) -> None:
    slug = (await uploaded_before(host, detailed("jpg")))["slug"]
    await set_columns(host, slug, keep_metadata=None, private_data="removed")
    assert (await details(host, slug))["camera"] == "Canon EOS R5"
    await host.appliance.reinspector.step(only(slug, clean=True))
    assert await details(host, slug) == RIGHTS | {"complete": True}
