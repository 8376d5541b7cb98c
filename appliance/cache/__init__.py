"""The rendition cache: memory before disk, both bounded, both forgetting what was longest unused."""

from appliance.cache.cache import Cache, Ticket
from appliance.cache.memory import ENTRY_OVERHEAD_BYTES
from appliance.cache.rendition import HEADER_BYTES, Rendition

__all__ = ["ENTRY_OVERHEAD_BYTES", "HEADER_BYTES", "Cache", "Rendition", "Ticket"]
