"""The server's workers: a queue for each lane, and the worker processes that take its orders."""

import asyncio
from collections.abc import Callable
from functools import partial

from appliance.config.model import Renditions
from appliance.domain.clients import HOST, Clients
from appliance.domain.details import Details
from appliance.domain.errors import CannotResize, UnfitInstallation
from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.domain.regions import pyramid_bytes
from appliance.domain.render_cost import is_short
from appliance.domain.renditions import Facts, Priority
from appliance.shared.threads import Threads
from appliance.workers.fast_jpeg import FastJpeg
from appliance.workers.lanes import (
    PATIENT_DEADLINES,
    PYRAMID_DEADLINES,
    SPARE_IDLE_S,
    Lane,
    LaneName,
    lane_of,
    lanes_of,
    pyramid_lane_of,
)
from appliance.workers.lease import Charge, Lease
from appliance.workers.process import WorkerLost, WorkerProcess
from appliance.workers.protocol import Inspect
from appliance.workers.supervised_worker import StartProcess, SupervisedWorker
from appliance.workers.work_queue import WorkQueue
from appliance.workers.worker import Worker

INSPECT_CPU_S = 4
"""Of a core. A header is read in milliseconds, and a trial decode takes half a second; this ends the rest."""
THREADS = 2


class Workers:
    """Starts, feeds, watches and replaces the worker processes.

    `on_death` gets a few words each time a worker dies or has to be killed at its deadline. `start_process` starts one.
    `on_refusal` is called for each view that is refused because it would wait for too long.
    """

    def __init__(
        self,
        config: Renditions,
        max_pixels: int,
        *,
        on_death: Callable[[str], None] | None = None,
        on_refusal: Callable[[], None] = lambda: None,
        start_process: StartProcess = WorkerProcess,
    ) -> None:
        self._config = config
        self._animations = config.animation_budget
        self._fast_jpeg = FastJpeg(is_wanted=config.fast_jpeg)
        self._inspection = Inspect(
            max_pixels, config.heavy_memory_bytes, config.animation_budget.max_bytes, INSPECT_CPU_S
        )
        self._listener = on_death
        self._on_refusal = on_refusal
        self._start_process = start_process
        self._deaths = 0
        self._threads = Threads("outputs", THREADS)
        self._lanes = lanes_of(config)
        self.queues: dict[str, WorkQueue[SupervisedWorker]] = {
            name: self._queue_of(lane) for name, lane in self._lanes.items()
        }

    async def start(self) -> None:
        """Start the workers that always run, and wait until they are ready. Raises UnfitInstallation."""
        always = [worker for worker in self._workers if worker.is_permanent]
        try:
            await asyncio.gather(*(worker.ready() for worker in always))
        except (UnfitInstallation, WorkerLost, OSError) as error:  # a TimeoutError is an OSError
            await self.stop(grace_s=0)
            if isinstance(error, UnfitInstallation):
                raise
            raise UnfitInstallation("The image workers can't be started. See the log for the reason.") from error

    async def stop(self, grace_s: float = 10.0) -> None:
        """Refuse what waits, let running orders finish within `grace_s`, then end every process."""
        await asyncio.gather(*(queue.drain(grace_s) for queue in self.queues.values()))
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        await self._threads.close()

    # --- orders ---------------------------------------------------------------------------------------------------

    async def inspect(self, fd: int, client: str = HOST, priority: Priority = Priority.VIEW) -> Facts:
        """The facts of the open regular file, whose offset is left alone.

        Raises EmptyUpload, UnsupportedFormat, NotAnImage, UnreadableImage, Busy or Stopping. An image over the limits
        is no error: its facts have a `refusal`.
        """
        async with self._lease(LaneName.INSPECT, priority, Clients(client)) as worker:
            return await worker.inspect(fd, self._inspection)

    async def examine(
        self, fd: int, keep: KeepMetadata, client: str, priority: Priority = Priority.VIEW
    ) -> tuple[Facts, Findings]:
        """What `inspect` and `find_private` say, for half of the turns. Raises as `inspect`."""
        async with self._lease(LaneName.INSPECT, priority, Clients(client)) as worker:
            return await worker.examine(fd, self._inspection, keep)

    async def find_private(
        self, fd: int, keep: KeepMetadata, client: str = HOST, priority: Priority = Priority.VIEW
    ) -> Findings:
        """What to change in the open file so that only what `keep` allows is left.

        A file that can't be read gives no edits and is not complete. Raises Busy or Stopping.
        """
        async with self._lease(LaneName.INSPECT, priority, Clients(client)) as worker:
            return await worker.find_private(fd, keep)

    async def read_details(
        self, fd: int, keep: KeepMetadata, clients: Clients, charge: Charge | None = None
    ) -> Details:
        """What the open file says, as far as `keep` allows it. Uploads, which share its workers, go first.

        `charge` is called with the seconds that it took. A file that can't be read says nothing and is not complete.
        Raises Busy or Stopping.
        """
        async with self._lease(LaneName.INSPECT, Priority.PREWARM, clients, charge=charge) as worker:
            return await worker.read_details(fd, keep)

    def lease(
        self,
        facts: Facts,
        priority: Priority,
        clients: Clients | None = None,
        *,
        long: bool = False,
        short: bool = False,
        charge: Charge | None = None,
    ) -> Lease[Worker]:
        """A lease of a worker in the lane that suits the image. Raises CannotResize for one that is refused.

        `clients` are those who want the work; by default this host itself. `long` is for work that takes long however
        small the image is, and `short` for work that takes little longer than decoding it. `charge` is called with
        the seconds that it took. Choose the targets once the lease is granted: so they serve all who joined meanwhile.
        """
        if facts.refusal is not None:
            raise CannotResize(facts.refusal)
        lane = lane_of(facts, self._config, long=long)
        clients = Clients(HOST) if clients is None else clients
        return self._lease(lane, priority, clients, charge=charge, is_short=short and is_short(facts))

    def lease_for_pyramid(
        self, facts: Facts, priority: Priority, clients: Clients, charge: Charge | None = None
    ) -> Lease[Worker]:
        """A lease of a worker for building a pyramid. Raises CannotResize for one that would take too much memory."""
        if facts.refusal is not None or pyramid_bytes(facts) > self._config.heavy_memory_bytes:
            raise CannotResize("Tiling this image needs more memory than this host allows.")
        lane = pyramid_lane_of(facts, self._config)
        return self._lease(lane, priority, clients, self._config.deadline_s * PYRAMID_DEADLINES, charge)

    def lease_in_background(self) -> Lease[Worker]:
        """A lease of the worker for pyramids, for an ordinary order that nobody waits for."""
        deadline_s = self._config.deadline_s * PATIENT_DEADLINES
        return self._lease(LaneName.BACKGROUND, Priority.PYRAMID, Clients(HOST), deadline_s)

    def is_expensive(self, facts: Facts) -> bool:
        """Whether decoding takes so long, or so much memory, that the image isn't in the normal lane."""
        return lane_of(facts, self._config) is not LaneName.NORMAL

    def _lease(
        self,
        name: LaneName,
        priority: Priority,
        clients: Clients,
        deadline_s: float | None = None,
        charge: Charge | None = None,
        *,
        is_short: bool = False,
    ) -> Lease[Worker]:
        worker = partial(
            Worker, deadline_s or self._lanes[name].deadline_s, self._threads, self._animations, self._fast_jpeg
        )
        return Lease(self.queues[name], priority, clients, worker, charge, is_short=is_short)

    # --- how they are ---------------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether no order runs or waits in any lane."""
        return not any(queue.busy or queue.waiting for queue in self.queues.values())

    @property
    def busy(self) -> dict[str, int]:
        """Running orders by lane."""
        return {name: queue.busy for name, queue in self.queues.items()}

    @property
    def waiting(self) -> dict[str, int]:
        """Waiting orders by lane."""
        return {name: queue.waiting for name, queue in self.queues.items()}

    @property
    def wait_s(self) -> float:
        """How long an ordinary view of a new client would wait for a worker, in seconds."""
        return self.queues[LaneName.NORMAL].wait_s

    @property
    def cpu_s(self) -> dict[str, float]:
        """CPU seconds that workers have used since the start, by lane."""
        return {name: sum(worker.cpu_s for worker in queue.slots) for name, queue in self.queues.items()}

    @property
    def deaths(self) -> int:
        """How many workers died or were killed at a deadline."""
        return self._deaths

    @property
    def pids(self) -> dict[str, tuple[int, ...]]:
        """Process ids by lane. Lanes of rare work have some only while there is work for them."""
        return {
            name: tuple(worker.process.pid for worker in queue.slots if worker.process)
            for name, queue in self.queues.items()
        }

    @property
    def protections(self) -> tuple[str, ...]:
        """What the kernel keeps the workers from, as they report it; empty before `start`."""
        return next((worker.process.protections for worker in self._workers if worker.process), ())

    @property
    def libvips(self) -> str:
        """The version of libvips in use, empty before `start`."""
        return next((worker.process.libvips for worker in self._workers if worker.process), "")

    @property
    def _workers(self) -> list[SupervisedWorker]:
        return [worker for queue in self.queues.values() for worker in queue.slots]

    def _queue_of(self, lane: Lane) -> WorkQueue[SupervisedWorker]:
        workers = [self._supervised(lane, lane.idle_s) for _ in range(lane.workers)]
        spare = self._supervised(lane, SPARE_IDLE_S) if lane.has_spare else None
        return WorkQueue(
            workers,
            lane.max_waiting,
            what=lane.what,
            spare=spare,
            warm=SupervisedWorker.warm,
            hands_ahead=lane.hands_ahead,
            max_wait_s=lane.max_wait_s,
            on_refusal=self._on_refusal,
        )

    def _supervised(self, lane: Lane, idle_s: float | None) -> SupervisedWorker:
        return SupervisedWorker(lane.limits, self._on_death, idle_s, start_process=self._start_process)

    def _on_death(self, reason: str) -> None:
        self._deaths += 1
        if self._listener is not None:
            self._listener(reason)
