"""Narrowed questions on a host's engine: disposed of, full, or one of several on a pool."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.pool import QueuePool

from ledger import Ledger, Party, Proposition, Topic
from ledger.errors import StoreError
from ledger.projecting import cells

CELL = ("mill", "shut")


@pytest.fixture
def path(tmp_path):
    """A file in which a claim stands and the tables of cells are served."""
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        say(ledger, "C1")
    return tmp_path / "claims.db"


def say(ledger, id_, **fields):
    given = {"act": "assert", "proposition": "shut", "uttered": "2023-01-01", **fields}
    ledger.record(id=id_, claimant="mill", **given)


def asked(ledger):
    """The stance, told three times: by what is read, and by what is kept of that."""
    (stance,) = {ledger.position(*CELL).stance for _ in range(3)}
    return stance


@pytest.mark.parametrize("whose", ["its own", "another's"])
def test_what_was_committed_before_a_new_connection_was_made_is_seen(path, whose):
    engine = create_engine(f"sqlite:///{path}")
    ledger = Ledger(engine)
    for number in range(2, 6):
        stance = asked(ledger)
        engine.dispose()
        words = {"act": "deny" if stance == "supports" else "assert"}
        if whose == "its own":
            say(ledger, f"C{number}", uttered=f"2023-0{number}-01", **words)
        else:
            with Ledger.open(path) as other:
                other.projections.add(cells(other.layout))
                say(other, f"C{number}", uttered=f"2023-0{number}-01", **words)
        assert asked(ledger) != stance
        assert ledger.as_of().basis == number + 2
        assert ledger.as_of(known=number + 1).basis == number + 2
    engine.dispose()


@pytest.mark.parametrize("which", ["base", "with options"])
def test_engines_that_share_a_pool_are_disposed_of_together(path, which):
    base = create_engine(f"sqlite:///{path}")
    optional = base.execution_options(logging_token="web")
    ledger = Ledger(optional)
    assert asked(ledger) == "supports"
    (base if which == "base" else optional).dispose()
    other = path.with_name("other.db")
    with Ledger.open(other) as ledger_of_another:
        ledger_of_another.projections.add(cells(ledger_of_another.layout))
        ledger_of_another.register_all(
            [Party("mill", name="Mill"), Proposition("shut", text="Shut")]
        )
        say(ledger_of_another, "C1", act="deny")
    other.replace(path)  # which a file that is still open would not show
    assert asked(ledger) == "opposes"
    base.dispose()


def test_a_full_pool_is_told_in_the_ledgers_words(path):
    engine = create_engine(
        f"sqlite:///{path}", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    ledger = Ledger(engine)
    assert ledger.position(*CELL).stance == "supports"
    engine.dispose()
    with engine.connect():
        for question in (ledger.as_of, ledger.claims, lambda: ledger.position(*CELL)):
            with pytest.raises(StoreError, match="No connection of the engine's pool became free"):
                question()
    assert asked(ledger) == "supports"
    engine.dispose()


def test_a_full_pool_is_waited_for_once_where_a_question_is_one_statement(postgres_url):
    waits: list[None] = []

    class Counting(QueuePool):
        def connect(self):
            waits.append(None)
            return super().connect()

    with Ledger.open(postgres_url) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        say(ledger, "C1")
    engine = create_engine(
        postgres_url, poolclass=Counting, pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    ledger = Ledger(engine)
    view = ledger.as_of()
    assert {view.position(*CELL).stance for _ in range(3)} == {"supports"}
    with engine.connect():
        for question in (ledger.as_of, view.claims, lambda: view.position(*CELL)):
            waits.clear()
            with pytest.raises(StoreError, match="No connection of the engine's pool became free"):
                question()
            assert len(waits) == 1
    assert asked(ledger) == "supports"
    engine.dispose()


def test_many_parties_on_a_wide_topic_are_not_looked_up_pair_by_pair(path):
    many, steps = range(400), list[None]()
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def count(driver, _):
        driver.set_progress_handler(lambda: steps.append(None), 1_000)

    ledger = Ledger(engine)
    ledger.projections.add(cells(ledger.layout))
    ledger.register(Topic("weir", label="The weir"))
    ledger.register_all(Party(f"p{one}", name=f"P {one}") for one in many)
    ledger.register_all(Proposition(f"q{one}", text=f"Q {one}", topic="weir") for one in many)
    ledger.record(id="C2", claimant="p7", act="assert", proposition="q7", uttered="2023-01-02")
    steps.clear()
    assert [one.claim for one in ledger.explain("p7", "q7").position.evidence] == ["C2"]
    assert len(steps) < 100
    engine.dispose()
