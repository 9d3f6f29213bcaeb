"""What a ledger tells of its work, told to OpenTelemetry (the extra `otel`).

Here lives the translation alone; names, units and meanings are in `ledger.observing`. Where the
spans and metrics go from there is the host's to set up, as for any instrumented library.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from ledger.errors import MissingExtra
from ledger.observing import METRICS, Attributes, Metric, Span, use

try:
    from opentelemetry import metrics, trace
except ImportError as error:
    raise MissingExtra(
        "otel", needs="opentelemetry-api", purpose="Telling OpenTelemetry of a ledger's work"
    ) from error

_BUCKETS: Final = {
    "s": (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
    "{event}": (1, 2, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 100_000),
    "By": (1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1e6, 5e6, 1e7, 1e8),
}


def instrument(
    tracer_provider: trace.TracerProvider | None = None,
    meter_provider: metrics.MeterProvider | None = None,
) -> AbstractContextManager[None]:
    """Tell OpenTelemetry, from now on and process-wide, of every ledger's work.

    Without providers the process's own are used. `with` ends it.

    Example:
        >>> with instrument():
        ...     print("told")
        told
    """
    return use(_Telling(tracer_provider, meter_provider))


class _Telling:
    """The observer that hands on to a tracer and a meter."""

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None,
        meter_provider: metrics.MeterProvider | None,
    ) -> None:
        self._tracer = trace.get_tracer("ledger", tracer_provider=tracer_provider)
        meter = metrics.get_meter("ledger", meter_provider=meter_provider)
        self._counters: dict[str, metrics.Counter] = {}
        self._histograms: dict[str, metrics.Histogram] = {}
        self._gauges: dict[str, metrics._Gauge] = {}
        for name, kind, unit, description in METRICS:
            match kind:
                case "counter":
                    self._counters[name] = meter.create_counter(name, unit, description)
                case "histogram":
                    self._histograms[name] = meter.create_histogram(
                        name,
                        unit,
                        description,
                        explicit_bucket_boundaries_advisory=_BUCKETS[unit],
                    )
                case "gauge":
                    self._gauges[name] = meter.create_gauge(name, unit, description)

    def span(self, name: str, attributes: Attributes) -> AbstractContextManager[Span]:
        """A span around a piece of work; an error that leaves it marks it as failed."""
        return self._spanning(name, attributes)

    @contextmanager
    def _spanning(self, name: str, attributes: Attributes) -> Iterator[Span]:
        # Of an error its type alone is told: its message may hold names, and words of a document,
        # which no erasure would reach where spans are kept.
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:  # of a cancelled task too
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise

    def measured(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """One value, into its instrument."""
        match metric.kind:
            case "counter":
                self._counters[metric.name].add(value, attributes)
            case "histogram":
                self._histograms[metric.name].record(value, attributes)
            case "gauge":
                self._gauges[metric.name].set(value, attributes)
