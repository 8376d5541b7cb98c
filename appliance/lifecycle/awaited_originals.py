"""Awaited originals: they have landed, and the catalogue doesn't say yet whether their rows are saved.

Their clients were refused and may not come back, so each is shipped as soon as its row is there. They are remembered in
memory alone: what a crash forgets, the next start finds by its row.
"""

import asyncio
import logging
from contextlib import ExitStack

from appliance.domain.model import Image
from appliance.lifecycle.shipping import Shipper
from appliance.objectstore.records import record_of
from appliance.spool import Spool

log = logging.getLogger(__name__)


class AwaitedOriginals:
    """Ships each once. No sweep takes its file for a stray meanwhile."""

    def __init__(self, *, spool: Spool, shipper: Shipper) -> None:
        self._spool = spool
        self._shipper = shipper
        self._waiting: set[asyncio.Task[None]] = set()

    def add(self, image: Image, answer: "asyncio.Future[object]", client: str) -> None:
        """Ship the image's landed file once `answer`, that of `CatalogueUnavailable`, says that the row is saved.

        If the answer is an error, there is no such row, and the file is left to the sweep.
        """
        landing = ExitStack()
        landing.enter_context(self._spool.landing(image.slug))
        task = asyncio.create_task(self._ship_once_saved(image, answer, client))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        task.add_done_callback(lambda _: landing.close())

    async def stop(self) -> None:
        """Wait no longer; the next start ships what turns out to be saved."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _ship_once_saved(self, image: Image, answer: "asyncio.Future[object]", client: str) -> None:
        await asyncio.wait([answer])
        if answer.cancelled() or answer.exception() is not None:
            return
        log.info("a commit was confirmed late; its original is shipped now", extra={"slug": image.slug})
        await self._shipper.enqueue(image, record_of(image), client)
