import psycopg
import pytest

from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.database import CatalogueDatabase, addresses_of
from appliance.catalogue.sql.rows import COLUMNS
from appliance.domain.errors import CatalogueTooNew, CatalogueUnavailable
from tests.support.rows import image, slug

COLUMNS_OF_IMAGES = "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND "


def changed(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


async def test_the_table_has_a_column_for_each_field_of_an_image(url: str, catalogue: PostgresCatalogue) -> None:
    with psycopg.connect(url) as connection:
        found = [name for (name,) in connection.execute(f"{COLUMNS_OF_IMAGES} table_name = 'images'".encode())]
    assert sorted(found) == sorted([*COLUMNS, "prewarmed", "sidecar_due", "erasing"])


async def test_rows_are_there_at_the_next_start_and_without_a_server(url: str) -> None:
    stored = CatalogueDatabase(url)
    assert not stored.exists
    async with PostgresCatalogue(url) as catalogue:
        await catalogue.images.add(image())
        await catalogue.notes.set("last-run", "7")
    async with PostgresCatalogue(url) as catalogue:
        assert await catalogue.images.get(slug(0)) == image()
        assert stored.exists
        assert await stored.find_rows([slug(0), slug(1)]) == {slug(0): image()}
        assert await stored.last_known_s("last-run") == 7
        assert (await stored.count_rows()).images == 1
        assert await stored.find_problems() == []
        assert stored.size_bytes > 0
    assert stored.require_engine().startswith("PostgreSQL 1")
    assert str(stored) == "the database postgres at 127.0.0.1"


async def test_rows_that_make_no_sense_are_told_by_name(url: str, catalogue: PostgresCatalogue) -> None:
    await catalogue.images.add(image())
    changed(url, "UPDATE images SET width = 0")
    [problem] = await CatalogueDatabase(url).find_problems()
    assert slug(0) in problem


async def test_a_second_server_is_refused(
    url: str, catalogue: PostgresCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "OWNED_WITHIN_S", 0)
    monkeypatch.setattr(writing, "PAUSE_S", 0)
    second = PostgresCatalogue(url)
    with pytest.raises(CatalogueUnavailable, match="Another server"):
        await second.start()
    await second.stop()


async def test_a_catalogue_that_a_newer_release_changed_is_refused(url: str) -> None:
    async with PostgresCatalogue(url):
        pass
    changed(url, "INSERT INTO appliance_migrations (name) VALUES ('9999-later!')")
    newer = PostgresCatalogue(url)
    with pytest.raises(CatalogueTooNew, match="9999-later!"):
        await newer.start()
    await newer.stop()


async def test_a_database_of_another_program_is_left_as_it_is(url: str) -> None:
    changed(url, "CREATE TABLE songs (name text)")
    other = PostgresCatalogue(url)
    with pytest.raises(CatalogueUnavailable, match="another program"):
        await other.start()
    await other.stop()
    with pytest.raises(CatalogueUnavailable, match="another program"):
        _ = CatalogueDatabase(url).exists


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("postgresql://me:hush@127.0.0.1:1/x", "refused"),
        ("postgresql://me:hush@h/x?no=1", "not accepted"),
        ("postgresql://me:%hush@h/x", "not accepted"),
    ],
)
async def test_what_is_wrong_with_the_url_is_said_without_the_password(wrong: str, said: str) -> None:
    catalogue = PostgresCatalogue(wrong)
    with pytest.raises(CatalogueUnavailable, match=said) as raised:
        await catalogue.start()
    await catalogue.stop()
    assert "hush" not in raised.value.detail
    with pytest.raises(CatalogueUnavailable) as raised:
        CatalogueDatabase(wrong).require_engine()
    assert "hush" not in raised.value.detail


@pytest.mark.parametrize(
    ("named", "addresses"),
    [
        ("postgresql://one,two:5433/x", [("one", 5432), ("two", 5433)]),
        ("postgresql://one:1,two:2/x", [("one", 1), ("two", 2)]),
        ("postgresql:///x?host=/run/postgresql", []),
        ("postgresql://one/x?port=mistyped", []),
    ],
)
def test_servers_have_addresses_if_the_url_can_be_read(named: str, addresses: list[tuple[str, int]]) -> None:
    assert addresses_of(named) == addresses


async def test_the_schema_has_nothing_that_a_copy_of_rows_would_miss(url: str, catalogue: PostgresCatalogue) -> None:
    with psycopg.connect(url) as connection:
        names = "current_schema()::regnamespace"
        triggers = (
            f"SELECT count(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = {names}"
        )
        others = f"SELECT count(*) FROM pg_class WHERE relnamespace = {names} AND relkind NOT IN ('r', 'i')"
        assert connection.execute(triggers.encode()).fetchone() == (0,)
        assert connection.execute(others.encode()).fetchone() == (0,)
