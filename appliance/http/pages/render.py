"""The pages, rendered: values in, HTML text out. No request, no I/O after the templates are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance.config.model import Config
from appliance.delivery import Glimpse
from appliance.domain.clock import Clock, system_clock
from appliance.domain.errors import ApplianceError
from appliance.domain.formats import ACCEPTED_NAMES
from appliance.domain.model import Ending, Image, KeepMetadata
from appliance.domain.renditions import Format
from appliance.domain.upload_options import MAX_ALT_CHARS, MAX_TITLE_CHARS, keep_metadata_of
from appliance.http import links
from appliance.http.api.integrations import oembed_url, site_name
from appliance.http.links import EXTENSIONS, Links
from appliance.http.pages import formatting, share
from appliance.http.pages.assets import Assets, check_built, web_root
from appliance.http.pages.branding import Branding, made_files
from appliance.http.pages.embed_codes import copy_codes, description
from appliance.http.pages.formatting import Words
from appliance.http.pages.languages import ENGLISH, Language, read_languages
from appliance.http.pages.link_previews import previews
from appliance.http.pages.localized_errors import Told, told, told_original_only
from appliance.http.pages.manifest import web_manifest
from appliance.lifecycle.management import UNDO_S
from appliance.resumable import Progress
from appliance.uploads.ingest import Refused

_NOTHING_KNOWN = Glimpse()
_EXPIRY_DAYS = (1, 7, 30, 365)


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a select."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed into the upload form, shown again beside the problem so that nothing is lost."""

    title: str = ""
    alt: str = ""
    expires_in: str = ""
    keep_metadata: str = ""


def site_assets(root: Path, config: Config, languages: Sequence[Language]) -> Assets:
    """The static files below `root`, and what is made for them. Raises UnfitInstallation when they were not built."""
    check_built(root / "static")
    words_files = {f"words.{each.tag}.js": each.script for each in languages}
    return Assets(root / "static", words_files | made_files(config.site))


def all_pages(config: Config, clock: Clock = system_clock, kind: "type[Pages] | None" = None) -> "list[Pages]":
    """The pages in every language, the default one first. Raises UnfitInstallation."""
    root = web_root()
    languages = read_languages(root / "locale")
    assets = site_assets(root, config, languages)
    return [(kind or Pages)(config, clock=clock, root=root, language=each, assets=assets) for each in languages]


