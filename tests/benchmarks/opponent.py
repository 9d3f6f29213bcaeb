"""The opponent: eventsourcing 9.5, as its documentation shows it, on the same claims.

Its `put` takes domain events, encodes them as JSON and commits them; what ours is measured against
is that. It leaves SQLite in WAL at synchronous FULL, and PostgreSQL as the server is set, as we do.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, DomainEvent, datetime_now_with_tzinfo
from eventsourcing.persistence import Tracking
from eventsourcing.sqlite import SQLiteAggregateRecorder
from eventsourcing.system import Follower

from tests.benchmarks.workload import Fields

_NAMES = UUID(int=7)


class Party(Aggregate):
    """One party's claims, the stream they are in."""

    class ClaimRecorded(Aggregate.Event):
        """What a claim of the workload says."""

        claim: str
        claimant: str
        proposition: str
        act: str
        uttered: str
        quote: str
        language: str
        document: str | None


class Claims(Application):
    """The log of one database."""


class Views(Follower):
    """A view of who said what last, by its own way of following a log."""

    def policy(self, domain_event: Any, processing_event: Any) -> None:
        """Nothing is stored: what is measured is the tracking of each event."""


class Opponent:
    """An application on a database, and an endless supply of events for it."""

    def __init__(self, url: str, claims: Sequence[Fields]) -> None:
        self.application = Claims(env=_environment(url))
        self._claims = itertools.cycle(claims)
        self._versions: dict[UUID, int] = {}

    def events(self, count: int) -> list[DomainEvent]:
        """The next events, ready to be put."""
        return [self._event(fields) for fields in itertools.islice(self._claims, count)]

    def _event(self, fields: Fields) -> Any:
        stream = uuid5(_NAMES, fields["claimant"])
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        return Party.ClaimRecorded(
            originator_id=stream,
            originator_version=version,
            timestamp=datetime_now_with_tzinfo(),
            claim=fields["id"],
            claimant=fields["claimant"],
            proposition=fields["proposition"],
            act=fields["act"],
            uttered=fields["uttered"],
            quote=fields["quote"],
            language=fields["language"],
            document=fields.get("document"),
        )

    def put(self, events: Sequence[Any]) -> None:
        """Encode and commit."""
        self.application.events.put(events)

    def replay(self) -> int:
        """Every event, as a domain event."""
        return sum(1 for _ in self._domain_events())

    def _domain_events(self) -> Iterator[Any]:
        recorder, mapper, start = self.application.recorder, self.application.mapper, 1
        while page := recorder.select_notifications(start=start, limit=1_000):
            yield from map(mapper.to_domain_event, page)
            start = page[-1].id + 1

    def close(self) -> None:
        """Let go of the database."""
        self.application.close()


def _environment(url: str) -> dict[str, str]:
    at = sa.make_url(url)
    if at.get_backend_name() == "sqlite":
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(at.database)}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(at.database),
        "POSTGRES_HOST": str(at.host or at.query.get("host", "")),
        "POSTGRES_PORT": str(at.port or 5432),
        "POSTGRES_USER": str(at.username),
        "POSTGRES_PASSWORD": str(at.password or "unused"),
    }
