"""Lookup of resumable uploads: by their secret ids or the links of their images, and how far each one is.

An upload whose bytes are on another node is found there alone: the lookup raises BytesElsewhere.
"""

from appliance.catalogue import Catalogue
from appliance.domain import slugs, tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import GoneImage, GoneUpload, UnknownImage, UnknownUpload
from appliance.domain.model import Ending, Image, Tombstone
from appliance.domain.resumable_uploads import Upload, UploadKind, UploadState
from appliance.domain.this_node import ThisNode
from appliance.domain.visibility import require_visible
from appliance.resumable.finisher import UploadFinisher
from appliance.resumable.progress import Progress
from appliance.spool.resumed import UploadFiles


class UploadLookup:
    """Finds uploads. Their bytes are counted by their files alone."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        files: UploadFiles,
        finisher: UploadFinisher,
        this_node: ThisNode,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._finisher = finisher
        self._this_node = this_node
        self._clock = clock

    async def row(self, upload_id: str) -> Upload:
        """The row with this secret id, wherever its bytes are. Raises UnknownUpload."""
        upload = await self._catalogue.uploads.get(tokens.hash_secret(upload_id))
        if upload is None:
            raise UnknownUpload("There is no upload at this address, or it ended more than a day ago.")
        return upload

    async def by_id(self, upload_id: str) -> Upload:
        """The upload with this secret id. Raises UnknownUpload, GoneUpload, BytesElsewhere."""
        upload = await self.row(upload_id)
        self._require_here(upload)
        if upload.state is UploadState.GONE or self._is_expired(upload):
            raise GoneUpload
        return upload

    async def by_slug(self, slug: str) -> Upload | None:
        """The unfinished upload behind an image's link; None when there is none.

        Raises GoneImage for one that was given up or refused, even before a job has recorded that it expired, and
        BytesElsewhere.
        """
        upload = await self._catalogue.uploads.by_slug(slug) if slugs.is_slug(slug) else None
        if upload is None or upload.state is UploadState.DONE:
            return None
        self._require_here(upload)
        if upload.state is not UploadState.RECEIVING or self._is_expired(upload):
            require_visible(Tombstone(slug, Ending.UNFINISHED, upload.expires_s), self._clock())
        return upload

    def _require_here(self, upload: Upload) -> None:
        """Raises BytesElsewhere for an upload that another node receives; of one that has ended the row says all."""
        if upload.state is UploadState.RECEIVING:
            self._this_node.require(upload.node)

    def offset(self, upload: Upload) -> int:
        """How many of its bytes are here."""
        is_whole = upload.state is UploadState.DONE or self._finisher.is_finishing(upload.id_hash)
        if upload.length is not None and is_whole:
            return upload.length
        return self._files.offset(upload.id_hash)

    def is_complete(self, upload: Upload) -> bool:
        """Whether all bytes of the image are here, or in the parts that it is assembled from."""
        if upload.kind is UploadKind.PARTIAL or upload.is_open:
            return False
        return upload.kind is UploadKind.FINAL or self.offset(upload) == upload.length

    async def progress(self, upload: Upload) -> Progress:
        """How far it is, with the image that it became."""
        return Progress(upload, self.offset(upload), await self.image(upload))

    async def image(self, upload: Upload) -> Image | None:
        """The image that the upload became, as long as that is visible."""
        if upload.slug is None or upload.state is not UploadState.DONE:
            return None
        try:
            return require_visible(await self._catalogue.images.get(upload.slug), self._clock())
        except (UnknownImage, GoneImage):
            return None

    def _is_expired(self, upload: Upload) -> bool:
        """Whether nothing came for too long. An upload that has all its bytes never expires."""
        overdue = upload.state is UploadState.RECEIVING and upload.expires_s <= self._clock()
        return overdue and not self.is_complete(upload)