class Pages:
    """Every page of the host in one language. `root` holds `templates` and `static`; `clock` dates expiries."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock = system_clock,
        root: Path | None = None,
        language: Language = ENGLISH,
        assets: Assets | None = None,
    ) -> None:
        root = root or web_root()
        self.assets = assets or site_assets(root, config, [language])
        self.language = language
        self._words = Words(language)
        self._config = config
        self._branding = Branding.of(config)
        self._clock = clock
        self._links = Links.of(config)
        self._environment = Environment(
            loader=FileSystemLoader(root / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.policies["ext.i18n.trimmed"] = True
        install = self._environment.install_gettext_translations  # type: ignore[attr-defined]
        install(language.translations, newstyle=True)
        self._environment.globals.update(
            branding=self._branding,
            site_name=site_name(config),
            base_url=config.server.base_url,
            static_url=self.assets.url,
            language=language,
            words=self._words,
            formats_taken=ACCEPTED_NAMES,
            paths=links,
            describe=description,
            why_original_only=self._why_original_only,
            max_title=MAX_TITLE_CHARS,
            max_alt=MAX_ALT_CHARS,
        )

    def upload_page(self, problem: ApplianceError | None = None, *, typed: Typed | None = None) -> str:
        """The form that sends a file to `POST /`: fields file, expires_in, title, alt, keep_metadata."""
        uploads = self._config.uploads
        typed = typed or Typed()
        default = f"{uploads.default_expiry_days}d"
        return self.render(
            "upload.html",
            problem=self.told(problem),
            typed=typed,
            keep_metadata=keep_metadata_of(typed.keep_metadata) or KeepMetadata.NOTHING,
            chosen=typed.expires_in or default,
            default=default,
            expiries=self.expiries(uploads.default_expiry_days),
            accepted=",".join([*EXTENSIONS, *(f".{ending}" for ending in EXTENSIONS.values())]),
            max_bytes=uploads.max_bytes,
            kept=self._words.days(uploads.default_expiry_days),
            kept_longest=self._words.days(uploads.max_expiry_days),
        )

    def mine_page(self) -> str:
        """My images: a list that the browser keeps, so there is nothing to fill in."""
        days = self._config.uploads.default_expiry_days
        return self.render("mine.html", expiries=self.expiries(days), chosen=f"{days}d")

    def share_page(self, image: Image, glimpse: Glimpse = _NOTHING_KNOWN) -> str:
        """The page behind an image's link, with everything that embeds and previews read."""
        return self.render(
            "share.html",
            staged=self.stage(image, glimpse),
            previews=previews(image, self._config),
            undo_s=UNDO_S,
            versions=self.versions(image, glimpse),
            report_link=self.report_link(self._links.share(image.slug)),
            oembed_url=oembed_url(image, self._config),
            **self._about(image),
        )

    def arriving_page(self, progress: Progress) -> str:
        """The page behind the link of a picture that is still being uploaded; it loads itself again and again."""
        upload = progress.upload
        slug = upload.slug or ""
        return self.render(
            "arriving.html",
            name=upload.title or upload.filename,
            slug=slug,
            page_url=self._links.share(slug),
            offset=progress.offset,
            length=upload.length,
            preview=self._arriving_preview(slug),
        )

    def _arriving_preview(self, slug: str) -> str | None:
        """What link previews show: they ask once, so the address waits for the picture."""
        makes_jpegs = self._config.renditions.presets and Format.JPG in self._config.renditions.formats
        return f"{links.preview_path(slug)}?wait" if makes_jpegs else None

    def manifest(self) -> dict[str, object]:
        """What makes the host an app on a phone."""
        return web_manifest(self._branding, self.assets, self.language.tag)

    def uploaded_page(self, image: Image, delete_token: str) -> str:
        """The answer to the plain upload form: the links, and the manage link that is shown once."""
        versions = self.versions(image)
        return self.render(
            "uploaded.html",
            small=versions[0] if versions else None,
            manage_link=self._links.managing(image.slug, delete_token),
            made=self._remembered(image, delete_token, versions),
            **self._about(image, delete_token),
        )

    def uploaded_several_page(
        self, taken: Sequence[tuple[Image, str]], refused: Sequence[Refused], *, left_out: int
    ) -> str:
        """The same for several files of one form: images with their delete tokens, and what was not taken of them."""
        return self.render(
            "uploaded-several.html",
            pictures=[self._uploaded(image, delete_token) for image, delete_token in taken],
            refused=[(each.filename, self.told(each.fault)) for each in refused],
            left_out=left_out,
        )

    def _uploaded(self, image: Image, delete_token: str) -> dict[str, object]:
        versions = self.versions(image)
        return {
            "image": image,
            "name": image.title or image.filename,
            "small": versions[0] if versions else None,
            "page_url": self._links.share(image.slug),
            "manage_link": self._links.managing(image.slug, delete_token),
            "made": self._remembered(image, delete_token, versions),
        }

    def _remembered(self, image: Image, delete_token: str, versions: Sequence[share.Version]) -> dict[str, str | None]:
        """What the browser's list of my images keeps of a picture."""
        return {
            "slug": image.slug,
            "url": self._links.share(image.slug),
            "filename": image.filename,
            "title": image.title,
            "thumbnail": versions[0].path if versions else None,
            "delete_token": delete_token,
            "expires_at": formatting.rfc3339(image.expires_s),
        }

    def manage_page(
        self, image: Image, *, problem: ApplianceError | None = None, notice: str | None = None, delete_token: str = ""
    ) -> str:
        """The form that sends changes to `POST /i/{slug}/manage`.

        Its fields are token, title, alt, expires_in (empty: as it is) and action, `save` or `delete`. A token that was
        right may be given back, so that the next change needs no typing.
        """
        return self.render("manage.html", problem=self.told(problem), notice=notice, **self._about(image, delete_token))

    def deleted_page(self, image: Image, delete_token: str, *, undo_s: int = 10) -> str:
        """Says that the image is gone; its form posts token and action `undo`, which `undo_s` seconds allow."""
        return self.render("deleted.html", image=image, delete_token=delete_token, undo_s=undo_s)

    def gone_page(
        self,
        slug: str,
        ended: Ending | None,
        *,
        restorable_until_s: int | None = None,
        problem: ApplianceError | None = None,
    ) -> str:
        """The 410 page. While the owner can still bring the image back (unix seconds), it holds the form for that.

        The form posts token and action `restore`; `problem` says why the last try failed.
        """
        told = self.told(problem)
        return self.render("gone.html", slug=slug, ended=ended, restorable_until_s=restorable_until_s, problem=told)

    def error_page(self, status: int, fault: ApplianceError, request_id: str) -> str:
        """A problem in words, with the code and the id that help whoever is asked about it."""
        return self.render(
            "error.html",
            status=status,
            title=fault.title,
            problem=self.told(fault),
            code=fault.code,
            request_id=request_id,
        )

    def told(self, fault: ApplianceError | None) -> Told | None:
        """A problem in this language, if there is one."""
        return None if fault is None else told(fault, self.language)

    def _why_original_only(self, image: Image) -> Told | None:
        return told_original_only(image, self._config.uploads.max_pixels, self.language)

    def render(self, template: str, **values: object) -> str:
        """A page whose values come from elsewhere."""
        return self._environment.get_template(template).render(values)

    def _about(self, image: Image, delete_token: str = "") -> dict[str, object]:
        return {
            "image": image,
            "delete_token": delete_token,
            "name": image.title or image.filename,
            "page_url": self._links.share(image.slug),
            "expiry": self._words.expiry(image.expires_s, self._clock()),
            "codes": copy_codes(image, self._config, self.language),
            "expiries": self.expiries(),
        }

    def expiries(self, default_days: int | None = None) -> Sequence[Choice]:
        """The spans that a person may choose from."""
        longest, said = self._config.uploads.max_expiry_days, self._words
        days = {days for days in _EXPIRY_DAYS if days <= longest} | {default_days or longest, longest}
        choices = [Choice(f"{each}d", said.weeks(1) if each == 7 else said.days(each)) for each in sorted(days)]
        return [Choice("1h", said.hours(1)), *choices]

    def versions(self, image: Image, glimpse: Glimpse = _NOTHING_KNOWN) -> list[share.Version]:
        """Every size with its links, the smallest first; none for an image that can't be resized."""
        return share.versions(image, self._config.renditions, self.language, glimpse.sizes)

    def stage(self, image: Image, glimpse: Glimpse = _NOTHING_KNOWN) -> share.Stage:
        """The picture as it is shown large, on its own page or an album's."""
        sizes = self.versions(image, glimpse)
        return share.stage(image, sizes, self._config.renditions, self.language, glimpse.placeholder)

    def report_link(self, page_url: str) -> str | None:
        """Where somebody reports what a page shows; None where the operator names no place for that."""
        return self._branding.report_link(page_url)
