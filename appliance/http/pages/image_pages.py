"""The pages of an image: share, details, manage, uploaded, deleted, gone, and the one shown during its upload."""

from collections.abc import Sequence

from appliance.config.model import Config
from appliance.delivery import RenditionSummary
from appliance.domain.clock import Clock
from appliance.domain.details import Details
from appliance.domain.errors import ApplianceError
from appliance.domain.formats import GIF, JPEG, PNG, WEBP
from appliance.domain.model import Image, KeepMetadata
from appliance.domain.renditions import Format
from appliance.http import links
from appliance.http.links import Links
from appliance.http.localization.formatting import rfc3339
from appliance.http.pages.details_table import details_table
from appliance.http.pages.embed_codes import copy_codes, link_codes, sized_codes
from appliance.http.pages.figure import build_figure
from appliance.http.pages.link_previews import previews
from appliance.http.pages.page_cache import PageCache
from appliance.http.pages.rendition_links import RenditionLink, distinct_links, rendition_links
from appliance.http.pages.templates import PageTemplates
from appliance.lifecycle.endings import End
from appliance.resumable import Progress
from appliance.uploads.ingest import Refused

_NO_RENDITIONS = RenditionSummary()
_WIDESPREAD_TYPES = frozenset(spec.media_type for spec in (JPEG, PNG, GIF, WEBP))


