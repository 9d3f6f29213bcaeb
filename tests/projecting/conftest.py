"""A small world, a host's own projections over it, and ledgers on every engine."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from ledger import Party, Proposition, Topic
from ledger.projecting import Projection, Projections, claims
from ledger.store.layout import Layout


def acts_table(build=0, version=1):
    table = Table(
        f"host_acts_v{version}_{build}",
        MetaData(),
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("act", Text, nullable=False),
        Column("stance", Text, nullable=False),
    )
    Index(f"{table.name}_by_act", table.c.act)
    return table


def acts(build=0, *, version=1, poison=(), batches=False, **options):
    """The acts of all claims, a row each; `poison` are claims' keys that it cannot take."""
    table = acts_table(build, version)

    def apply(conn, stored):
        if stored.event.key in poison:
            raise ValueError(f"no acts of {stored.event.key}")
        values = {"seq": stored.sequence, "act": stored.event.act, "stance": stored.event.stance}
        conn.execute(table.insert().values(values))

    def apply_batch(conn, events):
        for stored in events:
            apply(conn, stored)

    way: dict[str, Any] = {"apply_batch": apply_batch} if batches else {"apply": apply}
    return Projection(
        name="acts", version=version, tables=[table], types=["claim_recorded"], **way, **options
    )


def tally(**options):
    """How many events of each type there are, as a state."""

    def evolve(state, stored):
        return {**state, stored.type: state.get(stored.type, 0) + 1}

    return Projection(name="tally", initial=dict, evolve=evolve, **options)


def world(ledger):
    ledger.register_all(
        [
            Party("board", name="Water Board"),
            Party("millers", name="Millers' Guild"),
            Topic("weir", label="The weir"),
            Proposition("shut", text="The weir is shut", topic="weir"),
            Proposition("open", text="The weir is to be opened", topic="weir", kind="aim"),
        ]
    )
    return ledger


def say(ledger, *keys, claimant="board", **fields):
    said = {"act": "assert", "proposition": "shut", "uttered": "2023-02-01", **fields}
    return [ledger.record(id=key, claimant=claimant, **said) for key in keys]


def rows(ledger, name="acts"):
    """The rows of what is served."""
    projections = ledger.projections
    table = projections.served(name).table
    with ledger._folded.reading() as conn:
        return conn.execute(sa.select(table).order_by(*table.primary_key.columns)).all()


def seqs(ledger, name="acts"):
    return [row.seq for row in rows(ledger, name)]


def patient(ledger, seconds=0):
    """The projections of another process, which takes an owner for dead after so long."""
    return Projections(ledger._folded, ledger._clock, patience=dt.timedelta(seconds=seconds))


@pytest.fixture
def small(ledger):
    """A ledger with that world, and no claim yet."""
    return world(ledger)


@pytest.fixture
def kit():
    """The functions above, since tests/ holds no packages."""

    class Kit:
        pass

    for one in (acts, acts_table, tally, world, say, rows, seqs, patient, claims, Layout):
        setattr(Kit, one.__name__, staticmethod(one))
    return Kit
