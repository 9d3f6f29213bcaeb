"""Any run of entries, undoings, roll-backs, readings and reopenings against a plain list.

The machine works through the front door, on SQLite in memory, SQLite in a file and PostgreSQL. Each
run has a log of its own in one database. Three projections keep the list too: as a state in each
append, as a state by runs, and as rows of a table that is shared by all logs and built anew.
"""

from __future__ import annotations

import datetime as dt
import itertools
import threading

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from ledger import Claim, Ledger, Party, Proposition
from ledger.errors import AlreadyRecorded, WrongExpectedVersion
from ledger.projecting import Projection
from ledger.store import engines, schema
from tests.conftest import IN_CI

RUNS = itertools.count()
PHASES = [Phase.explicit, Phase.generate] if IN_CI else list(Phase)
"""In CI a failure is told as it was met: to make it smaller takes longer than a test may."""

DAYS = st.dates(min_value=dt.date(2023, 1, 1), max_value=dt.date(2024, 1, 1)).map(str)


@attrs.define
class Told:
    """What the list knows of a claim: on which day it was said, and how often it was changed."""

    uttered: str
    changes: int = 0
    withdrawn: bool = False
    struck: bool = False


def ids_of(name):
    """A projection whose state is the list of the events' ids."""
    return Projection(name=name, initial=list, evolve=lambda state, event: [*state, event.id])


