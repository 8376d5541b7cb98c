"""tus 1.0.0: concatenation, by which parts that were uploaded side by side become one image."""

import asyncio
import itertools

import pytest

from appliance.domain.errors import Busy, CatalogueUnavailable, DiskFull
from appliance.domain.tokens import combine_secrets, hash_secret
from tests.support.gates import gated
from tests.support.host import DAY_S, problem
from tests.support.images.noise import padded
from tests.support.tus_client import UPLOADS, Tus, encoded, sha256
from tests.support.waiting import until


def final(parts: list[str]) -> dict[str, str]:
    """The header of the upload that is assembled from these."""
    return {"Upload-Concat": f"final;{' '.join(parts)}"}


def address_of(parts: list[str]) -> str:
    """Of the upload that is assembled from these."""
    return f"{UPLOADS}/{combine_secrets([part.rpartition('/')[2] for part in parts])}"


async def unfinished(tus: Tus, parts: list[str]) -> str:
    """The address of an upload that was assembled from these, and can't be saved at the moment."""

    async def busy(*_arguments: object, **_more: object) -> None:
        raise Busy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tus.host.appliance.committer, "commit_upload", busy)
        await problem(await tus.post(headers=final(parts)), "busy")
    return address_of(parts)


async def test_parts_become_one_image_in_the_order_that_is_named(tus: Tus, jpeg: bytes) -> None:
    data = padded(3_000_000, 1)
    cuts = (data[:1_000_000], data[1_000_000:1_000_001], data[1_000_001:])
    parts = list(reversed([await tus.part(piece) for piece in reversed(cuts)]))
    concat = "final;" + " ".join([f"https://any.host{parts[0]}", *parts[1:]])
    response = await tus.post(headers={"Upload-Concat": concat, "Upload-Metadata": "filename YS5qcGc="})
    where = await tus.created(response)
    head = await tus.head(where)
    assert head.headers["Upload-Concat"] == concat
    assert head.headers["Upload-Offset"] == head.headers["Upload-Length"] == "3000000"
    image = (await tus.state(where))["image"]
    assert (image["sha256"], image["filename"]) == (sha256([data]), "a.jpg")
    assert response.headers["Content-Location"] == f"/i/{image['slug']}"
    assert tus.host.files("spool/uploads") == []


async def test_putting_parts_together_again_gives_the_same_upload(tus: Tus, jpeg: bytes) -> None:
    """The reply may have been lost, and the parts are gone by then."""
    parts = [await tus.part(jpeg[:1000]), await tus.part(jpeg[1000:])]
    concat = {"Upload-Concat": "final;" + " ".join(parts)}
    made = await asyncio.gather(*(tus.post(headers=concat) for _ in range(3)), tus.post(headers=concat))
    wheres = {await tus.created(response) for response in [*made, await tus.post(headers=concat)]}
    assert len(wheres) == 1
    assert await tus.original(await tus.slug(wheres.pop())) == jpeg
    assert tus.host.files("spool/uploads") == []
    other = {"Upload-Concat": "final;" + " ".join(reversed(parts))}
    await problem(await tus.post(headers=other), "parts-unfinished")


async def test_parts_of_a_refused_upload_are_refused_again(tus: Tus) -> None:
    concat = {"Upload-Concat": f"final;{await tus.part(b'no ')} {await tus.part(b'picture')}"}
    for _ in range(2):
        await problem(await tus.post(headers=concat), "not-an-image")


async def test_a_terminated_final_upload_is_not_made_again(tus: Tus, jpeg: bytes) -> None:
    concat = {"Upload-Concat": f"final;{await tus.part(jpeg)}"}
    where = await tus.created(await tus.post(headers=concat))
    assert (await tus.delete(where)).status == 204
    await problem(await tus.post(headers=concat), "parts-unfinished")


async def test_parts_are_given_up_with_the_upload_that_they_were_for(tus: Tus, jpeg: bytes) -> None:
    parts = [await tus.part(jpeg[:1000]), await tus.part(jpeg[1000:])]
    assert (await tus.delete(await unfinished(tus, parts))).status == 204
    for part in parts:
        await problem(await tus.host.get(part), "upload-gone")
    assert tus.host.files("spool/uploads") == []
    await problem(await tus.post(headers=final(parts)), "parts-unfinished")


