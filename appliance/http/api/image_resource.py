"""The image resource: an image as JSON, the same in every response of the API. Also the limits in force."""

from collections.abc import Mapping
from dataclasses import asdict

from appliance.config.model import Config
from appliance.config.sections.limits import uploads_of_all
from appliance.domain import tokens
from appliance.domain.details import MAX_TEXT_BYTES
from appliance.domain.errors import ApplianceError, CannotResize
from appliance.domain.model import Image, KeepMetadata
from appliance.domain.passphrases import MAX_PASSPHRASE_BYTES
from appliance.domain.renditions import Preset, fit
from appliance.domain.resumable_uploads import UploadState
from appliance.domain.upload_options import MAX_ALT_CHARS, MAX_TITLE_CHARS
from appliance.http import first_frames
from appliance.http.embedding import embedded_format
from appliance.http.links import EXTENSIONS, Links
from appliance.http.localization import formatting
from appliance.http.transport.timeouts import MIN_BYTES_PER_S
from appliance.resumable import Progress
from appliance.resumable.progress import fault_of


def image_resource(image: Image, config: Config, *, delete_token: str | None = None) -> dict[str, object]:
    """The image as JSON: times RFC 3339 UTC, sizes in bytes and in pixels as displayed.

    For an image that can't be resized, `renditions` is empty and `problem` says why. Pass `delete_token` only for the
    response that creates the image.
    """
    links = Links.of(config)
    resource: dict[str, object] = {
        "slug": image.slug,
        "url": links.share(image.slug),
        "state": image.state,
        "filename": image.filename,
        "title": image.title,
        "alt": image.alt,
        "media_type": image.media_type,
        "bytes": image.bytes,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "frames": image.frames,
        "incomplete": image.incomplete,
        "private_data": image.private_data.value,
        "content_credentials": image.content_credentials.value,
        "created_at": formatting.rfc3339(image.created_s),
        "expires_at": formatting.rfc3339(image.expires_s),
        "locked": image.lock is not None,
        "one_view": image.one_view,
        "viewed_at": None if image.viewing_s is None else formatting.rfc3339(image.viewing_s),
        "original": {
            "url": links.original(image.slug),
            "width": image.width,
            "height": image.height,
            "media_type": image.media_type,
        },
        "renditions": renditions(image, config),
    }
    if image.keep_metadata is not None:
        resource["keep_metadata"] = image.keep_metadata.value
    if (still := first_frames.explanation(image, config.renditions)) is not None:
        resource["still"] = still
    if image.original_only is not None:
        resource["problem"] = {
            "code": CannotResize.code,
            "title": CannotResize.title,
            "detail": image.original_only,
        }
    if delete_token is not None:
        resource["delete_token"] = delete_token
    return resource


def sealed_resource(image: Image, config: Config) -> dict[str, object]:
    """What everybody may know of a closed image."""
    return {
        "slug": image.slug,
        "url": Links.of(config).share(image.slug),
        "locked": image.lock is not None,
        "one_view": image.one_view,
    }


def upload_state(progress: Progress, config: Config, upload_id: str) -> dict[str, object]:
    """The state of a resumable upload. It contains the delete token, which can be derived from the secret id anyway."""
    upload = progress.upload
    state: dict[str, object] = {"state": progress.state, "offset": progress.offset, "length": upload.length}
    if progress.state == "receiving":
        state["expires_at"] = formatting.rfc3339(upload.expires_s)
    if upload.slug is not None and upload.refusal is None:
        token = tokens.derive_token(upload_id, upload.slug)
        if progress.image is not None:
            state["image"] = image_resource(progress.image, config, delete_token=token)
        elif upload.state is UploadState.RECEIVING:
            state["image"] = pending_resource(progress, config) | {"delete_token": token}
    if upload.refusal is not None:
        state["problem"] = problem_summary(fault_of(upload.refusal))
    return state


