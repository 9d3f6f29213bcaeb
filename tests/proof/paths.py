"""The write paths, by name: each is one function, so that a further one is a few lines.

A path gets a place (a database and a log in it) and gives a function that enters claims of the
given names as one append. Where `keep` is False the append is written and then taken back, by
whatever means that path has.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol

import attrs
import sqlalchemy as sa
from sqlalchemy import Engine

from ledger import Claim, Ledger, Party, Proposition, Recorder
from ledger.appending import utc_now
from ledger.codec.entry import Draft
from ledger.codec.envelope import seal
from ledger.interchange.jsonl import import_file
from ledger.model.events import NewEvent, PartyRegistered
from ledger.recording.ids import new_id
from ledger.store import engines, transaction
from ledger.store.append import append, lock_head
from ledger.store.layout import Layout
from ledger.store.tables import tables_for

TABLES: Final = tables_for(Layout())
SCENE: Final = ("board", "open")
"""The names of the two events that every log begins with."""


class Enter(Protocol):
    """Enters claims as one append, and takes it back where it is not to be kept."""

    def __call__(self, names: Sequence[str], *, keep: bool) -> None: ...


@attrs.frozen
class Place:
    """One log of one database."""

    url: str
    origin: str


class TakenBack(Exception):
    """Ends a transaction after its rows are written."""


_bound: dict[str, Engine] = {}


def engine(url: str) -> Engine:
    """The engine of this process for a database; it lets go of the one before."""
    if url not in _bound:
        while _bound:
            _bound.popitem()[1].dispose()
        _bound[url] = engines.engine_for(url)
    return _bound[url]


def ledger(place: Place) -> Ledger:
    return Ledger(engine(place.url), origin=place.origin)


def begin(place: Place) -> None:
    """Make the log: a claimant, and what is claimed."""
    ledger(place).register_all([Party("board", name="Board"), Proposition("open", text="Open?")])


def said(name: str) -> Claim:
    return Claim(id=name, claimant="board", act="assert", proposition="open")


@contextlib.contextmanager
def taken_back(bind: Engine, *, really: bool) -> Iterator[None]:
    """Let the next commit fail, as a host's own listener might; nothing where not `really`."""
    if not really:
        yield
        return

    mine = threading.get_ident()

    def refuse(_: object) -> None:
        if threading.get_ident() == mine:  # in memory all threads share the engine
            raise TakenBack

    sa.event.listen(bind, "commit", refuse)
    try:
        with contextlib.suppress(TakenBack):
            yield
    finally:
        sa.event.remove(bind, "commit", refuse)


# -- the paths --------------------------------------------------------------------------------


@contextlib.contextmanager
def recorded(place: Place) -> Iterator[Enter]:
    """`Ledger.record` and `record_all` where the ledger commits."""
    mine = ledger(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with taken_back(engine(place.url), really=not keep):
            if len(names) == 1:
                mine.record(id=names[0], claimant="board", act="assert", proposition="open")
            else:
                mine.record_all(map(said, names))

    yield enter


@contextlib.contextmanager
def registered(place: Place) -> Iterator[Enter]:
    """`Ledger.register_all` where the ledger commits."""
    mine = ledger(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with taken_back(engine(place.url), really=not keep):
            mine.register_all(Proposition(name, text=name) for name in names)

    yield enter


@contextlib.contextmanager
def connection(place: Place) -> Iterator[Enter]:
    """A host's Connection, which the host commits or rolls back."""
    with engine(place.url).connect() as conn:
        mine = Ledger(conn, origin=place.origin)

        def enter(names: Sequence[str], *, keep: bool) -> None:
            mine.record_all(map(said, names))
            (conn.commit if keep else conn.rollback)()

        yield enter


@contextlib.contextmanager
def imported(place: Place) -> Iterator[Enter]:
    """A JSON Lines file; a dry run writes it and takes it back."""
    mine = ledger(place)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "claims.jsonl")

        def enter(names: Sequence[str], *, keep: bool) -> None:
            fields = {"type": "claim", "claimant": "board", "act": "assert", "proposition": "open"}
            lines = (json.dumps(fields | {"id": name}) for name in names)
            path.write_text("\n".join(lines), encoding="utf-8")
            done = import_file(mine, path, dry_run=not keep)
            assert (done.accepted, done.stored) == (len(names), keep)

        yield enter


@contextlib.contextmanager
def store(place: Place) -> Iterator[Enter]:
    """The store's own two steps: lock the head, append drafts."""

    def enter(names: Sequence[str], *, keep: bool) -> None:
        drafts = sealed(typed(names), place.origin)
        with contextlib.suppress(TakenBack), transaction.writing(engine(place.url)) as conn:
            append(conn, TABLES, lock_head(conn, TABLES, place.origin), drafts)
            if not keep:
                raise TakenBack

    yield enter


def typed(names: Sequence[str]) -> list[NewEvent]:
    """Events as whoever skips the intake writes them."""
    made = []
    for name in names:
        id_ = new_id(utc_now())
        event = PartyRegistered(key=name, name=name, kind="person")
        made.append(NewEvent(id=id_, stream=id_, stream_v=0, event=event))
    return made


def sealed(events: Sequence[NewEvent], origin: str) -> list[Draft]:
    """Drafts of them, entered now."""
    now, nobody = utc_now(), Recorder()
    return [seal(one, log=origin, recorded_at=now, recorder=nobody) for one in events]


PATHS: Final[dict[str, Callable[[Place], AbstractContextManager[Enter]]]] = {
    "record": recorded,
    "register_all": registered,
    "Connection": connection,
    "JSON Lines": imported,
    "store.append": store,
}
