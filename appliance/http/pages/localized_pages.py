"""Every page of the host in one language, by subject, and building them for all languages."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from appliance.config.model import Config
from appliance.domain.clock import Clock, system_clock
from appliance.http.localization.languages import ENGLISH, Language, read_languages
from appliance.http.pages.album_pages import AlbumPages
from appliance.http.pages.assets import BUILT, Assets, check_built, web_root
from appliance.http.pages.branding import generated_files
from appliance.http.pages.guest_pages import GuestPages
from appliance.http.pages.image_pages import ImagePages
from appliance.http.pages.lock_pages import LockPages
from appliance.http.pages.manifest import web_manifest
from appliance.http.pages.message_scripts import message_scripts
from appliance.http.pages.page_cache import PageCache
from appliance.http.pages.service_worker import worker_script
from appliance.http.pages.site_pages import SitePages
from appliance.http.pages.templates import PageTemplates


class LocalizedPages:
    """The pages in one language. `root` holds `templates` and `static`; expiry times are relative to `clock`."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock = system_clock,
        root: Path | None = None,
        language: Language = ENGLISH,
        assets: Assets | None = None,
        cache: PageCache | None = None,
    ) -> None:
        root = root or web_root()
        self.language = language
        self.assets = assets or site_assets(root, config, [language])
        self._templates = PageTemplates(root / "templates", config, language, self.assets)
        self.site = SitePages(self._templates, config)
        self.images = ImagePages(self._templates, config, clock, cache or PageCache())
        self.albums = AlbumPages(self._templates, config, clock)
        self.locks = LockPages(self._templates)
        self.guests = GuestPages(self._templates, config, self.site, clock)

    def manifest(self) -> dict[str, object]:
        """The web app manifest."""
        return web_manifest(self._templates.branding, self.assets, self.language)

    @cached_property
    def service_worker(self) -> bytes:
        """The service worker's script."""
        return worker_script(self.assets, self.site.offline_page())


def site_assets(root: Path, config: Config, languages: Sequence[Language]) -> Assets:
    """The static files below `root` and the generated ones. Raises UnfitInstallation when scripts aren't built."""
    check_built(root / "static")
    scripts = message_scripts(root / "static" / BUILT, languages)
    return Assets(root / "static", scripts | generated_files(config.site))


def build_pages(config: Config, clock: Clock = system_clock) -> list[LocalizedPages]:
    """The pages in every language, the default one first. Raises UnfitInstallation."""
    root = web_root()
    languages = read_languages(root / "locale")
    assets = site_assets(root, config, languages)
    return [LocalizedPages(config, clock=clock, root=root, language=each, assets=assets) for each in languages]
