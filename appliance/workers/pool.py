"""All of the server's workers: inspectors kept free for uploads, lanes for most images, long work and heavy ones."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from appliance.config.model import Renditions
from appliance.domain.clients import HOST, Clients
from appliance.domain.errors import CannotResize, UnfitInstallation
from appliance.domain.file_edits import Findings
from appliance.domain.model import KeepMetadata
from appliance.domain.regions import pyramid_bytes
from appliance.domain.render_cost import is_long
from appliance.domain.renditions import Facts, Priority
from appliance.shared.threads import Threads
from appliance.workers.process import ResourceLimits, WorkerLost
from appliance.workers.protocol import Inspect
from appliance.workers.supervised_worker import SupervisedWorker
from appliance.workers.work_queue import Lease, WorkQueue
from appliance.workers.worker import Worker, cpu_s

INSPECTORS = 2
INSPECT_DEADLINE_S = 10.0
INSPECT_CPU_S = 2
"""Of a core. A header is read in milliseconds, and what would take long is told apart before; this ends the rest."""
PATIENT_DEADLINES = 3
"""A long or heavy image may take this many times the ordinary deadline."""
NICENESS = 8
"""Of the long and the heavy lane: a sixth of the processor's time that others get who want it at the same moment.

With 5 it is a third, and views wait for it (benchmarks/views_during_giant_images.py); with 10 a tenth, and a giant of
ten seconds' work could miss its deadline only because the host is busy.
"""
_INSPECT_MEMORY_BYTES = 1200 * 1024 * 1024
"""libvips sets four bytes a pixel aside to read the header of a WebP, which has up to 16383 x 16383."""
_MAX_INSPECTIONS_WAITING = 1024
_PATIENT_IDLE_S, _SPARE_IDLE_S = 60.0, 600.0
PYRAMID_DEADLINES = 30
"""A pyramid, which nobody has to wait for, may take this many times the ordinary deadline."""
_PYRAMID_OUTPUT_BYTES = 16 * 1024**3
_THREADS = 2


class Workers:
    """Starts, feeds, watches and replaces the worker processes.

    `on_death` is told a few words each time one dies or has to be killed at its deadline.
    """

    def __init__(self, config: Renditions, max_pixels: int, *, on_death: Callable[[str], None] | None = None) -> None:
        self._config = config
        self._max_pixels = max_pixels
        self._animations = config.animation_budget
        self._tell_death = on_death
        self._deaths = 0
        self._threads = Threads("outputs", _THREADS)
        inspecting = ResourceLimits(_INSPECT_MEMORY_BYTES, _INSPECT_MEMORY_BYTES, cpu_s(INSPECT_DEADLINE_S))
        normal = ResourceLimits(config.memory_bytes, config.memory_bytes, cpu_s(config.deadline_s))
        long = replace(normal, order_cpu_s=cpu_s(config.deadline_s * PATIENT_DEADLINES), niceness=NICENESS)
        pyramids = cpu_s(config.deadline_s * PYRAMID_DEADLINES)
        background = replace(long, order_cpu_s=pyramids, output_bytes=_PYRAMID_OUTPUT_BYTES)
        heavy = replace(background, decode_bytes=config.heavy_memory_bytes, jpeg_bytes=config.heavy_memory_bytes)
        inspectors = [self._slot(inspecting) for _ in range(INSPECTORS)]
        renderers = [self._slot(normal) for _ in range(config.workers)]
        self._always = (*inspectors, *renderers)
        spare = self._slot(inspecting, _SPARE_IDLE_S)
        self._inspecting = WorkQueue(
            inspectors, _MAX_INSPECTIONS_WAITING, what="uploads", spare=spare, warm=SupervisedWorker.warm
        )
        spare = self._slot(normal, _SPARE_IDLE_S)
        self._normal = WorkQueue(renderers, config.queue, spare=spare, warm=SupervisedWorker.warm)
        self._long = WorkQueue(
            [self._slot(long, _PATIENT_IDLE_S) for _ in range(max(1, config.workers // 2))], config.queue
        )
        self._heavy = WorkQueue([self._slot(heavy, _PATIENT_IDLE_S)], config.queue)
        self._background = WorkQueue([self._slot(background, _PATIENT_IDLE_S)], config.queue)

    async def start(self) -> None:
        """Starts the inspectors and the normal lane, and waits until they are warm. Raises UnfitInstallation."""
        try:
            await asyncio.gather(*(slot.ready() for slot in self._always))
        except (UnfitInstallation, WorkerLost, OSError) as error:  # a TimeoutError is an OSError
            await self.stop(grace_s=0)
            if isinstance(error, UnfitInstallation):
                raise
            raise UnfitInstallation("The image workers can't be started. See the log for the reason.") from error

    async def stop(self, grace_s: float = 10.0) -> None:
        """Sends away who waits, lets running orders finish within `grace_s`, then ends every process."""
        await asyncio.gather(*(lane.drain(grace_s) for lane in self._lanes.values()))
        await asyncio.gather(*(slot.stop() for slot in self._slots))
        await self._threads.close()

    async def inspect(self, fd: int, client: str = HOST) -> Facts:
        """The facts of the open file, which must be a regular one; its offset is left alone.

        Raises EmptyUpload, UnsupportedFormat, NotAnImage, UnreadableImage, Busy or Stopping. A picture over the limits
        is no error: its facts carry a `refusal`.
        """
        order = Inspect(self._max_pixels, self._config.heavy_memory_bytes, self._animations.most_bytes, INSPECT_CPU_S)
        async with self._lease(self._inspecting, INSPECT_DEADLINE_S, Priority.VIEW, Clients(client)) as worker:
            return await worker.inspect(fd, order)

    async def find_private(self, fd: int, keep: KeepMetadata, client: str = HOST) -> Findings:
        """What to change in the open file so that only what `keep` allows is left.

        A file whose reading goes wrong gives no edits, and is not complete. Raises Busy or Stopping.
        """
        async with self._lease(self._inspecting, INSPECT_DEADLINE_S, Priority.VIEW, Clients(client)) as worker:
            return await worker.find_private(fd, keep)

    def queue(
        self, facts: Facts, priority: Priority, clients: Clients | None = None, *, long: bool = False
    ) -> "Lease[Worker]":
        """A place in the queue that suits what the image costs; raises CannotResize for one that is refused.

        `clients` are those who want the work, this host itself where nobody does; `long` is for work that is long
        however small the image.

        Choose the targets once the place is reached: all who want the same image meanwhile can then be served at once.
        """
        if facts.refusal is not None:
            raise CannotResize(facts.refusal)
        lane = self._lane_for(facts, long=long)
        deadlines = 1 if lane is self._normal else PATIENT_DEADLINES
        clients = Clients(HOST) if clients is None else clients
        return self._lease(lane, self._config.deadline_s * deadlines, priority, clients)

    def is_dear(self, facts: Facts) -> bool:
        """Whether an order takes so long, or so much memory, that it has a lane of its own."""
        return self._lane_for(facts) is not self._normal

    def _lane_for(self, facts: Facts, *, long: bool = False) -> WorkQueue[SupervisedWorker]:
        """Heavy ones take turns for their memory; long ones never take the places that a view of a small one wants."""
        if facts.memory_bytes > self._config.memory_bytes:
            return self._heavy
        return self._long if long or is_long(facts) else self._normal

    def queue_pyramid(self, facts: Facts, priority: Priority, clients: Clients) -> "Lease[Worker]":
        """A place for building a pyramid, beside the views; raises CannotResize for one that would take too much.

        What is too costly to be built beside the heavy lane's orders is built among them.
        """
        needed, allowed = pyramid_bytes(facts), self._config.heavy_memory_bytes
        if facts.refusal is not None or needed > allowed:
            raise CannotResize("Tiling this image needs more memory than this host allows.")
        lane = self._heavy if needed > self._config.memory_bytes else self._background
        return self._lease(lane, self._config.deadline_s * PYRAMID_DEADLINES, priority, clients)

    def _lease(
        self, lane: WorkQueue[SupervisedWorker], deadline_s: float, priority: Priority, clients: Clients
    ) -> Lease[Worker]:
        return Lease(lane, priority, clients, partial(Worker, deadline_s, self._threads, self._animations))

    @property
    def busy(self) -> dict[str, int]:
        """Running orders by lane."""
        return {name: lane.busy for name, lane in self._lanes.items()}

    @property
    def waiting(self) -> dict[str, int]:
        """Waiting orders by lane."""
        return {name: lane.waiting for name, lane in self._lanes.items()}

    @property
    def deaths(self) -> int:
        """How many workers died or were killed at a deadline."""
        return self._deaths

    @property
    def pids(self) -> dict[str, tuple[int, ...]]:
        """Process ids by lane; the long and the heavy lane have some only while there is work for them."""
        return {
            name: tuple(slot.process.pid for slot in lane.slots if slot.process) for name, lane in self._lanes.items()
        }

    @property
    def protections(self) -> tuple[str, ...]:
        """What the kernel keeps the workers from, as they report it; empty before `start`."""
        return next((slot.process.protections for slot in self._slots if slot.process), ())

    @property
    def libvips(self) -> str:
        """The version of libvips in use, empty before `start`."""
        return next((slot.process.libvips for slot in self._slots if slot.process), "")

    @property
    def _lanes(self) -> dict[str, WorkQueue[SupervisedWorker]]:
        return {
            "inspect": self._inspecting,
            "normal": self._normal,
            "long": self._long,
            "heavy": self._heavy,
            "background": self._background,
        }

    @property
    def _slots(self) -> list[SupervisedWorker]:
        return [slot for lane in self._lanes.values() for slot in lane.slots]

    def _slot(self, limits: ResourceLimits, idle_s: float | None = None) -> SupervisedWorker:
        return SupervisedWorker(limits, self._on_death, idle_s)

    def _on_death(self, reason: str) -> None:
        self._deaths += 1
        if self._tell_death is not None:
            self._tell_death(reason)
