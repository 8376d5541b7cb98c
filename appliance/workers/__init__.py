"""Worker processes as the server sees them: who may have one when, for how long, and what becomes of one that dies."""

from appliance.workers.pool import Workers
from appliance.workers.work_queue import Lease
from appliance.workers.worker import Worker

__all__ = ["Lease", "Worker", "Workers"]
