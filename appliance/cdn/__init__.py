"""Shared caches in front of this host, told over HTTP to forget: one file for each way of telling."""

from appliance.cdn.base import PROBE_TAG, SharedCaches
from appliance.cdn.cloudflare import Cloudflare
from appliance.cdn.varnish import Banning
from appliance.config.model import Cdn

__all__ = ["PROBE_TAG", "SharedCaches", "shared_caches"]


def shared_caches(config: Cdn) -> SharedCaches | None:
    """The caches that the configuration names; None where none can be told."""
    if config.purge == "http":
        return Banning(config.urls)
    if config.purge == "cloudflare":
        assert config.zone is not None
        assert config.token is not None
        return Cloudflare(config.api_url, zone=config.zone, token=config.token)
    return None
