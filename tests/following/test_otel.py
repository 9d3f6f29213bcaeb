"""OpenTelemetry is told of the ledger's work: each metric has a value when its thing happens."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

from ledger import Ledger, Party, observing
from ledger.errors import AlreadyRecorded, MissingExtra, UnknownParty
from ledger.otel import instrument
from ledger.projecting import Projection
from ledger.recording import registering


class Told:
    """What the exporters have got."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider(metric_readers=[self._metrics])

    def spans(self):
        return self._spans.get_finished_spans()

    def points(self, name: str):
        """The data points of a metric, by the attributes that matter here."""
        data = self._metrics.get_metrics_data()
        if data is None:
            return []
        return [
            point
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def units(self) -> dict[str, str]:
        """The unit of each metric that has a value."""
        data = self._metrics.get_metrics_data()
        assert data is not None
        scopes = [scope for one in data.resource_metrics for scope in one.scope_metrics]
        return {metric.name: metric.unit or "" for scope in scopes for metric in scope.metrics}


@pytest.fixture
def told():
    told = Told()
    with instrument(told.tracers, told.meters):
        yield told
    told.tracers.shutdown()
    told.meters.shutdown()


def test_an_append_is_a_span_and_has_a_duration_a_number_and_a_size(ledger, told):
    ledger.register_all([Party(f"p-{n}", name="Somebody", kind="state") for n in range(3)])
    (duration,) = told.points("ledger.append.duration")
    assert duration.count == 1
    assert duration.sum > 0
    assert dict(duration.attributes) == {
        "db.system.name": ledger._folded.bind.dialect.name,
        "ledger.log.origin": "default",
    }
    (events,) = told.points("ledger.append.events")
    assert events.sum == 3
    (size,) = told.points("ledger.append.size")
    assert size.sum > 3 * 300
    (head,) = told.points("ledger.log.head")
    assert head.value == 3
    (span,) = told.spans()
    assert span.name == "ledger.append"
    assert span.attributes["ledger.append.events"] == 3
    assert span.attributes["ledger.append.size"] == size.sum


def test_a_conflict_is_counted_by_its_name_and_fails_the_span(ledger, told):
    ledger.register(Party("az", name="Azerbaijan", kind="state"))
    with pytest.raises(AlreadyRecorded):
        ledger.register(Party("az", name="Another", kind="state"))
    (conflicts,) = told.points("ledger.append.conflicts")
    assert conflicts.value == 1
    assert conflicts.attributes["error.type"] == "AlreadyRecorded"
    assert told.spans()[-1].status.status_code is StatusCode.ERROR


def test_of_an_error_a_span_tells_the_type_and_no_word(ledger, told):
    """Spans are kept where no erasure comes: names and texts must not get there."""
    with pytest.raises(UnknownParty, match="Secretname"):
        ledger.record(claimant="Secretname", act="assert", proposition="arrived")
    span = told.spans()[-1]
    assert span.attributes["error.type"] == "UnknownParty"
    assert "Secretname" not in span.to_json()
    assert (span.events, span.status.description) == ((), None)


def test_a_task_that_was_cancelled_fails_its_span(told):
    with pytest.raises(asyncio.CancelledError), observing.appending("default", "sqlite"):
        raise asyncio.CancelledError
    assert told.spans()[-1].status.status_code is StatusCode.ERROR


def test_what_a_session_refuses_before_its_commit_is_counted(tmp_path, told):
    Ledger.open(tmp_path / "claims.db").close()
    with Session(
        create_engine(f"sqlite:///{tmp_path / 'claims.db'}", poolclass=NullPool)
    ) as session:
        ledger = Ledger(session)
        ledger.register(Party("az", name="Azerbaijan", kind="state"))
        session.commit()
        with pytest.raises(AlreadyRecorded):
            ledger.register(Party("az", name="Another", kind="state"))
    (conflicts,) = told.points("ledger.append.conflicts")
    assert (conflicts.value, conflicts.attributes["error.type"]) == (1, "AlreadyRecorded")


def test_what_is_recorded_already_is_no_append(ledger, told):
    for _ in range(2):
        ledger.register(Party("az", name="Azerbaijan", kind="state"))
    (duration,) = told.points("ledger.append.duration")
    assert duration.count == 1


def test_an_append_that_another_came_before_is_counted_as_retried(tmp_path, told):
    """Two ledgers with engines of their own: the second checks against a log that moves on."""
    with Ledger.open(tmp_path / "claims.db") as one, Ledger.open(tmp_path / "claims.db") as other:
        one.register(Party("p-0", name="Somebody", kind="state"))
        other.register(Party("p-1", name="Somebody", kind="state"))
        before = retries(told)
        entered: list[str] = []

        def slow(intake):
            if not entered:
                other.register(Party("p-2", name="Somebody", kind="state"))
            entered.append("once more")
            return [registering.register(intake, Party("p-3", name="Somebody", kind="state"))]

        one.appender.append(slow)
        assert len(entered) == 2
    assert retries(told) == before + 1


def retries(told: Told) -> int:
    return sum(point.value for point in told.points("ledger.append.retries"))


def test_a_follower_tells_how_far_behind_it_is_in_events_and_in_seconds(
    ledger, clock, register, told
):
    clock.set("2023-03-01T12:00Z")
    register(ledger, 4)
    stop = threading.Event()
    events = ledger.follow(name="mailer", stop=stop.is_set, idle=lambda _: stop.set(), poll=0.01)
    next(events)
    assert lag(told, "events") == 4
    assert lag(told, "time") > 365 * 24 * 3600
    assert len(list(events)) == 3
    assert lag(told, "events") == 0
    assert lag(told, "time") == 0


def lag(told: Told, what: str, consumer: str = "mailer") -> float:
    (point,) = told.points(f"ledger.consumer.lag.{what}")
    assert point.attributes["ledger.consumer.name"] == consumer
    return point.value


def by_name(poison, seen):
    """A state of names that cannot take some of them; `seen` is called with each it takes."""

    def evolve(state, stored):
        if stored.event.key in poison:
            raise ValueError(stored.event.key)
        seen(stored)
        return [*state, stored.event.key]

    return Projection(name="by-name", initial=list, evolve=evolve, retries=0)


def test_a_projection_tells_of_its_batches_and_of_what_it_set_aside(ledger, register, told):
    poison = {"party-1", "party-3"}
    register(ledger, 5)
    ledger.projections.add(by_name(poison, lambda _: None), mode="deferred")
    assert ledger.projections.run("by-name").parked == 2
    assert parked(told) == 2
    assert told.spans()[-1].name == "ledger.project"
    assert told.spans()[-1].attributes["ledger.consumer.name"] == "by-name"
    ledger.projections.skip("by-name", 1)
    assert parked(told) == 1
    poison.clear()
    ledger.projections.retry("by-name", 3)
    assert parked(told) == 0


def parked(told: Told) -> int:
    (point,) = told.points("ledger.consumer.parked")
    assert point.attributes["ledger.consumer.name"] == "by-name"
    return point.value


def test_what_a_projection_set_aside_is_told_when_it_runs_again(ledger, register, told):
    register(ledger, 2)
    ledger.projections.add(by_name({"party-1"}, lambda _: None), mode="deferred")
    ledger.projections.run("by-name")
    later = Told()
    with instrument(later.tracers, later.meters):
        ledger.projections.run("by-name")
    assert parked(later) == 1


def test_a_projection_that_waits_for_an_event_tells_of_it_until_it_is_taken(ledger, register, told):
    poison = {"party-1"}
    register(ledger, 3)
    waits = attrs.evolve(by_name(poison, lambda _: None), on_failure="stop")
    ledger.projections.add(waits, mode="deferred")
    assert ledger.projections.run("by-name").status == "failing"
    assert (parked(told), lag(told, "events", "by-name")) == (1, 2)
    poison.clear()
    ledger.projections.run("by-name")
    assert (parked(told), lag(told, "events", "by-name")) == (0, 0)


def test_a_projection_tells_how_far_behind_it_is_in_events_and_in_seconds(
    ledger, clock, register, told
):
    clock.set("2023-03-01T12:00Z")
    register(ledger, 4)
    clock.set("2023-03-01T12:05Z")
    behind = []

    def seen(_):
        behind.append((lag(told, "events", "by-name"), lag(told, "time", "by-name")))

    ledger.projections.add(by_name((), seen), mode="deferred")
    ledger.projections.run("by-name", batch=1)
    assert behind == [(4, 300), (3, 300), (2, 300), (1, 300)]
    assert (lag(told, "events", "by-name"), lag(told, "time", "by-name")) == (0, 0)


def test_every_metric_has_its_unit(ledger, told):
    for metric in observing.METRICS:
        assert observing.current.observer is not None
        observing.current.observer.measured(metric, 1, {})
    assert told.units() == {metric.name: metric.unit for metric in observing.METRICS}


def test_nobody_is_told_once_it_is_over(ledger, register):
    told = Told()
    with instrument(told.tracers, told.meters):
        register(ledger)
    register(ledger)
    (duration,) = told.points("ledger.append.duration")
    assert duration.count == 1
    assert observing.current.observer is None


def test_without_opentelemetry_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "ledger.otel")
    with pytest.raises(MissingExtra, match=r"pip install 'claimledger\[otel\]'"):
        importlib.import_module("ledger.otel")
