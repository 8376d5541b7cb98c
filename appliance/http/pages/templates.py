"""The page templates in one language: what every page shares, and rendering one to HTML text. No request, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from appliance.config.model import SIGNED_IN, Config
from appliance.domain.errors import ApplianceError
from appliance.domain.formats import ACCEPTED_NAMES
from appliance.domain.model import Image
from appliance.domain.passphrases import MAX_PASSPHRASE_BYTES
from appliance.domain.upload_options import MAX_ALT_CHARS, MAX_TITLE_CHARS
from appliance.http import links
from appliance.http.links import EXTENSIONS
from appliance.http.localization.formatting import Formatter
from appliance.http.localization.languages import Language
from appliance.http.localization.localized_errors import LocalizedError, localize_error, localize_original_only
from appliance.http.pages.assets import Assets
from appliance.http.pages.branding import Branding
from appliance.http.pages.embed_codes import description
from appliance.http.pages.message_scripts import messages_name
from appliance.http.pages.reporting import ReportLink, report_link
from appliance.lifecycle.endings import UNDO_S

_EXPIRY_DAYS = (1, 7, 30, 365)
_TRANSLATIONS = 2048  # more texts than templates and titles of errors have


@dataclass(frozen=True, slots=True)
class ExpiryOption:
    """One line of an expiry menu: `value` is a duration that forms send (`30d`)."""

    value: str
    label: str


class PageTemplates:
    """Renders the templates in `folder` in one language. Templates may use the globals set here and nothing else."""

    def __init__(self, folder: Path, config: Config, language: Language, assets: Assets) -> None:
        self.language = language
        self.assets = assets
        self.formatter = Formatter(language)
        self.branding = Branding.of(config)
        self._config = config
        self._environment = Environment(
            loader=FileSystemLoader(folder),
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
            _=lru_cache(_TRANSLATIONS)(self._translate),
            branding=self.branding,
            site_name=self.branding.name,
            base_url=config.server.base_url,
            static_url=assets.url,
            script_imports=assets.script_imports,
            language=language,
            messages_url=self._messages_url,
            formatter=self.formatter,
            formats_taken=ACCEPTED_NAMES,
            media_types=list(EXTENSIONS),
            accepted=",".join([*EXTENSIONS, *(f".{extension}" for extension in EXTENSIONS.values())]),
            paths=links,
            describe=description,
            why_original_only=self._why_original_only,
            max_title=MAX_TITLE_CHARS,
            max_alt=MAX_ALT_CHARS,
            max_passphrase=MAX_PASSPHRASE_BYTES,
            bin_days=config.deletion.bin_days,
            who_uploads=config.access.uploads,
            sign_in_url=config.access.sign_in_url if SIGNED_IN in config.access.uploads else None,
            undo_s=UNDO_S,
        )

    def render(self, template: str, **values: object) -> str:
        return self._environment.get_template(template).render(values)

    def _translate(self, text: str) -> Markup:
        """As Jinja's own `_`, for a text without variables: a page has dozens of them, and they never change."""
        return Markup(self.language.gettext(text)) % {}  # noqa: S704 - the texts are ours

    def localize_error(self, fault: ApplianceError | None) -> LocalizedError | None:
        """The error's text in this language; None without an error."""
        return None if fault is None else localize_error(fault, self.language)

    def expiry_options(self, default_days: int | None = None) -> Sequence[ExpiryOption]:
        """The durations that a person may choose from, the shortest first."""
        max_days, formatter = self._config.uploads.max_expiry_days, self.formatter
        days = {each for each in _EXPIRY_DAYS if each <= max_days} | {default_days or max_days, max_days}
        options = [
            ExpiryOption(f"{each}d", formatter.weeks(1) if each == 7 else formatter.days(each)) for each in sorted(days)
        ]
        return [ExpiryOption("1h", formatter.hours(1)), *options]

    def describe_bin(self, restorable_until_s: int | None, now_s: float) -> dict[str, object]:
        """What pages say of the time until which something can be restored; None if it can't."""
        time_left = None if restorable_until_s is None else self.formatter.time_left(restorable_until_s, now_s)
        return {"restorable_until_s": restorable_until_s, "restorable_in": time_left}

    def _messages_url(self, script: str | None = None) -> str:
        """Of the messages for a page's script, or for any."""
        return self.assets.url(messages_name(self.language.tag, script if self.language.script_messages else None))

    def report_link(self, page_url: str, name: str) -> ReportLink | None:
        """The link for reporting the page of the image or album `name`; None if the operator hasn't configured one."""
        setting = self.branding.report
        return None if setting is None else report_link(setting, page_url, name, self.language)

    def _why_original_only(self, image: Image) -> LocalizedError | None:
        return localize_original_only(image, self._config.uploads.max_pixels, self.language)
