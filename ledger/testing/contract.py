"""The store's contract: what holds for a log on any database, as tests that a host can take over.

```python
class TestStore(StoreContract):
    @pytest.fixture
    def engine(self):
        return sqlalchemy.create_engine("postgresql+psycopg://...")   # an empty database
```

Each test gets an `engine` of its own, whose database is empty or may be made so; the contract makes
the tables and disposes of nothing. It runs on pytest, of the extra `testing`.
"""

# A test's name is its sentence; a literal beside an assertion is the expected answer.
# ruff: noqa: D102, PLR2004

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DatabaseError

from ledger.codec.entry import Draft, Row
from ledger.codec.envelope import seal_all
from ledger.errors import AlreadyRecorded, HeadMoved, MissingExtra, WrongExpectedVersion
from ledger.ledger import Ledger
from ledger.model.events import NewEvent, PartyNamed, PartyRegistered, Recorder
from ledger.store import read, schema, transaction
from ledger.store.append import Appended, append, lock_head, put
from ledger.store.layout import Layout
from ledger.store.tables import tables_for
from ledger.testing.tally import tally

try:
    import pytest
except ImportError as error:
    raise MissingExtra("testing", needs="pytest", purpose="The store's contract") from error

TABLES: Final = tables_for(Layout())
NOON: Final = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)
HOUR: Final = dt.timedelta(hours=1)
LOG: Final = "default"


def party(name: str, *, at: dt.datetime = NOON, log: str = LOG) -> Draft:
    """A party that is registered under its name as id: an event that opens a stream."""
    event = PartyRegistered(key=name, name=name, kind="person")
    return _draft(NewEvent(id=name, stream=name, stream_v=0, event=event), at, log)


def further_name(of: str, version: int, *, name: str = "", log: str = LOG) -> Draft:
    """A further name of a party: an event of its stream, at a version."""
    id_ = name or f"{of}-{version}"
    event = PartyNamed(party=of, name=id_)
    return _draft(NewEvent(id=id_, stream=of, stream_v=version, event=event), NOON, log)


def _draft(new: NewEvent, at: dt.datetime, log: str) -> Draft:
    return seal_all([new], log=log, recorded_at=at, recorder=Recorder(id="contract"))[0]


def store(engine: Engine, drafts: Sequence[Draft], *, log: str = LOG) -> Appended:
    """Append drafts wherever the log stands, in a transaction of its own."""
    with transaction.writing(engine, once=True) as conn:
        return put(conn, TABLES, log, drafts)


def stored(engine: Engine, *, after: int = -1, log: str = LOG) -> list[Row]:
    """The rows of a log that another transaction sees."""
    with transaction.reading(engine) as conn:
        head = read.head(conn, TABLES, log)
        return [] if head is None else list(read.rows(conn, TABLES, head.log_id, after=after))


