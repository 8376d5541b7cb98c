"""What one of several processes gets of a machine, and what the settings of several have to be."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.config.load import load
from appliance.config.model import Config
from appliance.domain.errors import ConfigError, UnfitInstallation
from appliance.processes.share import node_address, node_secret, share_of
from appliance.server.sockets import bound

NOWHERE = Path("nowhere")
FOUR = {
    "APPLIANCE_SERVER_PROCESSES": "4",
    "APPLIANCE_CATALOGUE_URL": "postgresql://db/appliance",
    "APPLIANCE_STORE_KIND": "minio",
    "APPLIANCE_STORE_ENDPOINT": "127.0.0.1:9000",
    "APPLIANCE_STORE_ACCESS_KEY": "key",
    "APPLIANCE_STORE_SECRET_KEY": "secret",
    "APPLIANCE_NODE_NAME": "box",
}


def config(**changed: str) -> Config:
    return load(None, FOUR | changed, NOWHERE).config


def share(of: Config, number: int) -> Config:
    return share_of(of, number, node_listen="127.0.0.1:9999", secret="s" * 32)


def test_what_is_the_machines_is_divided() -> None:
    whole = config(APPLIANCE_RENDITIONS_WORKERS="16")
    parts = [share(whole, number) for number in (1, 2, 3, 4)]
    assert [part.renditions.workers for part in parts] == [4, 4, 4, 4]
    for part in parts:
        assert part.cache.all_disk_bytes * 4 == whole.cache.all_disk_bytes
        assert part.cache.memory_bytes * 4 == whole.cache.memory_bytes
        assert part.uploads.spool_bytes * 4 == whole.uploads.spool_bytes
        assert part.limits == whole.limits
        assert part.renditions.heavy_memory_bytes >= part.renditions.memory_bytes
        assert part.server.processes == 1


def test_a_machine_with_fewer_cores_than_processes_has_a_worker_for_each() -> None:
    assert share(config(APPLIANCE_RENDITIONS_WORKERS="2"), 4).renditions.workers == 1


def test_each_process_is_a_node_with_a_folder_a_name_and_addresses_of_its_own() -> None:
    whole = config(APPLIANCE_SERVER_PROCESS_LISTEN="127.0.0.1:8081", APPLIANCE_SERVER_METRICS_LISTEN="127.0.0.1:9180")
    third = share(whole, 3)
    assert third.is_node
    assert (third.node.name, third.data_dir) == ("box-3", whole.data_dir / "node-3")
    assert third.server.process_listen == "127.0.0.1:8083"
    assert third.server.metrics_listen is None  # the process that starts them answers for all


def test_a_long_name_keeps_the_number() -> None:
    name = share(config(APPLIANCE_NODE_NAME="b" * 40), 4).node.name
    assert name is not None
    assert (len(name), name[-3:]) == (40, "b-4")


def test_other_nodes_reach_a_process_at_its_port() -> None:
    alone = config()
    (one,) = bound(node_address(alone, 2))
    with one:
        assert node_address(alone, 2, one) == f"127.0.0.1:{one.getsockname()[1]}"
    among_others = config(APPLIANCE_NODE_LISTEN="10.0.0.5:8090", APPLIANCE_NODE_SECRET="s" * 32)
    assert [node_address(among_others, number) for number in (1, 4)] == ["10.0.0.5:8090", "10.0.0.5:8093"]


def test_the_secret_of_a_machine_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    one = replace(config(), data_dir=tmp_path)
    made = node_secret(one)
    assert len(made) == 64
    assert node_secret(one) == made
    assert one.node_secret_path.stat().st_mode & 0o077 == 0
    assert node_secret(config(APPLIANCE_NODE_SECRET="t" * 32)) == "t" * 32


def test_a_secret_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "node.secret").mkdir()
    with pytest.raises(UnfitInstallation, match=r"node\.secret"):
        node_secret(replace(config(), data_dir=tmp_path))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"APPLIANCE_CATALOGUE_URL": ""}, "processes can't share a catalogue in a file"),
        ({"APPLIANCE_STORE_KIND": "directory"}, "one process owns the directory of a store"),
        ({"APPLIANCE_SERVER_PROCESSES": "0"}, "server.processes"),
        ({"APPLIANCE_SERVER_PROCESS_LISTEN": "127.0.0.1:65533"}, "a port for each of the 4 processes"),
        ({"APPLIANCE_SERVER_PROCESS_LISTEN": "8081"}, "server.process_listen"),
        ({"APPLIANCE_NODE_LISTEN": "10.0.0.5:65535", "APPLIANCE_NODE_SECRET": "s" * 32}, "node.listen"),
        ({"APPLIANCE_NODE_LISTEN": "0.0.0.0:8090", "APPLIANCE_NODE_SECRET": "s" * 32}, "reach this machine"),
        ({"APPLIANCE_NODE_URL": "http://box:8090"}, "no value with several server.processes"),
    ],
)
def test_what_several_processes_can_not_have_is_refused(changed: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config(**changed)
    assert said in raised.value.detail


def test_an_open_address_of_a_process_turns_limits_on() -> None:
    assert not config().limits_on
    assert config(APPLIANCE_SERVER_PROCESS_LISTEN="10.0.0.5:8081").limits_on
