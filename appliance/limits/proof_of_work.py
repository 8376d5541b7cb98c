"""Proof of work: while very much is uploaded, clients without a key solve a challenge first, or wait in a slow lane.

So a flood costs its sender more than this host, and people's browsers do the work without their noticing.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.domain.clients import Client
from appliance.domain.errors import ProofRequired
from appliance.domain.networks import prefix_of
from appliance.domain.renditions import Priority
from appliance.limits.challenges import Challenges
from appliance.limits.rates import Rate
from appliance.limits.slow_lane import SlowLane

ALWAYS, AUTO = "always", "auto"
HOT_UPLOADS, HOT_BYTES = 1 / 16, 1 / 2
"""Shares of a minute's amount. Anyone who uploads faster than the host can take is over the first within seconds; of
the bytes one large file takes as much."""
COOLING = 1 / 4
"""Of uploads that were refused without a solution, so many of a minute's amount are remembered at most."""


class ProofOfWork:
    """Asks for a solution where `when` says so: always, or while `uploads` or `minute_bytes` of the client are hot.

    What is `refused` keeps them hot: else a flood would come in as fast as they cool. Without a solution, the client
    may still upload as fast as the `slow_lane` allows.
    """

    def __init__(
        self,
        when: str,
        *,
        uploads: Rate,
        minute_bytes: Rate,
        refused: Rate,
        slow_lane: SlowLane,
        challenges: Challenges,
    ) -> None:
        self._when = when
        self._uploads = uploads
        self._minute_bytes = minute_bytes
        self._refused = refused
        self._slow_lane = slow_lane
        self._challenges = challenges

    def challenge_ahead(self, client: Client) -> Mapping[str, Any] | None:
        """A challenge for an upload that the client is about to begin; None while it needs none."""
        return self._challenges.issue(_network_of(client.id)) if self.is_asked(client) else None

    def require(self, client: Client) -> None:
        """Raises ProofRequired where the client may not begin an upload now. Counts no upload."""
        if not self.is_asked(client) or self.is_solved(client.id, client.proof):
            return
        if wait_s := self._slow_lane.wait_s(client.id):
            raise self._refusal(client, wait_s)

    def is_solved(self, client: str, proof: str | None) -> bool:
        """Whether it is an unspent solution of a challenge for the client's network."""
        return proof is not None and self._challenges.accepts(proof, _network_of(client))

    def take(self, client: Client) -> Client:
        """Count an upload that begins. Raises ProofRequired, and then counts none.

        Returns the client, as one that has proven its work if a solution was needed and is spent.
        """
        if not self.is_asked(client):
            return client
        if client.proof and self._challenges.spend(client.proof, _network_of(client.id)):
            return replace(client, has_proven=True)
        if wait_s := self._slow_lane.take(client.id):
            raise self._refusal(client, wait_s)
        return client

    def priority_of(self, client: Client) -> Priority:
        """The priority of an upload that came in: while solutions are asked for, those without one come later.

        So what a flood got in before it was noticed, or by the slow lane, isn't in front of those who did the work.
        """
        return Priority.PREWARM if self.is_asked(client) and not client.has_proven else Priority.VIEW

    def is_asked(self, client: Client) -> bool:
        """Whether the client has to solve a challenge before it begins an upload, or take the slow lane.

        A guest link exempts nobody: where anyone may upload, anyone can make one, and hand it to a flood.
        """
        if client.access_key is not None or client.user is not None:
            return False
        return self._when == ALWAYS or (self._when == AUTO and self._is_hot(client.id))

    def _is_hot(self, client: str) -> bool:
        uploads_are_hot = any(rate.is_hot(client, HOT_UPLOADS) for rate in (self._uploads, self._refused))
        return uploads_are_hot or self._minute_bytes.is_hot(client, HOT_BYTES)

    def _refusal(self, client: Client, retry_after_s: int) -> ProofRequired:
        if not self._refused.is_hot(client.id, COOLING):
            self._refused.charge(client.id, 1)
        challenge = self._challenges.issue(_network_of(client.id))
        return ProofRequired(challenge, is_again=client.proof is not None, retry_after_s=retry_after_s)


def _network_of(client: str) -> str:
    """A challenge is for a whole network: each upload takes a new one anyway, from whichever address it comes."""
    return prefix_of(client) or client
