"""The load on several nodes: people who upload, view and delete, and what the host has promised them."""

import asyncio
import hashlib
import io
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.support.host import bearer
from tests.support.images.noise import LEAST_BYTES, padded
from tests.support.node_front import Cut, Front, Reply
from tests.support.tus_client import BYTES, UPLOADS, VERSION

PAUSE_S = 0.25
"""Before a client repeats what a node couldn't do at the moment."""
PATIENCE_S = 300.0
MAX_AT_ONCE = 64
ADDRESSES = ("original", "small.jpg", "")
CHUNKS = 3
MOVING = ("upload-moving", "upload-locked", "idempotency-key-in-use")
MAX_BYTES = 200_000


@dataclass(frozen=True)
class Promise:
    """An image whose upload was answered."""

    slug: str
    sha256: str
    token: str = ""


@dataclass
class Load:
    """People at a front. `living` and `deleted` are what they were promised, `faults` what went wrong otherwise."""

    front: Front
    choose: random.Random
    living: dict[str, Promise] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    _running: set["asyncio.Task[None]"] = field(default_factory=set)

    # --- how much -------------------------------------------------------------------------------------------------

    async def held_a_second(self, people: int, for_s: float) -> float:
        """Actions a second that the nodes hold, with so many people who do one after another."""
        began, before = time.monotonic(), self.done.total()

        async def keep_on() -> None:
            while time.monotonic() < began + for_s:
                await self._act()

        await asyncio.gather(*(keep_on() for _ in range(people)))
        return (self.done.total() - before) / (time.monotonic() - began)

    async def keep_on(self, a_second: float) -> None:
        """So many actions begin in each second, until this is cancelled."""
        while True:
            await asyncio.sleep(self.choose.expovariate(a_second))
            if len(self._running) < MAX_AT_ONCE:
                task = asyncio.create_task(self._act())
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Returns when everybody has done what they began, and every promise was checked."""
        await asyncio.gather(*self._running)
        await self._check()

    async def _act(self) -> None:
        acts: tuple[Callable[[], Awaitable[None]], ...] = (self.view, self.upload, self.resume, self.delete)
        [act] = self.choose.choices(acts, (12, 4, 2, 1))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await act()
        except Exception as fault:
            self.faults.append(f"{act.__name__}: {fault!r}")
        else:
            self.done[act.__name__] += 1

    # --- what people do -------------------------------------------------------------------------------------------

    async def view(self) -> None:
        """Look at an image, living or deleted; who was cut off looks again."""
        slugs = [*self.living, *self.deleted]
        if not slugs:
            return
        slug, address = self.choose.choice(slugs), self.choose.choice(ADDRESSES)
        was_deleted = slug in self.deleted
        reply = await self._uncut("GET", f"/i/{slug}/{address}".rstrip("/"))
        if reply.status != (410 if was_deleted else 200) and (was_deleted or slug in self.living):
            self.faults.append(f"a view of {slug}/{address}, deleted: {was_deleted}: {reply}")

    async def upload(self) -> None:
        """Send a file, and again with the same key where the connection was cut."""
        headers = {"Idempotency-Key": f"{self.choose.getrandbits(128):032x}"}
        data = _picture(self.choose)
        reply = await self._repeated("POST", "/api/v1/images", data=data, headers=headers)
        _require(reply, 200, 201)
        image = json.loads(reply.body)
        self.living[image["slug"]] = Promise(image["slug"], _sha256(data), image["delete_token"])

    async def delete(self) -> None:
        """Delete an image: from the answer on it is gone, everywhere."""
        deletable = [promise for promise in self.living.values() if promise.token]
        if not deletable:
            return
        promise = self.choose.choice(deletable)
        del self.living[promise.slug]
        reply = await self._repeated("DELETE", f"/api/v1/images/{promise.slug}", headers=bearer(promise.token))
        _require(reply, 204)
        self.deleted.add(promise.slug)

    async def resume(self) -> None:
        """Upload in pieces, each at another node, until the image is there."""
        data = _picture(self.choose)
        created = await self._repeated("POST", UPLOADS, headers=VERSION | {"Upload-Length": str(len(data))})
        _require(created, 201)
        where = created.headers["Location"]
        offset = 0
        while offset < len(data):
            piece = data[offset : offset + len(data) // CHUNKS + 1]
            headers = VERSION | BYTES | {"Upload-Offset": str(offset)}
            with suppress(Cut):
                reply = await self.front.send("PATCH", where, headers=headers, data=io.BytesIO(piece))
                _require(reply, 204, 409, 423, 503)
            offset = await self._offset(where)
        slug = await self._completed(where)
        # The node with the only copy may have died before the uploader heard that all bytes have arrived.
        _require(await self._repeated("GET", f"/i/{slug}/original"), 200)
        self.living[slug] = Promise(slug, _sha256(data))

    async def _offset(self, where: str) -> int:
        reply = await self._repeated("HEAD", where, headers=VERSION)
        _require(reply, 200)
        return int(reply.headers["Upload-Offset"])

    async def _completed(self, where: str) -> str:
        """The slug of the image that the upload became."""
        while True:
            state = json.loads((await self._repeated("GET", where)).body)
            if state["state"] == "done":
                return str(state["image"]["slug"])
            await asyncio.sleep(PAUSE_S)

    async def _repeated(self, method: str, path: str, **parts: Any) -> Reply:
        """The reply to a request that is repeated as long as a dead node alone has what it is about."""
        while True:
            was_dead, kills = bool(self.front.killed), self.front.kills
            reply = await self._uncut(method, path, **parts)
            is_elsewhere = _is_elsewhere(reply) and (was_dead or kills < self.front.kills)
            if not (is_elsewhere or _is_moving(reply)):
                return reply
            await asyncio.sleep(PAUSE_S)

    async def _uncut(self, method: str, path: str, **parts: Any) -> Reply:
        """The reply to a request that is repeated when its connection was cut."""
        while True:
            with suppress(Cut):
                return await self.front.send(method, path, **parts)

    # --- what was promised ----------------------------------------------------------------------------------------

    async def _check(self) -> None:
        """Every image is whole at one node, and every deleted one gone at all of them. Adds to `faults`."""
        for slug, promise in self.living.items():
            reply = await self.front.send("GET", f"/i/{slug}/original")
            if (reply.status, _sha256(reply.body)) != (200, promise.sha256):
                self.faults.append(f"{slug} is lost: {reply.status} of {reply.node}")
        for slug in self.deleted:
            for node in self.front.nodes:
                reply = await self.front.send("GET", f"/i/{slug}/small.jpg", on=node)
                if reply.status != 410:
                    self.faults.append(f"{slug} was deleted: {reply.status} of {reply.node}")


def _picture(choose: random.Random) -> bytes:
    """A picture that nobody else has, and that keeps its bytes."""
    return padded(choose.randint(LEAST_BYTES, MAX_BYTES), choose.getrandbits(64))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_elsewhere(reply: Reply) -> bool:
    """Whether it says that another node, which doesn't answer, has what is asked for."""
    return reply.status == 503 and (not reply.body or json.loads(reply.body)["code"] == "node-unavailable")


def _is_moving(reply: Reply) -> bool:
    """Whether it says that an upload is about to continue at another node, or to be saved. A HEAD gets no body."""
    if not reply.body:
        return reply.status == 423 or (reply.status == 503 and reply.headers.get("Retry-After") == "1")
    return reply.status in (409, 423, 503) and json.loads(reply.body)["code"] in MOVING


def _require(reply: Reply, *statuses: int) -> None:
    assert reply.status in statuses, str(reply)
