"""Parts: the partial uploads that a final one is assembled from."""

from appliance.catalogue import UploadCatalogue
from appliance.domain import tokens
from appliance.domain.resumable_uploads import Upload, UploadKind
from appliance.resumable.progress import part_ids


def hashes_of_parts(upload: Upload) -> list[str]:
    """The hashes of the parts' ids, in the order of their bytes."""
    return [tokens.hash_secret(part) for part in part_ids(upload.concat)]


async def needed_parts(rows: UploadCatalogue) -> frozenset[str]:
    """The hashes of the parts that a final upload may still need, their own ends aside. Raises the catalogue's faults.

    It is being received, or a node alone has the original of its image.
    """
    finals = [final for final in await rows.needing_parts() if final.concat]  # an older release forgot some
    return frozenset([part for final in finals for part in hashes_of_parts(final)])


async def rows_of_parts(rows: UploadCatalogue, upload: Upload) -> list[Upload]:
    """The parts of a final upload, each once, as far as there are rows of them. Raises the catalogue's faults."""
    if upload.kind is not UploadKind.FINAL:
        return []
    found = [await rows.get(part) for part in dict.fromkeys(hashes_of_parts(upload))]
    return [row for row in found if row is not None and row.kind is UploadKind.PARTIAL]
