"""Firefox, by WebDriver BiDi, which it speaks without a driver. Playwright needs its own Firefox."""

import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.programs import require
from tests.support.waiting import until

PREFERENCES = {
    "app.update.auto": False,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}
"""A Firefox that asks nobody about anything."""
STOP_S = 30


class Firefox:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count()
        self._faults: list[str] = []
        self._tab = ""

    async def begin(self) -> None:
        await self.send("session.new", capabilities={})
        await self.send("session.subscribe", events=["log.entryAdded"])
        self._tab = (await self.send("browsingContext.create", type="tab"))["context"]

    async def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """The result of a command. RuntimeError with Firefox's words if it fails."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while (said := await self._socket.receive_json()).get("id") != number:
            if said.get("method") == "log.entryAdded" and said["params"]["level"] == "error":
                self._faults.append(str(said["params"]["text"]))
        if said["type"] == "error":
            raise RuntimeError(f"{method}: {said['message']}")
        result: dict[str, Any] = said["result"]
        return result

    async def open(self, address: str) -> None:
        await self.send("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    async def evaluate(self, function: str, *arguments: object) -> Any:
        said = await self.send(
            "script.callFunction",
            functionDeclaration=f"(values) => JSON.stringify(({function})(...JSON.parse(values)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._tab},
            awaitPromise=False,
        )
        if said["type"] == "exception":
            raise RuntimeError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    async def perform(self, device: dict[str, Any]) -> None:
        await self.send("input.performActions", context=self._tab, actions=[device])

    async def choose(self, selector: str, files: Sequence[Path]) -> None:
        locator = {"type": "css", "value": selector}
        found = await self.send("browsingContext.locateNodes", context=self._tab, locator=locator)
        picker = {"sharedId": found["nodes"][0]["sharedId"]}
        await self.send("input.setFiles", context=self._tab, element=picker, files=[str(file) for file in files])

    async def faults(self) -> list[str]:
        await self.evaluate("() => null")  # what happened before it has been told then
        return self._faults


@asynccontextmanager
async def firefox(folder: Path, language: str) -> AsyncIterator[Firefox]:
    """Debian's Firefox ESR on a new profile in `folder`; without the program the test is skipped (see `require`)."""
    program = shutil.which("firefox-esr")
    if program is None:
        require("firefox-esr", "install Debian's package of that name")
    preferences = PREFERENCES | {"intl.accept_languages": language}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
    (folder / "user.js").write_text("".join(lines))
    command = [str(program), "--headless", "--remote-debugging-port=0", "--profile", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    try:
        endpoint = folder / "WebDriverBiDiServer.json"
        await until(lambda: endpoint.exists() and endpoint.read_text().endswith("}"), "Firefox")
        where = json.loads(endpoint.read_text())
        address = f"ws://{where['ws_host']}:{where['ws_port']}/session"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            browser = Firefox(socket)
            await browser.begin()
            yield browser
            await browser.send("browser.close")
        process.wait(STOP_S)
    finally:
        process.kill()
        process.wait()
