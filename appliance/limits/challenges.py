"""Challenges that cost a client some work: ALTCHA's proof of work, version 2.

A challenge is signed, so that nothing of it has to be remembered before it is solved. It is for one network, for some
minutes, and for one upload.
"""

import base64
import heapq
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from altcha import Challenge, Payload, Solution, verify_solution

from appliance.domain.nodes import MAX_CLOCK_SKEW_S

ALGORITHM = "PBKDF2/SHA-256"
"""Browsers have it built in, so a program of somebody who floods is not much faster than a phone."""
KEY_PREFIX = "000"
"""Hexadecimal digits that a derived key must begin with: one key in 4,096 does."""
KEY_BYTES, RANDOM_BYTES = 32, 16
VALID_S = 600
MAX_PROOF_CHARS = 2048
MAX_REMEMBERED = 100_000

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
"""How ALTCHA writes what it signs, as far as our challenges need it. Its library takes five times as long to make one,
which a flood has made hundreds of times a second."""

Name = tuple[str, str]
"""The network that a challenge is for, and its nonce."""


class Challenges:
    """Makes challenges, and lets each solution count once.

    `cost` is the number of iterations that one try takes. What is remembered of solved challenges is bounded: where
    there are too many, those that end first no longer count. Nodes with the same `secret` accept each other's
    challenges; each of them lets a solution count once.
    """

    def __init__(
        self,
        cost: int,
        *,
        clock: Callable[[], float],
        secret: str | None = None,
        max_remembered: int = MAX_REMEMBERED,
    ) -> None:
        self._cost = cost
        self._clock = clock
        self._max_remembered = max_remembered
        self._secret = secret or secrets.token_hex(32)
        self._is_unspent: dict[Name, bool] = {}
        self._ends: list[tuple[int, Name]] = []
        self._refused_until_s = 0

    def issue(self, network: str) -> Mapping[str, Any]:
        """A new challenge in values that JSON has."""
        parameters = {
            "algorithm": ALGORITHM,
            "cost": self._cost,
            "data": {"network": network, "until": int(self._clock()) + VALID_S},
            "keyLength": KEY_BYTES,
            "keyPrefix": KEY_PREFIX,
            "nonce": secrets.token_hex(RANDOM_BYTES),
            "salt": secrets.token_hex(RANDOM_BYTES),
        }
        signed = _CANONICAL.encode(parameters).encode()
        return {"parameters": parameters, "signature": hmac.digest(self._secret.encode(), signed, "sha256").hex()}

    def accepts(self, proof: str, network: str) -> bool:
        """Whether the text (Base64 of JSON, as ALTCHA's widgets send it) solves an unspent challenge of the network."""
        return self._solved(proof, network) is not None

    def spend(self, proof: str, network: str) -> bool:
        """The same, and from now on it is spent."""
        name = self._solved(proof, network)
        if name is None:
            return False
        self._is_unspent[name] = False
        return True

    def _solved(self, proof: str, network: str) -> Name | None:
        """The unspent challenge that is solved, if one is. The work to check a solution is done once."""
        payload = _parse(proof)
        if payload is None:
            return None
        until_s = self._end_of(payload.challenge.parameters.data, network)
        if until_s is None:
            return None
        name = network, str(payload.challenge.parameters.nonce)
        if name not in self._is_unspent:
            result = verify_solution(payload, self._secret)
            if not result.verified and not result.invalid_solution:
                return None  # it is not one of ours
            is_solved = bool(result.verified) and str(payload.solution.derived_key).startswith(KEY_PREFIX)
            self._remember(name, until_s, is_unspent=is_solved)
        return name if self._is_unspent.get(name) else None

    def _end_of(self, data: object, network: str) -> int | None:
        """Until when the challenge with this data is good; None if it isn't, or isn't for the network."""
        if not isinstance(data, dict) or data.get("network") != network:
            return None
        until_s = data.get("until")
        now_s = self._clock()
        is_good = (
            isinstance(until_s, int)
            and max(now_s, self._refused_until_s) < until_s <= now_s + VALID_S + MAX_CLOCK_SKEW_S
        )
        return until_s if is_good else None

    def _remember(self, name: Name, until_s: int, *, is_unspent: bool) -> None:
        self._is_unspent[name] = is_unspent
        heapq.heappush(self._ends, (until_s, name))
        while self._ends[0][0] <= self._clock() or len(self._ends) > self._max_remembered:
            ended_s, forgotten = heapq.heappop(self._ends)
            self._refused_until_s = max(self._refused_until_s, ended_s)
            del self._is_unspent[forgotten]


def _parse(proof: str) -> Payload | None:
    """The solution and its challenge; None for a text that is none."""
    if len(proof) > MAX_PROOF_CHARS:
        return None
    try:
        known = json.loads(base64.b64decode(proof, validate=True))
        return Payload(Challenge.from_dict(known["challenge"]), Solution.from_dict(known["solution"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
