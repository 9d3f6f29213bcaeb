"""The write paths, by name: each is one function, so that a further one is a few lines.

A path gets a place (a database and a log in it) and gives a function that enters claims of the
given names as one append. Where `keep` is False the append is written and then taken back: by the
host that it is written for, else by the database, which refuses a name with "taken-back" in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from ledger import Ledger, Proposition, Recorder
from ledger.aio import AsyncLedger
from ledger.appending import utc_now
from ledger.codec.entry import Draft
from ledger.codec.envelope import seal_all
from ledger.errors import StoreError
from ledger.interchange import import_file
from ledger.model.events import NewEvent, PartyRegistered
from ledger.projecting import cells, claims
from ledger.recording.ids import new_id
from ledger.store import transaction
from ledger.store.append import append, lock_head
from ledger.store.layout import Layout
from tests.proof.places import (
    PATIENCE,
    TABLES,
    Enter,
    Place,
    asked,
    engine,
    is_taken_back,
    ledger,
    said,
)


@contextlib.contextmanager
def recorded(place: Place) -> Iterator[Enter]:
    """`Ledger.record` and `record_all` where the ledger commits."""
    mine = ledger(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with asked(names, keep=keep) as given:
            if len(given) == 1:
                mine.record(id=given[0], claimant="board", act="assert", proposition="open")
            else:
                mine.record_all(map(said, given))

    yield enter


@contextlib.contextmanager
def registered(place: Place) -> Iterator[Enter]:
    """`Ledger.register_all` where the ledger commits."""
    mine = ledger(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with asked(names, keep=keep) as given:
            mine.register_all(Proposition(name, text=name) for name in given)

    yield enter


@contextlib.contextmanager
def connection(place: Place) -> Iterator[Enter]:
    """A host's Connection, which the host commits or rolls back; a ledger for each, as hosts do."""

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with engine(place.url).connect() as conn:
            Ledger(conn, origin=place.origin).record_all(map(said, names))
            (conn.commit if keep else conn.rollback)()

    yield enter


@contextlib.contextmanager
def session(place: Place) -> Iterator[Enter]:
    """A host's Session: pending until the commit, or written by `flush` and then rolled back."""

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with Session(engine(place.url)) as one:
            mine = Ledger(one, origin=place.origin)
            for name in names:
                mine.record(id=name, claimant="board", act="assert", proposition="open")
            if keep:
                one.commit()
            else:
                mine.flush()
                one.rollback()

    yield enter


@contextlib.contextmanager
def projected(place: Place, view: Callable[[Layout], Any] = claims) -> Iterator[Enter]:
    """`Ledger.record_all` with a view whose rows change in the append's own transaction."""
    mine = ledger(place)
    mine.projections.add(view(mine.layout))
    mine.projections.ready()

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with asked(names, keep=keep) as given:
            mine.record_all(map(said, given))

    yield enter


@contextlib.contextmanager
def awaited(place: Place, driver: str = "") -> Iterator[Enter]:
    """`AsyncLedger` on an AsyncEngine, where the ledger commits."""
    with asyncio.Runner() as runner:
        bind = create_async_engine(asynchronous(place.url, driver))
        mine = AsyncLedger(bind, origin=place.origin)

        def enter(names: Sequence[str], *, keep: bool) -> None:
            with asked(names, keep=keep) as given:
                runner.run(mine.record_all([said(name) for name in given]))

        yield enter
        runner.run(bind.dispose())


@contextlib.contextmanager
def awaited_by_url(place: Place) -> Iterator[Enter]:
    """`AsyncLedger` on a database that it opens by its URL: a thread with an engine of its own."""
    with asyncio.Runner() as runner:
        mine = runner.run(AsyncLedger.open(place.url, origin=place.origin))

        def enter(names: Sequence[str], *, keep: bool) -> None:
            with asked(names, keep=keep) as given:
                runner.run(mine.record_all([said(name) for name in given]))

        yield enter
        runner.run(mine.close())


@contextlib.contextmanager
def awaited_connection(place: Place, driver: str = "") -> Iterator[Enter]:
    """`AsyncLedger` on a host's AsyncConnection."""
    with asyncio.Runner() as runner:
        bind = create_async_engine(asynchronous(place.url, driver))

        async def work(names: Sequence[str], *, keep: bool) -> None:
            async with bind.connect() as one:
                mine = AsyncLedger(one, origin=place.origin)
                await mine.record_all([said(name) for name in names])
                await (one.commit() if keep else one.rollback())

        yield lambda names, *, keep: runner.run(work(names, keep=keep))
        runner.run(bind.dispose())


@contextlib.contextmanager
def awaited_session(place: Place, driver: str = "") -> Iterator[Enter]:
    """`AsyncLedger` on a host's AsyncSession."""
    with asyncio.Runner() as runner:
        bind = create_async_engine(asynchronous(place.url, driver))

        async def work(names: Sequence[str], *, keep: bool) -> None:
            async with AsyncSession(bind) as one:
                mine = AsyncLedger(one, origin=place.origin)
                await mine.record_all([said(name) for name in names])
                if keep:
                    await one.commit()
                else:
                    await mine.flush()
                    await one.rollback()

        yield lambda names, *, keep: runner.run(work(names, keep=keep))
        runner.run(bind.dispose())


