"""Resumable uploads: images that arrive in several requests, across broken connections and restarts."""

from appliance.resumable.progress import NewUpload, Progress, UploadChunk
from appliance.resumable.service import ResumableUploads
from appliance.resumable.unfinished import UnfinishedUploads

__all__ = ["NewUpload", "Progress", "ResumableUploads", "UnfinishedUploads", "UploadChunk"]
