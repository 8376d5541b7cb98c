"""What another number of processes has left is moved to a process that runs."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.config.model import Config, Server
from appliance.domain.errors import DataDirectoryLocked, UnfitInstallation
from appliance.processes.leftovers import take_over_leftovers
from appliance.server.data_dir_lock import owned_folder


def config(folder: Path, processes: int) -> Config:
    return replace(Config(data_dir=folder), server=Server(processes=processes))


def leave(folder: Path, name: str) -> None:
    for part in ("spool/landed", "spool/uploads", "spool/copies", "cache/renditions"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / name).write_text(name)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def test_the_first_of_several_gets_what_a_server_that_was_alone_has(tmp_path: Path) -> None:
    leave(tmp_path, "one")
    take_over_leftovers(config(tmp_path, 2))
    assert names(tmp_path) == ["node-1/spool/inherited/none/one", "node-1/spool/landed/one"]


def test_fewer_processes_keep_what_the_others_have(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        leave(tmp_path / f"node-{number}", f"of-{number}")
    take_over_leftovers(config(tmp_path, 2))
    assert [name for name in names(tmp_path) if "landed" in name or "node-3" in name] == [
        "node-1/spool/landed/of-1",
        "node-1/spool/landed/of-3",
        "node-2/spool/landed/of-2",
    ]


def test_a_server_that_is_alone_again_gets_it_back(tmp_path: Path) -> None:
    leave(tmp_path / "node-1", "one")
    leave(tmp_path / "node-2", "two")
    (tmp_path / "node-2" / "node.id").write_text('{"id": "of-2"}')
    (tmp_path / "node-x").mkdir()  # somebody else's
    take_over_leftovers(config(tmp_path, 1))
    assert names(tmp_path / "spool") == ["inherited/none/one", "inherited/of-2/two", "landed/one", "landed/two"]


@pytest.mark.parametrize("newer", [1, 3])
def test_of_an_original_that_was_replaced_the_newer_file_stays(tmp_path: Path, newer: int) -> None:
    for number in (1, 3):
        leave(tmp_path / f"node-{number}", "one")
        path = tmp_path / f"node-{number}/spool/landed/one"
        path.write_text("after" if number == newer else "before")
        os.utime(path, (1000 + (number == newer),) * 2)
    take_over_leftovers(config(tmp_path, 2))
    assert (tmp_path / "node-1/spool/landed/one").read_text() == "after"
    assert not (tmp_path / "node-3/spool").exists()


def test_nothing_is_moved_from_a_process_that_runs(tmp_path: Path) -> None:
    leave(tmp_path / "node-3", "three")
    with owned_folder(tmp_path / "node-3"), pytest.raises(DataDirectoryLocked):
        take_over_leftovers(config(tmp_path, 2))
    assert "node-3/spool/landed/three" in names(tmp_path)


def test_what_can_not_be_moved_stays_and_is_named(tmp_path: Path) -> None:
    leave(tmp_path, "one")
    (tmp_path / "node-1").mkdir()
    (tmp_path / "node-1" / "spool").write_text("in the way")
    with pytest.raises(UnfitInstallation, match="can't be moved"):
        take_over_leftovers(config(tmp_path, 2))
    assert "spool/landed/one" in names(tmp_path)


def test_without_leftovers_nothing_is_made(tmp_path: Path) -> None:
    take_over_leftovers(config(tmp_path, 1))
    take_over_leftovers(config(tmp_path, 2))
    assert list(tmp_path.iterdir()) == []


def test_what_was_moved_and_not_claimed_is_moved_on(tmp_path: Path) -> None:
    leave(tmp_path / "node-2", "two")
    take_over_leftovers(config(tmp_path, 1))
    take_over_leftovers(config(tmp_path, 3))
    assert names(tmp_path / "node-1") == ["spool/inherited/none/two", "spool/landed/two"]
