"""What is entered into a log that is not folded is checked as by one that is."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from ledger import Document, Ledger, LedgerError, Party, Proposition, Receipt
from ledger.aio import AsyncLedger
from ledger.errors import NotFound, StoreError
from ledger.model.events import TopicDefined
from ledger.narrowing import records, thrifty
from ledger.projecting import cells
from ledger.projections.effective import Facts
from ledger.projections.missing import Unheld
from ledger.store import cells as cells_stored
from ledger.store import schema
from tests.projections.naive_fold import Op
from tests.projections.worlds import DOCUMENTS, STEPS, Clock, Teller, crowded, worlds

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
SUGGESTED = re.compile(r"(?<=is in this view\.).*", re.DOTALL)
"""Near ids are looked for among what is held, so another fold has others."""

SAID: dict[str, Any] = {"claimant": "envoy", "proposition": "open"}


class Told:
    """A ledger, what it said to each thing that was handed in, and how it is made new again."""

    def __init__(self, ledger: Ledger, clock: Clock, *, fetching: bool) -> None:
        self.ledger, self.fetching = ledger, fetching
        if fetching:
            ledger.projections.add(cells(ledger.layout))
            ledger.projections.ready()
        self.teller = Teller(ledger, clock)

    def anew(self) -> None:
        """As a process that has just begun."""
        fold = self.ledger._folded.fold
        fold.forget()
        fold.kept = fold.beside = None

    def folded(self) -> bool:
        """Whether the whole log was folded since; it is forgotten now."""
        fold = self.ledger._folded.fold
        found = bool(fold.facts.size)
        fold.forget()
        return found

    def tell(self, op: Op) -> object:
        """What came of it, in words that do not tell one ledger from another."""
        if self.fetching:
            self.folded()
        try:
            told = self._hand_in(op)
        except LedgerError as error:
            return type(error), self._plain(error.message)
        if not isinstance(told, Receipt):
            return type(told)
        self.teller.ids.setdefault(op.id, told.ledger_id)
        self.teller.first.setdefault(told.ledger_id, op.id)
        return told.stored, told.sequences, told.version, told.size, told.recorded

    def _hand_in(self, op: Op) -> object:
        fields = dict(op.fields)
        match op.kind:
            case "revise":
                return self.ledger.register(Document(op.id, text=op.id, **fields))
            case "erase":
                target = self.teller.ids.get(fields["target"], fields["target"])
                slots = fields["slots"]
                return self.ledger.erase(target, slots=slots, reason="asked", authority="desk")
            case _:
                return self.teller._hand_in(op, fields)

    def _plain(self, message: str) -> str:
        first = self.teller.first
        return SUGGESTED.sub("", UUID.sub(lambda id_: first.get(id_[0], "?"), message))

    def log(self) -> list[tuple[object, ...]]:
        """The log with its ids told as what they are of."""
        rows: list[tuple[object, ...]] = []
        for one in self.ledger.events():
            self.teller.first.setdefault(one.id, f"#{one.sequence}")
            names = self._plain(one.id), self._plain(one.stream), self._plain(repr(one.event))
            rows.append((one.type, one.stream_v, *names))
        return rows


REVISED = (
    ("r0", "g1"),
    ("r1", "g2"),
    ("r2", "r0"),
    ("r3", "r1"),
    ("r0", "r2"),
    ("r4", "g1"),
    ("r5", "g1"),
)
MORE = (
    *(Op("revise", id_, {"publisher": "gazette", "revises": of}) for id_, of in REVISED),
    *(Op("document", id_, {"publisher": "gazette", "published": "2023-01"}) for id_ in DOCUMENTS),
    *(Op("erase", "", {"target": "g1", "slots": slots}) for slots in (["words"], ["what"])),
    *(Op("name", "", {"party": "envoy", "name": name, "metonym": False}) for name in ("E", "F")),
    Op("proposition", "open", {"fact_or_aim": "fact"}),
    Op("claim", "nowhere", {"chains": (), "proposition": "shut", "act": "assert"}),
)


@st.composite
def handed_in(draw):
    """A world, and among it things handed in again, as they were or otherwise, and some more."""
    ops = [op for op, _ in draw(st.one_of(worlds(), worlds(), crowded()))]
    for _ in range(draw(st.integers(0, 8))):
        op = draw(st.one_of(st.sampled_from(ops), st.sampled_from(MORE)))
        if op.kind == "claim" and draw(st.booleans()):
            op = Op(op.kind, op.id, op.fields | {"act": "avoid", "stance": "neutral"})
        elif op.kind == "claim" and draw(st.integers(0, 3)) == 0:
            slots = draw(st.sampled_from((["words"], ["what"], ["who"])))
            op = Op("erase", "", {"target": op.id, "slots": slots})
        ops.insert(draw(st.integers(0, len(ops))), op)
    return ops


ANEW = st.lists(st.integers(0, 3).map(bool), min_size=10, max_size=10)


def told_in(url: str, *, fetching: bool) -> Told:
    clock = Clock()
    return Told(Ledger.open(url, clock=clock), clock, fetching=fetching)


def check(mine: Told, theirs: Told, ops, anew):
    mine.anew()
    for at, op in enumerate(ops):
        if not anew[at % len(anew)]:
            mine.anew()
        for told in (mine, theirs):
            told.teller.clock.now += STEPS[at % len(STEPS)]
        assert mine.tell(op) == theirs.tell(op), op
    assert mine.log() == theirs.log()
    for told in (mine, theirs):
        assert told.ledger.verify().size == len(told.log())
        told.ledger.close()


@settings(max_examples=60)
@given(handed_in(), ANEW)
def test_an_entry_is_checked_as_against_the_folded_log(ops, anew):
    check(told_in(":memory:", fetching=True), told_in(":memory:", fetching=False), ops, anew)


QUESTIONS = (
    *("withdrawals_of", "relations_from", "relations_to", "revision_of", "revisions_of"),
    *("acts_of_utterance", "names_of", "memberships_of", "propositions_in", "merged_into"),
)


def looked_at(facts, kind: str, id_: str, keys) -> object:
    """What one look finds."""
    match kind:
        case "key":
            return [facts.id_of(*key) for key in keys]
        case "record":
            return facts.stored.get(id_), facts.effective.get(id_), facts.changes_of(id_)
        case "stream":
            return facts.stream_version(id_)
        case "act":
            return facts.act(id_), facts.public(id_), id_ in facts.lost, facts.hidden.get(id_)
        case _:
            return facts.indexed(kind, id_)


KINDS = ("key", "key", "record", "record", "stream", "act", *QUESTIONS)
LOOKS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 99)), min_size=4, max_size=12)


@settings(max_examples=60)
@given(handed_in(), st.lists(LOOKS, min_size=3, max_size=3))
def test_what_is_fetched_is_as_if_it_had_been_folded(ops, looks):
    told = told_in(":memory:", fetching=True)
    parts = [ops[: len(ops) // 2], ops[len(ops) // 2 :], []]
    with told.ledger as ledger:
        for part, seen in zip(parts, looks, strict=True):
            compare(told, seen)
            with ledger._folded.facts():  # from here on this is another writer
                told.fetching = False
            for op in part:
                told.tell(op)


def compare(told: Told, looks):
    """Some looks, first at what is fetched and then at the whole."""
    with told.ledger._folded.facts() as facts:
        ids = [*facts.stored, *dict.fromkeys(utterances_of(facts))]
        kinds = ("claim", "document", "utterance", "party", "topic", "proposition")
        keys = [(kind, key) for kind in kinds for key in facts.keys(kind)]
        asked = [(kind, ids[at % len(ids)], [keys[at % len(keys)]]) for kind, at in looks]
        expected = [looked_at(facts, *one) for one in asked]
        size, last = facts.size, facts.last_recorded
    told.ledger._folded.fold.forget()
    with fetched(told) as found:
        assert (found.size, found.last_recorded) == (size, last)
        for one, there in zip(asked, expected, strict=True):
            assert looked_at(found, *one) == there, one


def utterances_of(facts):
    found = (getattr(one, "utterance", None) for one in facts.effective.values())
    return filter(None, found)


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


@contextlib.contextmanager
def fetched(told: Told) -> Iterator[Facts]:
    """What a ledger has that does not fold its log."""
    near = thrifty(told.ledger._folded)
    assert near is not None
    with near.connected() as conn, near.fold.lock:
        yield near.fold.at_head(conn)


@pytest.fixture
def told(database):
    """A ledger of which nothing is folded, on every engine."""
    made = told_in(database, fetching=True)
    made.anew()
    with made.ledger:
        yield made


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
        assert facts.take_back() == later
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