def pending_resource(progress: Progress, config: Config, *, is_sealed: bool = False) -> dict[str, object]:
    """The resource of an image that is still being uploaded: `offset` of `length` bytes are here.

    `is_sealed` leaves out its texts.
    """
    upload = progress.upload
    return {
        "slug": upload.slug,
        "url": Links.of(config).share(upload.slug or ""),
        "state": "receiving",
        "filename": "" if is_sealed else upload.filename,
        "title": None if is_sealed else upload.title,
        "alt": None if is_sealed else upload.alt,
        "locked": upload.lock is not None,
        "one_view": upload.one_view,
        "created_at": formatting.rfc3339(upload.created_s),
        "offset": progress.offset,
        "length": upload.length,
    }


def problem_summary(fault: ApplianceError) -> dict[str, object]:
    """A problem as part of another resource."""
    problem: dict[str, object] = {"code": fault.code, "title": fault.title, "detail": fault.detail}
    figures = {"limit": fault.limit, "actual": fault.actual}
    return problem | {name: figure for name, figure in figures.items() if figure is not None}


def renditions(image: Image, config: Config) -> dict[str, dict[str, object]]:
    """Each size with its link and its pixels; empty if the image can't be resized."""
    if image.original_only is not None:
        return {}
    return {preset.name: _rendition(image, preset, config) for preset in config.renditions.presets}


def _rendition(image: Image, preset: Preset, config: Config) -> dict[str, object]:
    width, height = fit(image.width, image.height, preset)
    links, embedded = Links.of(config), embedded_format(image, preset, config.renditions)
    url = links.rendition(image.slug, preset.name, image.linked_format)
    rendition: dict[str, object] = {"url": url, "width": width, "height": height}
    if embedded is not image.linked_format:
        rendition["embed_url"] = links.rendition(image.slug, preset.name, embedded)
    if image.animated:
        rendition["animated"] = first_frames.is_size_animated(image, preset, config.renditions)
    return rendition


def limits_resource(config: Config, state: str, machines: int = 1) -> Mapping[str, object]:
    """Every limit in force, in bytes, pixels, seconds, days and characters. `state` is that of limits on clients.

    Nodes are alive on so many `machines`.
    """
    uploads, sizes = config.uploads, config.renditions
    quotas = {name: quota for name, quota in asdict(config.limits).items() if name != "mode"}
    if config.limits.anonymous_uploads is None:
        quotas["anonymous_uploads"] = uploads_of_all(machines)
    if state == "together":
        quotas |= {name: 0 for name in quotas if name.startswith(("address_", "prefix_"))}
    return {
        "access": {"uploads": list(config.access.uploads)},
        "uploads": {
            "max_bytes": uploads.max_bytes,
            "max_pixels": uploads.max_pixels,
            "media_types": list(EXTENSIONS),
            "idle_timeout_s": uploads.idle_timeout_s,
            "least_bytes_per_s": MIN_BYTES_PER_S,
            "ack_budget_s": uploads.ack_budget_s,
            "concurrency": uploads.concurrency,
            "unfinished_hours": uploads.unfinished_hours,
            "max_unfinished": uploads.max_unfinished,
            "max_title_chars": MAX_TITLE_CHARS,
            "max_alt_chars": MAX_ALT_CHARS,
            "max_passphrase_bytes": MAX_PASSPHRASE_BYTES,
            "keep_metadata": [choice.value for choice in KeepMetadata],
        },
        "expiry": {
            "default_days": uploads.default_expiry_days,
            "max_days": uploads.max_expiry_days,
            "min_seconds": 1,
        },
        "details": {"max_text_bytes": MAX_TEXT_BYTES},
        "deletion": {"bin_days": config.deletion.bin_days},
        "clients": {"limited": state != "off"} | quotas,
        "albums": {"max_images": config.albums.max_images},
        "renditions": {
            "presets": {preset.name: preset.box_px for preset in sizes.presets},
            "formats": [image_format.value for image_format in sizes.formats],
            "max_area": sizes.max_area,
            "deadline_s": sizes.deadline_s,
            "queue": sizes.queue,
            "animation_frames": sizes.animation_frames,
            "animation_pixels": sizes.animation_pixels,
        },
    }
