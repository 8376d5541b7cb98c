"""Batches: jobs on one image that are wanted at the same time, so that one decode serves them all.

    want(job) --> batch that collects -- a worker is granted: `freeze` --> batch that is worked on --> answers

A job is wanted once, however many clients wait for it. While a batch is worked on, the next one collects.
"""

import asyncio
from asyncio import CancelledError, Future
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from appliance.domain.clients import Clients
from appliance.domain.errors import Stopping
from appliance.domain.model import Image
from appliance.shared.single_flight import SingleFlight

K = TypeVar("K")
J = TypeVar("J")
V = TypeVar("V")


def _unattended_future() -> "Future[Any]":
    """A future whose fault may find nobody waiting, as when prewarming."""
    future: Future[Any] = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


@dataclass(frozen=True, slots=True, eq=False)
class Request(Generic[V]):
    """A job's result, and the clients who wait for it."""

    future: "Future[V]" = field(default_factory=_unattended_future)
    clients: Clients = field(default_factory=Clients)


class Batch(Generic[K, J, V]):
    """Jobs on one image that are done together.

    `kind` tells the batches of an image apart. `clients` are all who want any of the jobs: the batch is worked on in
    the turn of any of them.
    """

    def __init__(self, image: Image, kind: K) -> None:
        self.image = image
        self.kind = kind
        self.clients = Clients()
        self._requests: dict[J, Request[V]] = {}

    def __contains__(self, job: J) -> bool:
        return job in self._requests

    @property
    def wanted(self) -> dict[J, Clients]:
        """The jobs that are still to be done, in the order of their requests, and who wants each."""
        return {job: request.clients for job, request in self._requests.items() if not request.future.done()}

    @property
    def jobs(self) -> tuple[J, ...]:
        """The jobs that are still to be done, in the order of their requests."""
        return tuple(self.wanted)

    def want(self, job: J, clients: Clients) -> "Future[V]":
        """The future of a job, which these clients wait for too. Shield it: others may wait for it."""
        if job not in self._requests:
            self._add(job, Request())
        self._requests[job].clients.include(clients)
        return self._requests[job].future

    def take(self, other: "Batch[K, J, V]", jobs: Iterable[J]) -> None:
        """Move jobs here from another batch. Those that it doesn't have are ignored."""
        for job in jobs:
            request = other._requests.pop(job, None)
            if request is not None and job in self._requests:
                _copy_result(self._requests[job].future, request.future)
            elif request is not None:
                self._add(job, request)

    def fulfil(self, job: J, result: V) -> None:
        """Answer everyone who waits for the job."""
        future = self._requests[job].future
        if not future.done():
            future.set_result(result)

    def fail(self, fault: Exception) -> None:
        """Answer everyone who still waits with the fault."""
        for request in self._requests.values():
            if not request.future.done():
                request.future.set_exception(fault)

    def _add(self, job: J, request: Request[V]) -> None:
        self._requests[job] = request
        self.clients.include(request.clients)


class Batches(Generic[K, J, V]):
    """Collects the jobs of each image and kind, and has their batches worked on, one after another.

    `work` answers every job of a batch. What it raises is the answer to those that it left. It calls `freeze` as late
    as it can, so that jobs that are wanted meanwhile still join.
    """

    def __init__(self, work: Callable[[Batch[K, J, V]], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._collecting: dict[tuple[str, K], Batch[K, J, V]] = {}
        self._frozen: dict[tuple[str, K], Batch[K, J, V]] = {}
        self._loops: SingleFlight[tuple[str, K], None] = SingleFlight()

    def __len__(self) -> int:
        """How many images and kinds have a batch."""
        return len(self._loops)

    def want(self, image: Image, kind: K, job: J, clients: Clients) -> "Future[V]":
        """The future of a job. Raises Stopping."""
        joined = self.join(image, kind, job, clients)
        if joined is not None:
            return joined
        key = image.slug, kind
        self._loops.start(key, lambda _: self._work_off(key))
        return self._collecting.setdefault(key, Batch(image, kind)).want(job, clients)

    def join(self, image: Image, kind: K, job: J, clients: Clients) -> "Future[V] | None":
        """The future of a job that is being worked on; the clients join, since that may have to queue once more."""
        frozen = self._frozen.get((image.slug, kind))
        return frozen.want(job, clients) if frozen is not None and job in frozen else None

    def collecting(self, image: Image, kind: K) -> Batch[K, J, V] | None:
        """The batch that still collects jobs of this image and kind."""
        return self._collecting.get((image.slug, kind))

    def in_progress(self, image: Image, kind: K) -> Batch[K, J, V] | None:
        """The batch that is being worked on and collects no more."""
        return self._frozen.get((image.slug, kind))

    def freeze(self, batch: Batch[K, J, V]) -> None:
        """Let jobs that are wanted from here on collect in the next batch. Repeating it is fine."""
        key = batch.image.slug, batch.kind
        if self._collecting.get(key) is batch:
            del self._collecting[key]
            self._frozen[key] = batch

    def postpone(self, batch: Batch[K, J, V], jobs: Collection[J]) -> None:
        """Leave jobs of a frozen batch for the next one."""
        if jobs:
            key = batch.image.slug, batch.kind
            self._collecting.setdefault(key, Batch(batch.image, batch.kind)).take(batch, jobs)

    async def close(self) -> None:
        """Give up what is under way. Everyone who waits gets Stopping."""
        await self._loops.close()
        for batch in tuple(self._collecting.values()):
            self._fail(batch, Stopping())

    async def _work_off(self, key: tuple[str, K]) -> None:
        while (batch := self._collecting.get(key)) is not None:
            try:
                await self._work(batch)
                self.freeze(batch)
            except CancelledError:
                self._fail(batch, Stopping())
                raise
            except Exception as fault:
                self._fail(batch, fault)
            finally:
                self._frozen.pop(key, None)

    def _fail(self, batch: Batch[K, J, V], fault: Exception) -> None:
        """Freeze it first, so that nobody joins a batch that has failed."""
        self.freeze(batch)
        batch.fail(fault)


def _copy_result(source: "Future[V]", target: "Future[V]") -> None:
    def copy(done: "Future[V]") -> None:
        fault = done.exception()
        if target.done():
            return
        if fault is None:
            target.set_result(done.result())
        else:
            target.set_exception(fault)

    source.add_done_callback(copy)
