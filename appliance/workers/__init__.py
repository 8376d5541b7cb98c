"""Worker processes as the server sees them: which orders get one and when, and how they are replaced."""

from appliance.workers.lease import Lease
from appliance.workers.pool import Workers
from appliance.workers.worker import Worker

__all__ = ["Lease", "Worker", "Workers"]
