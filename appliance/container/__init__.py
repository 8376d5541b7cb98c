"""The container: the parts of the server, who gets which others, and the web application over them."""

from appliance.container.building import build
from appliance.container.nodes_site import nodes_site_of
from appliance.container.parts import Container
from appliance.container.site import site_of

__all__ = ["Container", "build", "nodes_site_of", "site_of"]
