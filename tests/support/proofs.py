"""Solving challenges, as programs do."""

from typing import Any

from altcha import Challenge, Payload, solve_challenge


def solution(challenge: dict[str, Any]) -> str:
    """The solution as the header and the field of a form have it."""
    made = Challenge.from_dict(challenge)
    found = solve_challenge(made)
    assert found is not None
    return str(Payload(made, found).to_base64())
