"""Limits for tests: none, or small ones that a few requests reach."""

from typing import Any

from prometheus_client import CollectorRegistry

from appliance.catalogue import DayBudgetCatalogue
from appliance.config.model import Config, LimitsConfig
from appliance.limits import Limits
from appliance.observability.metrics import Metrics
from appliance.uploads.upload_limits import UploadLimits


def limits_on(config: Config) -> Limits:
    """The limits of a host, at one moment. Nothing is stored for them."""
    rows: Any = DayBudgetCatalogue
    return Limits.of(config, rows=rows, metrics=Metrics(CollectorRegistry()), clock=lambda: 0.0)


def limits_off() -> Limits:
    """Limits of a host that has none."""
    return limits_on(Config())


def uploads_unlimited() -> UploadLimits:
    limits = limits_off()
    return UploadLimits(limits)


def only(**settings: int | str | None) -> LimitsConfig:
    """Limits that are on, and these alone."""
    every: dict[str, Any] = {name: 0 for name in LimitsConfig.__slots__ if name != "mode"}
    every |= {"proof_of_work": "never", "proof_of_work_cost": 1}
    return LimitsConfig(**every | settings, mode="on")
