"""Random histories against a dictionary: what the catalogue shows is what happened, before and after a restart."""

import asyncio
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.catalogue import Catalogue
from appliance.domain.errors import Conflict, GoneImage, UnknownImage
from appliance.domain.model import Ending, Image, Location, Tombstone
from tests.contract.catalogue.conftest import OpenCatalogue
from tests.support.rows import LATER, NOW_S, changed, image, slug

ACTS = ("add", "get", "change", "stale", "ship", "only", "expire", "end", "restore", "begin", "confirm", "forget")
Act = tuple[str, int]


class Model:
    """What the catalogue promises, in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Image | Tombstone] = {}
        self.erasing: set[str] = set()

    def alive(self, name: str) -> Image | None:
        row = self.rows.get(name)
        return row if isinstance(row, Image) and row.ended is None else None

    def put(self, row: Image, **changes: object) -> None:
        self.rows[row.slug] = changed(row, **changes)

    def refusal(self, name: str) -> type[Exception] | None:
        row = self.rows.get(name)
        if row is None:
            return UnknownImage
        return GoneImage if isinstance(row, Tombstone) else None


async def _refused(operation: object, error: type[Exception]) -> None:
    try:
        await operation  # type: ignore[misc]
    except error:
        return
    raise AssertionError(f"not refused with {error.__name__}")


async def _step(catalogue: Catalogue, model: Model, act: str, number: int) -> None:
    name = slug(number)
    row, alive, refusal = model.rows.get(name), model.alive(name), model.refusal(name)
    version = row.version if isinstance(row, Image) else 1
    if act == "add":
        adding = catalogue.images.add(image(number, expires_s=NOW_S + number % 2))
        if row is not None:
            await _refused(adding, Conflict)
        else:
            await adding
            model.rows[name] = image(number, expires_s=NOW_S + number % 2)
    elif act in ("change", "stale"):
        changing = catalogue.images.change(name, version=version - (act == "stale"), title=str(version))
        if alive is None or act == "stale":
            await _refused(changing, refusal or (GoneImage if alive is None else Conflict))
        else:
            await changing
            model.put(alive, title=str(version), version=version + 1)
    else:
        await _marking_step(catalogue, model, act, number)


async def _marking_step(catalogue: Catalogue, model: Model, act: str, number: int) -> None:
    name = slug(number)
    alive = model.alive(name)
    if act == "ship":
        assert await catalogue.images.mark_shipped(name, image(number).sha256) == (alive is not None)
        if alive:
            model.put(alive, location=Location.STORE)
    elif act == "only":
        await catalogue.images.mark_original_only(name, "reason")
        if alive and alive.original_only is None:
            model.put(alive, original_only="reason", version=alive.version + 1)
    elif act == "expire":
        await catalogue.images.expire([name], now_s=NOW_S, erase_after_s=NOW_S + 9)
        if alive and alive.expires_s <= NOW_S:
            marks = {"ended_s": NOW_S, "erase_after_s": NOW_S + 9}
            model.put(alive, ended=Ending.EXPIRED, version=alive.version + 1, **marks)
    else:
        await _ending_step(catalogue, model, act, number)


async def _ending_step(catalogue: Catalogue, model: Model, act: str, number: int) -> None:
    name = slug(number)
    row, alive, refusal = model.rows.get(name), model.alive(name), model.refusal(name)
    marks = {"ended_s": NOW_S, "erase_after_s": NOW_S + 9}
    if act == "end":
        ending = catalogue.images.end(name, now_s=NOW_S, erase_after_s=NOW_S + 9)
        if refusal:
            await _refused(ending, refusal)
            return
        await ending
        if isinstance(row, Image) and row.ended is not Ending.DELETED:
            model.put(row, ended=Ending.DELETED, version=row.version + 1, **marks)
    elif act == "restore":
        restoring = catalogue.images.restore(name, now_s=NOW_S, expires_s=NOW_S + 1)
        if refusal or alive or name in model.erasing:
            await _refused(restoring, refusal or (Conflict if alive else GoneImage))
        elif isinstance(row, Image):
            await restoring
            gone = {"ended": None, "ended_s": None, "erase_after_s": None}
            model.put(row, expires_s=NOW_S + 1, version=row.version + 1, **gone)
    elif act == "begin":
        begun = isinstance(row, Image) and not alive
        assert await catalogue.images.begin_erase(name, LATER) == begun
        model.erasing |= {name} if begun else set()
    elif act == "confirm":
        if isinstance(row, Image) and name not in model.erasing:
            await _refused(catalogue.images.confirm_erased(name), Conflict)
            return
        await catalogue.images.confirm_erased(name)
        if isinstance(row, Image) and row.ended is not None:
            model.rows[name] = Tombstone(name, row.ended, NOW_S)
            model.erasing.discard(name)
    elif act == "forget":
        await catalogue.images.forget_tombstones(NOW_S + 1)
        model.rows = {slug: row for slug, row in model.rows.items() if isinstance(row, Image)}


async def _live(open_catalogue: OpenCatalogue, acts: list[Act]) -> None:
    model = Model()
    async with open_catalogue() as catalogue:
        for act, number in acts:
            await _step(catalogue, model, act, number)
            shown = await catalogue.images.get(slug(number))
            assert shown == model.rows.get(slug(number))
        images = sorted((row for row in model.rows.values() if isinstance(row, Image)), key=lambda one: one.slug)
        assert await catalogue.images.page() == images
        assert await catalogue.images.unshipped() == [
            one for one in images if one.ended is None and one.location is Location.SPOOL
        ]
    async with open_catalogue() as catalogue:
        assert {number: await catalogue.images.get(slug(number)) for number in range(4)} == {
            number: model.rows.get(slug(number)) for number in range(4)
        }


# Each history has a database of its own, so the fixture may be made once for all of them.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 3)), max_size=40))
def test_any_history_shows_what_happened(new_database: Callable[[], OpenCatalogue], acts: list[Act]) -> None:
    asyncio.run(_live(new_database(), acts))
