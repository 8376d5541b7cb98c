"""The doctor on the network: what it can't reach, and why, against real sockets and a real filter."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config.model import Config, Store
from appliance.config.sections.catalogue import CatalogueConfig
from appliance.doctor import network
from appliance.doctor.findings import Level
from appliance.doctor.network import Endpoint, find_obstacle
from tests.support.programs import require

FILTERED = """
import asyncio, json
from appliance.doctor.network import Endpoint, find_obstacle
print(json.dumps(asyncio.run(find_obstacle(Endpoint("database", "10.9.8.7", 5432)))))
"""
RULES = "table ip filter { chain out { type filter hook output priority 0; ip daddr 10.9.8.7 drop; }; }"
SETUP = """
ip link set lo up && ip address add 10.9.8.7/32 dev lo && nft -f - <<'END'
%s
END
exec "$@"
"""


@pytest.fixture
def listening() -> Iterator[int]:
    """A port that is listened on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that answers no more connections, as behind a firewall that drops them."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


async def test_what_can_be_reached_has_no_obstacle(listening: int) -> None:
    assert await find_obstacle(Endpoint("store", "127.0.0.1", listening)) is None


async def test_a_port_that_nobody_listens_on_is_refused(unused_tcp_port: int) -> None:
    assert "refused" in str(await find_obstacle(Endpoint("database", "127.0.0.1", unused_tcp_port)))


async def test_a_machine_that_says_nothing_times_out(silent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "WITHIN_S", 0.2)
    assert "a firewall drops it, or the machine is off" in str(
        await find_obstacle(Endpoint("store", "127.0.0.1", silent))
    )


async def test_a_name_that_nobody_knows_is_named() -> None:
    assert "can't be looked up" in str(await find_obstacle(Endpoint("store", "nowhere.invalid", 9000)))


def test_what_this_machine_itself_filters_is_told_from_a_silent_one() -> None:
    if os.geteuid() != 0:
        require("root", "it makes a network namespace")
    if shutil.which("nft") is None:
        require("nft", "it loads rules; Debian has the package nftables")
    command = ["unshare", "--net", "sh", "-ec", SETUP % RULES, "sh", sys.executable, "-c", FILTERED]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "not permitted by this server's own filter" in json.loads(done.stdout)


async def test_a_host_with_all_on_one_machine_gets_no_line(tmp_path: Path) -> None:
    here = Config(data_dir=tmp_path, store=Store(kind="minio", endpoint="127.0.0.1:9000"))
    assert [finding async for finding in network.network(here)] == []


async def test_a_database_that_fails_is_only_worth_a_warning_while_its_replica_answers(
    tmp_path: Path, listening: int, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_is_here", lambda _host: False)
    url = "postgresql://a:b@127.0.0.1:{},127.0.0.1:{}/a"
    levels = {}
    for first in (listening, unused_tcp_port):
        config = Config(data_dir=tmp_path, catalogue=CatalogueConfig(url=url.format(first, unused_tcp_port)))
        findings = [finding async for finding in network.network(config)]
        levels[first] = [finding.level for finding in findings]
        assert all(f"can't connect to the database at 127.0.0.1:{unused_tcp_port}" in str(each) for each in findings)
    assert levels == {listening: [Level.WARN], unused_tcp_port: [Level.FAULT, Level.FAULT]}


async def test_what_is_reached_is_named_in_one_line(
    tmp_path: Path, listening: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "_is_here", lambda _host: False)
    config = Config(data_dir=tmp_path, catalogue=CatalogueConfig(url=f"postgresql://a@127.0.0.1:{listening}/a"))
    [finding] = [finding async for finding in network.network(config)]
    assert finding.level is Level.OK
    assert finding.words == f"connects to the database at 127.0.0.1:{listening}"
