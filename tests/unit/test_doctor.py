"""The doctor: each part found well, and each fault named with what to do."""

import asyncio
import os
import shutil
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.catalogue.opening import FILE_NAME, open_catalogue
from appliance.cli import main
from appliance.config.model import TB, Backup, Config, Server, Store, Uploads
from appliance.config.sections.catalogue import CatalogueConfig
from appliance.doctor import backups, components, machine, rows
from appliance.doctor.checkup import Check, examine
from appliance.doctor.findings import Finding, Level
from appliance.objectstore import open_store
from tests.support.servers import minio_server


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Of a data directory that a server has used before."""
    config = Config(data_dir=tmp_path / "data", server=Server(listen="127.0.0.1:0"), uploads=Uploads(reserve_bytes=0))
    config.data_dir.mkdir()

    async def used() -> None:
        store = open_store(config.store, config.data_dir)
        await store.start()
        await store.close()
        async with open_catalogue(config):
            pass

    asyncio.run(used())
    return config


def found(check: Check, config: Config) -> list[Finding]:
    async def all_found() -> list[Finding]:
        return [finding async for finding in check(config)]

    return asyncio.run(all_found())


def worst(check: Check, config: Config) -> Finding:
    order = list(Level)
    return max(found(check, config), key=lambda finding: order.index(finding.level))


def test_a_used_data_directory_has_no_fault_in_any_part(config: Config) -> None:
    findings = found(examine, config)
    assert {finding.part for finding in findings} == {
        "python", "libvips", "fast-jpeg", "sandbox", "disk", "catalogue", "clock", "store", "backups", "cdn", "listen",
        "limits",
    }  # fmt: skip
    assert [finding for finding in findings if finding.level is Level.FAULT] == []
    assert list(config.data_dir.glob(".doctor-*")) == []


def test_a_first_start_is_not_reported_as_a_fault(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path / "new", server=Server(listen="127.0.0.1:0"))
    for check in (machine.disk, rows.catalogue, components.store):
        (finding,) = found(check, config)
        assert finding.level is Level.WARN
        assert "the first start creates it" in finding.words
    assert not config.data_dir.exists()


def test_a_disk_below_its_reserve_is_a_fault_with_the_figures(config: Config) -> None:
    finding = worst(machine.disk, replace(config, uploads=Uploads(reserve_bytes=10**6 * TB)))
    assert finding.level is Level.FAULT
    assert "uploads.reserve_bytes" in finding.words


def test_an_address_that_another_program_holds_is_a_fault(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        finding = worst(machine.addresses, replace(config, server=Server(listen=listen)))
    assert finding.level is Level.FAULT
    assert f"{listen} can't be listened on: another program is using it" in finding.words


@pytest.mark.parametrize(
    ("on", "lacking"),
    [
        (["memory-limit", "landlock-files", "seccomp"], []),
        (["memory-limit", "landlock-files"], ["seccomp filter"]),
        (["memory-limit", "seccomp"], ["Landlock"]),
        ([], ["Landlock", "seccomp filter"]),
    ],
)
def test_a_kernel_without_a_wall_around_workers_is_warned_of(
    config: Config, monkeypatch: pytest.MonkeyPatch, on: list[str], lacking: list[str]
) -> None:
    async def probe(_name: str) -> dict[str, object]:
        return {"protections": on}

    monkeypatch.setattr(components, "run_probe", probe)
    (finding,) = found(components.sandbox, config)
    assert finding.level is (Level.WARN if lacking else Level.OK)
    for wall in ("Landlock", "seccomp filter"):
        assert (wall in finding.words) == (wall in lacking)


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({"lacking": "no gcc"}, "sizes of JPEGs take twice as long, made by libvips alone: no gcc"),
        (
            {"lacking": None, "lacking_webp": "no libwebp"},
            "WebPs of JPEGs take longer, made by libvips alone: no libwebp",
        ),
        ({"lacking": None, "lacking_webp": None}, "avx2 kernels with libjpeg-turbo 3 and libwebp 1"),
    ],
)
def test_what_the_fast_way_lacks_is_warned_of(
    config: Config, monkeypatch: pytest.MonkeyPatch, lacking: dict[str, object], words: str
) -> None:
    async def probe(_name: str) -> dict[str, object]:
        return {"kernels": "avx2", "libraries": ["libjpeg-turbo 3", "libwebp 1"], **lacking}

    monkeypatch.setattr(components, "run_probe", probe)
    (finding,) = found(components.fast_jpeg, config)
    assert finding.level is (Level.OK if "kernels" in words else Level.WARN)
    assert finding.words == words


@pytest.mark.parametrize("status", [0, 3])
def test_an_address_that_systemd_holds_for_the_next_server_is_ok(
    status: int, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(f'#!/bin/sh\n[ "$*" = "is-active --quiet appliance.socket" ] && exit {status}\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        finding = worst(machine.addresses, replace(config, server=Server(listen=listen)))
    assert finding.level is (Level.OK if status == 0 else Level.FAULT)


def test_an_address_of_another_machine_is_a_fault(config: Config) -> None:
    finding = worst(machine.addresses, replace(config, server=Server(listen="192.0.2.1:80")))
    assert "this machine doesn't have this address" in finding.words


def test_a_damaged_catalogue_is_a_fault(config: Config) -> None:
    (config.data_dir / FILE_NAME).write_bytes(b"no database" * 1000)
    finding = worst(rows.catalogue, config)
    assert finding.level is Level.FAULT
    assert "catalogue rebuild" in finding.words


def test_a_copy_that_was_never_finished_is_named_after_a_day(config: Config) -> None:
    for age_s, level in ((3600, Level.OK), (2 * 86_400, Level.WARN)):
        log_changes_since(config, time.time() - age_s)
        assert worst(rows.catalogue, config).level is level
    assert "catalogue copy --abandon" in worst(rows.catalogue, config).words
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("APPLIANCE_DATA_DIR", str(config.data_dir))
        assert main(["catalogue", "copy", "--abandon"]) == 0
    assert worst(rows.catalogue, config).level is Level.OK


def log_changes_since(config: Config, began_s: float) -> None:
    """Have the catalogue's log of changes begin at this unix second, as far as it isn't begun."""

    async def logged() -> None:
        async with open_catalogue(config, clock=lambda: began_s) as catalogue:
            assert catalogue.change_log is not None
            await catalogue.change_log.begin_turn()

    asyncio.run(logged())


def test_a_clock_before_the_newest_image_is_a_fault(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(rows.clock, config).level is Level.OK
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
    finding = worst(rows.clock, config)
    assert finding.level is Level.FAULT
    assert "2001-09-09 01:46:40 UTC is before 2026" in finding.words


def test_a_store_that_does_not_answer_is_a_fault_with_its_address(config: Config) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        endpoint = f"127.0.0.1:{closing.getsockname()[1]}"
    away = Store(kind="minio", endpoint=endpoint, access_key="a", secret_key="s" * 8, secure=False)
    finding = worst(components.store, replace(config, store=away))
    assert finding.level is Level.FAULT
    assert endpoint in finding.words


def test_a_bucket_that_the_first_start_creates_is_not_a_fault(config: Config, tmp_path: Path) -> None:
    with minio_server(tmp_path / "minio") as server:
        minio = Store(
            kind="minio",
            endpoint=server.endpoint,
            access_key=server.access_key,
            secret_key=server.secret_key,
            secure=False,
        )
        finding = worst(components.store, replace(config, store=minio))
    assert finding.level is Level.WARN
    assert "has no bucket images yet; the first start creates it" in finding.words


@pytest.mark.parametrize(
    ("backup", "level", "words"),
    [
        (
            Backup(),
            Level.WARN,
            "they go to the store; not encrypted, not signed: anyone who can read a place can read every row",
        ),
        (
            Backup(age_recipients=("age1x",)),
            Level.WARN,
            "encrypted, not signed: anyone who can write to a place can",
        ),
        (Backup(signers=("ssh-ed25519 A",)), Level.WARN, "restore and verify refuse them"),
        (Backup(in_store=False), Level.WARN, "no place is configured"),
        (
            Backup(directory=Path("/b"), remote="off:b/a", age_recipients=("age1x",), signing_key=Path("/k")),
            Level.OK,
            "they go to the store, /b, off:b/a; encrypted, signed",
        ),
    ],
)
def test_where_backups_go_and_who_could_read_or_forge_them_is_said(
    config: Config, backup: Backup, level: Level, words: str
) -> None:
    (finding,) = found(backups.backups, replace(config, backup=backup))
    assert finding.level is level
    assert words in finding.words


def test_the_probe_of_the_store_leaves_nothing_behind(config: Config) -> None:
    assert worst(components.store, config).level is Level.OK
    assert [path.name for path in config.store_dir.rglob("*") if path.is_file()] == ["store-id"]


def test_a_store_whose_disk_is_not_mounted_is_a_fault(config: Config) -> None:
    config.store_dir.rename(config.data_dir / "elsewhere")
    assert worst(components.store, config).level is Level.FAULT


def test_a_check_that_breaks_is_a_fault_and_ends_nothing(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    measure = shutil.disk_usage

    def broken(path: Path) -> object:
        if path == config.data_dir:
            raise RuntimeError("An error that no check expects.")
        return measure(path)

    monkeypatch.setattr(shutil, "disk_usage", broken)
    findings = found(examine, config)
    (finding,) = [finding for finding in findings if finding.level is Level.FAULT]
    assert (finding.part, finding.words[:12]) == ("disk", "check failed")
    assert findings[-1].part == "listen"


def test_exit_status_is_1_on_a_fault_alone(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "")
    monkeypatch.setenv("APPLIANCE_DATA_DIR", os.fspath(config.data_dir))
    monkeypatch.setenv("APPLIANCE_SERVER_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("APPLIANCE_UPLOADS_RESERVE_BYTES", "0")
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith(("ok ", "warn ")) for line in lines)
    monkeypatch.setenv("APPLIANCE_UPLOADS_RESERVE_BYTES", "1000000 TB")
    assert main(["doctor"]) == 1
    assert "\nfault  disk" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("listen", "public_url", "warned"),
    [
        ("0.0.0.0:8080", None, True),
        ("[::]:8080", None, True),
        ("0.0.0.0:8080", "https://img.example", False),
        ("127.0.0.1:8080", None, False),
    ],
)
async def test_links_that_lead_nowhere_are_warned_of(listen: str, public_url: str | None, warned: bool) -> None:
    config = Config(data_dir=Path("nowhere"), server=Server(listen=listen, public_url=public_url))
    findings = [finding async for finding in machine.addresses(config)]
    assert any(finding.part == "links" for finding in findings) == warned


def test_backups_of_a_database_go_where_those_of_a_file_go(config: Config) -> None:
    on_database = replace(config, catalogue=CatalogueConfig(url="postgresql://db/appliance"))
    assert found(backups.backups, on_database) == found(backups.backups, config)
    assert found(backups.backups, on_database)[0].words.startswith("they go to the store;")
