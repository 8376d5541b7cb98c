"""The reinspector: walks over all images in steps, and remembers how far it has got.

Each step is one request of a command, which sets the pace. So nothing runs when the command has ended, and whatever
ends in between, the next run continues: a step that was taken twice finds nothing to change the second time.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import BinaryIO

from appliance.catalogue import Catalogue
from appliance.domain.errors import (
    ApplianceError,
    Busy,
    CommandFailed,
    Conflict,
    EmptyUpload,
    GoneImage,
    NotAnImage,
    ObjectMissing,
    StoreUnavailable,
    UnknownImage,
    UnreadableImage,
    UnsupportedFormat,
)
from appliance.domain.model import Image, Location
from appliance.domain.renditions import EDITION
from appliance.domain.slugs import object_key
from appliance.objectstore import ObjectStore
from appliance.objectstore.records import UnreadableRecord, as_stored
from appliance.reinspection.examiner import Examiner, is_to_keep, without_findings
from appliance.reinspection.replacer import Replacer
from appliance.reinspection.steps import MAX_IMAGES, Examination, Step, StepRequest, Verdict, change
from appliance.spool import Spool

AT_ONCE = 4
EDITION_NOTE = "reinspection-edition"
MAX_ATTEMPTS = 3
BUSY_S = 2
UNREADABLE = (EmptyUpload, NotAnImage, UnreadableImage, UnsupportedFormat)

log = logging.getLogger(__name__)


class Reinspector:
    """Takes one step at a time."""

    def __init__(
        self, *, catalogue: Catalogue, spool: Spool, store: ObjectStore, examiner: Examiner, replacer: Replacer
    ) -> None:
        self._images = catalogue.images
        self._purges = catalogue.purges
        self._notes = catalogue.notes
        self._spool = spool
        self._store = store
        self._examiner = examiner
        self._replacer = replacer
        self._stepping = asyncio.Lock()

    async def step(self, request: StepRequest) -> Step:
        """Look at the next images, and bring them up to today's rules unless it is a dry run.

        Raises CommandFailed while another step is taken, StoreUnavailable, DiskFull, Stopping and the catalogue's
        faults. The step can be repeated then.
        """
        if self._stepping.locked():
            raise CommandFailed("Another `appliance reinspect` is running. Wait for its end.")
        async with self._stepping:
            return await self._step(request)

    async def _step(self, request: StepRequest) -> Step:
        after, looked_at = await self._place(request)
        images = await self._images.page(after, min(request.max_images, MAX_IMAGES))
        examinations = await self._examinations(images, request)
        last = images[-1].slug if images else None
        looked_at += len(images)
        if not request.dry_run:
            await self._purge_older_edition(examinations, is_end=last is None)
            await self._notes.set(_note(request), json.dumps([last, looked_at]) if last else "")
        counts = Counter(verdict.value for examination in examinations for verdict in examination.verdicts)
        examples = [f"{examination.slug}: {examination.words}" for examination in examinations if examination.words]
        return Step(last, looked_at, dict(counts), tuple(examples[: request.max_examples]))

    async def _place(self, request: StepRequest) -> tuple[str, int]:
        """After which slug the step begins, and how many images were looked at before."""
        if request.after is not None:
            return request.after, request.looked_at
        noted = None if request.dry_run else await self._notes.get(_note(request))
        after, looked_at = json.loads(noted) if noted else ("", 0)
        return str(after), int(looked_at)

    async def _purge_older_edition(self, examinations: Sequence[Examination], *, is_end: bool) -> None:
        """Have shared caches forget sizes of an older edition, once: facts don't tell which images look different."""
        if await self._notes.get(EDITION_NOTE) == str(EDITION):
            return
        await self._purges.enqueue([examination.slug for examination in examinations])
        if is_end:
            await self._notes.set(EDITION_NOTE, str(EDITION))

    # --- one image ------------------------------------------------------------------------------------------------

    async def _examinations(self, images: Sequence[Image], request: StepRequest) -> list[Examination]:
        """Of the living images, in their order. Raises the first fault, once nothing is under way any more."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(image: Image) -> Examination:
            async with at_once:
                return await self._examine_when_free(image, request)

        living = [image for image in images if image.ended is None]
        results = await asyncio.gather(*map(one, living), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, Examination)]

    async def _examine_when_free(self, image: Image, request: StepRequest) -> Examination:
        """The workers' queue may be full: everybody else goes first."""
        while True:
            try:
                return await self._examine(image, request)
            except Busy as fault:
                await asyncio.sleep(fault.retry_after_s or BUSY_S)

    async def _examine(self, image: Image, request: StepRequest) -> Examination:
        """A fault that concerns this image alone doesn't hold up the others."""
        try:
            return await self._examine_latest(image, request)
        except StoreUnavailable:
            await self._store.check()
            log.exception("an image couldn't be examined", extra={"slug": image.slug})
        except ApplianceError:
            raise
        except Exception:
            log.exception("an image couldn't be examined", extra={"slug": image.slug})
        return Examination(image.slug, (Verdict.FAILED,), "it couldn't be examined; see the log")

    async def _examine_latest(self, image: Image, request: StepRequest) -> Examination:
        """Of the image as its row is now: who changes it meanwhile wins, and one that ends is left alone."""
        row: object = image
        for _ in range(MAX_ATTEMPTS):
            if not isinstance(row, Image) or row.ended is not None:
                return Examination(image.slug)
            try:
                return await self._look_at(row, request)
            except (Conflict, GoneImage, UnknownImage, ObjectMissing) as fault:
                before, row = row, await self._images.get(image.slug)
                if isinstance(fault, ObjectMissing) and row == before:
                    return Examination(image.slug, (Verdict.MISSING,), "the store has no original")
        log.error("an image was changed each time that it was examined", extra={"slug": image.slug})
        return Examination(image.slug, (Verdict.FAILED,), "it was changed each time that it was examined")

    async def _look_at(self, image: Image, request: StepRequest) -> Examination:
        async with self._opened(image) as original:
            if request.clean and (different := await self._difference(image, original, request)) is not None:
                return different
            try:
                facts = await self._examiner.facts(image, original)
            except UNREADABLE as fault:
                return Examination(image.slug, (Verdict.UNREADABLE,), fault.detail)
            known = replace(image, facts=facts)
            if request.clean and not is_to_keep(image):
                return await self._clean(image, known, original, request)
            examination = await self._revise(image, known, request)
        return examination.having(Verdict.KEPT) if request.clean else examination

    @asynccontextmanager
    async def _opened(self, image: Image) -> AsyncIterator[BinaryIO]:
        """The original, from this disk or else fetched for this alone: the spool's copies are for viewers."""
        try:
            if (local := await self._spool.originals.open(image.slug, image.sha256)) is not None:
                with local:
                    yield local
                return
            async with self._spool.room_for(image.bytes):
                path = self._spool.working.fetched_path(image.slug)
                await self._store.fetch(object_key(image.slug), path)
                with path.open("rb", buffering=0) as fetched:
                    yield fetched
        finally:
            await self._spool.working.remove(image.slug)

    async def _difference(self, image: Image, original: BinaryIO, request: StepRequest) -> Examination | None:
        """What is wrong with the original's bytes, if they aren't those of the row.

        Where the store's object says that they are its own, the row is brought in line: a restore of an old backup
        may leave it behind.
        """
        sha256 = await self._spool.working.sha256(original)
        if sha256 == image.sha256:
            return None
        if image.location is Location.STORE:
            with suppress(UnreadableRecord):
                stored = as_stored(image, await self._store.stat(object_key(image.slug)))
                if stored.sha256 == sha256:
                    return await self._revise(image, stored, request)
        log.error("an original has other bytes than its row says", extra={"slug": image.slug})
        return Examination(image.slug, (Verdict.DIFFERENT,), "the original's bytes don't have the sha256 of its row")

    async def _revise(self, image: Image, known: Image, request: StepRequest) -> Examination:
        if known != image and not request.dry_run:
            await self._replacer.revise(image, known)
        return change(image, known)

    async def _clean(self, image: Image, known: Image, original: BinaryIO, request: StepRequest) -> Examination:
        found = await self._examiner.metadata(image, original)
        remaining = () if found.complete else (Verdict.NOT_REMOVABLE,)
        if not found.edits and found.cut_at is None:
            revised = await self._revise(image, without_findings(known, is_complete=found.complete), request)
            return revised.having(*remaining)
        if image.location is Location.SPOOL:
            return (await self._revise(image, known, request)).having(Verdict.UNSHIPPED)
        if not request.dry_run:
            await self._replacer.clean(image, known, original)
        cleaned = change(image, known).having(Verdict.CLEANED, *remaining)
        words = ", ".join(filter(None, (cleaned.words, "metadata is removed from the original")))
        return replace(cleaned, words=words)


def _note(request: StepRequest) -> str:
    """The name of the note with the place: a run that cleans has a place of its own."""
    return "reinspection-clean" if request.clean else "reinspection"
