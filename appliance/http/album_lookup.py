"""Looking up the album of a request."""

from aiohttp import web

from appliance.albums import Contents
from appliance.http.closed import require_open
from appliance.http.keys import ALBUMS


async def find_album(request: web.Request, slug: str | None = None) -> Contents:
    """The album with this slug, by default the path's. Raises UnknownAlbum, GoneAlbum, and as `require_open` does."""
    contents = await request.app[ALBUMS].show(slug or request.match_info["slug"])
    await require_open(request, contents.album)
    return contents
