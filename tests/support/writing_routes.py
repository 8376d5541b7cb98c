"""The routes that change something, as the router lists them, so that a new one is among them."""

from aiohttp import web

from appliance.http.routes import application

WRITING = {"POST", "PUT", "PATCH", "DELETE"}


def writing_routes() -> list[tuple[str, str]]:
    """Method and path of each, with names in braces for what varies."""
    routes = [route for route in application().router.routes() if route.method in WRITING]
    return [(route.method, _path_of(route)) for route in routes]


def _path_of(route: web.AbstractRoute) -> str:
    assert route.resource is not None
    return route.resource.canonical
