"""Caches of what was rendered: renditions, tiles and pyramids, each bounded, least recently used out first."""

from appliance.cache.cache import Cache
from appliance.cache.caches import Caches
from appliance.cache.memory import ENTRY_OVERHEAD_BYTES
from appliance.cache.pyramids import Pyramids
from appliance.cache.rendition import HEADER_BYTES, Rendition
from appliance.cache.tickets import Ticket

__all__ = ["ENTRY_OVERHEAD_BYTES", "HEADER_BYTES", "Cache", "Caches", "Pyramids", "Rendition", "Ticket"]