async def test_parts_do_not_expire_before_what_is_assembled_from_them(tus: Tus, jpeg: bytes) -> None:
    parts, appliance = [await tus.part(jpeg[:1000]), await tus.part(jpeg[1000:])], tus.host.appliance

    async def full(*_arguments: object) -> None:
        raise DiskFull

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appliance.spool.uploads, "concatenate", full)
        await problem(await tus.post(headers=final(parts)), "disk-full")
        for _ in range(3):
            tus.host.clock.forward(2 * DAY_S)
            await appliance.upload_janitor.run()
        name = hash_secret(address_of(parts).rpartition("/")[2])
        await until(lambda: not appliance.resumable.finisher.is_finishing(name), "the end of an attempt")
    await appliance.upload_janitor.run()
    assert (await tus.image(address_of(parts)))["sha256"] == sha256([jpeg])
    await until(lambda: tus.host.files("spool/uploads") == [], "no part")


async def test_a_part_of_nothing_expires(tus: Tus, jpeg: bytes) -> None:
    part = await tus.part(jpeg)
    tus.host.clock.forward(2 * DAY_S)
    assert await tus.host.appliance.upload_janitor.run() == 1
    await problem(await tus.host.get(part), "upload-gone")
    assert tus.host.files("spool/uploads") == []


async def test_parts_last_as_long_as_what_is_assembled_from_them(tus: Tus, jpeg: bytes) -> None:
    parts = [await tus.part(jpeg)]
    tus.host.clock.forward(DAY_S - 60)
    await unfinished(tus, parts)
    tus.host.clock.forward(DAY_S - 60)
    await tus.state(parts[0])


