"""Other releases than the tree's own, built as `make dist` builds one: the next, and one that is broken."""

import os
import re
import shutil
from pathlib import Path

from tests.deploy.machine import run
from tests.support.programs import ROOT

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", "dist", "data", "node_modules", ".*_cache", "__pycache__")
VERSION = re.compile(r'__version__ = "([^"]+)"')


def own_version() -> str:
    found = VERSION.search((ROOT / "appliance" / "__init__.py").read_text())
    assert found
    return found[1]


def built(version: str, into: Path, *, broken: str | None = None) -> Path:
    """The archive of a release `version`. `broken` is Python that runs instead of serving."""
    tree = into / f"tree-{version}"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    package = tree / "appliance"
    init = package / "__init__.py"
    init.write_text(VERSION.sub(f'__version__ = "{version}"', init.read_text()))
    if broken is not None:
        app = package / "app.py"
        app.write_text(f"{app.read_text()}\n\ndef serve(config: Config, manager: Supervisor) -> int:\n    {broken}\n")
    environment = os.environ | {"SOURCE": str(tree), "DIST": str(into), "PIP_NO_INDEX": "1"}
    run([str(ROOT / "ansible" / "dist.sh")], within_s=300, env=environment)
    shutil.rmtree(tree)
    return into / f"appliance-{version}.tar.gz"
