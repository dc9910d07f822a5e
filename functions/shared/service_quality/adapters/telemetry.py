"""Logs and metrics of a function, all under its name and one namespace."""

from collections.abc import Mapping

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "ServiceQuality"


class Telemetry:
    """A function's log and metrics; `metrics.log_metrics` around its handler writes what was counted."""

    def __init__(self, service: str) -> None:
        """Make both for the function of this name."""
        self.service = service
        self.logger = Logger(service=service)
        self.metrics = Metrics(namespace=NAMESPACE, service=service)

    def count(self, counts: Mapping[str, int]) -> None:
        """Add to metrics of these names."""
        for name, count in counts.items():
            self.metrics.add_metric(name, MetricUnit.Count, count)

    def count_by_reason(self, name: str, reasons: Mapping[str, int]) -> None:
        """Count a metric once more by reason, at once."""
        for reason, count in reasons.items():
            self._count_now(name, count, reason=reason)

    def count_by_field(self, name: str, fields: Mapping[str, int]) -> None:
        """Count a metric once more by field, at once."""
        for field, count in fields.items():
            self._count_now(name, count, field=field)

    def observe_model(self, happened: str, fields: dict[str, str]) -> None:
        """Log an event of the champion; a refused model is counted at once, since it may come before any call."""
        self.logger.info(happened, extra=fields)
        if happened == "model_refused":
            self._count_now("RefusedModels", 1)

    def _count_now(self, name: str, count: int, **dimensions: str) -> None:
        with single_metric(name, MetricUnit.Count, count, namespace=NAMESPACE) as metric:
            for dimension, value in {"service": self.service, **dimensions}.items():
                metric.add_dimension(dimension, value)
