"""Worker processes as the server sees them: who may have one when, for how long, and what becomes of one that dies."""

from appliance.workers.lane import Waiting
from appliance.workers.pool import Worker, Workers

__all__ = ["Waiting", "Worker", "Workers"]
