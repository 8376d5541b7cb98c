"""The web app manifest, with which the host can be installed on a phone and receive images from its share menu.

The phone sends shared images as an ordinary form. The service worker recognises it by the query of its address;
without a worker, the form reaches the server, which needs no query.
"""

from appliance.http.links import EXTENSIONS
from appliance.http.localization.languages import Language
from appliance.http.pages.assets import Assets
from appliance.http.pages.branding import Branding

BACKGROUND = "#f7f6f3"
SHARE_TARGET = "/?share"
"""Also in `web/src/service-worker.ts`."""
_ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)


def web_manifest(branding: Branding, assets: Assets, language: Language) -> dict[str, object]:
    """The manifest in one language, with the operator's name and icons if there are any."""
    return {
        "id": "/",
        "name": branding.name,
        "short_name": branding.name,
        "lang": language.tag,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": BACKGROUND,
        "icons": _icons(branding, assets),
        "shortcuts": [
            {"name": language.gettext("Upload"), "url": "/"},
            {"name": language.gettext("My images"), "url": "/images"},
        ],
        "share_target": {
            "action": SHARE_TARGET,
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "files": [{"name": "file", "accept": [*EXTENSIONS, *(f".{ending}" for ending in EXTENSIONS.values())]}],
            },
        },
    }


def _icons(branding: Branding, assets: Assets) -> list[dict[str, str]]:
    if branding.logo is not None and branding.logo.endswith(".svg"):
        return [{"src": assets.url(branding.logo), "sizes": "any", "type": "image/svg+xml"}]
    return [
        {"src": assets.url(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for name, sizes, purpose in _ICONS
    ]
