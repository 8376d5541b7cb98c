"""What a person does in a browser that Playwright can't drive: look for words, press, type and choose files."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.support.waiting import until

KEYS = {"ArrowRight": "\ue014", "Escape": "\ue00c"}
"""Characters by which WebDriver knows keys that have none."""
STILL_S = 0.1
PRESSABLE = "a, button, summary, input, img"
VISIBLE = r"""(selector, words) => {
    const text = (one) => (one.labels?.[0] ?? one).textContent;
    const name = (one) => one.getAttribute("aria-label") ?? one.getAttribute("alt") ?? text(one);
    const has = (one) => name(one).replace(/\s+/g, " ").includes(words);
    return [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility() && has(one));
}"""
IS_LOADED = "() => document.readyState === 'complete'"
COUNT = f"(selector, words) => ({VISIBLE})(selector, words).length"
PLACE = f"""(selector, words) => {{
    const [found] = ({VISIBLE})(selector, words);
    if (!found || document.readyState !== "complete") return null;
    found.scrollIntoView({{ block: "center", behavior: "instant" }});
    const box = found.getBoundingClientRect();
    const [x, y] = [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
    return found.contains(document.elementFromPoint(x, y)) ? {{ x, y }} : null;
}}"""
"""The middle of what is to be pressed, if nothing covers it."""


class Browser(Protocol):
    """One tab of a browser."""

    async def open(self, address: str) -> None:
        """Load a page, until everything that belongs to it has come."""

    async def evaluate(self, function: str, *arguments: object) -> Any:
        """What a JavaScript function returns for the arguments, all of it JSON.

        RuntimeError if it throws, or if the page goes away meanwhile. It may not be async: a page that goes away
        keeps no promise.
        """

    async def perform(self, device: dict[str, Any]) -> None:
        """Move, press or type as "perform actions" of WebDriver says, in CSS pixels of the viewport."""

    async def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Choose files in the picker that a CSS selector finds."""

    async def faults(self) -> list[str]:
        """Script errors, errors on the console and breaches of the content policy so far."""


class Visitor:
    """A person who uses one site in a browser. What isn't there yet is waited for."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self._url = browser, url

    async def open(self, path: str) -> None:
        await self.browser.open(self._url + path)

    async def sees(self, selector: str, words: str = "", count: int = 1) -> None:
        """Waits until exactly `count` visible elements have these words in their text or name."""

        async def is_so() -> bool:
            return bool(await self._now(COUNT, selector, words) == count)

        await self._until(is_so, f"{count} of {selector} with “{words}”")

    async def press(self, words: str = "", selector: str = PRESSABLE) -> None:
        """Press the first visible element that has these words as its text, name or label, once it lies still."""
        places: list[dict[str, int] | None] = [None]

        async def lies_still() -> bool:
            places.append(await self._now(PLACE, selector, words))
            await asyncio.sleep(STILL_S)
            return places[-1] is not None and places[-1] == places[-2]

        await self._until(lies_still, f"{selector} with “{words}”")
        moves = [{"type": "pointerMove", "origin": "viewport"} | (places[-1] or {})]
        presses = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        await self.browser.perform({"type": "pointer", "id": "mouse", "actions": moves + presses})

    async def key(self, name: str) -> None:
        """Press a key, once the page's scripts have come."""

        async def is_loaded() -> bool:
            return bool(await self._now(IS_LOADED))

        await self._until(is_loaded, "the end of loading")
        strokes = [{"type": kind, "value": KEYS[name]} for kind in ("keyDown", "keyUp")]
        await self.browser.perform({"type": "key", "id": "keyboard", "actions": strokes})

    async def _until(self, reached: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            await until(reached, what)
        except AssertionError as error:
            error.add_note(f"The browser shows {await self._now('() => location.href')}.")
            raise

    async def _now(self, function: str, *arguments: object) -> Any:
        """None while one page replaces another."""
        try:
            return await self.browser.evaluate(function, *arguments)
        except RuntimeError:
            return None
