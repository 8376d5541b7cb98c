"""Proofs of work, made as clients make them."""

from collections.abc import Mapping
from typing import Any

from altcha import Challenge, Payload, solve_challenge

from appliance.http.authentication import PROOF_HEADER


def solution(challenge: Mapping[str, Any]) -> dict[str, str]:
    """The header with the solution of a challenge, which takes about a second."""
    made = Challenge.from_dict(dict(challenge))
    found = solve_challenge(made)
    if found is None:
        raise ValueError("the challenge has no solution that can be found in time")
    return {PROOF_HEADER: Payload(made, found).to_base64()}