def row_each(build):
    """A projection with a row for each event, that can be built beside another."""
    table = sa.Table(
        f"machine_row_{build}",
        sa.MetaData(),
        sa.Column("log_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
    )

    def apply_page(page):
        events = page.events()
        rows = [{"log_id": page.log_id, "seq": one.sequence, "id": one.id} for one in events]
        page.conn.execute(table.insert(), rows)

    return Projection(name="rows", tables=[table], apply_page=apply_page)


class LedgerAgainstList(RuleBasedStateMachine):
    """A ledger against a list of what its events are about, and a dictionary of its claims."""

    engine: sa.Engine
    in_memory = False

    def __init__(self):
        super().__init__()
        self.origin = f"run-{next(RUNS)}"
        self.numbers = itertools.count()  # the same in every replay of a run
        self.ledger = self.opened()
        self.ledger.register_all([Party("p", name="P"), Proposition("q", text="Q?")])
        self.log = ["p", "q"]
        self.claims: dict[str, Told] = {}
        self.tailed: list[str] = []
        self.behind = 0
        self.handled = 0

    def opened(self, bind=None):
        ledger = Ledger(bind or self.engine, origin=self.origin)
        ledger.projections.add(ids_of("inline"))
        ledger.projections.add(ids_of("deferred"), mode="deferred")
        ledger.projections.add(row_each, mode="deferred")
        return ledger

    def logged(self, many=None):
        """The ids of the first events, or of all."""
        return [one.id for one in self.ledger.events(limit=many)]

    def draw_claim(self, data):
        """An id that is taken: one that was struck out is free again."""
        return data.draw(st.sampled_from([k for k, v in self.claims.items() if not v.struck]))

    def said(self, day):
        return Claim(
            id=f"c{next(self.numbers):03}", claimant="p", act="assert", proposition="q", uttered=day
        )

    # -- entering -----------------------------------------------------------------------------

    @rule(days=st.lists(DAYS, min_size=1, max_size=5))
    def append(self, days):
        given = [self.said(day) for day in days]
        receipts = self.ledger.record_all(given)
        first = len(self.log)
        assert [one.sequences for one in receipts] == [(first + n,) for n in range(len(given))]
        self.take(given, days)

    def take(self, given, days):
        self.log += [one.id for one in given]
        self.claims |= {one.id: Told(day) for one, day in zip(given, days, strict=True)}

    @precondition(lambda self: any(not one.struck for one in self.claims.values()))
    @rule(data=st.data(), day=DAYS)
    def append_an_id_that_is_taken(self, data, day):
        name = self.draw_claim(data)
        given = [self.said(day), attrs.evolve(self.said(day), id=name, note="another")]
        with pytest.raises(AlreadyRecorded):
            self.ledger.record_all(given)

    @precondition(lambda self: any(not one.struck for one in self.claims.values()))
    @rule(data=st.data(), day=DAYS)
    def amend(self, data, day):
        name = self.draw_claim(data)
        if day != self.claims[name].uttered:
            self.ledger.amend(name, uttered=day, reason="a slip")
            self.log.append(name)
            self.claims[name].uttered = day
            self.claims[name].changes += 1

    @precondition(lambda self: any(not one.struck for one in self.claims.values()))
    @rule(data=st.data(), off=st.integers(1, 3))
    def amend_what_has_moved_on(self, data, off):
        name = self.draw_claim(data)
        expected = self.claims[name].changes + off
        with pytest.raises(WrongExpectedVersion):
            self.ledger.amend(name, note="late", reason="a slip", expected=expected)

    @rule(data=st.data())
    def withdraw(self, data):
        open_ = [k for k, v in self.claims.items() if not v.withdrawn and not v.struck]
        if open_:
            name = data.draw(st.sampled_from(open_))
            self.ledger.withdraw(name, claimant="p", uttered="2024-06-01")
            self.log.append(name)
            self.claims[name].withdrawn = True

    @rule(data=st.data())
    def strike_out(self, data):
        open_ = [k for k, v in self.claims.items() if not v.withdrawn and not v.struck]
        if open_:
            name = data.draw(st.sampled_from(open_))
            self.ledger.amend(name, strike_out=True, reason="not ours")
            self.log.append(name)
            self.claims[name].struck = True

    @precondition(lambda self: not self.in_memory)
    @rule(days=st.lists(DAYS, min_size=1, max_size=3), keep=st.booleans())
    def append_in_a_hosts_transaction(self, days, keep):
        given = [self.said(day) for day in days]
        with self.engine.connect() as conn:
            inside = self.opened(conn)
            inside.record_all(given)
            assert len(list(inside.events())) == len(self.log) + len(given)
            (conn.commit if keep else conn.rollback)()
        if keep:
            self.take(given, days)

    # -- reading ------------------------------------------------------------------------------

    @rule(data=st.data())
    def read_a_page(self, data):
        after = data.draw(st.integers(-1, len(self.log)))
        limit = data.draw(st.integers(0, 5))
        found = [one.sequence for one in self.ledger.events(after=after, limit=limit)]
        assert found == [*range(after + 1, min(after + 1 + limit, len(self.log)))]

    @rule()
    def follow(self):
        end = len(self.log)
        events = self.ledger.follow(
            after=len(self.tailed) - 1, stop=lambda: len(self.tailed) >= end
        )
        for event in events:
            assert event.sequence == len(self.tailed)
            self.tailed.append(event.id)
        assert len(self.tailed) == end

    @rule()
    def reopen(self):
        self.ledger = self.opened()

    # -- projections and cursors --------------------------------------------------------------

    @rule(data=st.data(), batch=st.integers(1, 4))
    def run_a_projection(self, data, batch):
        until = data.draw(st.integers(0, len(self.log)))
        outcome = self.ledger.projections.run("deferred", until=until, batch=batch)
        self.behind = max(self.behind, until)
        assert outcome.position == self.behind
        assert self.ledger.projections.run("rows").position == len(self.log)

    @rule(name=st.sampled_from(["deferred", "rows"]), batch=st.integers(1, 4))
    def rebuild(self, name, batch):
        outcome = self.ledger.projections.rebuild(name, batch=batch)
        assert (outcome.status, outcome.position) == ("caught_up", len(self.log))
        if name == "deferred":
            self.behind = len(self.log)

    @rule()
    def follow_with_a_projection(self):
        stop = threading.Event()
        outcome = self.ledger.projections.follow("deferred", stop=stop, wait=lambda _: stop.set())
        self.behind = len(self.log)
        assert (outcome.status, outcome.position) == ("stopped", self.behind)

    @rule(many=st.integers(1, 4), keep=st.booleans())
    def handle_and_move_a_cursor(self, many, keep):
        cursor = self.ledger.cursor("machine")
        assert cursor.position == self.handled - 1
        to = min(self.handled + many, len(self.log)) - 1
        if to >= self.handled:
            with self.engine.connect() as conn:
                cursor.advance(to, conn)
                (conn.commit if keep else conn.rollback)()
            self.handled = to + 1 if keep else self.handled

    @invariant()
    def each_projection_holds_what_it_has_read(self):
        projections = self.ledger.projections
        assert projections.state("inline") == self.logged()
        found = {one.name: one for one in projections.status() if one.served}
        if "deferred" in found:
            assert found["deferred"].position == self.behind
            assert (projections.state("deferred") or []) == self.logged(self.behind)
        if "rows" in found:
            with projections.reading("rows") as (conn, served):
                c = served.table.c
                mine = sa.select(c.id).where(c.log_id == self.ledger._folded.log_id(conn))
                rows = [*conn.scalars(mine.order_by(c.seq))]
            assert rows == self.logged(served.position)

    @invariant()
    def holds_what_the_list_holds(self):
        assert [one.sequence for one in self.ledger.events()] == [*range(len(self.log))]
        listed = {one.id: one for one in self.ledger.as_of(said="2050-01-01").claims()}
        live = {name: told for name, told in self.claims.items() if not told.struck}
        assert listed.keys() == live.keys()
        for name, told in live.items():
            assert str(listed[name].uttered) == told.uttered
            assert listed[name].withdrawn is told.withdrawn

    def teardown(self):
        assert self.ledger.projections.check("inline").ok
        assert self.ledger.verify().size == len(self.log)
        assert [one.id for one in self.ledger.events()][: len(self.tailed)] == self.tailed


def test_a_ledger_is_what_a_list_would_be(database):
    engine = engines.engine_for(database)
    schema.upgrade(engine)
    machine = type(
        "Machine", (LedgerAgainstList,), {"engine": engine, "in_memory": database == "sqlite://"}
    )
    few = settings(max_examples=8, stateful_step_count=12, phases=PHASES)
    run_machine(machine, settings=few)
    engine.dispose()
