"""Challenges: a solution counts once, for its network and its time, and nothing that is forged counts at all."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge

from appliance.limits.challenges import KEY_PREFIX, MAX_PROOF_CHARS, VALID_S, Challenges

HERE, ELSEWHERE = "192.0.2.0/24", "198.51.100.0/24"


class Clock:
    now_s = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def challenges(clock: Clock) -> Challenges:
    return Challenges(1, clock=clock, max_remembered=2)


def solved(challenges: Challenges, network: str = HERE) -> str:
    challenge = Challenge.from_dict(dict(challenges.issue(network)))
    solution = solve_challenge(challenge)
    assert solution is not None
    return str(Payload(challenge, solution).to_base64())


def test_a_solution_counts_once(challenges: Challenges) -> None:
    proof = solved(challenges)
    assert challenges.accepts(proof, HERE)
    assert challenges.accepts(proof, HERE)
    assert challenges.spend(proof, HERE)
    assert not challenges.spend(proof, HERE)
    assert not challenges.accepts(proof, HERE)


def test_the_same_solution_written_otherwise_is_the_same(challenges: Challenges) -> None:
    proof = solved(challenges)
    known = json.loads(base64.b64decode(proof))
    known["solution"]["time"] = 12345
    again = base64.b64encode(json.dumps(known, indent=1).encode()).decode()
    assert challenges.spend(proof, HERE)
    assert not challenges.spend(again, HERE)


def test_it_is_for_one_network_and_for_some_minutes(challenges: Challenges, clock: Clock) -> None:
    proof = solved(challenges)
    assert not challenges.spend(proof, ELSEWHERE)
    clock.now_s += VALID_S - 1
    assert challenges.accepts(proof, HERE)
    clock.now_s += 1
    assert not challenges.accepts(proof, HERE)


def test_another_server_or_run_accepts_none_of_it(challenges: Challenges, clock: Clock) -> None:
    assert not Challenges(1, clock=clock).accepts(solved(challenges), HERE)


def test_a_spent_one_that_had_to_be_forgotten_does_not_count_again(challenges: Challenges, clock: Clock) -> None:
    first = solved(challenges)
    assert challenges.spend(first, HERE)
    clock.now_s += 1
    assert all(challenges.spend(solved(challenges), HERE) for _ in range(2))
    assert not challenges.spend(first, HERE)
    clock.now_s += 1
    assert challenges.spend(solved(challenges), HERE)


def _with(known: dict[str, Any], part: str, **values: object) -> dict[str, Any]:
    target = known["solution"] if part == "solution" else known["challenge"]["parameters"]
    target.update(values)
    return known


FORGERIES: list[Callable[[dict[str, Any]], Any]] = [
    lambda known: _with(known, "parameters", cost=0),
    lambda known: _with(known, "parameters", keyPrefix=""),
    lambda known: _with(known, "parameters", nonce="00" * 16),
    lambda known: _with(known, "parameters", data={"network": HERE, "until": 1_790_000_300}),
    lambda known: _with(known, "parameters", data=None),
    lambda known: _with(known, "parameters", data={"network": HERE, "until": True}),
    lambda known: _with(known, "solution", counter=known["solution"]["counter"] + 1),
    lambda known: _with(known, "solution", counter=-1),
    lambda known: _with(known, "solution", counter=2**70),
    lambda known: _with(known, "solution", counter="x"),
    lambda known: _with(known, "solution", derivedKey=KEY_PREFIX + "0" * 61),
    lambda known: _with(known, "solution", derivedKey=7),
    lambda known: known["challenge"].update(signature="0" * 64) or known,
    lambda known: known["challenge"].update(signature=None) or known,
    lambda known: known["challenge"],
    lambda known: [known],
    lambda known: None,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_nothing_forged_counts(challenges: Challenges, forge: Callable[[dict[str, Any]], Any]) -> None:
    forged = forge(json.loads(base64.b64decode(solved(challenges))))
    proof = base64.b64encode(json.dumps(forged).encode()).decode()
    assert not challenges.accepts(proof, HERE)


@pytest.mark.parametrize(
    "text", ["", "x", "=", "ä", "A" * (MAX_PROOF_CHARS + 4), base64.b64encode(b"[" * 1500).decode()]
)
def test_what_is_no_solution_is_none(challenges: Challenges, text: str) -> None:
    assert not challenges.accepts(text, HERE)


def test_a_wrong_solution_spends_its_challenge(challenges: Challenges) -> None:
    proof = solved(challenges)
    known = json.loads(base64.b64decode(proof))
    right = known["solution"]["counter"]
    known["solution"]["counter"] = right + 1
    assert not challenges.accepts(base64.b64encode(json.dumps(known).encode()).decode(), HERE)
    assert not challenges.accepts(proof, HERE)
