"""WebKitGTK's MiniBrowser, by WebDriver, on a screen of its own."""

import contextlib
import functools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.programs import free_port, require
from tests.support.waiting import until

WATCH = """() => {
    if (globalThis.faults) return;
    const faults = (globalThis.faults = []);
    const { error } = console;
    console.error = (...words) => (faults.push(words.join(" ")), error(...words));
    addEventListener("error", (event) => faults.push(event.message));
    addEventListener("unhandledrejection", (event) => faults.push(String(event.reason)));
    const note = (breaches) => breaches.forEach(({ body }) => faults.push(JSON.stringify(body)));
    new ReportingObserver(note, { types: ["csp-violation"], buffered: true }).observe();
}"""
"""Runs once a page is there: only of breaches it learns what was before."""


class WebKit:
    """One window."""

    def __init__(self, session: aiohttp.ClientSession, path: str) -> None:
        self._session, self._path = session, path
        self._faults: list[str] = []

    async def send(self, command: str, **parameters: object) -> Any:
        """The value of a command's answer. RuntimeError with the driver's words if it fails."""
        async with self._session.post(f"{self._path}/{command}", json=parameters) as reply:
            value = (await reply.json())["value"]
            if reply.status != 200:
                raise RuntimeError(f"{command}: {value['message']}")
            return value

    async def open(self, address: str) -> None:
        await self.faults()
        await self.send("url", url=address)
        await self.evaluate(WATCH)

    async def evaluate(self, function: str, *arguments: object) -> Any:
        return await self.send("execute/sync", script=f"return ({function})(...arguments)", args=arguments)

    async def perform(self, device: dict[str, Any]) -> None:
        await self.send("actions", actions=[device])

    async def choose(self, selector: str, files: Sequence[Path]) -> None:
        found = await self.send("element", using="css selector", value=selector)
        (picker,) = found.values()
        await self.send(f"element/{picker}/value", text="\n".join(map(str, files)))

    async def faults(self) -> list[str]:
        self._faults += await self.evaluate("() => globalThis.faults?.splice(0)") or []
        return self._faults


@contextmanager
def _running(command: Sequence[str], **options: Any) -> Iterator[None]:
    with subprocess.Popen(command, **options) as process:
        try:
            yield
        finally:
            process.terminate()


@contextmanager
def _screen() -> Iterator[str]:
    """The name of a new X display."""
    ours, theirs = os.pipe()
    command = [_program("Xvfb", "xvfb"), "-displayfd", str(theirs), "-screen", "0", "1280x1000x24", "-nolisten", "tcp"]
    with os.fdopen(ours) as said, _running(command, pass_fds=[theirs], stderr=subprocess.DEVNULL):
        os.close(theirs)
        yield f":{said.readline().strip()}"


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        require(name, f"install Debian's {package}")
    return str(found)


def _mini_browser() -> str:
    """Each architecture and version of WebKitGTK has its own."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    if not found:
        require("MiniBrowser", "install Debian's libwebkit2gtk-4.1-0")
    return str(found[-1])


def _environment(folder: Path, locale: str) -> dict[str, str]:
    """WebKit asks for pages in the language of the process, whose locale is made where the machine has none."""
    made = folder / f"{locale}.UTF-8"
    subprocess.run([_program("localedef", "locales"), "-f", "UTF-8", "-i", locale, str(made)], check=True)
    return os.environ | {"LOCPATH": str(folder), "LC_ALL": made.name, "HOME": str(folder)}


async def _is_ready(session: aiohttp.ClientSession) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with session.get("/status") as reply:
            return reply.status == 200
    return False


@asynccontextmanager
async def webkit(folder: Path, locale: str) -> AsyncIterator[WebKit]:
    """Debian's WebKitGTK, with its files in `folder`; without its programs the test is skipped (see `require`)."""
    options = {"binary": _mini_browser(), "args": ["--automation"]}
    wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
    port, environment = free_port(), _environment(folder, locale)
    command = [_program("WebKitWebDriver", "webkit2gtk-driver"), f"--port={port}"]
    with _screen() as display, _running(command, env=environment | {"DISPLAY": display}):
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await until(functools.partial(_is_ready, session), "WebKitWebDriver")
            begun = await WebKit(session, "").send("session", capabilities=wanted)
            path = f"/session/{begun['sessionId']}"
            yield WebKit(session, path)
            (await session.delete(path)).release()
