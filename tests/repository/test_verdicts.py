"""What the benchmarks say of image servers: which answers count, when a row is won, and when a goal is met."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.error import HTTPError

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from benchmarks import all_sizes, design_load, verdicts
from benchmarks.cold_renditions import Measured, Row, outcome
from benchmarks.load.open_loop import MIX, Outcome
from benchmarks.peers.comparison import OURS, Comparison
from benchmarks.peers.images import ImagePeer
from benchmarks.verdicts import Verdict, answer, together
from tests.support.images import pictures

SMALL, LARGE = pictures.saved(pictures.quarters(64, 64), "jpeg"), pictures.saved(pictures.quarters(640, 640), "jpeg")


async def with_status(request: web.Request) -> web.Response:
    return web.Response(status=int(request.match_info["status"]), body=SMALL)


async def in_silence(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def uploaded(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"slug": request.query["filename"].rpartition(".")[2]})


async def of_ours(request: web.Request) -> web.Response:
    return web.Response(body=LARGE if request.match_info["slug"] == "png" else SMALL)


async def of_jpegs_alone(request: web.Request) -> web.Response:
    return web.Response(body=SMALL) if request.match_info["name"].endswith(".jpg") else web.Response(status=415)


async def of_all(_: web.Request) -> web.Response:
    return web.Response(body=LARGE)


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_get("/status/{status}", with_status)
    app.router.add_get("/silence", in_silence)
    app.router.add_post("/api/v1/images", uploaded)
    app.router.add_get("/i/{slug}/{size}", of_ours)
    app.router.add_get("/all/{name}", of_all)
    app.router.add_get("/jpegs/{name}", of_jpegs_alone)
    running = TestServer(app)
    await running.start_server()
    yield running
    await running.close()


async def answered(server: TestServer, path: str, format: str = "jpg") -> bytes | None:
    return await asyncio.to_thread(answer, str(server.make_url(path)), format)


async def test_an_answer_counts_if_it_is_in_the_format(server: TestServer) -> None:
    assert await answered(server, "/status/200") == SMALL
    assert await answered(server, "/status/200", "webp") is None


@pytest.mark.parametrize("status", verdicts.NOT_MADE)
async def test_a_format_may_be_one_that_a_server_does_not_make(server: TestServer, status: int) -> None:
    assert await answered(server, f"/status/{status}") is None


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_a_failure_is_not_taken_for_a_missing_format(server: TestServer, status: int) -> None:
    with pytest.raises(HTTPError):
        await answered(server, f"/status/{status}")


async def test_a_server_that_never_answers_is_given_up(server: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "TIMEOUT_S", 0.2)
    with pytest.raises(TimeoutError):
        await answered(server, "/silence")


async def test_a_mixed_row_is_judged_by_all_its_photographs(server: TestServer, tmp_path: Path) -> None:
    def peer(name: str) -> ImagePeer:
        return ImagePeer(name, cast("Any", None), lambda source, *_: str(server.make_url(f"/{name}/{source}")))

    ours = cast("Any", SimpleNamespace(url=str(server.make_url("/")).rstrip("/")))
    held = Comparison(ours, tmp_path, [peer("all"), peer("jpegs")])
    png = pictures.saved(pictures.quarters(64, 64), "png")
    row = Row("mixed", [lambda: SMALL, lambda: png], 256, is_scored=False)
    measured = await asyncio.to_thread(Measured, held, row, 2, 1)
    assert measured.verdicts == {
        OURS: Verdict(round((len(SMALL) + len(LARGE)) / 2), ()),
        "all": Verdict(len(LARGE), ()),
    }
    assert [*measured.measures()] == [OURS, "all"]


def test_verdicts_of_several_answers_keep_every_score() -> None:
    assert together([Verdict(100, (80.0,)), Verdict(200, (70.0,))]) == Verdict(150, (80.0, 70.0))


OUTCOMES: dict[str, tuple[float, Verdict, Verdict]] = {
    "won": (1.0, Verdict(100, (80.0,)), Verdict(100, (80.0,))),
    "no score": (1.0, Verdict(100, ()), Verdict(100, ())),
    "behind: rate": (0.99, Verdict(100, ()), Verdict(100, ())),
    "behind: bytes": (2.0, Verdict(102, (80.0,)), Verdict(100, (80.0,))),
    "behind: score": (2.0, Verdict(100, (90.0, 79.0)), Verdict(100, (80.0, 80.0))),
    "behind: rate, bytes, score": (0.5, Verdict(102, (79.0,)), Verdict(100, (80.0,))),
}


@pytest.mark.parametrize("words", OUTCOMES)
def test_a_row_says_that_it_is_won_or_what_is_behind(words: str) -> None:
    assert outcome(*OUTCOMES[words]) == words


@pytest.mark.parametrize(
    ("name", "lead", "words"),
    [
        ("sharp 0.35", 2.5, ">= 2.5: met"),
        ("sharp 0.35", 2.49, ">= 2.5: missed"),
        ("oximg 0.18.1", 3.9, ">= 4: missed"),
        ("thumbor 7.8", 9.0, ""),
    ],
)
def test_all_sizes_say_whether_the_goal_is_met(name: str, lead: float, words: str) -> None:
    assert all_sizes.outcome(name, lead) == words


def step(multiple: float, view_s: float) -> design_load.Step:
    outcomes = [Outcome(kind, view_s, None) for kind in MIX for _ in range(20)]
    return design_load.Step(2, multiple, 20.0, outcomes, design_load.Used(9.0, 0.0, 1.0, 1.0, 1.0), 0.0)


@pytest.mark.parametrize(("slowest", "words"), [(0.1, ">= 4.5x on 2 cores: met"), (0.4, ">= 4.5x on 2 cores: missed")])
def test_the_design_load_says_whether_the_goal_is_met(slowest: float, words: str) -> None:
    assert words in design_load.model([step(4.0, 0.1), step(4.5, slowest)])[0]
