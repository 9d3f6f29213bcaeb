"""The opponent: eventsourcing 9.5, as its documentation shows it, with the same claims.

Its `put` takes domain events, encodes them as JSON and commits them: what ours is held against.
It leaves SQLite in WAL at synchronous FULL, and PostgreSQL as the server is set, as we do. Here is
all that knows its names; what is measured with it is in `races`, `replays` and `starts`.

A stream is what one party said on one topic, 2,000 of them, which grow: a stream for each claim
with a random id, as ours has it, would be dearer for its index.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5
from zlib import crc32

import attrs
import sqlalchemy as sa
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, datetime_now_with_tzinfo
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.system import Follower, SingleThreadedRunner, System
from psycopg.sql import SQL

from ledger.model.events import ClaimRecorded
from ledger.model.moment import Edtf

TOPICS: Final = 10
_NAMES: Final = UUID(int=7)
_LATEST: Final = (
    "CREATE TABLE latest (party text, proposition text, act text, PRIMARY KEY (party, proposition))"
)


class Party(Aggregate):
    """A party's claims on a topic, the stream they are in."""

    class ClaimRecorded(Aggregate.Event):
        """The same fields as our event has, in types that its encoder knows."""

        chains: list[list[dict[str, str]]]
        addressees: list[str]
        mentions: list[str]
        capacity: str
        key: str | None
        proposition: str
        act: str
        stance: str
        factuality: str
        uttered: str | None
        about: str | None
        expires: str | None
        utterance: str | None
        utterance_key: str | None
        document: str | None
        conditions: str | None
        language: str | None
        quote: dict[str, Any] | None
        link_words: list[dict[str, Any]]
        basis: str | None
        note: str | None
        extra: dict[str, Any]


class Claims(Application):
    """The log of one database."""


class Views(Follower):
    """Who said what last, kept in memory, by its own way of following a log on SQLite."""

    def __init__(self, env: Any = None) -> None:
        super().__init__(env)
        self.latest: dict[tuple[str, str], str] = {}

    def policy(self, domain_event: Any, processing_event: Any) -> None:
        """Take one event; the follower then writes how far it is."""
        self.latest[_said(domain_event)] = domain_event.act


class Latest(PostgresTrackingRecorder):
    """The same in a table of PostgreSQL, with how far it is, in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        self.sql_create_statements.append(SQL(_LATEST).format())

    def put(self, said: tuple[str, str], act: str, tracking: Tracking) -> None:
        """One row and the tracking."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "INSERT INTO latest VALUES (%s, %s, %s) ON CONFLICT (party, proposition) "
                "DO UPDATE SET act = excluded.act",
                (*said, act),
                prepare=True,
            )


class Positions(Projection[Latest]):
    """What fills that table."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take one event."""
        self.view.put(_said(domain_event), domain_event.act, tracking)


def _said(event: Any) -> tuple[str, str]:
    return event.chains[0][-1]["agent"], event.proposition


@attrs.frozen
class Content:
    """A claim as it is handed to this library: its stream and its fields."""

    stream: UUID
    fields: Mapping[str, Any]


def content(claim: ClaimRecorded) -> Content:
    """The same claim in its words."""
    fields = {field.name: _plain(getattr(claim, field.name)) for field in attrs.fields(type(claim))}
    topic = crc32(str(claim.key).encode()) % TOPICS
    return Content(uuid5(_NAMES, f"{fields['chains'][0][-1]['agent']} {topic}"), fields)


def _plain(value: Any) -> Any:
    if isinstance(value, Edtf):
        return str(value)
    if isinstance(value, tuple):
        return [*map(_plain, value)]
    if attrs.has(type(value)):
        return {one.name: _plain(getattr(value, one.name)) for one in attrs.fields(type(value))}
    return value


class Opponent:
    """An application on a database, and an endless supply of events for it."""

    def __init__(self, url: str, claims: Sequence[ClaimRecorded], *, streams: str = "") -> None:
        self.url = url
        # Writers find the tables there: processes that look after them at once fail.
        made = {"CREATE_TABLE": "no"} if streams else {}
        self.application = Claims(env=environment(url) | made)
        self._claims = itertools.cycle(map(content, claims))
        self._own = streams
        self._versions: dict[UUID, int] = {}

    def events(self, count: int) -> list[Any]:
        """The next events, ready to be put."""
        return [self._event(one) for one in itertools.islice(self._claims, count)]

    def _event(self, claim: Content) -> Any:
        stream = uuid5(claim.stream, self._own) if self._own else claim.stream
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        return Party.ClaimRecorded(
            originator_id=stream,
            originator_version=version,
            timestamp=datetime_now_with_tzinfo(),
            **claim.fields,
        )

    def put(self, events: Sequence[Any]) -> None:
        """Encode and commit."""
        self.application.events.put(events)

    def replay(self) -> int:
        """Every event, as a domain event."""
        return sum(1 for _ in map(self.application.mapper.to_domain_event, self._notifications()))

    def sequences(self) -> list[int]:
        """The numbers of all events, in order."""
        return [one.id for one in self._notifications()]

    def _notifications(self) -> Iterator[Any]:
        recorder, start = self.application.recorder, 1
        while page := recorder.select_notifications(start=start, limit=1_000):
            yield from page
            start = page[-1].id + 1

    def follower(self, view: str) -> Callable[[], object]:
        """What fills a new view, kept beside a file, from the first event."""
        env = environment(self.url)
        env |= {f"VIEWS_{name}": value for name, value in environment(view).items()}
        if view.startswith("sqlite"):
            runner: SingleThreadedRunner[UUID] = SingleThreadedRunner(
                System(pipes=[[Claims, Views]]), env=env
            )
            runner.start()
            return lambda: runner.get(Views).pull_and_process("Claims")
        env |= {name.replace("VIEWS", "POSITIONS"): env[name] for name in env if "VIEWS" in name}
        last = self.application.recorder.max_notification_id()

        def run() -> None:
            with ProjectionRunner(
                application_class=Claims, projection_class=Positions, view_class=Latest, env=env
            ) as runner:
                runner.wait(last, timeout=3_600)

        return run

    def close(self) -> None:
        """Let go of the database."""
        self.application.close()


def environment(url: str) -> dict[str, str]:
    """How it is told of a database."""
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