class StoreContract:
    """What goes in comes out: each event once, in order, without a hole, all of an append or none.

    A subclass gives the fixture `engine`.
    """

    @pytest.fixture(autouse=True)
    def _tables(self, engine: Engine) -> None:
        schema.upgrade(engine)

    # -- what is stored -----------------------------------------------------------------------

    def test_what_is_appended_comes_back_as_it_was(self, engine: Engine) -> None:
        given = party("az")
        done = store(engine, [given])
        assert (done.first, done.size, done.known) == (0, 1, (NOON,))
        (row,) = stored(engine)
        assert (row.seq, row.known_at) == (0, NOON)
        assert (row.id, row.entry, row.leaf_hash) == (given.id, given.entry, given.leaf_hash)
        assert (row.who, row.what, row.by) == tuple(map(given.slots.get, ("who", "what", "by")))

    def test_an_append_of_many_is_dense_and_in_its_order(self, engine: Engine) -> None:
        store(engine, [party("first")])
        names = [f"party-{number}" for number in range(6_001)]
        done = store(engine, [party(name) for name in names])
        assert (done.first, done.size) == (1, 6_002)
        rows = stored(engine, after=0)
        assert [row.seq for row in rows] == list(range(1, 6_002))
        assert [row.id for row in rows] == names

    def test_known_at_never_runs_backwards(self, engine: Engine) -> None:
        store(engine, [party("a", at=NOON)])
        done = store(engine, [party("b", at=NOON - HOUR), party("c", at=NOON + HOUR), party("d")])
        assert done.known == (NOON, NOON + HOUR, NOON + HOUR)
        assert [row.known_at for row in stored(engine)] == [NOON, *done.known]

    def test_logs_of_one_database_do_not_leak_into_each_other(self, engine: Engine) -> None:
        store(engine, [party("a", log="one"), party("b", log="one")], log="one")
        store(engine, [party("a", log="other")], log="other")
        assert [row.id for row in stored(engine, log="one")] == ["a", "b"]
        assert [(row.seq, row.id) for row in stored(engine, log="other")] == [(0, "a")]
        assert Ledger(engine, origin="other").verify().size == 1

    # -- what is refused ----------------------------------------------------------------------

    @pytest.mark.parametrize("version", [0, 1, 3])
    def test_a_stream_that_is_elsewhere_refuses_the_whole_append(
        self, engine: Engine, version: int
    ) -> None:
        store(engine, [party("az"), further_name("az", 1)])
        late = further_name("az", version, name="late")
        with pytest.raises(WrongExpectedVersion) as caught:
            store(engine, [party("am"), late])
        assert (caught.value.expected, caught.value.actual) == (version - 1, 1)
        assert [row.id for row in stored(engine)] == ["az", "az-1"]
        assert store(engine, [further_name("az", 2)]).first == 2

    def test_an_id_that_is_taken_refuses_the_whole_append(self, engine: Engine) -> None:
        store(engine, [party("az"), party("am")])
        with pytest.raises(AlreadyRecorded) as caught:
            store(engine, [party("ge"), party("am")])
        assert caught.value.given == "am"
        assert [row.id for row in stored(engine)] == ["az", "am"]

    def test_a_head_that_has_moved_refuses_the_whole_append(self, engine: Engine) -> None:
        store(engine, [party("az")])
        with transaction.reading(engine) as conn:
            head = read.head(conn, TABLES, LOG)
        assert head is not None
        store(engine, [party("am")])
        with pytest.raises(HeadMoved), transaction.writing(engine, once=True) as conn:
            append(conn, TABLES, head, [party("ge")])
        assert [row.id for row in stored(engine)] == ["az", "am"]

    def test_an_error_after_the_append_leaves_nothing(self, engine: Engine) -> None:
        def fail() -> None:
            with transaction.writing(engine) as conn:
                append(conn, TABLES, lock_head(conn, TABLES, LOG), [party("az")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert stored(engine) == []
        with engine.connect() as conn:
            assert conn.scalar(select(func.count()).select_from(TABLES.stream)) == 0

    @pytest.mark.parametrize(
        "attack",
        [
            "UPDATE ledger_event SET entry = '{}'",
            "DELETE FROM ledger_event",
            "UPDATE ledger_log SET size = 0",
            "DELETE FROM ledger_stream",
            """INSERT INTO ledger_event SELECT log_id, 7, 'x', type, 'x', stream_v, known_at, entry,
            leaf_hash, slot_who, slot_what, slot_words, slot_by FROM ledger_event""",
        ],
    )
    def test_the_database_itself_refuses_what_is_no_append(
        self, engine: Engine, attack: str
    ) -> None:
        store(engine, [party("az")])
        with pytest.raises(DatabaseError), engine.begin() as conn:
            conn.execute(text(attack))
        assert [row.id for row in stored(engine)] == ["az"]

    # -- whose transaction it is --------------------------------------------------------------

    def test_a_hosts_transaction_is_ended_by_the_host_alone(self, engine: Engine) -> None:
        for kept, name in ((False, "gone"), (True, "kept")):
            with engine.connect() as conn:
                with transaction.writing(conn) as joined:
                    put(joined, TABLES, LOG, [party(name)])
                assert conn.in_transaction()
                if kept:
                    conn.commit()
                else:
                    conn.rollback()
        assert [(row.seq, row.id) for row in stored(engine)] == [(0, "kept")]

    def test_a_refusal_leaves_a_hosts_transaction_usable(self, engine: Engine) -> None:
        with engine.begin() as conn:
            for name in ("az", "am"):
                with transaction.writing(conn) as joined:
                    put(joined, TABLES, LOG, [party(name)])
            with pytest.raises(AlreadyRecorded), transaction.writing(conn) as joined:
                put(joined, TABLES, LOG, [party("ge"), party("az")])
            with transaction.writing(conn) as joined:
                put(joined, TABLES, LOG, [party("ge")])
        assert [row.id for row in stored(engine)] == ["az", "am", "ge"]

    # -- several at once ----------------------------------------------------------------------

    def test_of_many_that_expect_one_version_one_wins(self, engine: Engine) -> None:
        store(engine, [party("az")])

        def race(version: int, rival: int) -> str:
            try:
                store(engine, [further_name("az", version, name=f"{version}-{rival}")])
            except WrongExpectedVersion as error:
                return f"stands at {error.actual}"
            return "won"

        with ThreadPoolExecutor(4) as threads:
            for version in range(1, 6):
                found = [threads.submit(race, version, rival) for rival in range(4)]
                outcomes = sorted(one.result() for one in found)
                assert outcomes == [f"stands at {version}"] * 3 + ["won"]
        assert [row.stream_v for row in stored(engine)] == [0, 1, 2, 3, 4, 5]

    def test_a_tailing_reader_sees_each_event_once_in_order_without_a_hole(
        self, engine: Engine
    ) -> None:
        sizes = (1, 5, 10, 1, 50)
        names = [
            [[f"{writer}-{turn}-{one}" for one in range(size)] for turn, size in enumerate(sizes)]
            for writer in range(4)
        ]
        done = threading.Event()

        def write(batches: Sequence[Sequence[str]]) -> None:
            for batch in batches:
                store(engine, [party(name) for name in batch])

        def follow() -> list[tuple[int, str]]:
            seen: list[tuple[int, str]] = []
            while True:
                last_look = done.is_set()
                after = seen[-1][0] if seen else -1
                seen.extend((row.seq, row.id) for row in stored(engine, after=after))
                if last_look:
                    return seen

        with ThreadPoolExecutor(5) as threads:
            reader = threads.submit(follow)
            try:
                for writer in [threads.submit(write, batches) for batches in names]:
                    writer.result()
            finally:
                done.set()
            found = tally(reader.result(), ([n for b in batches for n in b] for batches in names))
        assert found.clean, str(found)
        assert found.stored == 4 * sum(sizes)
        assert Ledger(engine).verify().size == found.stored
