"""Roles, units and dashboards say what is true: every variable is documented, every metric and every unit exists."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from appliance.observability.metrics import Metrics
from tests.support.programs import ROOT

ROLES = sorted((ROOT / "ansible" / "roles").iterdir())
MONITORING = ROOT / "ansible" / "roles" / "monitoring" / "files"
UNITS = ROOT / "systemd"
STORE = {  # of those that MinIO shows at /minio/v2/metrics/cluster
    "minio_cluster_capacity_usable_free_bytes",
    "minio_cluster_capacity_usable_total_bytes",
    "minio_cluster_drive_offline_total",
}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def defaults_of(role: Path) -> dict[str, Any]:
    values: dict[str, Any] = loaded(role / "defaults" / "main.yml")
    return values


def words_of(role: Path) -> str:
    """All tasks, handlers and templates of every role: a variable of one may be used by another."""
    folders = [path for path in role.rglob("*") if path.is_file() and path.parent.name not in ("defaults", "meta")]
    return "\n".join(path.read_text(encoding="utf-8") for path in folders if path.name != "README.md")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_of_a_role_stands_in_its_readme_and_in_its_argument_specs(role: Path) -> None:
    rows = re.findall(r"^\| `([a-z0-9_]+)` \|", (role / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    specs = loaded(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert sorted(rows) == sorted(defaults_of(role)) == sorted(specs)
    assert all(spec["description"].strip().endswith(".") for spec in specs.values())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_readme_gives_the_plain_defaults_as_they_are(role: Path) -> None:
    readme = (role / "README.md").read_text(encoding="utf-8")
    for name, value in defaults_of(role).items():
        if isinstance(value, int | str) and value != "" and "{{" not in str(value):
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            assert f"| `{name}` | `{shown}` |" in readme, name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_of_a_role_is_used(role: Path) -> None:
    used = words_of(role) + (ROOT / "ansible" / "playbooks" / "site.yml").read_text(encoding="utf-8")
    assert [name for name in defaults_of(role) if not re.search(rf"\b{name}\b", used)] == []


@pytest.mark.parametrize(("inventory", "group"), [("example", "appliance"), ("example-cluster", "all")])
def test_the_example_inventories_set_only_variables_that_exist(inventory: str, group: str) -> None:
    known = {name for role in ROLES for name in defaults_of(role)}
    assert set(loaded(ROOT / "ansible" / "inventory" / f"{inventory}.yml")[group]["vars"]) - known == set()


def series() -> set[str]:
    """Every time series that the server may show, by the names that Prometheus stores."""
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    registry = CollectorRegistry()
    Metrics(registry)
    return {f"{metric.name}{suffix}" for metric in registry.collect() for suffix in suffixes[metric.type]}


def labels() -> set[str]:
    metrics = vars(Metrics(CollectorRegistry())).values()
    return {label for metric in metrics for label in getattr(metric, "_labelnames", ())}


def expressions() -> Iterator[str]:
    for group in loaded(MONITORING / "alerts.yml")["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_alerts_and_dashboard_name_only_metrics_and_labels_that_server_and_store_have() -> None:
    known = labels() | {"job", "le"}
    assert len(list(expressions())) > 20
    for expression in expressions():
        assert set(re.findall(r"\bappliance_[a-z_]+", expression)) - series() == set(), expression
        assert set(re.findall(r"\bminio_[a-z_]+", expression)) - STORE == set(), expression
        wanted = re.findall(r"([a-z_]+)(?:=~|!~|!=|=)\"", expression)
        wanted += [name for by in re.findall(r"\bby \(([^)]*)\)", expression) for name in by.split(", ")]
        assert set(wanted) - known == set(), expression


def test_the_dashboard_shows_every_metric() -> None:
    shown = set(re.findall(r"\bappliance_[a-z_]+", (MONITORING / "dashboard.json").read_text(encoding="utf-8")))
    hidden = {name.removesuffix("_bucket") for name in series() if not name.endswith(("_sum", "_count"))}
    assert {name for name in hidden if name not in shown and f"{name}_bucket" not in shown} == set()


def test_every_alert_says_what_happened_and_what_to_do() -> None:
    for group in loaded(MONITORING / "alerts.yml")["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]


def test_every_unit_is_installed_by_a_role_and_every_installed_unit_exists() -> None:
    installed = set()
    for role in ROLES:
        installed |= set(re.findall(r"\b[a-z-]+\.(?:service|socket|slice|timer)\b", words_of(role)))
    units = {path.name for path in UNITS.iterdir() if path.suffix in (".service", ".socket", ".slice", ".timer")}
    assert units - installed == set()
    assert installed - units - {"nftables.service"} == set()
