"""Every write path, on every engine: a tailing reader sees each event once, in order, no hole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tests.proof.feeds import FEEDS
from tests.proof.paths import PATHS, engine, prepare
from tests.proof.tail import BATCHES, WRITERS, WRONG, Cell, count, processes

EVENTS = 100
ONE_EACH = ("Ledger(connection)", "Ledger(session)", "AsyncLedger(engine)", "AsyncLedger(session)")
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


@pytest.mark.parametrize("path", PATHS)
def test_readers_in_other_processes_see_every_event_once_and_in_order(pool, url, path):
    for writers in WRITERS:
        for batch in BATCHES:
            found = count(pool, url, Cell.of(path, writers, batch, EVENTS))
            assert {name: str(one) for name, one in found.tallies.items() if not one.clean} == {}
            assert (found.kept > 0, found.taken_back > 0) == (True, True)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ONE_EACH])
def test_threads_on_a_database_in_memory_do_too(path):
    engine("sqlite://").dispose()
    prepare("sqlite://")
    with ThreadPoolExecutor(max(WRITERS) + len(FEEDS)) as threads:
        for writers in WRITERS:
            found = count(threads, "sqlite://", Cell.of(path, writers, 5, EVENTS))
            assert {name: str(one) for name, one in found.tallies.items() if not one.clean} == {}
            assert (found.kept > 0, found.taken_back > 0) == (True, True)


def test_the_counter_notices_a_feed_that_resumes_by_event_id(pool, url):
    found = count(pool, url, Cell.of("store: lock_head, append", 8, 1, EVENTS * 2), WRONG)
    assert found.tallies["by event id"].missed > 0
