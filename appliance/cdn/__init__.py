"""Shared caches in front of this host, which are purged over HTTP: one port, and a file for each kind of cache."""

from appliance.cdn.cloudflare import CloudflareZone
from appliance.cdn.port import PROBE_TAG, SharedCaches
from appliance.cdn.varnish import VarnishCaches
from appliance.config.model import Cdn

__all__ = ["PROBE_TAG", "SharedCaches", "shared_caches"]


def shared_caches(config: Cdn) -> SharedCaches | None:
    """The configured caches; None where none can be purged."""
    if config.purge == "http":
        return VarnishCaches(config.urls)
    if config.purge == "cloudflare":
        assert config.zone is not None
        assert config.token is not None
        return CloudflareZone(config.api_url, zone=config.zone, token=config.token)
    return None
