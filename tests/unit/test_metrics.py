"""The metrics: names, units, help, and that they count."""

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest

from appliance.observability.metrics import Metrics

UNITS = ("_total", "_seconds", "_bytes", "_jobs", "_workers", "_clients", "_requests", "_segments", "_tags", "_up")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry)


def exposed_name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def test_every_metric_has_help_our_prefix_and_a_unit(registry: CollectorRegistry, metrics: Metrics) -> None:
    collected = list(registry.collect())
    assert len(collected) > 20
    for metric in collected:
        assert metric.documentation.endswith("."), metric.name
        assert metric.name.startswith("appliance_"), metric.name
        assert exposed_name(metric).endswith(UNITS), metric.name


def test_a_request_is_counted_by_route_method_and_status_class(registry: CollectorRegistry, metrics: Metrics) -> None:
    metrics.request_done("/i/{slug}", "GET", 404, 0.002)
    labels = {"route": "/i/{slug}", "method": "GET"}
    assert registry.get_sample_value("appliance_requests_total", {**labels, "status": "4xx"}) == 1
    assert registry.get_sample_value("appliance_request_seconds_count", labels) == 1


def test_a_followed_gauge_is_read_at_each_scrape(registry: CollectorRegistry, metrics: Metrics) -> None:
    waiting = [3.0]
    metrics.follow(metrics.queue_jobs, lambda: waiting[0])
    assert b"appliance_queue_jobs 3.0" in generate_latest(registry)
    waiting[0] = 5.0
    assert b"appliance_queue_jobs 5.0" in generate_latest(registry)


def test_two_servers_in_one_process_do_not_share_numbers() -> None:
    first, second = CollectorRegistry(), CollectorRegistry()
    Metrics(first).shipped.inc()
    Metrics(second)
    assert second.get_sample_value("appliance_shipped_total") == 0
