"""Resumable uploads: bytes that come in several requests, across broken connections and restarts, to one image."""

from appliance.resumable.progress import Body, Progress, Wanted
from appliance.resumable.service import Resumable
from appliance.resumable.unfinished import UnfinishedUploads

__all__ = ["Body", "Progress", "Resumable", "UnfinishedUploads", "Wanted"]
