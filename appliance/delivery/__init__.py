"""Delivery: open what a link names, a rendition or an original, from the nearest place that has it."""

from appliance.delivery.service import Delivery, Glimpse, Original

__all__ = ["Delivery", "Glimpse", "Original"]
