"""Every write path, on every engine: a tailing reader sees each event once, in order, no hole."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
import sqlalchemy as sa

from ledger.store import transaction
from ledger.store.append import append, lock_head
from ledger.testing.tally import tally
from tests.proof.feeds import FEEDS, IN_MEMORY, by_event_id
from tests.proof.paths import ON_POSTGRES, PATHS, sealed, typed
from tests.proof.places import TABLES, Place, begin, engine, prepare
from tests.proof.tail import BATCHES, END, WRITERS, Cell, count, processes

EVENTS, FEWER = 100, 40
SOME = ((1, 10), (4, 50), (8, 1), (8, 5))
"""Each number of writers and each size of an append, most where writers meet most often."""
OTHERS = tuple(cell for cell in product(WRITERS, BATCHES) if cell not in SOME)
IN_FULL = (
    *("Ledger(engine).record", "Ledger(session)", "AsyncLedger(session)", "Django atomic"),
    *("ledger.grouped()", "JSON Lines", "store: lock_head, append"),
)
"""One path of each kind meets the other sizes too; `run.py` counts every path at every size."""

ONE_EACH = (
    *("Ledger(connection)", "Ledger(session)"),
    *("AsyncLedger(engine)", "AsyncLedger(connection)", "AsyncLedger(session)"),
    *("AsyncLedger(url)", "Django atomic", *ON_POSTGRES),
)
"""Paths that need a connection for each writer, which a database in memory does not have."""


@pytest.fixture(scope="module")
def pool():
    with processes() as made:
        yield made


@pytest.fixture(scope="module")
def postgres(new_postgres):
    with new_postgres() as url:
        yield url
        engine("sqlite://")


@pytest.fixture(params=["sqlite-file", "postgres"])
def url(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'claims.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres")
        if sa.inspect(engine(url)).has_table("ledger_event"):
            return url
    prepare(url)
    return url


@pytest.mark.parametrize(
    "path, cells",
    [
        *((path, SOME) for path in PATHS),
        *(pytest.param(path, OTHERS, marks=pytest.mark.slow) for path in IN_FULL),
    ],
    ids=lambda one: one if isinstance(one, str) else len(one),
)
def test_readers_in_other_processes_see_every_event_once_and_in_order(pool, url, path, cells):
    if path in ON_POSTGRES and url.startswith("sqlite"):
        pytest.skip("SQLite has no such driver")
    for writers, batch in cells:
        many = EVENTS if cells is SOME else FEWER
        found = count(pool, url, Cell.of(path, writers, batch, many))
        assert {name: str(one) for name, one in found.tallies.items() if not one.clean} == {}
        assert (found.kept > 0, found.taken_back > 0) == (True, True)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ONE_EACH])
def test_threads_on_a_database_in_memory_do_too(path):
    engine("sqlite://").dispose()
    prepare("sqlite://")
    with ThreadPoolExecutor(max(WRITERS) + len(FEEDS)) as threads:
        for writers in WRITERS:
            found = count(threads, "sqlite://", Cell.of(path, writers, 5, EVENTS), IN_MEMORY)
            assert {name: str(one) for name, one in found.tallies.items() if not one.clean} == {}
            assert (found.kept > 0, found.taken_back > 0) == (True, True)


def test_the_counter_notices_a_feed_that_goes_on_after_the_largest_event_id(url):
    place = Place(url, "wrong")
    begin(place)
    ids_made_before_the_lock = typed(["early"]), typed(["late"]), typed([END])
    early, late, end = (sealed(one, place.origin) for one in ids_made_before_the_lock)
    with contextlib.closing(by_event_id(place)) as feed:
        write(place, late)
        seen = [next(feed) for _ in range(3)]
        write(place, early)
        write(place, end)
        seen.append(next(feed))
    found = tally(seen, [["board", "open", "late", END], ["early"]])
    assert (found.seen, found.missed, found.holes, found.clean) == (4, 1, 1, False)


def write(place, drafts):
    with transaction.writing(engine(place.url)) as conn:
        append(conn, TABLES, lock_head(conn, TABLES, place.origin), drafts)
