"""Verdicts: what a request hears of an upload once all its bytes are here, an image or why it is none."""

import asyncio
from dataclasses import replace

from appliance.catalogue import UploadCatalogue
from appliance.domain.errors import GoneUpload, UploadLocked
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.finisher import UploadFinisher
from appliance.resumable.lookup import UploadLookup
from appliance.resumable.progress import Progress, fault_of


class UploadVerdicts:
    """Waits for verdicts, for `wait_s` at most."""

    def __init__(
        self,
        wait_s: float,
        *,
        rows: UploadCatalogue,
        lookup: UploadLookup,
        finisher: UploadFinisher,
        this_node: ThisNode,
    ) -> None:
        self._wait_s = wait_s
        self._rows = rows
        self._lookup = lookup
        self._finisher = finisher
        self._this_node = this_node

    async def on(self, upload: Upload) -> Progress:
        """How far the upload is, after waiting for the verdict on one whose bytes are all here.

        Raises the refusal, and faults that are temporary.
        """
        if upload.state is UploadState.RECEIVING and self._lookup.is_complete(upload):
            finishing = self._finisher.begin(upload)
            done, _ = await asyncio.wait([finishing], timeout=self._wait_s)
            if done and not finishing.cancelled():
                finishing.result()
        row = await self._rows.get(upload.id_hash) or upload
        if row.state is UploadState.RECEIVING and self._this_node.lacks(row.node):
            raise UploadLocked("Another server of this host took over this upload. Ask how far it is.", retry_after_s=1)
        if row.state is UploadState.GONE:
            return await self._finished_before_it_was_given_up(upload)
        if row.refusal is not None:
            raise fault_of(row.refusal)
        return await self._lookup.progress(row)

    async def _finished_before_it_was_given_up(self, upload: Upload) -> Progress:
        """The image that the last bytes became, for their sender, as long as it is visible. Raises GoneUpload."""
        done = replace(upload, state=UploadState.DONE)
        image = await self._lookup.image(done)
        if image is None:
            raise GoneUpload
        return Progress(done, image.bytes, image)
