"""Worker processes as the server sees them: who may have one when, for how long, and what becomes of one that dies."""

from appliance.workers.lane import Waiting
from appliance.workers.pool import Workers
from appliance.workers.worker import Worker

__all__ = ["Waiting", "Worker", "Workers"]
