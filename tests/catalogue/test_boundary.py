"""What the import contracts can't say: no other package names the database or one of its files."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import appliance

PACKAGE = Path(appliance.__file__).parent
OWN = PACKAGE / "catalogue"
DATABASE = re.compile(r"sqlite|postgres|psycopg|-(wal|shm|journal)\b", re.IGNORECASE)
SETTINGS = (PACKAGE / "config/sections/catalogue.py", PACKAGE / "config/database_url.py")


def words_of(source: str) -> Iterator[str]:
    """Every name and text in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def found_in(source: str) -> list[str]:
    return [words for words in words_of(source) if DATABASE.search(words)]


def test_only_the_catalogue_names_its_database() -> None:
    others = [path for path in PACKAGE.rglob("*.py") if not path.is_relative_to(OWN) and path not in SETTINGS]
    assert len(others) > 100
    assert {str(path): found for path in others if (found := found_in(path.read_text()))} == {}


@pytest.mark.parametrize(
    "line", ['path = data_dir / "catalogue.sqlite"', "sqlite3.connect(path)", 'log = f"{name}-wal"']
)
def test_a_database_that_is_named_would_be_found(line: str) -> None:
    assert found_in(line)
