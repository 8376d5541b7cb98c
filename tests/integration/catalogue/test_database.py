"""A whole host whose catalogue is in PostgreSQL."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.catalogue.postgres import writing
from appliance.cli import main
from appliance.config.model import CatalogueConfig, Config
from appliance.doctor.checkup import examine
from appliance.doctor.findings import Finding
from appliance.domain.errors import UnfitInstallation
from tests.support.host import Host, OpenHost, problem
from tests.support.postgres import new_schema
from tests.support.servers import Server
from tests.support.waiting import until


@pytest.fixture
def database(postgres: Server) -> CatalogueConfig:
    return CatalogueConfig(url=new_schema(postgres))


@pytest.fixture
async def on_postgres(open_host: OpenHost, database: CatalogueConfig) -> Host:
    return await open_host(catalogue=database)


@contextmanager
def away(server: Server) -> Iterator[None]:
    """While it is shut down, as for an update."""
    server.stop(signal.SIGINT)
    try:
        yield
    finally:
        server.start()


async def test_an_image_lives_and_ends(on_postgres: Host, jpeg: bytes) -> None:
    image = await on_postgres.upload(jpeg, title="A cat")
    slug, token = image["slug"], image["delete_token"]
    assert (await on_postgres.get(f"/i/{slug}/small.jpg")).status == 200
    assert (await on_postgres.patch(slug, token, title="The cat")).status == 200
    assert "The cat" in await (await on_postgres.get(f"/i/{slug}")).text()
    assert (await on_postgres.delete(slug, token)).status == 204
    assert (await on_postgres.get(f"/i/{slug}/small.jpg")).status == 410
    assert await on_postgres.erase() == 1
    assert not list(on_postgres.appliance.config.data_dir.glob("catalogue.*"))


async def test_a_restart_of_the_database_ends_uploads_for_a_moment_and_no_view(
    on_postgres: Host, postgres: Server, jpeg: bytes
) -> None:
    shown, locked = await on_postgres.upload(jpeg), await on_postgres.upload(jpeg, passphrase="open sesame")
    assert (await on_postgres.get(f"/i/{shown['slug']}/small.jpg")).status == 200
    assert (await on_postgres.get(f"/i/{locked['slug']}/small.jpg")).status == 401
    with away(postgres):
        refused = await on_postgres.post(jpeg)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        await problem(refused, "catalogue-unavailable")
        assert (await on_postgres.get(f"/i/{shown['slug']}/small.jpg")).status == 200
        assert (await on_postgres.get(f"/i/{shown['slug']}")).status == 200
        assert (await on_postgres.get(f"/i/{locked['slug']}/small.jpg")).status == 503
    again = await on_postgres.upload(jpeg)
    assert (await on_postgres.get(f"/i/{again['slug']}/small.jpg")).status == 200


async def test_whether_the_host_is_ready_follows_the_database_without_a_change(
    open_host: OpenHost, database: CatalogueConfig, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOOK_EVERY_S", 0.01)
    host = await open_host(catalogue=database)
    with away(postgres):
        await until(lambda: host.appliance.catalogue.fault is not None)
    await until(lambda: host.appliance.catalogue.fault is None)


async def found_by_doctor(config: Config, part: str) -> Finding:
    [finding] = [finding async for finding in examine(config) if finding.part == part]
    return finding


async def test_the_doctor_looks_into_the_database(
    on_postgres: Host, postgres: Server, config: Config, jpeg: bytes
) -> None:
    served = on_postgres.appliance.config
    await on_postgres.upload(jpeg)
    finding = await found_by_doctor(served, "catalogue")
    assert finding.words.startswith("the database postgres at 127.0.0.1, ")
    assert "is intact; PostgreSQL 1" in finding.words
    with away(postgres):
        assert "can't be opened" in (await found_by_doctor(served, "catalogue")).words
    assert "PostgreSQL" not in (await found_by_doctor(config, "catalogue")).words


async def test_originals_whose_database_is_empty_or_another_start_no_server(
    open_host: OpenHost, postgres: Server, jpeg: bytes
) -> None:
    host = await open_host(catalogue=CatalogueConfig(url=new_schema(postgres)))
    await host.upload(jpeg)
    await host.client.close()
    with pytest.raises(UnfitInstallation, match="is empty"):
        await open_host(catalogue=CatalogueConfig(url=new_schema(postgres)))


async def test_a_host_that_has_a_file_is_not_emptied_by_a_database(
    open_host: OpenHost, database: CatalogueConfig
) -> None:
    await open_host()
    with pytest.raises(UnfitInstallation, match="appliance catalogue copy"):
        await open_host(catalogue=database)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: CatalogueConfig) -> Path:
    """The data directory of commands, which the environment gives the database."""
    assert database.url is not None
    monkeypatch.setenv("APPLIANCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("APPLIANCE_CATALOGUE_URL", database.url)
    monkeypatch.setenv("APPLIANCE_CONFIG", "")
    return tmp_path / "data"


@pytest.mark.parametrize(
    "command",
    [
        ["backup"],
        ["restore"],
        ["catalogue", "backup", "copy"],
        ["catalogue", "check"],
        ["catalogue", "rebuild"],
    ],
    ids=" ".join,
)
def test_a_driver_that_is_missing_is_named(
    told: Path, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert main(command) == 1
    assert "Install the extra `postgres`" in capsys.readouterr().err


def test_other_commands_work_on_a_database(told: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "add", "camera"]) == 0
    assert main(["key", "list"]) == 0
    assert "camera" in capsys.readouterr().out
    assert main(["ban", "add", "192.0.2.0/24"]) == 0
    assert main(["expire"]) == 0
    assert main(["catalogue", "check"]) == 0
    assert "the database postgres at 127.0.0.1 is intact" in capsys.readouterr().out
