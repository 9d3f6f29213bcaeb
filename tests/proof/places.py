"""The places that the proof writes to: a log in a database, prepared to take appends back.

Where an append is written and then taken back, a host rolls it back, or else the database, which
refuses a name with "taken-back" in it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import attrs
from sqlalchemy import Engine

from ledger import Claim, Ledger, Party, Proposition
from ledger.errors import StoreError
from ledger.store import engines, schema
from ledger.store.layout import Layout
from ledger.store.tables import tables_for

TABLES: Final = tables_for(Layout())
PATIENCE: Final = 60
"""Seconds after which whoever waits gives up."""

SCENE: Final = ("board", "open")
"""The names of the two events that every log begins with."""


class Enter(Protocol):
    """Enters claims as one append, and takes it back where it is not to be kept."""

    def __call__(self, names: Sequence[str], *, keep: bool) -> None: ...


@attrs.frozen
class Place:
    """One log of one database."""

    url: str
    origin: str


_bound: dict[str, Engine] = {}


def engine(url: str) -> Engine:
    """The engine of this process for a database; it lets go of the one before."""
    if url not in _bound:
        while _bound:
            _bound.popitem()[1].dispose()
        _bound[url] = engines.engine_for(url)
    return _bound[url]


def ledger(place: Place) -> Ledger:
    return Ledger(engine(place.url), origin=place.origin)


def begin(place: Place) -> None:
    """Make the log: a claimant, and what is claimed."""
    ledger(place).register_all([Party("board", name="Board"), Proposition("open", text="Open?")])


def said(name: str) -> Claim:
    return Claim(id=name, claimant="board", act="assert", proposition="open")


REFUSE: Final = {
    "sqlite": (
        """
CREATE TRIGGER taken_back AFTER INSERT ON ledger_event
WHEN instr(coalesce(NEW.slot_who, ''), 'taken-back') + instr(NEW.slot_what, 'taken-back')
BEGIN SELECT RAISE(ABORT, 'taken back'); END""",
    ),
    "postgresql": (
        """
CREATE FUNCTION taken_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF position('taken-back'::bytea IN coalesce(NEW.slot_who, '') || NEW.slot_what) > 0 THEN
    RAISE EXCEPTION 'taken back';
  END IF;
  RETURN NULL;
END $$""",
        """
CREATE CONSTRAINT TRIGGER taken_back AFTER INSERT ON ledger_event DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION taken_back()""",
    ),
}
"""Lets the database refuse an append after its rows are written, on PostgreSQL at the commit."""


def prepare(url: str) -> None:
    """Make the tables, and let an append be refused where a name in it says so."""
    schema.upgrade(engine(url))
    with engine(url).begin() as conn:
        for statement in REFUSE[conn.dialect.name]:
            conn.exec_driver_sql(statement)


@contextlib.contextmanager
def asked(names: Sequence[str], *, keep: bool) -> Iterator[Sequence[str]]:
    """The names to enter inside; where they are not to be kept, the last one is refused."""
    try:
        yield names if keep else [*names[:-1], f"{names[-1]}-taken-back"]
    except StoreError as error:
        if keep or not is_taken_back(error):
            raise
    else:
        assert keep, "the database was to refuse this"


def is_taken_back(error: StoreError) -> bool:
    """Whether it is the refusal that was asked for."""
    return bool(re.search("taken back|cannot be written", error.message))
