"""Inheritance: unfinished uploads of processes that run no more, whose files were moved into this node's spool.

They lie in a folder for each former data directory, named by its id, until the rows say whose the uploads are: another
node may have taken one over, and then its file is an old one.
"""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from appliance.catalogue import Catalogue
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.this_node import ThisNode
from appliance.shared import files
from appliance.spool.resumed import UploadFiles, cut_unverified

INHERITED = "inherited"
"""The folder of the spool that has them."""
NO_HOME = "none"
"""The folder of a server that was no node."""

log = logging.getLogger(__name__)


class Inheritance:
    """Claims what `folder` has, for the node that starts."""

    def __init__(self, folder: Path, *, uploads: UploadFiles, catalogue: Catalogue, this_node: ThisNode) -> None:
        self._folder = folder
        self._uploads = uploads
        self._catalogue = catalogue
        self._this_node = this_node

    async def claim(self) -> None:
        """Make the uploads this node's whose rows say that their bytes are these, and remove the other files.

        Call it before the files of uploads are looked at. Raises the catalogue's faults.
        """
        if not self._folder.is_dir():
            return
        homes = {node.name: node.home for node in await self._catalogue.nodes.nodes()}
        for folder in sorted(self._folder.iterdir()):
            await asyncio.to_thread(cut_unverified, folder)
            for path in sorted(folder.iterdir()):
                await self._settle(path, homes)
            await asyncio.to_thread(shutil.rmtree, folder)
        await asyncio.to_thread(self._folder.rmdir)

    async def _settle(self, path: Path, homes: Mapping[str, str]) -> None:
        row = await self._catalogue.uploads.get(path.name)
        if row is None or row.state is not UploadState.RECEIVING or not _was_at(row, path.parent.name, homes):
            log.info("the file of an unfinished upload is an old one", extra={"path": str(path)})
            return
        await self._uploads.remove(path.name)
        await asyncio.to_thread(files.rename, path, self._uploads.path(path.name))
        if row.node is not None and self._this_node.name is not None:
            await self._catalogue.uploads.move(row, self._this_node.name)


def _was_at(upload: Upload, home: str, homes: Mapping[str, str]) -> bool:
    """Whether the row means the data directory with this id. One that names no node, or a forgotten one, may."""
    return upload.node is None or homes.get(upload.node, home) == home


def folder_for(spool: Path, home: str | None) -> Path:
    """Where the spool takes the unfinished uploads of the data directory with this id."""
    return spool / INHERITED / (home or NO_HOME)
