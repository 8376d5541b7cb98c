"""The documentation names what exists: packages, modules, folders, tests, files and the sections that links lead to."""

import importlib.util
import re
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

from appliance.config.model import LimitsConfig
from appliance.config.options import OPTIONS
from appliance.config.sections.limits import UPLOADS_A_CORE
from appliance.config.units import GB

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "ansible").rglob("*.md")])
PLACEHOLDERS = {"web/static/built/", "web/src/NAME.ts"}
"""What is built, and what a reader is to name."""
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(?:#([^)\s]+))?\)")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def top_level_packages() -> set[str]:
    return {path.parent.name for path in (ROOT / "appliance").glob("*/__init__.py")}


def committed_folders() -> set[str]:
    """The folders at the top, without those that git ignores: what is built, kept or cached there."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    names = (path.name for path in ROOT.iterdir() if path.is_dir() and path.name != ".git")
    return {f"{name}/" for name in names if not any(fnmatch(name, pattern) for pattern in ignored)}


def named_test_functions() -> set[str]:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for source in sources for name in re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE)}


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_architecture_page_names_every_package() -> None:
    code = page("architecture.md").partition("## The code")[2]
    assert top_level_packages() - set(re.findall(r"\w+", code)) == set()


def test_the_architecture_page_names_every_folder_at_the_top() -> None:
    assert set(re.findall(r"^\| `([^`]+/)` \|", page("architecture.md"), re.MULTILINE)) == committed_folders()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_source_file_that_a_page_names_exists(path: Path) -> None:
    roots = "appliance|benchmarks|tests|docs|ansible|systemd|web"
    named = set(re.findall(rf"`((?:{roots})/[\w./-]+)`", path.read_text(encoding="utf-8")))
    assert {name for name in named if not (ROOT / name).exists()} - PLACEHOLDERS == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(path: Path) -> None:
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{target}#{anchor}"


def test_every_module_that_the_threat_model_names_exists(generate: ModuleType) -> None:
    text = page("threat-model.md")
    known = set(generate.packages()) | {name for each in generate.packages() for name in generate.modules(each)}
    dotted = set(re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", text))
    assert {name for name in dotted if f"appliance.{name}" not in known} - {option.name for option in OPTIONS} == set()


@pytest.mark.parametrize("name", ["threat-model.md", "limits.md", "under-attack.md", "access.md", "locks.md"])
def test_every_test_that_a_page_names_exists(name: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", page(name)))
    assert named
    assert named - named_test_functions() == set()


def test_the_pages_on_limits_have_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| (`.+?) \| (.+?) \| .+ \|$", page("limits.md") + page("under-attack.md"), re.MULTILINE)
    told = {name: default for names, default in rows for name in re.findall(r"`(\w+)`", names)}
    settings = LimitsConfig()
    for field in fields(LimitsConfig):
        value = getattr(settings, field.name)
        if field.name == "anonymous_uploads":
            assert told[field.name] == f"{UPLOADS_A_CORE} a minute for each core"
        elif isinstance(value, str):
            assert told[field.name] == f'`"{value}"`'
        else:
            amount = f"{value // GB:,} GB" if field.name.endswith("_bytes") else f"{value:,}"
            assert told[field.name].split(" a ")[0].removesuffix(" s") == amount, field.name


def test_the_module_index_has_every_module_with_what_it_does(generate: ModuleType) -> None:
    text = "\n".join(generate.module_index())
    modules = [path for path in (ROOT / "appliance").rglob("*.py") if "_web" not in path.parts]
    assert text.count("](../../appliance/") == sum(path.name != "__init__.py" for path in modules)
    assert re.findall(r"^\| .* \|  \|$", text, re.MULTILINE) == []


def test_the_glossary_explains_each_word_once_and_in_order(generate: ModuleType) -> None:
    """`make docs` sorts it."""
    text = page("glossary.md")
    words = [
        word.casefold()
        for word in re.findall(r"^\| ([^|]+) \| [^|]+ \|$", text.partition("|---|---|")[2], re.MULTILINE)
    ]
    assert len(words) == len(set(words)) > 0
    assert text == generate.sorted_glossary(text)


def test_the_page_of_settings_has_each_as_the_code_has_it(generate: ModuleType) -> None:
    """`make docs` lists them."""
    text = page("settings.md")
    assert text == generate.with_settings(text)
    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == [option.key for option in OPTIONS]
