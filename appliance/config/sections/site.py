"""Section `site`: how the pages present the site and its operator."""

from dataclasses import dataclass, field
from pathlib import Path

from appliance.config.option_info import info

LOGO_ENDINGS = (".svg", ".png", ".webp")
MAX_LOGO_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class Site:
    """Name, look and legal links of the pages."""

    name: str | None = field(default=None, metadata=info("Name of the site. Default: the host in `server.public_url`."))
    logo: Path | None = field(default=None, metadata=info("Logo: an SVG, PNG or WebP file of up to 200 KB."))
    accent: str | None = field(
        default=None,
        metadata=info("Colour of links and buttons, such as `#0c6b64`. Each theme adjusts it for contrast."),
    )
    imprint_url: str | None = field(default=None, metadata=info("Link to the imprint in the page footer."))
    privacy_url: str | None = field(default=None, metadata=info("Link to the privacy policy in the page footer."))
    report: str | None = field(
        default=None,
        metadata=info("Where to report an image: an email address, or a URL with `{url}` for the page."),
    )
