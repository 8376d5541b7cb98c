"""axe-core, run in a page: what keeps people from using it, in words."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.support.browser.pages import styled
from tests.support.programs import ROOT, require

AXE = ROOT / "tests" / "node" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => (await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})).violations"""


def axe_source(path: Path = AXE) -> str:
    """axe-core's script; may skip the test (see `require`)."""
    if not path.is_file():
        require("axe-core", "`make test` brings it into tests/node")
    return path.read_text(encoding="utf-8")


async def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds wrong, each with the elements concerned."""
    await styled(page)
    await page.evaluate(axe)
    found: list[dict[str, Any]] = await page.evaluate(RUN)
    return [f"{rule['id']}: {', '.join(str(node['html'])[:200] for node in rule['nodes'])}" for rule in found]
