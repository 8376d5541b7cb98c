"""The examiner: what today's rules say of a stored original. Its orders to workers come after everybody else's."""

from dataclasses import replace
from typing import BinaryIO

from appliance.config.model import Renditions
from appliance.domain.animation import keeps_animation
from appliance.domain.clients import HOST
from appliance.domain.errors import CannotResize
from appliance.domain.file_edits import Findings
from appliance.domain.model import ContentCredentials, Image, KeepMetadata, PrivateData
from appliance.domain.renditions import Facts, Priority, Target
from appliance.workers import Workers

BACKGROUND = Priority.PYRAMID


class Examiner:
    """Has workers read originals. An original is never changed here."""

    def __init__(self, config: Renditions, *, workers: Workers) -> None:
        self._config = config
        self._workers = workers

    async def facts(self, image: Image, original: BinaryIO) -> Facts:
        """The facts of the image's open original.

        What only rendering could tell (it can't be resized, its animation can't be read) is tried again.
        Raises EmptyUpload, UnsupportedFormat, NotAnImage, UnreadableImage, Busy, Stopping.
        """
        facts = await self._workers.inspect(original.fileno(), HOST, BACKGROUND)
        if facts.refusal is not None or not (image.original_only or image.still):
            return facts
        return await self._tried(image, facts, original)

    async def _tried(self, image: Image, facts: Facts, original: BinaryIO) -> Facts:
        """The facts, including what earlier renderings showed, as far as it still holds."""
        smallest = min(self._config.presets, key=lambda preset: preset.box_px)
        target = Target(smallest, replace(image, facts=facts).linked_format)
        try:
            async with self._workers.lease(facts, BACKGROUND) as worker:
                (made,) = await worker.render(original.fileno(), facts, [target])
        except CannotResize:
            return replace(facts, refusal=image.original_only, still=image.still)
        should_move = keeps_animation(facts, target, self._config.animation_budget)
        return replace(facts, still=image.still if should_move and not made.is_animated else None)

    async def metadata(self, image: Image, original: BinaryIO) -> Findings:
        """What the cleaning rule takes out of the open original. Raises Busy, Stopping."""
        return await self._workers.find_private(original.fileno(), kept_of(image), HOST, BACKGROUND)


def kept_of(image: Image) -> KeepMetadata:
    """How much metadata its uploader asked to keep. Older rows don't tell, and then the default holds."""
    return image.keep_metadata or KeepMetadata.NOTHING


def is_to_keep(image: Image) -> bool:
    """Whether its original is left alone: its uploader asked for that, or may have, of a row that doesn't tell."""
    is_unknown = image.keep_metadata is None and image.private_data is PrivateData.KEPT
    return is_unknown or image.keep_metadata is KeepMetadata.ALL


def without_findings(image: Image, *, is_complete: bool) -> Image:
    """The image, after its metadata was looked for and none was found that has to go."""
    if not is_complete:
        return replace(image, private_data=PrivateData.NOT_REMOVABLE, content_credentials=ContentCredentials.KEPT)
    was_removed = image.private_data is PrivateData.REMOVED
    had_credentials = image.content_credentials is ContentCredentials.REMOVED
    return replace(
        image,
        private_data=PrivateData.REMOVED if was_removed else PrivateData.NONE,
        content_credentials=ContentCredentials.REMOVED if had_credentials else ContentCredentials.NONE,
    )
