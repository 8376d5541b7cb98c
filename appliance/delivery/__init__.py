"""Delivery: renditions, regions and originals, from the nearest place that has them, or rendered now."""

from appliance.delivery.service import Delivery, Original, RenditionSummary

__all__ = ["Delivery", "Original", "RenditionSummary"]
