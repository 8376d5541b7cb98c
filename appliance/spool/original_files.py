"""The files of originals, by their bytes: of an original that was replaced, a node may still have a copy of before."""

import contextlib
from pathlib import Path
from typing import BinaryIO

from appliance.shared.threads import Threads
from appliance.spool.file_digests import FileDigests
from appliance.spool.working_copies import WorkingCopies


class OriginalFiles:
    """Opens what landed and what was copied, and drops copies that have other bytes than their row says."""

    def __init__(self, landed: Path, copies: Path, working: WorkingCopies, threads: Threads) -> None:
        self._landed = landed
        self._copies = copies
        self._threads = threads
        self._digests = FileDigests(working)

    async def open(self, slug: str, sha256: str | None) -> BinaryIO | None:
        """The original with this sha256, or with any for None, opened for reading; None where it isn't here.

        A file whose bytes nobody knows yet is hashed on a thread.
        """
        for folder in (self._copies, self._landed, self._copies):  # it moves from landed to copies, never back
            with contextlib.suppress(FileNotFoundError):
                file = (folder / slug).open("rb", buffering=0)
                if sha256 is None or await self._has(slug, file, sha256):
                    return file
                file.close()
        return None

    async def _has(self, slug: str, file: BinaryIO, sha256: str) -> bool:
        """False for a file that the disk can't read, too."""
        try:
            return await self._digests.find(slug, file) == sha256
        except OSError:
            return False
        except BaseException:
            file.close()
            raise

    def note_copy(self, slug: str, sha256: str) -> None:
        """Keep with a new copy which bytes it has. One that says so by itself, as a link to what landed, is right."""
        self._digests.forget(slug)
        with contextlib.suppress(FileNotFoundError), (self._copies / slug).open("rb", buffering=0) as copy:
            if self._digests.known(slug, copy) is None:
                self._digests.note(slug, copy, sha256)

    async def drop_other_copy(self, slug: str, sha256: str) -> None:
        """Remove the copy unless it is known to have these bytes: what is in the store can be fetched again."""
        path = self._copies / slug
        with contextlib.suppress(FileNotFoundError), path.open("rb", buffering=0) as copy:
            if self._digests.known(slug, copy) != sha256:
                await self._threads.run(path.unlink)

    def expect(self, slug: str) -> None:
        """The slug gets another file."""
        self._digests.forget(slug)
