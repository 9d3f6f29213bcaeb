"""AsyncLedger on an AsyncEngine: what is entered and asked, and the tasks.

Savepoints, nested use and scoped sessions are the host's transaction's, of which such a ledger
knows nothing: they are proved for an AsyncConnection and for an AsyncSession.
"""

from __future__ import annotations

import asyncio
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from ledger import Layout, Ledger, Party
from ledger.aio import AsyncLedger
from ledger.errors import (
    AlreadyRecorded,
    NotFound,
    SchemaMissing,
    UnknownParty,
)
from ledger.store import schema
from tests.embedding.entries import FIRST, cancelled_while_it_connects, said


def test_what_is_recorded_is_committed_at_once(async_host):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        return await ledger.record(**said("c1"))

    receipt = async_host.run(work)
    assert Ledger(async_host.engine).trace("c1").sequence == receipt.sequences[0]
    assert async_host.parties() == ["board"]


def test_the_answers_are_those_of_a_ledger(async_host):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        async with ledger.tagged(correlation="inspection"):
            await ledger.record(**said("c1"))
        await ledger.record(**said("c2", act="deny", uttered="2024-03-20"))
        early, late = await ledger.as_of(said="2024-03-15"), await ledger.as_of(said="2024-03-31")
        return {
            "position": (await ledger.position("board", "bridge-open")).stance,
            "early": await early.position("board", "bridge-open"),
            "claims": (await ledger.claims(party="board")).ids,
            "trace": await late.trace("c2"),
            "difference": await ledger.diff(early, late),
            "view": str(early),
            "basis": (early.basis, early.said, early.known, early.settled),
            "events": [event async for event in ledger.events(after=1)],
            "log": [str(line) async for line in ledger.log(limit=2)],
            "size": (await ledger.verify(await ledger.checkpoint())).size,
            "parties": await late.run_sync(lambda view: len(view.parties())),
        }

    found = async_host.run(work)
    ledger = Ledger(async_host.engine)
    early, late = ledger.as_of(said="2024-03-15"), ledger.as_of(said="2024-03-31")
    assert found == {
        "position": "opposes",
        "early": early.position("board", "bridge-open"),
        "claims": ("c1", "c2"),
        "trace": late.trace("c2"),
        "difference": ledger.diff(early, late),
        "view": str(early),
        "basis": (early.basis, early.said, early.known, early.settled),
        "events": list(ledger.events(after=1)),
        "log": [str(line) for line in ledger.log(limit=2)],
        "size": 4,
        "parties": 1,
    }
    assert [one.correlation for one in found["events"]] == ["inspection", None]


def test_a_refused_claim_leaves_nothing_of_itself(async_host, party):
    async def work(engine):
        ledger = AsyncLedger(engine)
        with pytest.raises(UnknownParty):
            await ledger.record(**said("c1", claimant="nobody", mentions=party("guest")))
        assert [event async for event in ledger.events()] == []
        await ledger.register(party("board"))
        with pytest.raises(AlreadyRecorded):
            await ledger.register(Party("board", name="Another"))

    async_host.run(work)
    assert async_host.parties() == ["board"]


def test_an_error_of_the_host_takes_back_its_rows_and_not_what_was_recorded(async_host):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        async with engine.begin() as connection:
            await ledger.record(**said("c1"))
            await async_host.story(connection, "flood")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        async_host.run(work)
    assert (async_host.stories(), async_host.parties()) == ([], ["board"])
    assert Ledger(async_host.engine).claims().ids == ("c1",)


def test_two_ledgers_on_one_engine_know_nothing_of_each_other(async_host, party):
    async def work(engine):
        north, south = (AsyncLedger(engine, origin=origin) for origin in ("north", "south"))
        await asyncio.gather(north.register_all(FIRST), south.register(party("board")))
        await north.record(**said("c1"))
        with pytest.raises(NotFound):
            await south.record(**said("c1"))
        await south.register(FIRST[1])
        await asyncio.gather(south.record(**said("c1")), north.record(**said("c2")))
        assert ((await north.claims()).ids, (await south.claims()).ids) == (("c1", "c2"), ("c1",))
        assert ((await north.verify()).size, (await south.verify()).size) == (4, 3)

    async_host.run(work)
    assert async_host.parties() == []


def test_no_connection_is_kept_between_calls(async_host):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        await ledger.record(**said("c1"))
        await ledger.verify()
        async for _ in ledger.events():
            assert engine.pool.checkedout() == 0
            await ledger.claims()
        with pytest.raises(UnknownParty):
            await ledger.position("nobody", "bridge-open")
        assert engine.pool.checkedout() == 0

    async_host.run(work)


def test_the_tables_are_made_by_the_host(async_host):
    archive = Layout(prefix="archive_")

    async def work(engine):
        ledger = AsyncLedger(engine, layout=archive)
        with pytest.raises(SchemaMissing):
            await ledger.register(FIRST[0])
        async with engine.begin() as connection:
            await connection.run_sync(schema.upgrade, archive)
        await ledger.register(FIRST[0])
        assert ledger.layout == archive
        assert (ledger.origin, repr(ledger)[:18]) == ("default", "AsyncLedger('" + engine.name[:5])

    async_host.run(work)
    assert Ledger(async_host.engine, layout=archive).verify().size == 1
    assert async_host.parties() == []


# -- tasks --------------------------------------------------------------------------------------

TASKS = 12


