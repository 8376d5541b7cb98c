"""Verdicts: what a request hears of an upload once all its bytes are here, an image or why it is none."""

from dataclasses import replace

from appliance.catalogue import UploadCatalogue
from appliance.domain.errors import GoneUpload, UploadFinishing, UploadLocked
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.this_node import ThisNode
from appliance.resumable.finisher import UploadFinisher
from appliance.resumable.lookup import UploadLookup
from appliance.resumable.progress import Progress, fault_of

SAFE_WITHIN_S = 20.0
"""How long a request waits among nodes: more than `wait_s`, because not every client asks again, and less than the
shortest time after which proxies give up (30 s)."""


class UploadVerdicts:
    """Waits for verdicts, for `wait_s` at most.

    A server that is alone has all it needs on its disk then, so it answers with what it knows. Among nodes the client
    would never send its bytes again, though this node's disk may be lost, so nobody hears that all of them are here
    before the image is safe.
    """

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

        Raises the refusal, and faults that are temporary; among nodes UploadFinishing where the verdict takes longer.
        """
        is_among_nodes = self._this_node.name is not None
        if upload.state is UploadState.RECEIVING and self._lookup.is_complete(upload):
            await self._finisher.finish_within(upload, SAFE_WITHIN_S if is_among_nodes else self._wait_s)
        row = await self._rows.get(upload.id_hash) or upload
        if row.state is UploadState.RECEIVING and self._this_node.lacks(row.node):
            raise UploadLocked("Another server of this host took over this upload. Ask how far it is.", retry_after_s=1)
        if is_among_nodes and row.state is UploadState.RECEIVING and self._lookup.is_complete(row):
            raise UploadFinishing(retry_after_s=1)
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
