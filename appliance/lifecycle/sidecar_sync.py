"""Telling the store what changed after an original was put: a sidecar object for every row that waits for it."""

import logging

from appliance.catalogue import ImageCatalogue
from appliance.domain.errors import ApplianceError, StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.slugs import sidecar_key
from appliance.lifecycle.sidecars import Sidecars
from appliance.objectstore import ObjectStore
from appliance.objectstore.records import sidecar_of

BATCH = 100

log = logging.getLogger(__name__)


class Telling:
    """Puts sidecars, and then lets go of those that were kept here meanwhile."""

    def __init__(self, *, catalogue: ImageCatalogue, sidecars: Sidecars, store: ObjectStore) -> None:
        self._catalogue = catalogue
        self._sidecars = sidecars
        self._store = store

    async def run(self) -> int:
        """Put the sidecar of every row that waits for it; says how many.

        One that fails holds up no other. Raises StoreUnavailable, at once when the store is away.
        """
        after, written, failure = "", 0, None
        while images := await self._catalogue.sidecars_due(after, BATCH):
            for image in images:
                try:
                    written += await self._write(image)
                except StoreUnavailable as fault:
                    failure = fault
                    await self._store.check()
                except ApplianceError:
                    raise
                except Exception:
                    log.exception("failed to write a sidecar", extra={"slug": image.slug})
            after = images[-1].slug
        if failure is not None:
            raise failure
        return written

    async def _write(self, image: Image) -> bool:
        await self._store.put_bytes(sidecar_key(image.slug), sidecar_of(image), media_type="application/json")
        if not await self._catalogue.mark_sidecar_written(image.slug, image.version):
            await self._drop_if_ended(image.slug)
            return False
        await self._sidecars.drop(image.slug, image.version)
        return True

    async def _drop_if_ended(self, slug: str) -> None:
        """The eraser may have been here before the sidecar was; bringing the image back writes it anew."""
        row = await self._catalogue.get(slug)
        if not isinstance(row, Image) or row.ended is not None:
            await self._store.delete(sidecar_key(slug))