class ImagePages:
    """Every page of an image in the language of `templates`."""

    def __init__(self, templates: PageTemplates, config: Config, clock: Clock, cache: PageCache) -> None:
        self._templates = templates
        self._config = config
        self._clock = clock
        self._cache = cache
        self._links = Links.of(config)

    def share_page(self, image: Image, summary: RenditionSummary = _NO_RENDITIONS) -> str:
        """The page behind an image's link, with the metadata that link previews and embeds read."""
        key = image, tuple(sorted(summary.sizes.items())), summary.placeholder, self._expiry(image)
        return self._cache.get_or_render(key, lambda: self._render_share_page(image, summary))

    def _render_share_page(self, image: Image, summary: RenditionSummary) -> str:
        sizes = self._rendition_links(image, summary)
        config, language = self._config.renditions, self._templates.language
        return self._templates.render(
            "share.html",
            figure=build_figure(image, sizes, config, language, summary.placeholder),
            previews=[] if image.is_closed else previews(image, self._config),
            rendition_links=distinct_links(image, sizes),
            full_jpeg=self._full_jpeg(image),
            has_details=image.keep_metadata is not KeepMetadata.NOTHING,
            link_codes=link_codes(image, self._config, language),
            sized_codes=[] if image.is_closed else sized_codes(image, self._config, language),
            report_link=self._templates.report_link(self._links.share(image.slug), image.title or image.filename),
            oembed_url=self._links.oembed(image.slug),
            **self._describe(image),
        )

    def _full_jpeg(self, image: Image) -> str | None:
        """A JPEG of all pixels, for an original in a format that many programs can't open; None for others."""
        if image.original_only is not None or image.media_type in _WIDESPREAD_TYPES or image.is_closed:
            return None
        return f"{links.iiif_path(image.slug)}/full/max/0/default.jpg"

    def details_page(self, image: Image, details: Details) -> str:
        """The page of what the original says of itself; the share page shows its part `#details` too."""
        return self._templates.render(
            "details.html",
            image=image,
            name=image.title or image.filename,
            rows=details_table(details, self._templates.language),
            is_complete=details.complete,
        )

    def pending_page(self, progress: Progress) -> str:
        """The page behind the link of an image that is still being uploaded; it shows the progress and reloads."""
        upload = progress.upload
        slug, _ = upload.slug or "", self._templates.language.gettext
        return self._templates.render(
            "pending.html",
            name=_("Locked image") if upload.is_closed else upload.title or upload.filename,
            slug=slug,
            page_url=self._links.share(slug),
            offset=progress.offset,
            length=upload.length,
            preview=None if upload.is_closed else self._pending_preview(slug),
        )

    def _pending_preview(self, slug: str) -> str | None:
        """The image for link previews. They ask once only, so this address waits for the upload to finish."""
        has_jpeg = self._config.renditions.presets and Format.JPG in self._config.renditions.formats
        return f"{links.preview_path(slug)}?wait" if has_jpeg else None

    def uploaded_page(self, image: Image, delete_token: str, *, again: str = "/") -> str:
        """The reply to the plain upload form: the links, and the manage link, which is shown only once.

        `again` is where the form is.
        """
        sizes = self._rendition_links(image)
        return self._templates.render(
            "uploaded.html",
            small=_small(image, sizes),
            manage_link=self._links.manage(image.slug, delete_token),
            record=self._library_record(image, delete_token, sizes),
            again=again,
            **self._describe(image, delete_token),
        )

    def uploaded_several_page(
        self, accepted: Sequence[tuple[Image, str]], refused: Sequence[Refused], *, skipped: int, again: str = "/"
    ) -> str:
        """The reply to a form with several files: images with their delete tokens, refused files, and how many were
        skipped.
        """
        return self._templates.render(
            "uploaded-several.html",
            images=[self._uploaded(image, delete_token) for image, delete_token in accepted],
            refused=[(each.filename, self._templates.localize_error(each.fault)) for each in refused],
            skipped=skipped,
            again=again,
        )

    def _uploaded(self, image: Image, delete_token: str) -> dict[str, object]:
        sizes = self._rendition_links(image)
        return {
            "image": image,
            "name": image.title or image.filename,
            "small": _small(image, sizes),
            "page_url": self._links.share(image.slug),
            "manage_link": self._links.manage(image.slug, delete_token),
            "record": self._library_record(image, delete_token, sizes),
        }

    def _library_record(self, image: Image, delete_token: str, sizes: Sequence[RenditionLink]) -> dict[str, str | None]:
        """What the browser stores of an image for My images."""
        return {
            "slug": image.slug,
            "url": self._links.share(image.slug),
            "filename": image.filename,
            "title": image.title,
            "thumbnail": sizes[0].path if sizes and not image.is_closed else None,
            "delete_token": delete_token,
            "expires_at": rfc3339(image.expires_s),
        }

    def manage_page(
        self, image: Image, *, problem: ApplianceError | None = None, notice: str | None = None, delete_token: str = ""
    ) -> str:
        """The form that sends changes to `POST /i/{slug}/manage`.

        Its fields are token, title, alt, expires_in (empty for no change) and action (`save` or `delete`). Pass a token
        that was right to fill it in for the next change.
        """
        problem_text, sizes = self._templates.localize_error(problem), self._rendition_links(image)
        values = self._describe(image, delete_token) | {"small": _small(image, sizes)}
        return self._templates.render("manage.html", problem=problem_text, notice=notice, **values)

    def deleted_page(self, image: Image, delete_token: str, *, restorable_until_s: int | None = None) -> str:
        """Says that the image was deleted, with a form to restore it from the bin or to have it erased now.

        Without `restorable_until_s` (unix seconds) it is not in the bin, and the form undoes the deletion.
        """
        values = self._templates.describe_bin(restorable_until_s, self._clock())
        return self._templates.render("deleted.html", image=image, delete_token=delete_token, **values)

    def gone_page(self, slug: str, end: End, *, problem: ApplianceError | None = None) -> str:
        """The 410 page. As long as the image can be restored, it has a form for the owner.

        The form posts token and action, `restore` or `delete-now`; `problem` says why the last try failed.
        """
        return self._templates.render(
            "gone.html",
            slug=slug,
            ended="viewed" if end.is_viewed else end.ended,
            problem=self._templates.localize_error(problem),
            **self._templates.describe_bin(end.restorable_until_s, self._clock()),
        )

    def _describe(self, image: Image, delete_token: str = "") -> dict[str, object]:
        return {
            "image": image,
            "delete_token": delete_token,
            "name": image.title or image.filename,
            "page_url": self._links.share(image.slug),
            "expiry": self._expiry(image),
            "expires_in": self._templates.formatter.time_left(image.expires_s, self._clock()),
            "codes": copy_codes(image, self._config, self._templates.language),
            "expiry_options": self._templates.expiry_options(),
        }

    def _expiry(self, image: Image) -> str:
        return self._templates.formatter.expiry(image.expires_s, self._clock())

    def _rendition_links(self, image: Image, summary: RenditionSummary = _NO_RENDITIONS) -> list[RenditionLink]:
        return rendition_links(image, self._config.renditions, self._templates.language, summary.sizes)


def _small(image: Image, sizes: Sequence[RenditionLink]) -> RenditionLink | None:
    """What shows the image to its owner; of one for one view, nothing does."""
    return sizes[0] if sizes and not image.one_view else None
