"""`appliance reinspect` on the terminal: its pace, where it begins, and what it says when it can't go on."""

from collections import Counter
from collections.abc import Iterable

import pytest

from appliance.cli import main
from appliance.commands.reinspect import ReinspectOptions, steps, summarize
from appliance.domain.errors import CommandFailed, StoreUnavailable
from appliance.reinspection.steps import Step, StepRequest, Verdict


class Server:
    """Takes three steps, each in a quarter of a second by the test's own clock."""

    def __init__(self, after: Iterable[str | None] = ("a", "b", None)) -> None:
        self.requests: list[StepRequest] = []
        self.slept_s: list[float] = []
        self.now_s = 0.0
        self._after = list(after)

    async def take(self, request: StepRequest) -> Step:
        self.requests.append(request)
        self.now_s += 0.25
        return Step(self._after.pop(0), 10 * len(self.requests), {"changed": 1}, ("one",))

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)

    async def run(self, options: ReinspectOptions) -> list[Step]:
        return [step async for step in steps(options, self.take, clock=lambda: self.now_s, sleep=self.sleep)]


async def test_it_rests_between_steps_so_that_the_rate_is_kept() -> None:
    server = Server()
    await server.run(ReinspectOptions(rate=10))
    assert {request.max_images for request in server.requests} == {10}
    assert server.slept_s == [0.75, 0.75]


async def test_a_slow_rate_is_one_image_now_and_then() -> None:
    server = Server()
    await server.run(ReinspectOptions(rate=0.5))
    assert {request.max_images for request in server.requests} == {1}
    assert server.slept_s == [1.75, 1.75]


async def test_a_host_that_is_slower_than_the_rate_gets_no_rest_to_make_up_for() -> None:
    server = Server()
    await server.run(ReinspectOptions(rate=10_000))
    assert server.slept_s == [0, 0]


async def test_each_step_begins_where_the_last_one_ended() -> None:
    server = Server()
    await server.run(ReinspectOptions(examples=2))
    assert [(request.after, request.looked_at) for request in server.requests] == [(None, 0), ("a", 10), ("b", 20)]
    assert [request.max_examples for request in server.requests] == [2, 1, 0]


async def test_a_restart_begins_with_the_first_image() -> None:
    server = Server()
    await server.run(ReinspectOptions(restart=True))
    assert [request.after for request in server.requests] == ["", "a", "b"]


async def test_what_ends_a_run_says_how_to_continue() -> None:
    async def away(_request: StepRequest) -> Step:
        raise StoreUnavailable("The store is away.")

    with pytest.raises(CommandFailed, match=r"^The store is away\. What was done is kept\. Run the same command again"):
        [step async for step in steps(ReinspectOptions(), away)]
    with pytest.raises(CommandFailed, match="Nothing was changed"):
        [step async for step in steps(ReinspectOptions(dry_run=True), away)]


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf"])
def test_a_rate_that_is_none_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reinspect", f"--rate={rate}"]) == 1
    assert "`--rate`" in capsys.readouterr().err


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        *[(verdict, 0) for verdict in (Verdict.CHANGED, Verdict.READY, Verdict.ORIGINAL_ONLY, Verdict.CLEANED)],
        *[(Verdict.KEPT, 0), (Verdict.UNSHIPPED, 1), (Verdict.NOT_REMOVABLE, 1), (Verdict.UNREADABLE, 1)],
        *[(Verdict.MISSING, 1), (Verdict.DIFFERENT, 1), (Verdict.FAILED, 1)],
    ],
)
def test_the_exit_status_tells_whether_something_could_not_be_done(
    verdict: Verdict, status: int, dry_run: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert summarize(5, Counter({verdict.value: 2}), dry_run=dry_run) == status
    counted = capsys.readouterr().out.splitlines()[1]
    assert counted.split()[0] == "2"
    assert len(counted.split()) > 1, "it says of what"
