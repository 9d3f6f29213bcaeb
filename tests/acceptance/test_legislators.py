"""A public file's own history, replayed commit by commit: who sat for whom, asked on two axes."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from ledger import Ledger, Membership, Party
from ledger.errors import UnknownParty
from ledger.model.period import Period

Rule = Literal["closed", "half_open"]
CHAMBERS = {"sen": "senate", "rep": "house"}


class Seat(NamedTuple):
    """What the file says of a person for some days: a chamber, a party, or a caucus."""

    role: str
    organisation: str
    start: str
    end: str


class Clock:
    """A clock that a test sets."""

    now = dt.datetime(2012, 1, 1, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


def seats_of(term: dict[str, Any]) -> Iterator[Seat]:
    """The chamber of a term, and the party and caucus of its rows, each clipped to the term."""
    start, end = term["start"], term["end"]
    yield Seat(term["type"], CHAMBERS[term["type"]], start, end)
    for row in term.get("party_affiliations") or [term]:
        first, last = max(row.get("start", start), start), min(row.get("end", end), end)
        if first <= last:
            yield Seat("party", row["party"], first, last)
            if row.get("caucus"):
                yield Seat("caucus", row["caucus"], first, last)


class History:
    """The file in a ledger: what each person's record says by now, by the ledger's ids."""

    def __init__(self, ledger: Ledger, clock: Clock, rule: Rule) -> None:
        self.ledger, self.clock, self.rule = ledger, clock, rule
        self.held: dict[str, dict[str, Seat]] = {}
        self.names: dict[str, str] = {}
        self.known = {*CHAMBERS.values()}
        ledger.register_all([Party(one, name=one) for one in sorted(self.known)])

    def take(self, line: dict[str, Any]) -> None:
        """One commit: what it changed, recorded at its own instant."""
        self.clock.now = dt.datetime.fromisoformat(line["committed_at"])
        for person, record in line["legislators"].items():
            if record is not None:  # who left the file moved to another one
                self._name(person, record["name"])
                self._sit(person, record["terms"], line["commit"])

    def _name(self, person: str, name: str) -> None:
        if person not in self.names:
            self.ledger.register(Party(person, name=name, kind="person"))
        elif self.names[person] != name:
            self.ledger.amend(person, reason="the file names them so", name=name)
        self.names[person] = name

    def _sit(self, person: str, terms: list[dict[str, Any]], commit: str) -> None:
        held = self.held.setdefault(person, {})
        wanted = Counter(seat for term in terms for seat in seats_of(term) if self._lasts(seat))
        gone = []
        for id_, seat in held.items():
            if wanted[seat]:
                wanted[seat] -= 1
            else:
                gone.append(id_)
        new = []
        for seat in wanted.elements():
            like = [i for i in gone if held[i][:2] == seat[:2]]
            if like:  # the entry was wrong about the days
                gone.remove(like[0])
                self.ledger.amend(like[0], reason=commit, period=self._period(seat))
                held[like[0]] = seat
            else:
                new.append(seat)
        receipts = self.ledger.register_all([self._membership(person, seat) for seat in new])
        held.update({one.id: seat for one, seat in zip(receipts, new, strict=True)})
        for id_ in gone:
            self.ledger.amend(id_, reason=commit, strike_out=True)
            del held[id_]

    def _lasts(self, seat: Seat) -> bool:
        return self.rule == "closed" or seat.start < seat.end

    def _period(self, seat: Seat) -> Period:
        return Period.parse(seat.start, seat.end, bounds=self.rule)

    def _membership(self, person: str, seat: Seat) -> Membership:
        if seat.organisation not in self.known:
            self.known.add(seat.organisation)
            self.ledger.register(Party(seat.organisation, name=seat.organisation))
        return Membership(
            person,
            seat.organisation,
            role=seat.role,
            period=self._period(seat),
            speaks_for=False,
        )

    def on(self, asked: dict[str, Any]) -> list[tuple[str, str, Period]]:
        """Role, organisation and period of a person on the day asked for, as known then."""
        view = self.ledger.as_of(known=dt.datetime.fromisoformat(asked["known"]))
        found = view.memberships(asked["id"], on=asked["asked"])
        assert all(one.certain for one in found)
        return [(one.role, one.organisation, one.period) for one in found]


def replayed(database: str, folder: Path, rule: Rule) -> Iterator[History]:
    clock = Clock()
    with Ledger.open(database, clock=clock) as ledger:
        history = History(ledger, clock, rule)
        with (folder / "legislators.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                history.take(json.loads(line))
        clock.now = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
        yield history


@pytest.fixture
def folder(shared: Callable[[str], Path]) -> Path:
    return shared("data/congress-legislators/legislators.jsonl").parent


@pytest.fixture
def expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return found


def parties(history: History, asked: dict[str, Any], role: str) -> list[str] | None:
    try:
        return sorted({party for found, party, _ in history.on(asked) if found == role})
    except UnknownParty:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite-file", "postgres"], indirect=True)
def test_every_answer_of_the_files_history_is_that_of_the_table(
    database: str, folder: Path, expected: dict[str, Any]
) -> None:
    for history in replayed(database, folder, "closed"):
        for one in expected["parties"]:
            assert parties(history, one, "party") == one["parties"], one
            assert parties(history, one, "caucus") == one["caucus"], one
        for one in expected["terms"]:
            found = [
                [role, str(period.since), str(_last_day(period))]
                for role, _, period in history.on(one)
                if role in CHAMBERS
            ]
            assert sorted(found) == sorted(one["terms"]), one
        for one in expected["names"]:
            view = history.ledger.as_of(known=dt.datetime.fromisoformat(one["known"]))
            assert {line.id: line.name for line in view.parties()}[one["id"]] == one["name"]


def _last_day(period: Period) -> dt.date:
    assert period.until is not None
    end = period.until.earliest
    assert isinstance(end, dt.date)
    return end - dt.timedelta(days=1)


@pytest.mark.slow
def test_read_as_half_open_the_last_days_are_lost_as_the_table_says(
    folder: Path, expected: dict[str, Any]
) -> None:
    for history in replayed("sqlite://", folder, "half_open"):
        for one in expected["parties"]:
            assert parties(history, one, "party") == one["parties_if_half_open"], one
