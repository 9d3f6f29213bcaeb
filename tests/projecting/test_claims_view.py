"""The built-in table of claims: inline and rebuilt it holds the same, and what the events say."""

from __future__ import annotations

import asyncio
import datetime as dt
from uuid import uuid4

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Claim, Document, Ledger, Link, Party, Proposition
from ledger.errors import Conflict, Invalid, NotFound
from ledger.model import events as ev
from ledger.model.events import NewEvent
from ledger.projecting import claims
from ledger.store import schema
from ledger.testing import lachin


def expected(ledger):
    """The table as a few plain loops over the events make it."""
    seq_of, found = {}, {}
    for stored in ledger.events():
        seq_of[stored.id] = stored.sequence
        match stored.event:
            case ev.ClaimRecorded() as claim:
                says = [[x for x in chain if x.kind in ("says", "cited")] for chain in claim.chains]
                parties = {seq_of[links[-1].agent] for links in says if links} or {-1}
                day = claim.uttered.latest if claim.uttered else None
                if isinstance(day, dt.datetime):
                    day = (day + dt.timedelta(hours=14)).astimezone(dt.UTC).date()
                for party in parties:
                    found[stored.sequence, party] = [
                        seq_of[claim.proposition],
                        day,
                        claim.act,
                        claim.stance,
                        None,
                    ]
            case ev.ClaimWithdrawn(claims=claims):
                end(found, [seq_of[one] for one in claims], stored.sequence)
            case ev.ClaimCorrected(target=target) | ev.RecordAmended(target=target):
                end(found, [seq_of[target]], stored.sequence)
            case _:
                pass
    return [(*key, *found[key]) for key in sorted(found)]


def end(found, claims, at):
    for (seq, _), row in found.items():
        if seq in claims and row[-1] is None:
            row[-1] = at


def table(ledger, kit):
    return [tuple(row)[1:] for row in kit.rows(ledger, "claims")]


def test_the_table_holds_what_was_claimed_by_whom_and_until_when(ledger, kit):
    ledger.projections.add(kit.claims(ledger.layout))
    kit.world(ledger)
    ledger.register(Document("gazette", publisher="millers", text="Shut."))
    kit.say(ledger, "C1", uttered="2023-02")
    kit.say(ledger, "C2", claimant=["board", "millers"], uttered=None)
    kit.say(ledger, "C3", uttered="2023-02-01T23:30:00+00:00")
    ledger.record(chain=[Link("millers", "reports")], act="assert", proposition="shut", id="C4")
    ledger.withdraw("C1", claimant="board", uttered="2023-03-01")
    ledger.amend("C1", reason="typing error", uttered="2023-02-02")
    ledger.amend("C3", reason="heard wrongly", strike_out=True)
    assert table(ledger, kit) == [
        (6, 0, 3, dt.date(2023, 2, 28), "assert", "supports", 10),
        (7, 0, 3, None, "assert", "supports", None),
        (7, 1, 3, None, "assert", "supports", None),
        (8, 0, 3, dt.date(2023, 2, 2), "assert", "supports", 12),
        (9, -1, 3, None, "assert", "supports", None),
    ]
    assert table(ledger, kit) == expected(ledger)
    assert ledger.projections.check("claims").ok


def test_the_example_world_is_the_same_inline_and_rebuilt(database, clock, kit):
    with Ledger.open(database, clock=clock) as ledger:
        ledger.projections.add(kit.claims(ledger.layout))
        lachin.load(ledger)
        inline = table(ledger, kit)
        assert inline == expected(ledger)
        assert len(inline) > 3
        ledger.projections.rebuild("claims", batch=3)
        assert table(ledger, kit) == inline
        ledger.projections.rebuild("claims")
        assert table(ledger, kit) == inline


def test_many_claims_in_one_batch_are_the_same_as_one_by_one(small, kit):
    """Large batches go into PostgreSQL by another way than small ones."""
    small.projections.add(kit.claims(small.layout))
    for part in range(4):
        days = [None, "2023-01-05", "2022-12/2023-01"]
        small.record_all(
            [
                Claim(
                    id=f"K{part}-{n}",
                    claimant=["board", "millers"][: n % 3],
                    act="assert",
                    proposition="shut",
                    uttered=days[n % 3],
                )
                for n in range(30)
            ]
        )
    inline = table(small, kit)
    assert len(inline) == 160
    assert inline == expected(small)
    small.projections.rebuild("claims")
    assert table(small, kit) == inline


step = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(["board", "millers", None]), st.booleans()),
    st.tuples(st.just("withdraw"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("amend"), st.integers(0, 9), st.booleans()),
    st.tuples(st.just("many"), st.integers(1, 4), st.booleans()),
)


