"""How much one form with files may bring."""

from dataclasses import dataclass

from appliance.uploads.ingest import MAX_SKIPPED_BYTES


@dataclass(slots=True)
class FormLimits:
    """How much one form may bring."""

    max_files: int = 100
    """As many as a person selects in a gallery at once."""
    max_skipped_bytes: int = MAX_SKIPPED_BYTES
    """Of each refused file."""
