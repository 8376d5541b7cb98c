"""The image that a received file becomes."""

from appliance.domain.model import Image, UploadOptions
from appliance.domain.renditions import Facts
from appliance.uploads.metadata_scrubber import Scrubbed


def new_image(
    scrubbed: Scrubbed, facts: Facts, options: UploadOptions, token_hash: str, *, now_s: int, expires_in_s: int
) -> Image:
    """What the file and its options say of it. It counts for nobody yet, has no lock, and is on no named node."""
    incoming = scrubbed.incoming
    return Image(
        slug=incoming.slug,
        filename=options.filename,
        title=options.title,
        alt=options.alt,
        facts=facts,
        bytes=incoming.bytes,
        sha256=incoming.sha256,
        created_s=now_s,
        expires_s=now_s + expires_in_s,
        token_hash=token_hash,
        private_data=scrubbed.private_data,
        content_credentials=scrubbed.content_credentials,
        keep_metadata=options.keep_metadata,
        one_view=options.one_view,
    )
