"""Parts: the partial uploads that a final one is assembled from."""

from appliance.catalogue import UploadCatalogue
from appliance.domain import tokens
from appliance.domain.resumable_uploads import Upload, UploadKind
from appliance.resumable.progress import part_ids


def hashes_of_parts(upload: Upload) -> list[str]:
    """The hashes of the parts' ids, in the order of their bytes."""
    return [tokens.hash_secret(part) for part in part_ids(upload.concat)]


async def rows_of_parts(rows: UploadCatalogue, upload: Upload) -> list[Upload]:
    """The parts of a final upload, each once, as far as there are rows of them. Raises the catalogue's faults."""
    if upload.kind is not UploadKind.FINAL:
        return []
    found = [await rows.get(part) for part in dict.fromkeys(hashes_of_parts(upload))]
    return [row for row in found if row is not None and row.kind is UploadKind.PARTIAL]
