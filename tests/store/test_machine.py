"""Any sequence of appends, refusals and roll-backs leaves what a plain list would hold."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.codec.entry import Draft, draft, salted
from ledger.errors import AlreadyRecorded, WrongExpectedVersion
from ledger.store import engines, read, schema, transaction
from ledger.store.append import append, lock_head
from ledger.store.audit import audit
from ledger.store.layout import Layout
from ledger.store.tables import tables_for

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)
STREAMS = st.sampled_from(["a", "b", "c"])
MINUTES = st.integers(-5, 5)


class LogAgainstList(RuleBasedStateMachine):
    """A log on SQLite in memory against a list of drafts."""

    def __init__(self):
        super().__init__()
        self.tables = tables_for(Layout())
        self.engine = engines.engine_for(":memory:")
        schema.upgrade(self.engine)
        self.stored: list[Draft] = []
        self.made = 0

    def teardown(self):
        self.engine.dispose()

    def version(self, stream):
        return sum(1 for each in self.stored if each.stream == stream)

    def make(self, stream, version, minute, name=None):
        self.made += 1
        return draft(
            log="default",
            id=name or f"event-{self.made}",
            type="T",
            type_v=1,
            stream=stream,
            stream_v=version,
            recorded_at=NOON + minute * dt.timedelta(minutes=1),
            recorder="r",
            slots={"what": salted(b"{}")},
        )

    def batch(self, plan):
        coming: dict[str, int] = {}
        made = []
        for stream, minute in plan:
            version = coming.get(stream, self.version(stream))
            coming[stream] = version + 1
            made.append(self.make(stream, version, minute))
        return made

    def write(self, drafts):
        with transaction.writing(self.engine) as conn:
            return append(conn, self.tables, lock_head(conn, self.tables, "default"), drafts)

    @rule(plan=st.lists(st.tuples(STREAMS, MINUTES), max_size=6))
    def append(self, plan):
        drafts = self.batch(plan)
        done = self.write(drafts)
        assert (done.first, done.size) == (len(self.stored), len(self.stored) + len(drafts))
        self.stored += drafts

    @rule(plan=st.lists(st.tuples(STREAMS, MINUTES), min_size=1, max_size=3), off=st.integers(1, 3))
    def append_to_a_stream_that_is_elsewhere(self, plan, off):
        drafts = self.batch(plan)
        late = self.make("z", self.version("z") + off, 0)
        with pytest.raises(WrongExpectedVersion):
            self.write([*drafts, late])

    @rule(plan=st.lists(st.tuples(STREAMS, MINUTES), max_size=3), data=st.data())
    def append_an_id_that_is_taken(self, plan, data):
        if self.stored:
            name = data.draw(st.sampled_from(self.stored)).id
            drafts = self.batch(plan)
            with pytest.raises(AlreadyRecorded):
                self.write([*drafts, self.make("z", 0, 0, name)])

    @rule(plan=st.lists(st.tuples(STREAMS, MINUTES), max_size=4))
    def append_and_think_better_of_it(self, plan):
        with self.engine.connect() as conn:
            with transaction.writing(conn) as joined:
                head = lock_head(joined, self.tables, "default")
                append(joined, self.tables, head, self.batch(plan))
            conn.rollback()

    @rule(minute=MINUTES)
    def ask_for_the_size_at(self, minute):
        instant = NOON + minute * dt.timedelta(minutes=1)
        known = 0
        for each in self.stored:
            if each.recorded_at > instant:
                break
            known += 1
        with transaction.reading(self.engine) as conn:
            head = read.head(conn, self.tables, "default")
            if head is not None:
                assert read.size_at(conn, self.tables, head.log_id, instant) == known

    @invariant()
    def holds_what_the_list_holds(self):
        with transaction.reading(self.engine) as conn:
            head = read.head(conn, self.tables, "default")
            rows = [] if head is None else [*read.rows(conn, self.tables, head.log_id)]
            assert [row.entry for row in rows] == [each.entry for each in self.stored]
            assert audit(conn, self.tables, "default").size == len(self.stored)


TestLogAgainstList = LogAgainstList.TestCase
TestLogAgainstList.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
