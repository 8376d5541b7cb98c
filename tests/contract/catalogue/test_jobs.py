from appliance.catalogue import Backlog, Catalogue
from appliance.domain.model import Ending, IdempotencyRecord, Location
from tests.support.rows import LATER, NOW_S, image, slug


async def test_unshipped_images_come_page_by_page_and_without_the_ended(catalogue: Catalogue) -> None:
    for number in range(7):
        await catalogue.images.add(image(number))
    await catalogue.images.mark_shipped(slug(1), image(1).sha256)
    await catalogue.images.end(slug(3), now_s=NOW_S, erase_after_s=NOW_S)
    first = await catalogue.images.unshipped(limit=3)
    rest = await catalogue.images.unshipped(after=first[-1])
    assert [one.slug for one in first] == [slug(0), slug(2), slug(4)]
    assert [one.slug for one in rest] == [slug(5), slug(6)]


async def test_unshipped_images_come_node_by_node_and_each_node_gets_its_own(catalogue: Catalogue) -> None:
    for number, node in enumerate(("box-2", "box-1", None, "box-2", "box-1", "box-2")):
        await catalogue.images.add(image(number, node=node))
    await catalogue.images.mark_shipped(slug(3), image(3).sha256)
    found, last = list[str](), None
    while images := await catalogue.images.unshipped(last, limit=2):
        found += [one.slug for one in images]
        last = images[-1]
    assert found == [slug(2), slug(1), slug(4), slug(0), slug(5)]
    assert [one.slug for one in await catalogue.images.unshipped(node="box-2")] == [slug(0), slug(5)]
    assert [one.slug for one in await catalogue.images.unshipped(image(1), 1, node="box-1")] == [slug(4)]
    assert await catalogue.images.unshipped(node="box-3") == []


async def test_unwarmed_images_come_newest_first(catalogue: Catalogue) -> None:
    for number in range(6):
        await catalogue.images.add(image(number, original_only="too wide" if number == 4 else None))
    await catalogue.images.mark_prewarmed(iter([slug(2), slug(99)]))
    first = await catalogue.images.unwarmed(limit=2)
    assert [one.slug for one in first] == [slug(5), slug(3)]
    assert [one.slug for one in await catalogue.images.unwarmed(after=slug(3))] == [slug(1), slug(0)]


async def test_a_sidecar_is_due_once_the_original_is_in_the_store(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(), sidecar_due=True)
    assert await catalogue.images.sidecars_due() == []
    assert not await catalogue.images.mark_sidecar_written(slug(0), 1)
    await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    assert await catalogue.images.sidecars_due() == [image(location=Location.STORE)]
    assert await catalogue.images.mark_sidecar_written(slug(0), 1)
    assert await catalogue.images.sidecars_due() == []


async def test_a_sidecar_of_an_older_version_stays_due(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(location=Location.STORE), sidecar_due=True)
    await catalogue.images.change(slug(0), version=1, title="meanwhile")
    assert not await catalogue.images.mark_sidecar_written(slug(0), 1)
    assert [one.version for one in await catalogue.images.sidecars_due()] == [2]


async def test_backlogs_are_counted(catalogue: Catalogue) -> None:
    for number in range(5):
        await catalogue.images.add(
            image(number, location=Location.STORE if number else Location.SPOOL), sidecar_due=True
        )
    await catalogue.images.mark_prewarmed([slug(1)])
    await catalogue.images.end(slug(4), now_s=NOW_S, erase_after_s=NOW_S + 10)
    assert await catalogue.images.backlog() == Backlog(unshipped=1, unwarmed=3, sidecars_due=3, erasable=1)
    assert (await catalogue.images.backlog(NOW_S)).erasable == 0


async def test_old_tombstones_are_forgotten_oldest_first(catalogue: Catalogue) -> None:
    for number in range(4):
        await catalogue.images.add(image(number))
        await catalogue.images.end(slug(number), now_s=NOW_S + number, erase_after_s=NOW_S)
        await catalogue.images.begin_erase(slug(number), LATER)
        await catalogue.images.confirm_erased(slug(number))
        await catalogue.images.get(slug(number))
    assert await catalogue.images.forget_tombstones(NOW_S + 3, limit=2) == 2
    assert await catalogue.images.forget_tombstones(NOW_S + 3) == 1
    assert await catalogue.images.known(slug(n) for n in range(9)) == {slug(3)}
    assert await catalogue.images.get(slug(2)) is None


async def test_old_idempotency_records_are_forgotten(catalogue: Catalogue) -> None:
    for number in range(3):
        await catalogue.images.add(
            image(number), IdempotencyRecord(f"{number:064x}", slug(number), "00", NOW_S + number)
        )
    assert await catalogue.idempotency.forget(NOW_S + 2, limit=1) == 1
    assert await catalogue.idempotency.forget(NOW_S + 2) == 1
    assert await catalogue.idempotency.get(f"{1:064x}") is None
    assert await catalogue.idempotency.get(f"{2:064x}") is not None


async def test_the_walk_over_all_images_has_the_ended_too(catalogue: Catalogue) -> None:
    for number in range(5):
        await catalogue.images.add(image(number))
    await catalogue.images.end(slug(2), now_s=NOW_S, erase_after_s=NOW_S)
    pages = [await catalogue.images.page(limit=3), await catalogue.images.page(after=slug(2), limit=3)]
    assert [[one.slug for one in page] for page in pages] == [[slug(0), slug(1), slug(2)], [slug(3), slug(4)]]
    assert pages[0][2].ended is Ending.DELETED


async def test_known_slugs_are_told_from_strangers_in_any_number(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(3))
    assert await catalogue.images.known(slug(n) for n in range(25_000)) == {slug(3)}
    assert await catalogue.images.known([]) == set()


async def test_notes_are_kept_and_replaced(catalogue: Catalogue) -> None:
    assert await catalogue.notes.get("last-expiry") is None
    await catalogue.notes.set("last-expiry", "1")
    await catalogue.notes.set("last-expiry", "2")
    assert await catalogue.notes.get("last-expiry") == "2"


async def test_the_newest_image_is_the_one_that_was_made_last(catalogue: Catalogue) -> None:
    assert await catalogue.images.newest_created_s() is None
    await catalogue.images.add(image(5))
    await catalogue.images.add(image(4, created_s=NOW_S + 9999))  # a long upload: the older slug, the later image
    assert await catalogue.images.newest_created_s() == NOW_S + 9999


async def test_a_tombstone_is_told_from_a_row(catalogue: Catalogue) -> None:
    for number in range(2):
        await catalogue.images.add(image(number))
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S, for_good=True)
    await catalogue.images.confirm_erased(slug(0))
    assert await catalogue.images.tombstoned(slug(number) for number in range(3)) == {slug(0)}
    assert await catalogue.images.known(slug(number) for number in range(3)) == {slug(0), slug(1)}


async def test_erasable_images_that_can_not_be_erased_now_are_passed_over(catalogue: Catalogue) -> None:
    for number in range(3):
        await catalogue.images.add(image(number))
        await catalogue.images.end(slug(number), now_s=NOW_S, erase_after_s=NOW_S + number)
    rest = await catalogue.images.erasable(NOW_S + 2, skipped=1)
    assert [one.slug for one in rest] == [slug(1), slug(2)]
    assert [one.slug for one in await catalogue.images.erasable(NOW_S + 1)] == [slug(0), slug(1)]
