"""Health checks: the state of each part, in words that anybody may read. The log and `status` have the reasons."""

from appliance.catalogue import Catalogue
from appliance.lifecycle.shipping import Shipper
from appliance.spool import Spool
from appliance.workers import Workers


class CatalogueCheck:
    """Whether the last commit succeeded."""

    name = "catalogue"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def state(self) -> str:
        return self._catalogue.fault or "ok"


class WorkersCheck:
    """Whether a worker runs that can decode."""

    name = "workers"

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    def state(self) -> str:
        return "ok" if self._workers.pids["normal"] else "no worker is running"


class StoreCheck:
    """Whether the store serves. The reason may name addresses and paths, so it is left out."""

    name = "store"

    def __init__(self, shipper: Shipper) -> None:
        self._shipper = shipper

    def state(self) -> str:
        if self._shipper.store_up:
            return "ok"
        backlog, lag_s = self._shipper.backlog, self._shipper.lag_s
        waiting = "1 original is" if backlog == 1 else f"{backlog} originals are"
        return f"unavailable; {waiting} waiting in the spool, the oldest for {lag_s:.0f} s"


class DiskCheck:
    """Whether there is room for uploads."""

    name = "disk"

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def state(self) -> str:
        return "ok" if self._spool.room.available_bytes > 0 else "the disk reserve is reached; uploads are refused"
