"""The pages, rendered: values in, HTML text out. No request, no I/O after the templates are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance.clock import Clock, system_clock
from appliance.config import Config
from appliance.http import links, words
from appliance.http.assets import Assets, web_root
from appliance.http.clients import oembed_url, site_name
from appliance.http.codes import copy_codes, description
from appliance.http.links import EXTENSIONS, Links
from appliance.model import Ending, Image
from appliance.renditions import Format, Preset, fit
from appliance.resumable import Progress
from appliance.wishes import MAX_ALT_CHARS, MAX_TITLE_CHARS

_BROWSER_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
_STILL_FORMATS = (Format.JPG, Format.WEBP, Format.AVIF)
_MOVING_FORMATS = (Format.WEBP, Format.GIF)
_EXPIRIES = (
    ("1h", "1 hour", 0),
    ("1d", "1 day", 1),
    ("7d", "1 week", 7),
    ("30d", "30 days", 30),
    ("365d", "1 year", 365),
)


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


@dataclass(frozen=True, slots=True)
class Version:
    """One size of a picture with its links: (words, path) for each format."""

    name: str
    width: int
    height: int
    path: str
    formats: tuple[tuple[str, str], ...]

    @property
    def pixels(self) -> str:
        return words.pixels(self.width, self.height)


class Pages:
    """Every page of the host. `root` holds `templates` and `static`; `clock` dates what is said of expiry."""

    def __init__(self, config: Config, *, clock: Clock = system_clock, root: Path | None = None) -> None:
        root = root or web_root()
        self.assets = Assets(root / "static")
        self._config = config
        self._clock = clock
        self._links = Links.of(config)
        self._environment = Environment(
            loader=FileSystemLoader(root / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            site_name=site_name(config),
            base_url=config.server.base_url,
            static_url=self.assets.url,
            words=words,
            paths=links,
            describe=description,
            max_title=MAX_TITLE_CHARS,
            max_alt=MAX_ALT_CHARS,
        )

    def upload_page(self, problem: str | None = None, *, typed: Typed | None = None) -> str:
        """The form that sends a file to `POST /`: fields file, expires_in, title, alt."""
        uploads = self._config.uploads
        typed = typed or Typed()
        default = f"{uploads.default_expiry_days}d"
        return self._render(
            "upload.html",
            problem=problem,
            typed=typed,
            chosen=typed.expires_in or default,
            expiries=self._expiries(uploads.default_expiry_days),
            accepted=",".join([*EXTENSIONS, *(f".{ending}" for ending in EXTENSIONS.values())]),
            max_bytes=uploads.max_bytes,
            kept=_days(uploads.default_expiry_days),
            kept_longest=_days(uploads.max_expiry_days),
        )

    def share_page(self, image: Image) -> str:
        """The page behind an image's link, with everything that embeds and previews read."""
        versions = self._versions(image)
        shown = versions[-1] if versions else None
        return self._render(
            "share.html",
            shown=shown,
            sources=_sources(versions),
            preview=_preview(versions),
            picture_path=_picture_path(image, shown),
            versions=versions,
            oembed_url=oembed_url(image, self._config),
            **self._about(image),
        )

    def arriving_page(self, progress: Progress) -> str:
        """The page behind the link of a picture that is still being uploaded; it loads itself again and again."""
        upload = progress.upload
        slug = upload.slug or ""
        return self._render(
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
        presets = self._config.renditions.presets
        preset = min(presets, key=lambda one: abs(one.box_px - 1024), default=None)
        return None if preset is None else f"{links.rendition_path(slug, preset.name, Format.JPG)}?wait"

    def uploaded_page(self, image: Image, delete_token: str) -> str:
        """The answer to the plain upload form: the links, and the manage link that is shown once."""
        versions = self._versions(image)
        return self._render(
            "uploaded.html",
            small=versions[0] if versions else None,
            manage_link=self._links.managing(image.slug, delete_token),
            **self._about(image, delete_token),
        )

    def manage_page(
        self, image: Image, *, problem: str | None = None, notice: str | None = None, delete_token: str = ""
    ) -> str:
        """The form that sends changes to `POST /i/{slug}/manage`.

        Its fields are token, title, alt, expires_in (empty: as it is) and action, `save` or `delete`. A token that was
        right may be given back, so that the next change needs no typing.
        """
        return self._render("manage.html", problem=problem, notice=notice, **self._about(image, delete_token))

    def deleted_page(self, image: Image, delete_token: str, *, undo_s: int = 10) -> str:
        """Says that the image is gone; its form posts token and action `undo`, which `undo_s` seconds allow."""
        return self._render("deleted.html", image=image, delete_token=delete_token, undo_s=undo_s)

    def gone_page(
        self, slug: str, ended: Ending | None, *, restorable_until_s: int | None = None, problem: str | None = None
    ) -> str:
        """The 410 page. While the owner can still bring the image back (unix seconds), it holds the form for that.

        The form posts token and action `restore`; `problem` says why the last try failed.
        """
        values = {"slug": slug, "ended": ended, "restorable_until_s": restorable_until_s, "problem": problem}
        return self._render("gone.html", **values)

    def error_page(self, status: int, title: str, detail: str, code: str, request_id: str) -> str:
        """A problem in words, with the code and the id that help whoever is asked about it."""
        return self._render("error.html", status=status, title=title, detail=detail, code=code, request_id=request_id)

    def _render(self, template: str, **values: object) -> str:
        return self._environment.get_template(template).render(values)

    def _about(self, image: Image, delete_token: str = "") -> dict[str, object]:
        return {
            "image": image,
            "delete_token": delete_token,
            "name": image.title or image.filename,
            "page_url": self._links.share(image.slug),
            "expiry": words.expiry(image.expires_s, self._clock()),
            "codes": copy_codes(image, self._config),
            "expiries": self._expiries(),
        }

    def _expiries(self, default_days: int | None = None) -> Sequence[Choice]:
        longest = self._config.uploads.max_expiry_days
        choices = {days: Choice(value, label) for value, label, days in _EXPIRIES if days <= longest}
        for days in (default_days or longest, longest):
            choices.setdefault(days, Choice(f"{days}d", _days(days)))
        return [choices[days] for days in sorted(choices)]

    def _versions(self, image: Image) -> list[Version]:
        if image.original_only is not None:
            return []
        wanted = _MOVING_FORMATS if image.animated else _STILL_FORMATS
        formats = [one for one in wanted if one in self._config.renditions.formats]
        presets = sorted(self._config.renditions.presets, key=lambda preset: preset.box_px)
        return [
            Version(
                preset.name,
                *fit(image.width, image.height, preset.box_px),
                links.rendition_path(image.slug, preset.name, image.linked_format),
                _format_links(image.slug, preset, formats),
            )
            for preset in presets
        ]


def _preview(versions: Sequence[Version]) -> Version | None:
    """The size for link previews: about 1000 px, as their cards are 1200 px wide at most."""
    return min(versions, key=lambda version: abs(max(version.width, version.height) - 1024), default=None)


def _picture_path(image: Image, shown: Version | None) -> str:
    """Where a click on the picture leads: to the original if browsers show it, else to the largest size."""
    if shown is None or image.media_type in _BROWSER_TYPES:
        return links.original_path(image.slug)
    return shown.path


def _format_links(slug: str, preset: Preset, formats: Sequence[Format]) -> tuple[tuple[str, str], ...]:
    return tuple((words.format_name(one.media_type), links.rendition_path(slug, preset.name, one)) for one in formats)


def _sources(versions: Sequence[Version]) -> str:
    """A srcset with each width once: small pictures have the same size in several presets."""
    widths = {version.width: version.path for version in reversed(versions)}
    return ", ".join(f"{path} {width}w" for width, path in sorted(widths.items()))


def _days(days: int) -> str:
    return "1 day" if days == 1 else ("1 year" if days == 365 else words.duration(days * words.DAY_S))
