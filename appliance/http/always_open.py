"""Requests that are counted for nobody and refused to nobody: of static files, and of what a supervisor asks."""

from aiohttp import hdrs, web

STATIC = "/static/"
HEALTH = ("/healthz", "/readyz")


def is_always_open(request: web.Request) -> bool:
    """Whether it reads what every page needs, or whether the host is up. An upload may have a file of that name."""
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        return False
    return request.path in HEALTH or request.path.startswith(STATIC)
