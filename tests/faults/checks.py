"""What must hold after every fault; nothing here asks the library to vouch for itself alone.

The log is read twice: as bare rows by the driver, and as events. What was acknowledged is what the
writers wrote down (`writer`), what must be answered is worked out in `world`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec
import psycopg
import sqlalchemy as sa

from ledger import Ledger
from ledger.model.events import ClaimRecorded, StoredEvent
from tests.faults.world import SETUP, Step, answer


@attrs.frozen(kw_only=True)
class Notes:
    """What writers wrote down: each step acknowledged, and what they were told when it failed."""

    acknowledged: Mapping[str, Sequence[int]]
    began: int
    told: Counter[str]
    already: int
    lied: tuple[str, ...]

    @classmethod
    def read(cls, files: Iterable[Path]) -> Notes:
        """Every file of notes; a line cut off by a kill acknowledges nothing."""
        acknowledged: dict[str, Sequence[int]] = {}
        told: Counter[str] = Counter()
        lied: list[str] = []
        began = already = 0
        for file in files:
            refused: set[str] = set()
            unsure: set[str] = set()
            for line in file.read_bytes().split(b"\n")[:-1] if file.exists() else ():
                note = msgspec.json.decode(line)
                match note:
                    case {"step": step, "sequences": sequences, "already": again}:
                        assert step not in acknowledged, f"{step} was acknowledged twice"
                        acknowledged[step] = sequences
                        already += again
                        if again and step in refused - unsure:
                            lied.append(step)
                    case {"step": step, "error": error, "stored": stored}:
                        told[f"{error}, stored: {stored}"] += 1
                        # A refusal speaks of its own attempt: one before may have been stored,
                        # if nobody knows; and an import is several appends.
                        if stored == "unknown" or step.startswith("import"):
                            unsure.add(step)
                        refused.add(step)
                    case {"opening": _, "error": error, "stored": stored}:
                        told[f"{error}, stored: {stored}"] += 1
                    case _:  # what the life before this one tried last may be stored
                        began += 1
                        refused.clear()
        return cls(
            acknowledged=acknowledged, began=began, told=told, already=already, lied=tuple(lied)
        )


@attrs.frozen(kw_only=True)
class Checked:
    """What a check saw: all of it in order, or there would have been an AssertionError."""

    size: int
    steps: frozenset[str]
    root: str


NOBODY: Final = Notes(acknowledged={}, began=0, told=Counter(), already=0, lied=())


def check(url: str, notes: Notes = NOBODY, *, schema: bool = True) -> Checked:
    """The log is dense and verified, holds what was acknowledged once, and answers rightly.

    `notes` must be read before this is called, if writers are still at work.
    """
    _check_rows(url)
    with Ledger.open(url) if schema else Ledger(url) as ledger:
        verified = ledger.verify()
        events = list(ledger.events())
        assert len(events) >= verified.size
        groups = _groups(events)
        _check_whole(groups)
        _check_acknowledged(groups, notes)
        _check_content(events)
        _check_answers(ledger, len(events), groups)
    return Checked(size=len(events), steps=frozenset(groups), root=verified.root)


@contextlib.contextmanager
def rows(url: str) -> Iterator[Any]:
    """`ask(sql)` gives rows, by the driver itself."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite":
        with contextlib.closing(sqlite3.connect(f"{made.database}", timeout=30)) as conn:
            yield lambda sql: conn.execute(sql).fetchall()
    else:
        bare = made.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(bare, autocommit=True) as conn:
            yield lambda sql: _fetched(conn.execute(sql))


def _fetched(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return [] if cursor.description is None else cursor.fetchall()


def _check_rows(url: str) -> None:
    with rows(url) as ask:
        stored = ask(
            "SELECT e.seq, e.known_at, l.size FROM ledger_event AS e, ledger_log AS l "
            "WHERE l.id = e.log_id AND l.origin = 'default' ORDER BY e.seq"
        )
        if sa.make_url(url).get_backend_name() == "sqlite":
            assert ask("PRAGMA integrity_check") == [("ok",)]
    assert [seq for seq, *_ in stored] == list(range(len(stored))), "the log is not dense"
    assert all(size == len(stored) for *_, size in stored[-1:]), "the head counts otherwise"
    known = [one for _, one, _ in stored]
    assert known == sorted(known), "known_at fell"


def _groups(events: Iterable[StoredEvent]) -> dict[str, list[StoredEvent]]:
    groups: dict[str, list[StoredEvent]] = defaultdict(list)
    for event in events:
        assert event.correlation is not None, f"#{event.sequence} belongs to no step"
        if event.correlation != SETUP:
            groups[event.correlation].append(event)
    return groups


def _check_whole(groups: Mapping[str, Sequence[StoredEvent]]) -> None:
    for name, events in groups.items():
        left = list(events)
        for many in Step.named(name).appends:
            one, left = left[:many], left[many:]
            if not one:  # an import that did not come so far
                break
            assert len(one) == many, f"half of an append of {name} is there"
            first = one[0].sequence
            assert [event.sequence for event in one] == list(range(first, first + many))
        assert not left, f"{name} is there more than once"


def _check_acknowledged(groups: Mapping[str, Sequence[StoredEvent]], notes: Notes) -> None:
    lost = [name for name in notes.acknowledged if name not in groups]
    assert not lost, f"{len(lost)} acknowledged steps are lost, say {lost[0]}"
    for name, sequences in notes.acknowledged.items():
        held = [event.sequence for event in groups[name]]
        assert len(held) == sum(Step.named(name).appends), f"{name} is not whole"
        assert set(sequences) <= set(held), f"{name} was acknowledged at {sequences}: {held}"
    assert not notes.lied, f"{notes.lied} were stored, though it was told that they were not"


def _check_content(events: Sequence[StoredEvent]) -> None:
    keys = {event.id: getattr(event.event, "key", None) for event in events}
    for event in events:
        claim = event.event
        if isinstance(claim, ClaimRecorded) and event.correlation:
            place = int((claim.key or "").rsplit("-", 1)[1])
            said = Step.named(event.correlation).said(place)
            held = claim.key, keys[claim.proposition], claim.stance, str(claim.uttered)
            assert held == (said.id, said.proposition, said.stance, said.uttered)
            assert said.party in {keys[link.agent] for link in claim.chains[0]}


def _check_answers(ledger: Ledger, size: int, groups: Mapping[str, Sequence[StoredEvent]]) -> None:
    expected = answer({name: len(events) for name, events in groups.items()})
    if not expected:
        return
    view = ledger.as_of(known=size - 1)
    for (party, proposition), standing in expected.items():
        position = view.position(party, proposition)
        assert (position.status, position.stance) == standing, f"{party} on {proposition}"
