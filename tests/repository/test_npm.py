"""What npm installs runs nothing of its own on this machine."""

from pathlib import Path

import pytest

from tests.support.programs import ROOT

LOCKS = sorted(
    path
    for folder in ("web", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("package-lock.json")
    if "node_modules" not in path.parts
)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_no_package_runs_a_script_when_it_is_installed(lock: Path) -> None:
    """esbuild finds its program without it; the only other one counts installations."""
    assert "ignore-scripts=true" in (lock.parent / ".npmrc").read_text().splitlines()


def test_every_folder_of_packages_is_looked_at() -> None:
    assert len(LOCKS) >= 4
