"""Proofs of work, made as clients make them."""

from collections.abc import Mapping
from typing import Any

from altcha import Challenge, Payload, solve_challenge


def solution(challenge: Mapping[str, Any]) -> str:
    """The solution of a challenge, as the header and the field of a form have it. It takes about a second."""
    made = Challenge.from_dict(dict(challenge))
    found = solve_challenge(made)
    if found is None:
        raise ValueError("the challenge has no solution that can be found in time")
    return str(Payload(made, found).to_base64())
