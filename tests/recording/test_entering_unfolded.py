"""Entering without folding the log: what is fetched for it, in threads and in tasks."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ledger import Document, Ledger, LedgerError, Party, Proposition, Receipt
from ledger.aio import AsyncLedger
from ledger.errors import NotFound, StoreError
from ledger.model.events import DocumentRegistered, NewEvent, TopicDefined
from ledger.narrowing import records, thrifty
from ledger.narrowing.entering import _Source
from ledger.projecting import cells
from ledger.projections.missing import Unheld
from ledger.store import cells as cells_stored
from ledger.store import schema
from tests.recording.fetching import SAID, fetched, told_in


@pytest.fixture
def told(database):
    """A ledger of which nothing is folded, on every engine."""
    made = told_in(database, fetching=True)
    made.anew()
    with made.ledger:
        yield made


def test_an_id_that_went_from_one_to_another_is_that_of_the_last(told):
    ledger = told.ledger
    said = SAID | {"uttered": "2023-01-03"}
    ids = []
    for act in ("assert", "deny", "predict"):
        ids.append(ledger.record(id="c", act=act, **said).ledger_id)
        ledger.amend(ids[-1], strike_out=True, reason="entered twice")
    with ledger._folded.facts() as facts:
        expected = facts.id_of("claim", "c")
    for first in ids:
        told.anew()
        with fetched(told) as facts:
            assert facts.stored[first].id == first
            assert facts.id_of("claim", "c") == expected == ids[-1]


def test_changes_by_another_writer_come_after_those_that_were_there(told):
    ledger = told.ledger
    said = SAID | {"uttered": "2023-01-03"}
    id_ = ledger.record(id="c", act="assert", **said).ledger_id
    ledger.amend("c", note="first", reason="a slip")
    told.anew()
    kept = thrifty(ledger._folded)
    with fetched(told):
        pass
    with ledger._folded.facts():
        ledger.amend("c", note="second", reason="a slip")
    ledger._folded.fold.forget()
    assert thrifty(ledger._folded) is kept
    with fetched(told) as facts:
        assert getattr(facts.effective[id_], "note", None) == "second"


def test_what_is_entered_every_day_folds_nothing(told):
    ledger = told.ledger
    said = {
        "claimant": "envoy",
        "proposition": "open",
        "document": "g1",
        "utterance": "u1",
    }
    entered = [
        lambda: ledger.record(id="c1", act="assert", **said),
        lambda: ledger.record(id="c2", act="deny", quote="g1", **said),
        lambda: ledger.record(id="c1", act="assert", **said),
        lambda: ledger.register(Document("g3", publisher="gazette", text="g3", revises="g1")),
        lambda: ledger.relate("c2", "reaffirms", "c1"),
        lambda: ledger.withdraw("c1", claimant="envoy", uttered="2023-01-08"),
        lambda: ledger.correct("c2", document="g1", act="predict"),
        lambda: ledger.amend("c2", note="heard on the radio", reason="left out"),
        lambda: ledger.amend("c2", strike_out=True, reason="entered twice"),
        lambda: ledger.register(Proposition("new", text="new")),
        lambda: ledger.name("envoy", "The envoy"),
        lambda: ledger.merge("state", "twin"),
    ]
    for enter in entered:
        told.anew()
        receipt = enter()
        assert not told.folded(), receipt
    assert ledger.position("envoy", "open").basis == ledger.verify().size


@pytest.mark.parametrize("asked", [True, False])
def test_what_would_take_all_claims_is_asked_of_the_folded_log(told, asked):
    ledger = told.ledger
    ledger.record(claimant="envoy", proposition="open", act="assert", uttered="2023-01-03")
    told.anew()
    if asked:
        ledger.position("envoy", "open")
    with pytest.raises(LedgerError, match="name"):
        ledger.amend("open", strike_out=True, reason="a slip")
    assert told.folded()


def test_threads_that_share_an_append_fold_nothing(told):
    ledger = told.ledger.grouped()
    said = {
        "claimant": "envoy",
        "proposition": "open",
        "act": "assert",
        "document": "g1",
    }
    heard: list[object] = []

    def enter(number: int) -> None:
        for at in range(5):
            try:
                heard.append(ledger.record(id=f"c{number % 7}-{at}", note=f"{number}", **said))
            except LedgerError as error:
                heard.append(type(error).__name__)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(14)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not told.folded()
    stored = [one for one in heard if isinstance(one, Receipt)]
    assert len(heard) == 70
    assert (len(stored), heard.count("AlreadyRecorded")) == (35, 35)


def test_two_writers_with_little_in_memory_see_each_other(tmp_path):
    path = str(tmp_path / "claims.db")
    mine = told_in(path, fetching=True)
    with mine.ledger as ledger, Ledger.open(path) as by:
        by.projections.add(cells(by.layout))
        by.projections.ready()
        said = SAID | {"uttered": "2023-01-03"}
        for number in range(10):
            if number % 3 == 0:
                mine.anew()
            first, second = (ledger, by) if number % 2 else (by, ledger)
            first.record(id=f"c{number}", act="assert", **said)
            again = second.record(id=f"c{number}", act="assert", **said)
            assert again.stored == "already_stored"
            with pytest.raises(LedgerError, match="taken by a record with other content"):
                second.record(id=f"c{number}", act="deny", **said)
        assert not mine.folded()
        assert not by._folded.fold.facts.size


@pytest.mark.parametrize("question", ["claims_on", "acts_naming", "acts_in", "documents_of"])
def test_nothing_is_answered_by_halves(told, question):
    with fetched(told) as facts:
        for ask in (lambda: facts.indexed(question, "x"), lambda: tuple(facts.effective.items())):
            with pytest.raises(Unheld):
                ask()


def test_what_is_fetched_late_stands_in_its_order(told):
    ledger = told.ledger
    ids = [
        ledger.register(Document(id_, publisher="gazette", text=id_, revises="g1"))
        for id_ in ("r1", "r2", "r3")
    ]
    with ledger._folded.facts() as facts:
        g1 = facts.id_of("document", "g1")
        expected = facts.indexed("revisions_of", g1)
    told.anew()
    with fetched(told) as facts:
        assert facts.stored[ids[2].ledger_id].sequence == ids[2].sequences[0]
        assert facts.indexed("revisions_of", g1) == expected


def test_the_version_of_a_stream_is_that_of_its_last_event(told):
    with fetched(told) as facts:
        pass
    with told.ledger._folded.facts() as facts:  # another writer
        g2 = facts.stored[facts.id_of("document", "g2")]
        told.ledger.register(
            Document("g2", publisher="gazette", text="g2", published="2023-01", revises="g1")
        )
    told.ledger._folded.fold.forget()
    with fetched(told) as facts:
        assert (facts.stored[g2.id].stream_v, facts.stream_version(g2.stream)) == (0, 1)


def test_what_is_taken_back_leaves_the_log_as_it_was(told):
    told.teller.clock.now += dt.timedelta(days=1)
    told.ledger.record(**SAID, act="assert", uttered="2023-01-03")  # which is not held
    told.anew()
    with fetched(told) as facts:
        size, last = facts.size, facts.last_recorded
        assert last is not None
        later = attrs.evolve(
            next(iter(told.ledger.events())),
            id="later",
            sequence=size,
            stream="later",
            recorded=last + dt.timedelta(days=1),
            event=TopicDefined(key="later", label="later"),
        )
        facts.apply(later)
        assert facts.id_of("document", "g1")
        assert facts.id_of("topic", "later") == "later"
        assert facts.take_back() == [later]
        assert (facts.size, facts.last_recorded) == (size, last)
        assert facts.id_of("topic", "later") is None
        assert facts.id_of("document", "g1")


@pytest.mark.parametrize("question", ["of_key", "of_ids", "of_utterance"])
def test_what_could_not_be_fetched_is_asked_again(told, monkeypatch, question):
    ledger = told.ledger
    said = SAID | {"act": "assert", "utterance": "u1", "uttered": "2023-01-03"}
    ledger.record(id="c0", **said)
    ledger.record(id="c1", **said)
    told.anew()
    with monkeypatch.context() as patch:

        def cut_off(*_):
            raise StoreError("the connection was lost")

        patch.setattr(f"ledger.narrowing.entering._Source.{question}", cut_off)
        with contextlib.suppress(StoreError):
            ledger.record(id="c1", **said)
        with contextlib.suppress(StoreError):
            ledger.relate("c1", "reaffirms", "c0")
    assert ledger.record(id="c1", **said).stored == "already_stored"
    with pytest.raises(LedgerError, match="taken by a record with other content"):
        ledger.record(id="c1", **said | {"act": "deny"})


def with_driver(url: str, driver: str) -> str:
    made = make_url(url)
    name = driver if "sqlite" in driver else f"postgresql+{driver}"
    return made.set(drivername=name).render_as_string(hide_password=False)


@pytest.fixture(params=["sqlite+aiosqlite", "psycopg", "asyncpg"])
def engine(request, tmp_path):
    """A database of which a task may ask."""
    if "sqlite" in request.param:
        url = f"{request.param}:///{tmp_path / 'claims.db'}"
    else:
        url = with_driver(request.getfixturevalue("postgres_url"), request.param)
    return create_async_engine(url)


def test_tasks_enter_and_ask_without_folding_the_log(engine):
    said: dict[str, Any] = {"claimant": "mill", "proposition": "shut", "uttered": "2023"}

    def begin(ledger: Ledger) -> None:
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        ledger.projections.add(cells(ledger.layout))
        ledger.projections.ready()
        ledger.record(id="c0", act="assert", **said)
        ledger._folded.fold.forget()

    async def enter(ledger: AsyncLedger, number: int) -> tuple[str, str]:
        receipt = await ledger.record(id=f"c{number}", act="assert", **said)
        return receipt.stored, (await ledger.position("mill", "shut")).status

    async def all_of_it() -> None:
        async with engine.begin() as conn:
            await conn.run_sync(schema.upgrade)
        ledger = AsyncLedger(engine)
        await ledger.run_sync(begin)
        heard = await asyncio.gather(*(enter(ledger, number % 20) for number in range(40)))
        assert {status for _, status in heard} == {"held"}
        assert [stored for stored, _ in heard].count("stored") == 19
        for number in range(20):  # some are cut off, wherever they are
            task = asyncio.create_task(ledger.record(id=f"d{number}", act="assert", **said))
            await asyncio.sleep(0.0005 * (number % 10))
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for number in range(20):
            await ledger.record(id=f"d{number}", act="assert", **said)
        assert len(await ledger.claims(party="mill")) == 40
        with pytest.raises(LedgerError, match="taken by a record with other content"):
            await ledger.record(id="c3", act="deny", **said)
        assert (await ledger.trace("c3")).claim == "c3"
        assert not await ledger.run_sync(lambda it: it._folded.fold.facts.size)
        await engine.dispose()

    asyncio.run(all_of_it())


ODD = ("\ud800", "a\x00b", "c\x00", "x" * 5_000, "0197c1de-0000-7000-8000-000000000000")


@pytest.mark.parametrize("odd", ODD, ids=["surrogate", "nul", "nul at the end", "long", "uuid"])
def test_an_id_that_no_log_can_hold_is_unknown(told, odd):
    ledger = told.ledger
    ledger.record(id="c", act="assert", **SAID)
    said = SAID | {"act": "assert"}
    entered = (
        lambda: ledger.record(**said | {"document": odd}),
        lambda: ledger.record(**said | {"claimant": odd}),
        lambda: ledger.record(**said | {"proposition": odd}),
        lambda: ledger.withdraw(odd, claimant="envoy", uttered="2024"),
        lambda: ledger.relate("c", "reaffirms", odd),
        lambda: ledger.amend(odd, note="n", reason="a slip"),
        lambda: ledger.merge("envoy", odd),
        lambda: ledger.trace(odd),
    )
    for enter in entered:
        told.anew()
        with pytest.raises(NotFound):
            enter()
        assert not told.folded()


def test_questions_and_entries_read_the_records_in_turns(told, monkeypatch):
    ledger = told.ledger
    slow, inside = cells_stored.framed, list[object]()

    def one_at_a_time(*given: Any) -> set[int]:
        assert not inside
        inside.append(given)
        time.sleep(0.05)
        found = slow(*given)
        inside.clear()
        return found

    monkeypatch.setattr(cells_stored, "framed", one_at_a_time)

    def ask() -> None:
        ledger.positions(party="envoy")

    def enter() -> None:
        ledger.register(Party("newcomer", name="Newcomer"))

    told.anew()
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(ask), threads.submit(enter)]:
            done.result(60)
    ask()
    kept = ledger._folded.fold.kept
    assert isinstance(kept, records.Records)
    assert kept.sequences == sorted(set(kept.sequences))


def test_what_was_erased_long_ago_is_not_read_again_at_each_entry(told, monkeypatch):
    ledger = told.ledger
    for number in range(6):
        id_ = ledger.record(id=f"e{number}", act="assert", **SAID).ledger_id
        ledger.erase(id_, slots=["what"], reason="asked", authority="desk")
    told.anew()
    ledger.record(id="c0", act="assert", **SAID)
    read_, many = records.events_at, list[int]()

    def counted(conn: Any, tables: Any, log: int, sequences: Any) -> Any:
        many.append(len(set(sequences)))
        return read_(conn, tables, log, sequences)

    monkeypatch.setattr(records, "events_at", counted)
    ledger.record(id="c1", act="assert", **SAID)
    assert sum(many) == 0
    assert not told.folded()


def test_what_others_have_entered_meanwhile_is_not_looked_up_one_by_one(told, monkeypatch):
    ledger = told.ledger
    ledger.record(act="assert", uttered="2023-01-03", **SAID)
    for number in range(3):
        text = DocumentRegistered(key="", publisher="p", sha256="0" * 64, length=1)
        ids = [f"other-{number}-{one:03}" for one in range(500)]
        ledger.appender.put(
            NewEvent(id=id_, stream=id_, stream_v=0, event=attrs.evolve(text, key=id_))
            for id_ in ids
        )
    look_up, asked = _Source.of_key, list[str]()

    def counted(source: _Source, kind: str, key: str) -> Any:
        asked.append(key)
        return look_up(source, kind, key)

    monkeypatch.setattr(_Source, "of_key", counted)
    ledger.record(id="c", act="assert", uttered="2023-01-03", **SAID)
    assert len(asked) < 10
    assert not told.folded()