def play(ledger, steps):
    keys: list[str] = []
    for act, which, flag in steps:
        if act in ("say", "many"):
            new = [f"K{len(keys) + n}" for n in range(which if act == "many" else 1)]
            keys += new
            who = "board" if act == "many" else which
            uttered = "2023-01-05/2023-02-07" if flag else None
            ledger.record_all(
                [
                    Claim(id=k, claimant=who, act="assert", proposition="shut", uttered=uttered)
                    for k in new
                ]
            )
        elif keys:
            key = keys[which % len(keys)]
            try:
                if act == "withdraw":
                    ledger.withdraw(key, claimant="board", uttered="2023-02-08")
                else:
                    ledger.amend(key, reason="typing error", strike_out=flag, **fields(flag))
            except (Invalid, NotFound, Conflict):
                pass  # a claim of somebody else's, or of nobody's: refused, and nothing stored


def fields(strike_out):
    return {} if strike_out else {"uttered": "2023-02-01"}


@pytest.fixture(scope="module")
def memory():
    """A database in memory in which every example has a log of its own."""
    with Ledger.open(":memory:") as ledger:
        yield ledger._folded.bind


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(step, max_size=10), batch=st.integers(1, 5))
def test_inline_rows_are_those_of_any_rebuild(memory, steps, batch):
    ledger = Ledger(memory, origin=f"example-{uuid4().hex}")
    ledger.projections.add(claims(ledger.layout))
    ledger.register_all(
        [
            Party("board", name="Board"),
            Party("millers", name="Millers"),
            Proposition("shut", text="It is shut"),
        ]
    )
    play(ledger, steps)
    inline = served(ledger)
    assert inline == expected(ledger)
    ledger.projections.rebuild("claims", batch=batch)
    assert served(ledger) == inline


def served(ledger):
    with ledger.projections.reading("claims") as (conn, found):
        table, log_id = found.table, ledger._folded.log_id(conn)
        query = sa.select(table).where(table.c.log_id == log_id).order_by("seq", "party")
        return [tuple(row)[1:] for row in conn.execute(query)]


def test_the_table_lives_under_the_layouts_names(ledger, kit):
    layout = kit.Layout(prefix="archive_")
    with Ledger.open(":memory:", layout=layout) as other:
        other.projections.add(kit.claims(layout))
        kit.world(other)
        kit.say(other, "C1")
        assert other.projections.served("claims").table.name == "archive_v1_claim"
        assert len(kit.rows(other, "claims")) == 1


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_as_of_question_goes_through_its_index(engine, request, tmp_path, kit):
    url = f"sqlite:///{tmp_path / 'c.db'}" if engine == "sqlite" else None
    with Ledger.open(url or request.getfixturevalue("postgres_url")) as ledger:
        ledger.projections.add(kit.claims(ledger.layout))
        kit.world(ledger)
        kit.say(ledger, "C1")
        name = ledger.projections.served("claims").table.name
        ask = (
            f"SELECT seq FROM {name} WHERE log_id = 1 AND party = 0 AND proposition = 3 "
            "AND uttered_latest <= '2023-02-01' ORDER BY uttered_latest DESC LIMIT 1"
        )
        with ledger._folded.connected() as conn:
            if engine == "sqlite":
                plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {ask}").all()
            else:
                conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
                plan = conn.exec_driver_sql(f"EXPLAIN {ask}").all()
        assert f"{name}_as_of" in str(plan)


@pytest.fixture(params=["psycopg", "psycopg_async", "asyncpg"])
def asynchronous(request, postgres_url):
    """`asynchronous(work)` calls `work(ledger)` on an engine of each asynchronous driver."""
    for needed in ("greenlet", request.param.removesuffix("_async")):
        pytest.importorskip(needed)
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - needs greenlet

    async def drive(work):
        url = sa.make_url(postgres_url).set(drivername=f"postgresql+{request.param}")
        engine = create_async_engine(url)
        try:
            async with engine.connect() as conn:
                await conn.run_sync(schema.upgrade)
                await conn.commit()
                await conn.run_sync(lambda _: work(Ledger(engine.sync_engine)))
        finally:
            await engine.dispose()

    return lambda work: asyncio.run(drive(work))


@pytest.mark.parametrize("many", [1, 60])
def test_asynchronous_drivers_fill_it_with_the_same(asynchronous, postgres_url, kit, many):
    def work(ledger):
        ledger.projections.add(claims(ledger.layout))
        kit.world(ledger)
        kit.say(ledger, "C1", uttered="0001-01-01")  # asyncpg's word for the beginning of time
        said = next(one for one in ledger.events() if one.type == "claim_recorded").event
        ids = [str(uuid4()) for _ in range(many)]
        ledger.appender.put(
            NewEvent(id=id_, stream=id_, stream_v=0, event=attrs.evolve(said, key=None))
            for id_ in ids
        )

    asynchronous(work)
    with Ledger.open(postgres_url) as ledger:
        ledger.projections.add(claims(ledger.layout))
        assert table(ledger, kit) == expected(ledger)