def asynchronous(url: str, driver: str = "") -> sa.URL:
    found = sa.make_url(url)
    if found.get_backend_name() == "sqlite":
        return found.set(drivername="sqlite+aiosqlite")
    return found.set(drivername=f"postgresql+{driver}") if driver else found


class _TakenBack(Exception):
    pass


@contextlib.contextmanager
def django(place: Place) -> Iterator[Enter]:
    """Django's `transaction.atomic`, which Django commits or rolls back."""
    alias = _django(place.url)
    from ledger.django import atomic  # noqa: PLC0415 - once Django has its settings

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with contextlib.suppress(_TakenBack), atomic(alias) as conn:
            Ledger(conn, origin=place.origin).record_all(map(said, names))
            if not keep:
                raise _TakenBack

    yield enter


@functools.lru_cache(maxsize=1)
def _django(url: str) -> str:
    """The name under which Django knows a database in this process."""
    from django.apps import apps  # noqa: PLC0415 - for this path alone
    from django.conf import settings  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    if not settings.configured:
        settings.configure(DATABASES={})
        apps.populate(())
    made, alias = sa.make_url(url), f"proof-{zlib.crc32(url.encode())}"
    one: dict[str, object] = {"ENGINE": "django.db.backends.postgresql", "NAME": made.database}
    if made.get_backend_name() == "sqlite":
        one["ENGINE"] = "django.db.backends.sqlite3"
        one["OPTIONS"] = {"timeout": PATIENCE, "transaction_mode": "IMMEDIATE"}
    else:
        one |= {"USER": made.username or "", "HOST": made.query.get("host", made.host) or ""}
        one |= {"PASSWORD": made.password or "", "PORT": made.port or ""}
    known = connections.configure_settings({"default": {}, alias: one})
    connections.settings[alias] = known[alias]
    return alias


@functools.lru_cache(maxsize=1)
def of_all_threads(place: Place) -> Ledger:
    return ledger(place).grouped()


@contextlib.contextmanager
def grouped(place: Place) -> Iterator[Enter]:
    """Threads of one process that share their appends."""
    mine = of_all_threads(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        while True:
            try:
                with asked(names, keep=keep) as given:
                    mine.record_all(map(said, given))
            except StoreError as error:
                if not is_taken_back(error):
                    raise
            else:
                return  # else the database refused another thread's, and this one's with it

    yield enter


@contextlib.contextmanager
def imported(place: Place) -> Iterator[Enter]:
    """A JSON Lines file."""
    mine = ledger(place)
    fields = {"type": "claim", "claimant": "board", "act": "assert", "proposition": "open"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "claims.jsonl")

        def enter(names: Sequence[str], *, keep: bool) -> None:
            with asked(names, keep=keep) as given:
                lines = (json.dumps(fields | {"id": name}) for name in given)
                path.write_text("\n".join(lines), encoding="utf-8")
                assert import_file(mine, path).accepted == len(given)

        yield enter


@contextlib.contextmanager
def put(place: Place) -> Iterator[Enter]:
    """`ledger.appender.put`: typed events, as a bulk load hands them in."""
    mine = ledger(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with asked(names, keep=keep) as given:
            mine.appender.put(typed(given))

    yield enter


@contextlib.contextmanager
def loaded(place: Place) -> Iterator[Enter]:
    """`ledger.appender.load`: a stream of typed events; one chunk, since a chunk is an append."""
    mine = ledger(place)

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with asked(names, keep=keep) as given:
            assert mine.appender.load(iter(typed(given)), chunk=len(given)).stored == len(given)

    yield enter


@contextlib.contextmanager
def store(place: Place) -> Iterator[Enter]:
    """The store's own two steps: lock the head, append drafts."""

    def enter(names: Sequence[str], *, keep: bool) -> None:
        with asked(names, keep=keep) as given:
            drafts = sealed(typed(given), place.origin)
            with transaction.writing(engine(place.url)) as conn:
                append(conn, TABLES, lock_head(conn, TABLES, place.origin), drafts)

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
    return seal_all(events, log=origin, recorded_at=utc_now(), recorder=Recorder())


PATHS: Final[dict[str, Callable[[Place], AbstractContextManager[Enter]]]] = {
    "Ledger(engine).record": recorded,
    "Ledger(engine).register_all": registered,
    "Ledger(engine), inline view": projected,
    "Ledger(engine), inline cells": functools.partial(projected, view=cells),
    "Ledger(connection)": connection,
    "Ledger(session)": session,
    "AsyncLedger(engine)": awaited,
    "AsyncLedger(connection)": awaited_connection,
    "AsyncLedger(session)": awaited_session,
    "AsyncLedger(engine), asyncpg": functools.partial(awaited, driver="asyncpg"),
    "AsyncLedger(connection), asyncpg": functools.partial(awaited_connection, driver="asyncpg"),
    "AsyncLedger(session), asyncpg": functools.partial(awaited_session, driver="asyncpg"),
    "AsyncLedger(url)": awaited_by_url,
    "Django atomic": django,
    "ledger.grouped()": grouped,
    "JSON Lines": imported,
    "ledger.appender.put": put,
    "ledger.appender.load": loaded,
    "store: lock_head, append": store,
}
ON_POSTGRES: Final = tuple(path for path in PATHS if path.endswith("asyncpg"))
"""Paths of a driver that SQLite has not."""

IN_THREADS: Final = ("ledger.grouped()",)
"""Paths whose writers are threads of one process."""
