"""The pages that belong to no image: the upload form, My images, and errors."""

from dataclasses import dataclass

from cachetools import LRUCache

from appliance.config.model import Config
from appliance.domain.errors import ApplianceError, Banned
from appliance.domain.model import KeepMetadata
from appliance.domain.tokens import generate_secret
from appliance.domain.upload_options import keep_metadata_of
from appliance.http.localization.formatting import HOUR_S
from appliance.http.pages.rendition_links import preset_label
from appliance.http.pages.templates import PageTemplates

MAX_KEPT_PAGES = 64
REQUEST_ID_MARK = "{request-id}"
PageKey = tuple[int, str, str, int | None]


@dataclass(frozen=True, slots=True)
class UploadFormValues:
    """What a person entered in the upload form; shown again next to a problem, so that nothing is lost."""

    title: str = ""
    alt: str = ""
    expires_in: str = ""
    keep_metadata: str = ""
    one_view: str = ""


class SitePages:
    """The upload page, My images and the error page, in the language of `templates`."""

    def __init__(self, templates: PageTemplates, config: Config) -> None:
        self._templates = templates
        self._config = config
        self._kept_pages: LRUCache[PageKey, str] = LRUCache(MAX_KEPT_PAGES)

    def upload_page(
        self,
        problem: ApplianceError | None = None,
        *,
        form_values: UploadFormValues | None = None,
        user: str | None = None,
        asks_for_proof: bool = False,
    ) -> str:
        """The form that sends a file to `POST /`: fields file, expires_in, title, alt, keep_metadata, form_key.

        `user` is who is signed in. A page that `asks_for_proof` solves a challenge before a file is chosen.
        """
        values = self.upload_values(problem, form_values) | {"asks_for_proof": asks_for_proof}
        return self._templates.render("upload.html", user=user, **values)

    def upload_values(
        self, problem: ApplianceError | None = None, form_values: UploadFormValues | None = None
    ) -> dict[str, object]:
        """What the template of the upload form shows."""
        uploads, formatter = self._config.uploads, self._templates.formatter
        form_values = form_values or UploadFormValues()
        default = f"{uploads.default_expiry_days}d"
        return {
            "action": "/",
            "asks_for_proof": False,
            "problem": self._templates.localize_error(problem),
            "form_values": form_values,
            "form_key": generate_secret(),
            "keep_metadata": keep_metadata_of(form_values.keep_metadata) or KeepMetadata.NOTHING,
            "selected": form_values.expires_in or default,
            "default": default,
            "expiry_options": self._templates.expiry_options(uploads.default_expiry_days),
            "sizes": [
                (preset.name, preset_label(preset.name, self._templates.language))
                for preset in sorted(self._config.renditions.presets, key=lambda preset: preset.box_px)
            ],
            "max_bytes": uploads.max_bytes,
            "kept": formatter.days(uploads.default_expiry_days),
            "kept_longest": formatter.days(uploads.max_expiry_days),
        }

    def blocked_page(self, ban: Banned) -> str:
        """What somebody who is banned sees in the place of a form for uploads."""
        formatter, until_s = self._templates.formatter, ban.until_s
        return self._templates.render(
            "blocked.html",
            reason=ban.reason,
            until=None if until_s is None else formatter.moment(until_s),
            datetime=None if until_s is None else formatter.rfc3339(until_s),
        )

    def library_page(self) -> str:
        """My images: the browser holds the list, so the page is the same for everybody."""
        uploads, formatter = self._config.uploads, self._templates.formatter
        days = uploads.default_expiry_days
        return self._templates.render(
            "library.html",
            expiry_options=self._templates.expiry_options(days),
            selected=f"{days}d",
            unfinished_for=formatter.duration(uploads.unfinished_hours * HOUR_S),
        )

    def offline_page(self) -> str:
        """What the service worker shows when the upload page or My images can't be reached."""
        return self._templates.render("offline.html")

    def error_page(self, status: int, fault: ApplianceError, request_id: str, *, continues: bool = False) -> str:
        """An error in plain words, with the code and the request id that an administrator needs to look it up.

        A page that `continues` counts down until it may be asked for again, and then reloads. A flood asks for many of
        these, and of those about a ban, so they are rendered once.
        """
        if not continues and not isinstance(fault, Banned):
            return self._error_page(status, fault, request_id)
        key = status, fault.code, fault.detail, fault.retry_after_s
        page = self._kept_pages.get(key)
        if page is None:
            page = self._kept_pages[key] = self._error_page(status, fault, REQUEST_ID_MARK, fault.retry_after_s)
        return page.replace(REQUEST_ID_MARK, request_id)

    def _error_page(self, status: int, fault: ApplianceError, request_id: str, wait_s: int | None = None) -> str:
        return self._templates.render(
            "error.html",
            status=status,
            title=fault.title,
            problem=self._templates.localize_error(fault),
            code=fault.code,
            request_id=request_id,
            wait_s=wait_s,
        )
