"""The program that counts files and calls: what it counts, on a small tree of calls."""

import asyncio
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.call_paths import count_lines, find_loose_modules, find_shared_class_names, trace_calls

SOURCE = """
import asyncio

class Same:
    pass

def top():
    return [leaf() for _ in range(3)]

def leaf():
    return 1

async def waiting():
    for _ in range(5):
        await asyncio.sleep(0)
    return top()
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    (tmp_path / "tree.py").write_text(SOURCE)
    (tmp_path / "below" / "other.py").write_text("class Same:\n    pass\n\nclass Own:\n    pass\n")
    return tmp_path


@pytest.fixture
def tree(package: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("tree", package / "tree.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_call_is_counted_once_and_comprehensions_are_part_of_their_function(
    package: Path, tree: ModuleType
) -> None:
    with trace_calls(package) as trace:
        tree.top()
        with trace.counting():
            tree.top()
            Path("elsewhere").is_absolute()
        tree.top()
    assert trace.calls == [("tree.py", "top"), *[("tree.py", "leaf")] * 3]
    assert (trace.files, trace.functions) == (["tree.py"], 2)


def test_a_coroutine_that_waits_is_one_call(package: Path, tree: ModuleType) -> None:
    with trace_calls(package) as trace, trace.counting():
        asyncio.run(tree.waiting())
    assert [function for _, function in trace.calls] == ["waiting", "top", "leaf", "leaf", "leaf"]


def test_calls_on_other_threads_count(package: Path, tree: ModuleType) -> None:
    with trace_calls(package) as trace, trace.counting(), ThreadPoolExecutor(1) as threads:
        threads.submit(tree.leaf).result()
    assert trace.calls == [("tree.py", "leaf")]


def test_the_source_is_counted(package: Path) -> None:
    assert count_lines(package) == SOURCE.count("\n") + 5
    assert find_loose_modules(package) == ["tree"]
    assert find_shared_class_names(package) == {"Same": ["below/other.py", "tree.py"]}
