"""docs/architecture.md says what is where; these tests hold it to the tree."""

import re
import subprocess

from tests.support.programs import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def named_in_tables() -> set[str]:
    return set(re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE))


def modules() -> set[str]:
    package = ROOT / "appliance"
    paths = [path.relative_to(package) for path in package.rglob("*.py") if path.name != "__init__.py"]
    return {".".join(path.with_suffix("").parts) for path in paths if path.parts[0] != "_web"}


def top_level_folders() -> set[str]:
    """Those that git keeps, or would: what is built or kept beside them is ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    kept = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return {f"{path.split('/')[0]}/" for path in kept if "/" in path}


def test_every_module_stands_in_the_page() -> None:
    assert modules() - named_in_tables() == set()


def test_every_module_that_the_page_names_is_there() -> None:
    layers = PAGE.partition("## The layers")[2].partition("## The three paths")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", layers, re.MULTILINE)) - modules() == set()


def test_every_folder_at_the_top_stands_in_the_page_and_the_other_way_round() -> None:
    tree = PAGE.partition("## The tree")[2].partition("## The layers")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", tree, re.MULTILINE)) == top_level_folders()
