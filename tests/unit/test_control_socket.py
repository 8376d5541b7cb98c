"""The lock on the data directory and the control socket in it."""

import multiprocessing
import os
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.access.ban_orders import BanOrder
from appliance.access.orders import KeyOrder
from appliance.catalogue.change_log import Turn
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed, Conflict, DataDirectoryLocked, ServerNotRunning, UnfitInstallation
from appliance.reinspection.steps import Step, StepRequest
from appliance.server.control import (
    Commands,
    ask_end_change_log,
    ask_expire,
    ask_forget_node,
    ask_log_changes,
    ask_only_on_node,
    ask_reinspect,
    ask_status,
    ask_takedown,
    listening,
)
from appliance.server.data_dir_lock import owned_data_dir


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_dir=tmp_path / "data")


class Server:
    """Carries out commands by noting them."""

    def __init__(self) -> None:
        self.fault: Exception | None = None

    async def expire(self, *, clock_confirmed: bool) -> int:
        if self.fault:
            raise self.fault
        return 7 if clock_confirmed else 3

    async def drain(self, drained: bool, announced: bool) -> None:
        self.drained, self.announced = drained, announced

    async def take_down(self, slug: str) -> str:
        return f"took down {slug}"

    async def reinspect(self, request: StepRequest) -> Step:
        return Step(request.after, request.looked_at + 1, {"changed": 1}, ("one",))

    async def key(self, order: KeyOrder) -> Mapping[str, Any]:
        return {"keys": [order.name], "text": order.verb}

    async def ban(self, order: BanOrder) -> Mapping[str, Any]:
        return {"bans": [order.whom, order.verb]}

    async def forget_node(self, name: str) -> None:
        if name != "box-1":
            raise CommandFailed(f"There is no node {name!r}.")

    async def log_changes(self) -> Turn:
        return Turn(3, "a token")

    async def end_change_log(self) -> None:
        raise CommandFailed("The catalogue is in a database.")

    async def only_on_node(self, name: str) -> list[str]:
        return [f"only on {name}"]

    async def metrics(self) -> str:
        return "appliance_uploads_total 1.0"

    async def status(self) -> Mapping[str, Any]:
        return {"listen": "127.0.0.1:8080"}


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Server]:
    server = Server()
    with owned_data_dir(config):
        async with listening(
            config,
            Commands(
                server.expire,
                server.status,
                server.drain,
                server.take_down,
                server.reinspect,
                server.key,
                server.ban,
                server.forget_node,
                server.log_changes,
                server.end_change_log,
                server.only_on_node,
                server.metrics,
            ),
        ):
            yield server


def _own_briefly(data_dir: Path, outcome: "multiprocessing.SimpleQueue[str]") -> None:
    try:
        with owned_data_dir(Config(data_dir=data_dir)):
            outcome.put("owned")
    except DataDirectoryLocked as error:
        outcome.put(error.detail)


def outcome_in_another_process(data_dir: Path) -> str:
    context = multiprocessing.get_context("spawn")
    outcome: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    process = context.Process(target=_own_briefly, args=(data_dir, outcome))
    process.start()
    process.join()
    return outcome.get()


def test_a_second_process_learns_which_one_owns_the_data_directory(config: Config) -> None:
    with owned_data_dir(config):
        assert f"process {os.getpid()}." in outcome_in_another_process(config.data_dir)
    assert outcome_in_another_process(config.data_dir) == "owned"


def test_the_data_directory_is_made_for_its_owner_alone(config: Config) -> None:
    with owned_data_dir(config):
        assert stat.S_IMODE(config.data_dir.stat().st_mode) == 0o700


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnfitInstallation, match="file/data"), owned_data_dir(Config(data_dir=tmp_path / "file/data")):
        pass


async def test_commands_reach_the_running_server(config: Config) -> None:
    async with running(config):
        assert await ask_status(config) == {"pid": os.getpid(), "listen": "127.0.0.1:8080"}
        assert await ask_expire(config, clock_confirmed=False) == 3
        assert await ask_expire(config, clock_confirmed=True) == 7
        assert await ask_takedown(config, "cat") == "took down cat"
        step = await ask_reinspect(config, StepRequest(after="cat", looked_at=4))
        assert step == Step("cat", 5, {"changed": 1}, ("one",))
        assert await ask_only_on_node(config, "box-1") == ["only on box-1"]
        await ask_forget_node(config, "box-1")
        with pytest.raises(CommandFailed, match="no node 'box-2'"):
            await ask_forget_node(config, "box-2")
        assert await ask_log_changes(config) == Turn(3, "a token")
        with pytest.raises(CommandFailed, match="in a database"):
            await ask_end_change_log(config)


async def test_a_named_error_of_the_server_reaches_the_person(config: Config) -> None:
    async with running(config) as server:
        server.fault = Conflict("An expiry is running already.")
        with pytest.raises(CommandFailed, match="An expiry is running already"):
            await ask_expire(config, clock_confirmed=False)


async def test_an_unforeseen_error_of_the_server_shows_no_internals(config: Config) -> None:
    async with running(config) as server:
        server.fault = ValueError("internals")
        with pytest.raises(CommandFailed, match="See the server log"):
            await ask_expire(config, clock_confirmed=False)


async def test_without_a_server_the_command_says_so(config: Config) -> None:
    with pytest.raises(ServerNotRunning):
        await ask_status(config)
    config.data_dir.mkdir()
    with pytest.raises(ServerNotRunning):
        await ask_status(config)


async def test_a_socket_left_by_a_dead_server_is_replaced(config: Config) -> None:
    config.data_dir.mkdir()
    config.control_path.touch()
    with pytest.raises(ServerNotRunning):
        await ask_status(config)
    async with running(config):
        assert (await ask_status(config))["pid"] == os.getpid()
    assert not config.control_path.exists()


async def test_only_the_servers_user_may_open_the_socket(config: Config) -> None:
    async with running(config):
        assert stat.S_IMODE(config.control_path.stat().st_mode) == 0o600


async def test_a_data_directory_deeper_than_a_socket_path_may_be_long_works(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path / ("d" * 120) / ("e" * 120))
    async with running(config):
        assert await ask_expire(config, clock_confirmed=False) == 3
