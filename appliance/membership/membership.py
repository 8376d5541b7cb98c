"""Joining and leaving: what has to be true of a node before it works, and the heartbeat while it does."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable

from appliance.catalogue import NodeCatalogue
from appliance.domain.clock import Clock
from appliance.domain.errors import (
    ApplianceError,
    CatalogueUnavailable,
    NodeClockDiffers,
    NodeDirectoryInUse,
    NodeNameInUse,
    StoreUnavailable,
)
from appliance.domain.nodes import BEAT_EVERY_S, DEAD_AFTER_S, MAX_CLOCK_SKEW_S, Node
from appliance.membership.home import Home
from appliance.membership.store_proof import StoreProof
from appliance.nodes.pulse import Pulse

_PROVEN_TEXT = b"the nodes of one appliance"
RETRY_S = 1.0
MIN_LEASE_S = 600
"""A lease ends with its node anyway; a run renews it. Its time bounds what a node whose loop hangs can hold up."""

Tell = Callable[[str, str, str], Awaitable[None]]
"""Hears which part the start waits for, its state in words for anybody, and details for the log."""
log = logging.getLogger(__name__)


class Membership:
    """This node among the others. It is a member from `join` to `leave`."""

    def __init__(
        self,
        node: Node,
        *,
        home: Home,
        secret: str,
        nodes: NodeCatalogue,
        store_proof: StoreProof,
        clock: Clock,
        boot_clock: Clock,
    ) -> None:
        self.node = node
        self.pulse = Pulse(boot_clock)
        self.clock_fault: str | None = None
        """Why other nodes run the jobs for all; None while this node's clock is the database's."""
        self._home = home
        self._secret_proof = hmac.digest(secret.encode(), _PROVEN_TEXT, "sha256").hex()
        self._nodes = nodes
        self._store_proof = store_proof
        self._clock = clock
        self._beating: asyncio.Task[None] | None = None

    @property
    def since_s(self) -> float:
        """When this node's data directory was made, in unix seconds; 0 where that is unknown."""
        return self._home.since_s

    async def join(self, tell: Tell) -> None:
        """Become a member.

        Waits for a database that confirms no changes, a store that is away, and a namesake that may be dead.
        Raises NodeClockDiffers, NodeSecretDiffers, NodeNameInUse, NodeDirectoryInUse, NodeStoreDiffers, and the
        catalogue's faults.
        """
        if (words := await self._find_clock_fault()) is not None:
            raise NodeClockDiffers(words)
        await self._join_by_name(tell)
        self._beating = asyncio.create_task(self._beat_forever())
        while True:
            try:
                await self._store_proof.require(self.node.name, self._home)
            except StoreUnavailable as fault:
                await tell("store", "it doesn't answer", fault.detail)
                await asyncio.sleep(RETRY_S)
            else:
                break
        log.info("joined the other nodes as %s", self.node.name)

    async def leave(self) -> None:
        """Release what this node holds. Safe to call after a failed `join`."""
        if self._beating is None:
            return
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        try:
            await self._nodes.leave(self.node.name)
        except ApplianceError as fault:
            log.warning("the other nodes don't know that this one has stopped: %s", fault.detail)

    async def may_run(self, job: str, every_s: int) -> bool:
        """Whether this node is the one that runs the job now: it holds the job's lease, or nobody else does.

        Never while its clock differs from the database's: it would end and erase what isn't due.
        """
        await self._compare_clocks()
        if self.clock_fault is not None:
            await self._nodes.release(job, self.node.name)
            return False
        held = next((lease for lease in await self._nodes.leases() if lease.name == job), None)
        for_s = max(MIN_LEASE_S, 2 * every_s)
        if held is not None and held.node != self.node.name:
            return False
        if held is not None and held.left_s > for_s / 2:
            return True
        return await self._nodes.acquire(job, self.node.name, for_s)

    async def pass_on(self, job: str) -> None:
        """Let another node try a job that failed here."""
        await self._nodes.release(job, self.node.name)

    async def _compare_clocks(self) -> None:
        """Notice a clock that has left the database's since the join, and one that is right again."""
        before, self.clock_fault = self.clock_fault, await self._find_clock_fault()
        if self.clock_fault is not None and before is None:
            log.error("%s Until then this node runs no job for all.", self.clock_fault)

    async def _find_clock_fault(self) -> str | None:
        before_s = self._clock()
        theirs_s = await self._nodes.now()
        skew_s = max(before_s - theirs_s, theirs_s - self._clock())
        if skew_s <= MAX_CLOCK_SKEW_S:
            return None
        return (
            f"This machine's clock and that of the catalogue's database differ by {skew_s:,.1f} s. Nodes need the same "
            f"time, within {MAX_CLOCK_SKEW_S:g} s: set both by NTP (see `timedatectl`)."
        )

    async def _join_by_name(self, tell: Tell) -> None:
        """A namesake that was killed, and whose disk was lost with its home, is silent soon; so is a former name."""
        for _ in range(DEAD_AFTER_S + BEAT_EVERY_S):
            try:
                return await self._join_confirmed(tell)
            except (NodeNameInUse, NodeDirectoryInUse) as fault:
                await tell("node", "another one has this name or data directory", fault.detail)
            await asyncio.sleep(RETRY_S)
        return await self._join_confirmed(tell)

    async def _join_confirmed(self, tell: Tell) -> None:
        """If the process ended instead, its session would keep the name, and the next one could not start."""
        while True:
            try:
                return await self._join()
            except CatalogueUnavailable as fault:
                await tell("catalogue", "its database doesn't confirm changes", fault.detail)
            await asyncio.sleep(RETRY_S)

    async def _join(self) -> None:
        begun_s = self.pulse.boot_clock()
        await self._nodes.join(self.node, self._secret_proof)
        self.pulse.record(begun_s)

    async def _beat(self) -> None:
        begun_s = self.pulse.boot_clock()
        await self._nodes.beat(self.node.name)
        self.pulse.record(begun_s)
        await self._compare_clocks()

    async def _beat_forever(self) -> None:
        """Once the catalogue is back after a fault, this node is heard within a moment."""
        is_heard = True
        while True:
            await asyncio.sleep(BEAT_EVERY_S if is_heard else RETRY_S)
            try:
                await self._beat()
            except ApplianceError as fault:
                if is_heard:
                    log.warning("the other nodes may take this one for dead: %s", fault.detail)
                is_heard = False
            except Exception:
                log.exception("a heartbeat failed")
            else:
                is_heard = True
