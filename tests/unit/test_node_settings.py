"""The settings of a node, and what it is called where they don't say."""

import socket
from pathlib import Path

import pytest

from appliance.config import node_name as naming
from appliance.config.load import load
from appliance.config.model import NodeConfig
from appliance.config.node_name import node_name
from appliance.domain.errors import ConfigError

GOOD = {"LISTEN": "10.0.0.5:8090", "SECRET": "s" * 32, "NAME": "box-1"}
DATABASE = {"APPLIANCE_CATALOGUE_URL": "postgresql://db/appliance"}


def environ(**changed: str) -> dict[str, str]:
    return {f"APPLIANCE_NODE_{name}": value for name, value in (GOOD | changed).items()}


def test_a_node_is_reached_where_it_listens_and_its_keys_are_those_of_all_nodes() -> None:
    config = load(None, DATABASE | environ(), Path("nowhere")).config
    assert config.is_node
    assert config.node_key("one purpose") != config.node_key("another")
    assert "ssss" not in repr(config)


def test_a_server_without_a_listener_for_nodes_is_alone() -> None:
    config = load(None, environ(LISTEN=""), Path("nowhere")).config
    assert not config.is_node
    assert config.node_key("one purpose") is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"NAME": "Box 1"}, "node.name"),
        ({"NAME": "b" * 41}, "node.name"),
        ({"LISTEN": "8090"}, "node.listen"),
        ({"LISTEN": "0.0.0.0:8090"}, "node.url"),
        ({"URL": "10.0.0.5:8090"}, "node.url"),
        ({"SECRET": "too short"}, "node.secret"),
        ({"SECRET": ""}, "node.secret"),
    ],
)
def test_what_a_node_can_not_mean_is_refused(changed: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(None, DATABASE | environ(**changed), Path("nowhere"))
    assert said in raised.value.detail


def test_a_node_needs_a_catalogue_that_can_be_shared() -> None:
    with pytest.raises(ConfigError, match="servers can't share a catalogue in a file"):
        load(None, environ(), Path("nowhere"))


@pytest.mark.parametrize(
    ("cgroup", "name"),
    [
        ("0::/system.slice/system-appliance.slice/appliance@2.service\n", "box-7-2"),
        ("0::/user.slice/user@1000.service/app.slice/terminal.scope\n", "box-7"),
        (None, "box-7"),
    ],
)
def test_the_default_name_is_that_of_the_machine_and_the_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cgroup: str | None, name: str
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Box_7.example.org")
    monkeypatch.setattr(naming, "OWN_CGROUP", tmp_path / "cgroup")
    if cgroup is not None:
        (tmp_path / "cgroup").write_text(cgroup)
    assert node_name(NodeConfig()) == name
    assert node_name(NodeConfig(name="one")) == "one"