@pytest.mark.parametrize("ledgers", ["one", "one each"])
def test_tasks_that_record_at_once_do_not_get_in_each_others_way(async_host, ledgers):
    async def work(engine):
        shared = AsyncLedger(engine)
        await shared.register_all(FIRST)

        async def task(number):
            ledger = shared if ledgers == "one" else AsyncLedger(engine)
            receipts = []
            for turn in range(3):
                receipts.append(await ledger.record(**said(f"c{number}-{turn}")))
                # What a task has recorded it sees at once, whatever the others do.
                assert f"c{number}-{turn}" in (await ledger.claims()).ids
            return receipts

        done = await asyncio.gather(*map(task, range(TASKS)))
        sequences = [one.sequences[0] for receipts in done for one in receipts]
        assert sorted(sequences) == list(range(2, 2 + 3 * TASKS))
        stored = {event.sequence: event.id async for event in shared.events(after=1)}
        assert {one.sequences[0]: one.ledger_id for receipts in done for one in receipts} == stored
        # The fold that all of them share holds each event once, in its place.
        assert len((await shared.claims()).ids) == 3 * TASKS

    async_host.run(work)
    assert async_host.parties() == ["board"]


def test_tasks_that_catch_up_at_once_fold_each_event_once(async_host, party):
    others = Ledger(async_host.engine)

    async def work(engine):
        ledger = AsyncLedger(engine)
        for start in (0, 300):
            others.register_all([party(f"p{start + number}") for number in range(300)])
            views = await asyncio.gather(*(ledger.as_of() for _ in range(6)))
            assert [view.basis for view in views] == [start + 300] * 6
            assert len(await views[0].parties()) == start + 300

    async_host.run(work)


def test_one_task_may_refuse_while_others_record(async_host):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        calls = [
            ledger.record(**said(f"c{number}", claimant="board" if number % 3 else "nobody"))
            for number in range(TASKS)
        ]
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(one, UnknownParty) for one in done] == [
            number % 3 == 0 for number in range(TASKS)
        ]

    async_host.run(work)
    assert Ledger(async_host.engine).verify().size == 2 + TASKS - TASKS // 3


def test_a_transaction_that_holds_the_log_stops_no_other_task_from_asking(async_host, party):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register(party("board"))
        async with engine.begin() as connection:
            inside = AsyncLedger(connection)
            await inside.register(party("first"))
            waiting = asyncio.create_task(ledger.register(party("later")))
            for _ in range(20):
                await asyncio.sleep(0.005)
                assert len(await (await ledger.as_of()).parties()) == 1
            # It waits for the database, and for nothing that this task needs in order to go on.
            await inside.register(party("second"))
            assert not waiting.done()
        assert (await waiting).sequences == (3,)

    async_host.run(work)
    assert async_host.parties() == ["board", "first", "later", "second"]


@cancelled_while_it_connects
@pytest.mark.parametrize("patience", [0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032])
def test_a_call_that_is_cancelled_leaves_all_in_order(async_host, patience):
    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        tasks = [asyncio.create_task(ledger.record(**said(f"c{number}"))) for number in range(8)]
        await asyncio.sleep(patience)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [one for one in done if isinstance(one, Exception)] == []
        async with asyncio.timeout(20):
            receipts = [await ledger.record(**said(f"c{number}")) for number in range(8)]
        assert {one.stored for one in receipts} <= {"stored", "already_stored"}
        assert engine.pool.checkedout() == 0

    async_host.run(work)
    ledger = Ledger(async_host.engine)
    assert ledger.verify().size == 10
    assert sorted(ledger.claims().ids) == [f"c{number}" for number in range(8)]


def test_a_call_that_is_cancelled_as_it_lets_go_gives_its_connection_back(
    postgres_url, monkeypatch
):
    Ledger.open(postgres_url).close()

    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register_all(FIRST)
        dialect = engine.sync_engine.dialect
        reset = dialect.reset_isolation_level

        def reset_by_one_who_is_cancelled(connection):
            task.cancel()
            await_only(asyncio.sleep(0))  # as for an answer of the server's
            reset(connection)

        monkeypatch.setattr(dialect, "reset_isolation_level", reset_by_one_who_is_cancelled)
        for asked in (ledger.record(**said("c1")), ledger.claims()):
            task = asyncio.create_task(asked)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert engine.pool.checkedout() == 0
        await engine.dispose()

    asyncio.run(work(create_async_engine(postgres_url)))


@cancelled_while_it_connects
def test_who_waits_for_the_database_may_be_cancelled(async_host, party):
    hasty_url = async_host.url
    if async_host.engine.dialect.name == "sqlite":  # its driver cannot be told to stop waiting
        hasty_url = hasty_url.update_query_dict({"timeout": "0.3"})

    async def work(engine):
        ledger = AsyncLedger(engine)
        await ledger.register(party("board"))
        hasty = create_async_engine(hasty_url)
        async with engine.begin() as connection:
            await AsyncLedger(connection).register(party("first"))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await AsyncLedger(hasty).register(party("late"))
            await AsyncLedger(connection).register(party("second"))
        assert (await ledger.register(party("third"))).stored == "stored"
        assert engine.pool.checkedout() == 0
        await hasty.dispose()

    async_host.run(work)
    assert async_host.parties() == ["board", "first", "second", "third"]


def test_loops_in_several_threads_may_share_an_engine_without_a_pool(async_host):
    engine = create_async_engine(async_host.url, poolclass=sa.NullPool)
    ledger = AsyncLedger(engine)
    asyncio.run(ledger.register_all(FIRST))
    errors = []

    def thread(name):
        async def main():
            for number in range(4):
                await asyncio.gather(
                    *(ledger.record(**said(f"{name}-{number}-{task}")) for task in range(3))
                )

        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=thread, args=(name,)) for name in ("one", "two")]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == []
    assert Ledger(async_host.engine).verify().size == 2 + 24
