"""Capacity: the arithmetic at the load the host is made for, what it does elsewhere, and the page that explains it."""

import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.backups.manifest import backup_name
from appliance.backups.retention import backups_to_keep, max_backups
from appliance.capacity.costs import cloud_bill, own_bill
from appliance.capacity.measuring import measure
from appliance.capacity.needs import (
    GRACE_DAYS,
    TOMBSTONE_DAYS,
    Layout,
    Load,
    catalogue_bytes,
    cores_for,
    drives_for,
    memory_for,
    needs,
    traffic_of,
)
from appliance.capacity.prices import PRICES, Price, with_own
from appliance.cli import main
from appliance.config.model import GB, TB, Backup, Config
from appliance.domain.clock import DAY_S
from appliance.lifecycle import expiry, service
from tests.support.host import small_config
from tests.support.programs import ROOT

IMAGE_S = 0.11
PAGE = ROOT / "docs" / "capacity.md"


@pytest.fixture(autouse=True)
def _default_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLIANCE_CONFIG", "")


# --- at the load that the host is made for ------------------------------------------------------------------------


def test_a_year_of_half_a_million_uploads_a_day_is_182_5_terabytes() -> None:
    load = Load()
    assert load.original_bytes == 182.5 * TB
    assert (round(load.uploads_per_s, 2), round(load.views_per_s, 1)) == (5.79, 57.9)
    assert load.images == 186_000_000


def test_it_fits_on_one_erasure_set_of_16_drives_of_24_terabytes() -> None:
    drives = drives_for(Load(), Layout())
    assert drives.object_bytes == 186 * TB
    assert drives.used_bytes == 186 * TB * 16 // 12 + 186_000_000 * 16 * 7000
    assert drives.wanted_bytes == round(drives.used_bytes / 0.8)
    assert (drives.count, drives.raw_bytes) == (16, 384 * TB)
    assert drives.raw_bytes - drives.used_bytes >= 0.2 * drives.raw_bytes


def test_its_catalogue_has_58_gigabytes() -> None:
    assert catalogue_bytes(Load()) == 186_000_000 * 250 + 182_500_000 * 62 == 57_815_000_000


def test_its_backups_have_more_than_a_terabyte_in_each_place_and_are_counted_with_the_drives() -> None:
    wanted = needs(Load(), Layout(), Config(), image_s=IMAGE_S)
    assert (wanted.backups.count, wanted.backups.each_bytes) == (20, 57_815_000_000)
    assert wanted.backups.kept_bytes == 20 * 57_815_000_000
    assert wanted.backups.places == ("the bucket, counted with the drives",)
    without = drives_for(Load(), Layout())
    assert wanted.drives.used_bytes - without.used_bytes == pytest.approx(wanted.backups.kept_bytes * 16 / 12, abs=2)
    elsewhere = Backup(in_store=False, directory=Path("/srv/backups"), remote="offsite:b", keep_daily=1, keep_weekly=0)
    fewer = needs(Load(), Layout(), Config(backup=elsewhere), image_s=IMAGE_S)
    assert fewer.drives == without
    assert fewer.backups.places == ("the disk of /srv/backups", "rclone's offsite:b")
    assert fewer.backups.count == 2  # the newest stays while the next is brought


def test_its_backups_need_a_copy_of_the_catalogue_and_one_more_while_it_is_encrypted() -> None:
    plain, encrypted = (
        needs(Load(), Layout(), Config(backup=Backup(age_recipients=recipients)), image_s=IMAGE_S)
        for recipients in ((), ("age1q",))
    )
    budgets = plain.local_bytes - 2 * plain.catalogue_bytes
    assert encrypted.local_bytes == 3 * plain.catalogue_bytes + budgets


@given(st.integers(1, 40), st.integers(0, 20))
def test_as_many_backups_are_planned_as_are_kept_on_the_worst_day(daily: int, weekly: int) -> None:
    days = [datetime(2026, 1, 1, 3, tzinfo=UTC) + timedelta(days=day) for day in range(200)]
    names = [backup_name(day.timestamp()) for day in days]
    found = {len(backups_to_keep(names[: len(names) - less], daily=daily, weekly=weekly)) for less in range(7)}
    assert max(found) == max_backups(daily=daily, weekly=weekly)


def test_its_cores_follow_from_the_seconds_an_image() -> None:
    cores = cores_for(Load(), IMAGE_S)
    assert cores.new == pytest.approx(500_000 / 86_400 * 10 * 0.11 / 0.7, abs=0.01)
    assert cores.again == pytest.approx(5_000_000 / 86_400 * 10 * 0.1 * 0.5 * 0.11 * 0.4 / 0.7, abs=0.01)
    assert cores.count == 11 + 4


def test_its_memory_is_what_is_sold_next() -> None:
    memory = memory_for(cores_for(Load(), IMAGE_S), catalogue_bytes(Load()), Config())
    assert memory.workers == (11 + 1) * 512_000_000 + 3 * GB
    assert memory.total <= memory.sold == 32 * GB


