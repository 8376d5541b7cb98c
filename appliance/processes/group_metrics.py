"""The metrics of several processes as one text, where each line has the label `process`."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from appliance.observability.metrics import metrics_text

PROCESS = "process"


def merged(texts: Mapping[int, str]) -> str:
    """One text of those of the processes with these numbers."""
    registry = CollectorRegistry()
    registry.register(_Merged(texts))
    return metrics_text(registry)


class _Merged(Collector):
    """The families of all texts, each family once."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for number, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                whole.samples += self._labelled(family, number)
        return families.values()

    @staticmethod
    def _labelled(family: Metric, number: int) -> Iterator[Sample]:
        for sample in family.samples:
            yield sample._replace(labels={**sample.labels, PROCESS: str(number)})
