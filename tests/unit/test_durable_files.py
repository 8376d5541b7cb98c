"""Durable files: what is synced, in which order, and what a fault leaves behind."""

import os
from pathlib import Path

import pytest

from appliance.shared import files


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What was made durable or renamed, in its order, by names below the test's folder."""
    done: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def noted_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        size = f" of {path.stat().st_size} bytes" if path.is_file() else ""
        done.append(f"sync {path.relative_to(tmp_path)}{size}")
        fsync(descriptor)

    def noted_rename(path: Path, to: Path) -> Path:
        done.append(f"rename {path.name} to {to.name}")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    return done


def test_a_whole_file_has_its_bytes_before_its_name_and_its_name_before_its_caller_continues(
    tmp_path: Path, steps: list[str]
) -> None:
    (tmp_path / "a").write_bytes(b"old")
    files.write_whole(tmp_path / "a", b"newer", unfinished=tmp_path / ".a")
    assert steps == ["sync .a of 5 bytes", "rename .a to a", "sync ."]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"newer")]


def test_what_is_written_is_flushed_before_it_is_synced(tmp_path: Path, steps: list[str]) -> None:
    with files.writing(tmp_path / "a") as file:
        file.write(b"some")
        assert steps == []
    assert steps == ["sync a of 4 bytes"]


def test_a_fault_while_writing_is_raised_and_nothing_takes_the_name(tmp_path: Path, steps: list[str]) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError), files.writing(tmp_path / ".a") as file:
        file.write(b"half")
        raise ValueError
    assert steps == []
    assert (tmp_path / "a").read_bytes() == b"old"


def test_an_exclusive_file_replaces_none(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError), files.writing(tmp_path / "a", exclusive=True):
        pass
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_private_file_is_its_owners_from_the_start(tmp_path: Path) -> None:
    with files.writing(tmp_path / "a", mode=0o600):
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_longer_file_is_cut_when_it_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"much longer")
    with files.writing(tmp_path / "a") as file:
        file.write(b"short")
    assert (tmp_path / "a").read_bytes() == b"short"