def test_its_traffic_is_20_terabytes_a_month() -> None:
    traffic = traffic_of(Load())
    assert traffic.viewer_month == pytest.approx(20.53 * TB, rel=0.001)
    assert traffic.origin_month == pytest.approx(traffic.viewer_month / 10)
    assert traffic.peak_bits_per_s == pytest.approx(5e6 * 135_000 * 0.1 / 86_400 * 10 * 8, rel=0.001)


def test_its_bills_are_the_sums_of_their_list_prices() -> None:
    wanted = needs(Load(), Layout(), Config(), image_s=IMAGE_S)
    cloud = cloud_bill(Load(), wanted, PRICES)
    assert cloud.items["S3 storage"] == pytest.approx(51_200 * 0.023 + (182.5e12 / 2**30 - 51_200) * 0.022)
    sent = 675e9 * 365 / 12 / 2**30 - 1024
    assert cloud.items["CloudFront traffic"] == pytest.approx(10_240 * 0.085 + (sent - 10_240) * 0.08, rel=1e-6)
    assert cloud.items["S3 PUT"] == pytest.approx(500_000 * 365 / 12 / 1000 * 0.005)
    own = own_bill(wanted, PRICES)
    assert own.items["drives"] == pytest.approx(384 * 19 / 48)
    assert own.items["CDN"] == pytest.approx(675 * 365 / 12 * 0.01)
    assert own.total == pytest.approx(sum(own.items.values()))


def test_the_days_of_grace_and_of_tombstones_are_those_of_the_server() -> None:
    assert (GRACE_DAYS * DAY_S, TOMBSTONE_DAYS * DAY_S) == (expiry.GRACE_S, service.TOMBSTONE_S)


# --- elsewhere ----------------------------------------------------------------------------------------------------

LOADS = st.builds(
    Load,
    uploads_per_day=st.integers(1, 10**8),
    views_per_day=st.integers(1, 10**9),
    mean_bytes=st.integers(1, 10**9),
    retention_days=st.integers(1, 3650),
    cdn_hit_ratio=st.floats(0, 0.999),
)


@given(LOADS, st.sampled_from([Layout(), Layout(2, 2), Layout(8, 8, 0.5, 4 * TB)]))
def test_the_reserve_is_free_when_the_store_is_full(load: Load, layout: Layout) -> None:
    drives = drives_for(load, layout)
    assert drives.count % layout.set_size == 0
    assert drives.used_bytes >= drives.object_bytes
    assert drives.wanted_bytes <= drives.raw_bytes
    fewer = drives.raw_bytes - layout.set_size * layout.drive_bytes
    assert fewer < drives.wanted_bytes or drives.count == layout.set_size


@given(LOADS)
def test_twice_the_uploads_never_need_less(load: Load) -> None:
    one, two = (
        needs(each, Layout(), Config(), image_s=IMAGE_S)
        for each in (load, replace(load, uploads_per_day=2 * load.uploads_per_day))
    )
    assert two.drives.count >= one.drives.count
    assert two.catalogue_bytes == 2 * one.catalogue_bytes
    assert two.cores.count >= one.cores.count
    assert two.memory.sold >= one.memory.sold


def test_tiers_are_paid_step_by_step_after_what_is_free() -> None:
    price = Price(((10, 3.0), (float("inf"), 1.0)), "thing", "a test", free=5)
    assert [price.of(units) for units in (0, 5, 6, 15, 17)] == [0, 0, 3, 30, 32]


def test_every_price_has_a_unit_a_source_and_a_date() -> None:
    for name, price in PRICES.items():
        assert price.unit, name
        assert re.search(r"20\d\d-\d\d", price.source), name
        assert with_own({name: 1.5})[name].of(10**9) == 1.5 * 10**9


# --- as a command -------------------------------------------------------------------------------------------------


def test_the_page_shows_what_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    (command, shown) = re.findall(r"\$ appliance ([^\n]*)\n(.*?)\n\n", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert main(shlex.split(command)) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    expected = [line.removeprefix("    ").rstrip() for line in shown.splitlines()]
    assert printed[: len(expected)] == expected


def test_programs_get_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capacity", "--json", "--image-seconds", "0.11", "--price", "cdn=0.02"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["original_bytes"] == 182_500_000_000_000
    assert plan["needs"]["drives"]["count"] == 16
    assert plan["usd_a_month"]["own"]["CDN"] == pytest.approx(675 * 365 / 12 * 0.02)
    assert plan["prices"]["cdn"]["source"] == "your own"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--uploads-per-day", "0"],
        ["--mean-bytes", "1e6"],
        ["--cdn-hit-ratio", "1"],
        ["--reserve", "-0.1"],
        ["--erasure", "4+12"],
        ["--erasure", "16+4"],
        ["--erasure", "twelve"],
        ["--peak-factor", "nan"],
        ["--drive-tb", "0"],
        ["--price", "gold=5"],
        ["--price", "cdn=cheap"],
    ],
)
def test_what_makes_no_sense_is_refused_with_an_example(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["capacity", *arguments])
    assert ended.value.code == 2
    assert re.search(r"is not a|must look like", capsys.readouterr().err)


async def test_this_machine_is_measured_in_a_worker(tmp_path: Path) -> None:
    pace = await measure(small_config(tmp_path), seconds=0.0)
    assert pace.images == 1
    assert 0.01 < pace.image_s < 5
    assert list(tmp_path.iterdir()) == []
