"""The operator's branding of the pages, from `[site]` in the configuration."""

from dataclasses import dataclass
from pathlib import Path

from appliance.config.model import MAX_LOGO_BYTES, Config, Site
from appliance.domain import colours
from appliance.domain.errors import UnfitInstallation
from appliance.http.site_name import site_name

ACCENT_SHEET = "accent.css"


@dataclass(frozen=True, slots=True)
class Branding:
    """What the header and the footer of every page show; `logo` and `style_sheet` are names of static files.

    `report` is where readers report a page: an email address, or a URL with `{url}` in it.
    """

    name: str
    logo: str | None
    style_sheet: str | None
    imprint_url: str | None
    privacy_url: str | None
    report: str | None

    @classmethod
    def of(cls, config: Config) -> "Branding":
        site = config.site
        logo = None if site.logo is None else f"logo{site.logo.suffix}"
        sheet = None if site.accent is None else ACCENT_SHEET
        return cls(site_name(config), logo, sheet, site.imprint_url, site.privacy_url, site.report)


def generated_files(site: Site) -> dict[str, bytes]:
    """The static files that depend on the configuration, by name. Raises UnfitInstallation."""
    files = {}
    if site.logo is not None:
        files[f"logo{site.logo.suffix}"] = _read(site.logo)
    if site.accent is not None:
        files[ACCENT_SHEET] = colours.style_sheet(site.accent)
    return files


def _read(logo: Path) -> bytes:
    try:
        with logo.open("rb") as file:
            return file.read(MAX_LOGO_BYTES)
    except OSError as fault:
        raise UnfitInstallation(f"The logo {logo} can't be read: {fault.strerror}.") from fault
