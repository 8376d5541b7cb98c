"""The application for other nodes: every address of the host, for those whose call another node has signed."""

from aiohttp import web

from appliance.container.parts import Container
from appliance.http import keys
from appliance.http.nodes import originals, uploads, usage
from appliance.http.nodes.guard import ToldByNode, nodes_alone
from appliance.http.nodes.relay import refuse_second_hop
from appliance.http.routes import application
from appliance.http.transport.open_connections import OpenConnections
from appliance.http.transport.start_limiter import MAX_CHANGES_PER_TURN, StartLimiter
from appliance.http.trusted_proxies import TrustedProxies
from appliance.nodes.usage import PATH


def nodes_site_of(container: Container, site: web.Application) -> web.Application | None:
    """The application, with the parts and limits of `site`; None for a server that is alone."""
    calls = container.calls
    if calls is None:
        return None
    nodes = application(nodes_alone(calls.neighbours.name, calls.signatures))
    for key, value in site.items():
        if key is not keys.FORWARDING_WATCH:  # peers are nodes here, and no proxy in front is among them
            nodes[key] = value
    nodes[keys.TRUSTED_PROXIES] = ToldByNode()
    nodes[keys.LIMITS] = container.limits.without_requests()
    nodes[keys.CHANGE_START_LIMITER] = StartLimiter(MAX_CHANGES_PER_TURN)  # a flood in front delays no report of usage
    nodes[keys.PASS_ON] = refuse_second_hop
    nodes[keys.OPEN_CONNECTIONS] = connections = OpenConnections(TrustedProxies(()))
    connections.max_per_address = connections.max_connections
    nodes.router.add_get(originals.ROUTE, originals.show_original, allow_head=False)
    nodes.router.add_get(uploads.ROUTE, uploads.show_part, allow_head=False)
    nodes.router.add_post(PATH, usage.count_usage)
    return nodes