async def test_an_upload_that_is_continued_while_it_expires_is_not_given_up(
    tus: Tus, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads, where = tus.host.appliance.catalogue.uploads, await tus.create(len(jpeg))
    assert (await tus.patch(where, 0, jpeg[:1000])).status == 204
    tus.host.clock.forward(2 * DAY_S)
    looked = gated(monkeypatch, uploads, "due", after=True)
    expiring = asyncio.create_task(tus.host.appliance.upload_janitor.run())
    await looked.reached.wait()
    await uploads.keep_until(hash_secret(where.rpartition("/")[2]), int(tus.host.clock()) + 60)
    looked.open()
    assert await expiring == 0
    assert (await tus.patch(where, 1000, jpeg[1000:])).status == 204
    assert await tus.original(await tus.slug(where)) == jpeg


async def test_parts_that_could_not_be_given_up_are_free_for_another_upload(
    tus: Tus, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_arguments: object, **_more: object) -> None:
        raise CatalogueUnavailable("It is away.")

    parts = [await tus.part(jpeg), await tus.part(b"more")]
    where = await unfinished(tus, parts)
    with monkeypatch.context() as patch:
        patch.setattr("appliance.resumable.finisher.rows_of_parts", away)
        assert (await tus.delete(where)).status == 204
    alone = await tus.created(await tus.post(headers=final(parts[:1])))
    assert (await tus.image(alone))["sha256"] == sha256([jpeg])


async def test_parts_are_given_up_with_an_upload_that_is_being_finished(
    tus: Tus, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [await tus.part(jpeg[:1000]), await tus.part(jpeg[1000:])]
    held = gated(monkeypatch, tus.host.appliance.committer, "commit_upload")
    finishing = asyncio.create_task(tus.post(headers=final(parts)))
    await held.reached.wait()
    assert (await tus.delete(address_of(parts))).status == 204
    held.open()
    await finishing
    for part in parts:
        await problem(await tus.host.get(part), "upload-gone")
    assert tus.host.files("spool/uploads") == []


@pytest.mark.parametrize(
    "closing",
    [
        {"Upload-Metadata": encoded(passphrase="secret")},
        {"X-Passphrase": "secret"},
        {"Upload-Metadata": encoded(one_view="1")},
    ],
)
async def test_what_closes_a_part_closes_the_image(tus: Tus, jpeg: bytes, closing: dict[str, str]) -> None:
    part = await tus.created(await tus.post(len(jpeg), jpeg, {"Upload-Concat": "partial"} | closing))
    final = {"Upload-Concat": f"final;{part}"}
    await problem(await tus.post(headers=final), "invalid-field")
    where = await tus.created(await tus.post(headers=final | closing))
    slug = await tus.slug(where)
    tus.host.client.session.cookie_jar.clear()  # the uploader's pass
    assert (await tus.host.get(f"/i/{slug}/original")).status == 401


async def test_a_part_goes_into_an_upload_once(tus: Tus, jpeg: bytes) -> None:
    part = await tus.part(jpeg)
    await problem(await tus.post(headers={"Upload-Concat": f"final;{part} {part}"}), "malformed-request")
    await tus.created(await tus.post(headers={"Upload-Concat": f"final;{part}"}))


async def test_uploads_that_share_a_part_do_not_all_become_images(tus: Tus, jpeg: bytes) -> None:
    parts = [await tus.part(jpeg), await tus.part(b"behind its end"), await tus.part(b"and behind that")]
    orders = list(itertools.permutations(parts))
    made = await asyncio.gather(*(tus.post(headers={"Upload-Concat": "final;" + " ".join(each)}) for each in orders))
    statuses = [response.status for response in made]
    assert statuses.count(201) <= 1, statuses
    assert len(tus.host.files("store/originals")) <= 1
    assert statuses.count(409) >= 1


async def test_parts_of_a_final_upload_that_was_refused_are_assembled_no_more(tus: Tus, jpeg: bytes) -> None:
    """Each order of them would cost a copy and a hash of their bytes, which were counted once."""
    first, second = await tus.part(jpeg[:1000]), await tus.part(jpeg[1000:])
    await problem(await tus.post(headers={"Upload-Concat": f"final;{second} {first}"}), "not-an-image")
    assert tus.host.files("spool/uploads") == []
    await problem(await tus.post(headers={"Upload-Concat": f"final;{first} {second}"}), "parts-unfinished")


async def test_a_part_has_no_link_and_says_what_it_is(tus: Tus) -> None:
    where = await tus.part(b"some bytes")
    head = await tus.head(where)
    assert head.headers["Upload-Concat"] == "partial"
    assert head.headers["Upload-Offset"] == "10"
    assert "Content-Location" not in head.headers
    assert await tus.state(where) == await tus.state(where) | {"state": "done", "offset": 10, "length": 10}
    assert "image" not in await tus.state(where)


async def test_a_final_upload_takes_no_bytes(tus: Tus, jpeg: bytes) -> None:
    parts = [await tus.part(jpeg[:1000]), await tus.part(jpeg[1000:])]
    concat = {"Upload-Concat": "final;" + " ".join(parts)}
    await problem(await tus.post(None, b"bytes", concat), "upload-is-final")
    await problem(await tus.post(5, headers=concat), "malformed-request")
    where = await tus.created(await tus.post(headers=concat))
    await problem(await tus.patch(where, len(jpeg), b"x"), "upload-is-final")
    assert await tus.original(await tus.slug(where)) == jpeg


@pytest.mark.parametrize(
    ("concat", "code"),
    [
        ("final;", "malformed-request"),
        ("final;/somewhere/else", "malformed-request"),
        (f"final;/api/v1/uploads/{'x' * 22}", "parts-unfinished"),
    ],
)
async def test_parts_that_are_none_are_refused(tus: Tus, concat: str, code: str) -> None:
    await problem(await tus.post(headers={"Upload-Concat": concat}), code)


async def test_parts_must_be_whole_and_partial(tus: Tus, jpeg: bytes) -> None:
    unfinished = await tus.created(await tus.post(10, headers={"Upload-Concat": "partial"}))
    plain = await tus.create(10)
    for where in (unfinished, plain):
        response = await tus.post(headers={"Upload-Concat": f"final;{await tus.part(jpeg)} {where}"})
        await problem(response, "parts-unfinished")


async def test_parts_of_no_image_are_refused_together(tus: Tus) -> None:
    parts = [await tus.part(b"no picture "), await tus.part(b"at all")]
    await problem(await tus.post(headers={"Upload-Concat": "final;" + " ".join(parts)}), "not-an-image")


async def test_many_parts_arrive_side_by_side(tus: Tus, jpeg: bytes) -> None:
    data = padded(1_000_000, 2)
    pieces = [data[start : start + 125_000] for start in range(0, len(data), 125_000)]
    parts = await asyncio.gather(*map(tus.part, pieces))
    where = await tus.created(await tus.post(headers={"Upload-Concat": "final;" + " ".join(parts)}))
    assert (await tus.state(where))["image"]["sha256"] == sha256([data])
