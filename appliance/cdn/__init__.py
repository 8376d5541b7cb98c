"""Shared caches in front of this host, which are purged over HTTP: one port, and a file for each kind of cache."""

from appliance.cdn.cloudflare import CloudflareZone
from appliance.cdn.port import PROBE_TAG, SharedCaches
from appliance.cdn.purge_client import READ_TIMEOUT_S
from appliance.cdn.varnish import VarnishCaches
from appliance.config.model import Cdn

__all__ = ["PROBE_TAG", "SharedCaches", "shared_caches"]


def shared_caches(config: Cdn, *, read_timeout_s: float = READ_TIMEOUT_S) -> SharedCaches | None:
    """The configured caches; None where none can be purged. One that sends nothing for `read_timeout_s` is given up."""
    if config.purge == "http":
        return VarnishCaches(config.urls, read_timeout_s=read_timeout_s)
    if config.purge == "cloudflare":
        assert config.zone is not None
        assert config.token is not None
        return CloudflareZone(config.api_url, zone=config.zone, token=config.token, read_timeout_s=read_timeout_s)
    return None
