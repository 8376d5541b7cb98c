"""What does an upload cost that is refused under attack: by a ban, or for want of a proof of work?"""

import os
import subprocess
import time
import urllib.error
import urllib.request

from altcha import Challenge, Payload, solve_challenge

from appliance.access.ban_list import BanList
from appliance.config.model import LimitsConfig
from appliance.domain.bans import Ban
from appliance.limits.challenges import Challenges
from benchmarks.harness import OURS, RunningServer, report, server

UPLOADS = 500
BANS = 100_000
CALLS = 100_000
CHALLENGES = 1_000
BODY = bytes(1000)
HOME = "192.0.2.0/24"

QUESTION = (
    "What does a refused upload cost? Processor time of the server for one, each with a new connection; then what its\n"
    "parts take: looking up who is banned, with 100,000 bans of single addresses and networks; a challenge; checking\n"
    "its solution, which costs its client some 4,096 times as much."
)


def _refused_us(running: RunningServer, status: int) -> float:
    before_s = running.cpu_s()
    for _ in range(UPLOADS):
        request = urllib.request.Request(f"{running.url}/api/v1/images", data=BODY, method="POST")
        try:
            urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as refused:
            refused.read()
            if refused.code != status:
                raise SystemExit(f"expected {status}, got {refused.code}") from refused
    return (running.cpu_s() - before_s) / UPLOADS * 1e6


def _ban(running: RunningServer, whom: str) -> None:
    environment = os.environ | {"APPLIANCE_DATA_DIR": str(running.data_dir)}
    subprocess.run([OURS, "ban", "add", whom, "--force"], env=environment, check=True, stderr=subprocess.DEVNULL)


def _use_slow_lane(running: RunningServer) -> None:
    for _ in range(100):
        request = urllib.request.Request(f"{running.url}/api/v1/images", data=BODY, method="POST")
        try:
            urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as refused:
            if refused.code == 428:
                return
    raise SystemExit("the slow lane has no end")


def _ban_list() -> BanList:
    addresses = (f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}/32" for number in range(BANS - 200))
    networks = (f"172.{16 + number % 16}.{number}.0/24" for number in range(100))
    sites = (f"2001:db8:{number:x}::/48" for number in range(100))
    return BanList(Ban(subject, "", 0) for subject in (*addresses, *networks, *sites))


def _look_up_us(bans: BanList, client: str) -> float:
    began_s = time.thread_time()
    for _ in range(CALLS):
        bans.of_address(client, 0.0, viewing=False)
    return (time.thread_time() - began_s) / CALLS * 1e6


def _challenge_us() -> tuple[float, float]:
    """Microseconds of making a challenge, and of checking a solution for the first time."""
    challenges = Challenges(LimitsConfig().proof_of_work_cost, clock=time.time)
    began_s = time.thread_time()
    for _ in range(CHALLENGES):
        challenges.issue(HOME)
    made_us = (time.thread_time() - began_s) / CHALLENGES * 1e6
    challenge = Challenge.from_dict(dict(challenges.issue(HOME)))
    solution = solve_challenge(challenge)
    if solution is None:
        raise SystemExit("the challenge was not solved in time")
    proof = Payload(challenge, solution).to_base64()
    began_s = time.thread_time()
    if not challenges.accepts(proof, HOME):
        raise SystemExit("the solution is not accepted")
    return made_us, (time.thread_time() - began_s) * 1e6


def main() -> None:
    rows: list[tuple[str, str]] = []
    with server(LIMITS_MODE="on") as running:
        _ban(running, "127.0.0.1")
        rows.append(("upload of a banned client", f"{_refused_us(running, 403):,.0f}"))
    with server(LIMITS_MODE="on", LIMITS_PROOF_OF_WORK="always") as running:
        _use_slow_lane(running)
        rows.append(("upload without a proof of work", f"{_refused_us(running, 428):,.0f}"))
    bans = _ban_list()
    made_us, checked_us = _challenge_us()
    rows += [
        ("looking up a banned address", f"{_look_up_us(bans, '10.0.9.9'):.2f}"),
        ("looking up one that is not banned", f"{_look_up_us(bans, '192.0.2.1'):.2f}"),
        ("the same in IPv6", f"{_look_up_us(bans, '2001:db8:ffff:1::/64'):.2f}"),
        ("making a challenge", f"{made_us:.0f}"),
        ("checking a solution", f"{checked_us:.0f}"),
    ]
    report("cost_of_refusals", QUESTION, ("what", "µs"), rows)


if __name__ == "__main__":
    main()
