"""The commands on the terminal: exit statuses, and words on standard error instead of traces."""

import tomllib
from pathlib import Path

import pytest

from appliance.cli import main

COMMANDS = [
    ["serve"],
    ["config"],
    ["doctor"],
    ["expire"],
    ["reinspect"],
    ["forget-node", "box-1"],
    ["takedown", "https://img.example.com/i/0000000000000000A"],
    ["catalogue", "rebuild"],
    ["catalogue", "check"],
    ["catalogue", "copy", "--abandon"],
    ["key", "list"],
    ["key", "revoke", "scanner"],
    ["catalogue", "backup"],
]


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPLIANCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("APPLIANCE_CONFIG", "")
    return tmp_path / "data"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_takes_a_config_file(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    assert "--config FILE" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["fly"],
        ["takedown"],
        ["catalogue"],
        ["catalogue", "copy"],
        ["catalogue", "backup"],
        ["config", "--file", "x"],
    ],
)
def test_a_command_line_that_cannot_be_read_is_exit_status_2(command: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(command)
    assert caught.value.code == 2


def test_config_prints_what_is_in_force_as_toml(capsys: pytest.CaptureFixture[str], data_dir: Path) -> None:
    assert main(["config"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["data_dir"] == str(data_dir)


@pytest.mark.parametrize("command", COMMANDS[:-1], ids=" ".join)
def test_a_mistake_in_the_configuration_is_exit_status_1_with_a_line_for_it(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "appliance.toml"
    file.write_text('[server]\nlisten = "nowhere"\nlog_levle = "info"')
    assert main([*command, "--config", str(file)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    title, *lines = captured.err.splitlines()
    assert title == "appliance: The configuration has errors:"
    assert [line.split()[0] for line in lines] == ["server.log_levle", "server.listen"]
