"""What a question of one cell, party or claim looks up, it looks up by an index, at every size."""

from __future__ import annotations

import contextlib
import json
import re

import pytest
import sqlalchemy as sa

from ledger import Claim, Ledger, Party, Proposition
from ledger.projecting import cells
from ledger.store import engines, schema
from ledger.store.arrays import takes_arrays
from tests.proof.plans import Sent, caught

TABLES = ("ledger_event", "ledger_v4_cell", "ledger_v4_link")
ALIASED = re.compile(r"(ledger_\w+)(?: AS)? (\w)\b")
PARTIES, PROPOSITIONS = 20, 30
SIZES = {"small": 300, "large": 6_000}


def told(many):
    """So many claims, one in twenty on what another has said: it is taken back or amended."""
    for number in range(many):
        yield Claim(
            id=f"c{number}",
            claimant=f"p{number % PARTIES}",
            proposition=f"q{number % PROPOSITIONS}",
            act="assert",
            uttered="2024-03-01",
        )


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def made(request, tmp_path_factory):
    """Ledgers with the tables of cells, small and large, without statistics and with."""
    found = {}
    with contextlib.ExitStack() as stack:
        for name, many in SIZES.items():
            url = (
                f"sqlite:///{tmp_path_factory.mktemp('plans') / 'claims.db'}"
                if request.param == "sqlite"
                else stack.enter_context(request.getfixturevalue("new_postgres")())
            )
            engine = engines.engine_for(url)
            stack.callback(engine.dispose)
            schema.upgrade(engine)
            for origin in ("default", "another"):
                ledger = Ledger(engine, origin=origin)
                ledger.projections.add(cells(ledger.layout), mode="deferred")
                ledger.register_all([Party(f"p{n}", name=f"P {n}") for n in range(PARTIES)])
                ledger.register_all(
                    [Proposition(f"q{n}", text=f"Q {n}") for n in range(PROPOSITIONS)]
                )
                ledger.record_all(told(many))
                for number in range(0, many, 100):
                    ledger.withdraw(
                        f"c{number}", claimant=f"p{number % PARTIES}", uttered="2024-04-01"
                    )
                    ledger.amend(f"c{number + 1}", stance="opposes", reason="misheard")
                ledger.projections.run("cells")
            with engine.begin() as conn:
                conn.execute(sa.text("ANALYZE"))
            found[name] = engine
        yield found


QUESTIONS = {
    "a cell": lambda view: view.position("p7", "q7"),
    "a cell with a claim that was taken back": lambda view: view.position("p0", "q0"),
    "a cell with a claim that was amended": lambda view: view.position("p1", "q1"),
    "a silent cell": lambda view: view.position("p0", "q1"),
    "a party": lambda view: view.positions(party="p3"),
    "a timeline": lambda view: view.timeline("p3", "q3"),
    "a claim": lambda view: view.claims(party="p3", proposition="q3"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("earlier", [False, True])
def test_what_is_asked_about_is_looked_up(made, size, question, earlier):
    engine = made[size]
    engine.dispose()  # so that the driver's own connection is made, and heard, in here
    with caught(engine) as sent:
        ledger = Ledger(engine)
        view = ledger.as_of(known=len(list(ledger.events(limit=10))) + 40) if earlier else None
        for _ in range(3):
            QUESTIONS[question](view or ledger.as_of())
    engine.dispose()
    ours = [one for one in sent if any(table in one.text for table in TABLES)]
    assert ours
    wrong = {one.text: bad for one in ours if (bad := read_through(engine, one, size))}
    assert wrong == {}


def read_through(engine, sent: Sent, size):
    """Which of the tables that grow a statement reads through; PostgreSQL may do so with a page."""
    with engine.connect() as conn:
        if engine.dialect.name == "sqlite":
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sent.text}").all()
            named = {alias: table for table, alias in ALIASED.findall(sent.text)}
            read = (detail.split()[1] for *_, detail in plan if detail.startswith("SCAN "))
            return [one for one in read if named.get(one, one) in TABLES]
        if size == "small":
            return []
        takes_arrays(conn)
        found = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {sent.text}", sent.parameters)
        plan = found.scalar_one()
        return list(scans((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))


def scans(node):
    if node["Node Type"] == "Seq Scan" and node.get("Relation Name") in TABLES:
        yield f"Seq Scan {node['Relation Name']}"
    for child in node.get("Plans", ()):
        yield from scans(child)


def test_a_statement_that_reads_through_would_be_noticed(made):
    large = made["large"]
    wrong = Sent("SELECT * FROM ledger_v4_cell c WHERE document = 3")
    noticed = ["c"] if large.dialect.name == "sqlite" else ["Seq Scan ledger_v4_cell"]
    assert read_through(large, wrong, "large") == noticed
