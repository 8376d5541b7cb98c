"""`appliance takedown`: the running server ends images and albums for good, without their delete tokens."""

import asyncio
import re
from collections.abc import Sequence

from appliance.albums.takedown import TakenDown
from appliance.config.model import Config
from appliance.domain.slugs import LENGTH, is_slug
from appliance.server.control import ask_takedown

SLUG = f"[0-9A-Za-z]{{{LENGTH}}}"
_PAGES = rf"i|a(?:/{SLUG})?"
_IIIF = rf"iiif/3|iiif/presentation/3(?:/{SLUG}/canvas)?"
LINK = re.compile(rf"/(?:{_PAGES}|{_IIIF}|api/v1/(?:images|albums))/({SLUG})(?![0-9A-Za-z])")
WORDS = {
    TakenDown.IMAGE: "the image is taken down.",
    TakenDown.ALBUM: "the album is taken down. Its images keep their own links.",
    TakenDown.GONE_ALREADY: "was already deleted.",
    TakenDown.UNKNOWN: "unknown: no image or album has this link.",
}


def takedown(config: Config, wanted: Sequence[str]) -> int:
    """Prints a line for each; exit status 1 when one was unknown. Raises ServerNotRunning, CommandFailed."""
    return asyncio.run(_takedown(config, wanted))


async def _takedown(config: Config, wanted: Sequence[str]) -> int:
    """One after the other, so that each printed line is true whatever happens to the rest."""
    has_unknown = False
    for text in wanted:
        slug = slug_of(text)
        outcome = TakenDown.UNKNOWN if slug is None else TakenDown(await ask_takedown(config, slug))
        print(f"{slug or text}: {WORDS[outcome]}", flush=True)
        has_unknown |= outcome is TakenDown.UNKNOWN
    return int(has_unknown)


def slug_of(text: str) -> str | None:
    """The slug in a slug or a link; for an image's page in an album it is the image's. None where there is none."""
    if is_slug(text):
        return text
    found = LINK.search(text)
    return found[1] if found else None
