"""Delivery: open what a link names, a rendition or an original, from the nearest place that has it."""

from appliance.delivery.service import Delivery, Original, RenditionSummary

__all__ = ["Delivery", "Original", "RenditionSummary"]
