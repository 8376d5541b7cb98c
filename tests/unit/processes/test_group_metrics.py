"""Metrics of several processes as one text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from appliance.observability.metrics import metrics_text
from appliance.processes.group_metrics import merged


def text(number: int) -> str:
    registry = CollectorRegistry()
    Counter("uploads", "Uploads.", ["outcome"], registry=registry).labels('a "b"\\n').inc(number)
    Gauge("in_flight", "Requests.", registry=registry).set(number)
    Histogram("seconds", "Seconds.", buckets=(1, 2), registry=registry).observe(number)
    return metrics_text(registry)


def test_each_family_is_there_once_with_a_line_of_each_process() -> None:
    lines = merged({1: text(1), 2: text(2)}).splitlines()
    assert lines.count("# TYPE uploads_total counter") == 1
    assert 'uploads_total{outcome="a \\"b\\"\\\\n",process="2"} 2.0' in lines
    assert 'in_flight{process="1"} 1.0' in lines
    assert 'seconds_bucket{le="1.0",process="2"} 0.0' in lines
    assert 'seconds_count{process="2"} 1.0' in lines


def test_without_a_process_there_is_nothing() -> None:
    assert merged({}) == ""
