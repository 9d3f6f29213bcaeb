"""Candidates on one proposition in four versions of a file: turns, corrections, late evidence."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from ledger import Claim, Ledger, Party, Position, Proposition
from ledger.errors import UnknownParty, UnknownProposition

HELD: Final = {
    "Fully denied": ("opposes", "certain"),
    "Raised questions": ("opposes", "probable"),
    "Accepted with reservations": ("supports", "probable"),
    "Fully accepted": ("supports", "certain"),
}
NOTES: Final = {
    "Previously fully denied election": "Fully denied",
    "Previously raised questions": "Raised questions",
    "Previously accepted with reservations": "Accepted with reservations",
    "Previously fully accepted election": "Fully accepted",
}
DAY: Final = re.compile(r"/(20\d\d)[/-](\d\d)[/-](\d\d)/")
Key = tuple[str, ...]
Row = dict[str, str]


class Clock:
    """A clock that a test sets."""

    now = dt.datetime(2022, 9, 1, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now


@attrs.define
class Race:
    """What the file said of one candidate so far: the claim on which they stand, its stance."""

    party: str
    stance: str
    claim: str = ""
    told: int = 0


class Newsroom:
    """The versions of the file in a ledger, each at its own instant."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self.races: dict[Key, Race] = {}
        self.gone: list[str] = []
        self.renamed: list[tuple[str, str]] = []
        self.added: list[list[str]] = []
        ledger.register(Proposition("legitimate", text="The election of 2020 was legitimate"))

    def take(self, rows: list[Row], known: str) -> None:
        """A version: new rows are registered, changed stances recorded; who vanished is kept."""
        self.clock.now = dt.datetime.fromisoformat(known)
        found = {key(row): row for row in rows}
        for old in self.races.keys() - found.keys():
            self._moved(old, found)
        new = [one for one in found if one not in self.races]
        self.added.append([one[0] for one in new])
        parties = [Party("; ".join(one), name=one[0], kind="person") for one in new]
        self.ledger.register_all(parties)
        for one, party in zip(new, parties, strict=True):
            self.races[one] = Race(party.id, "")
        claims: list[Claim] = []
        turns: list[tuple[str, str]] = []
        for one, row in found.items():
            if self.races[one].stance != row["Stance"]:
                self._changed(self.races[one], row, claims, turns)
        self.ledger.record_all(claims)
        for later, earlier in turns:
            self.ledger.relate(later, "reverses", earlier)

    def _moved(self, old: Key, found: dict[Key, Row]) -> None:
        """The same race under a longer name is a rename; a row that vanishes says nothing."""
        same = [
            key_
            for key_ in found.keys() - self.races.keys()
            if key_[1:] == old[1:] and key_[0].startswith(old[0])
        ]
        if same:
            self.ledger.amend(self.races[old].party, reason="the file renamed", name=same[0][0])
            self.races[same[0]] = self.races.pop(old)
            self.renamed.append((old[0], same[0][0]))
        else:
            self.gone.append(old[0])

    def _changed(
        self, race: Race, row: Row, claims: list[Claim], turns: list[tuple[str, str]]
    ) -> None:
        before = NOTES.get(row["Note"].strip())
        if before is not None and before != race.stance:
            if race.stance in HELD:  # the note names another stance: our entry was wrong
                self.ledger.amend(race.claim, reason=row["Note"].strip(), strike_out=True)
            self._claim(race, before, "", claims)
        earlier = race.claim
        if row["Stance"] != "No comment":  # never having said anything is no claim
            self._claim(race, row["Stance"], row["URL"], claims)
            if before is not None:
                turns.append((race.claim, earlier))
        race.stance = row["Stance"]

    def _claim(self, race: Race, stance: str, address: str, claims: list[Claim]) -> None:
        race.told += 1
        race.claim, race.stance = f"{race.party}, {race.told}", stance
        held, factuality = HELD.get(stance, ("undeclared", "uncommitted"))
        claims.append(
            Claim(
                id=race.claim,
                claimant=race.party,
                proposition="legitimate",
                act="assert" if stance in HELD else "avoid",
                stance=held,
                factuality=factuality,
                uttered=f"[..{self._day(address)}]",
            )
        )

    def _day(self, address: str) -> dt.date:
        found = DAY.search(address)
        today = self.clock.now.date()
        return min(today, dt.date(*map(int, found.groups()))) if found else today

    def asked(self, name: str, **when: Any) -> Position | None:
        """A candidate's position; None where this ledger did not know of them."""
        (party,) = [race.party for one, race in self.races.items() if one[0] == name]
        try:
            return self.ledger.as_of(**when).position(party, "legitimate")
        except (UnknownParty, UnknownProposition):
            return None


def key(row: Row) -> Key:
    return tuple(row[name] for name in ("Candidate", "State", "Office", "District"))


def word_for(position: Position | None) -> str | None:
    """A position in the words of the file."""
    if position is None:
        return "nothing"
    if position.status == "held":
        last = position.evidence[-1]
        return {held: word for word, held in HELD.items()}[last.stance, last.factuality]
    return {"silent": "No comment", "undeclared": "Avoided answering"}.get(position.status)


@pytest.fixture
def folder(shared: Callable[[str], Path]) -> Path:
    return shared("data/election-deniers/versions.json").parent


@pytest.fixture
def expected(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def newsroom(database: str, folder: Path) -> Iterator[Newsroom]:
    clock = Clock()
    versions = json.loads((folder / "versions.json").read_text(encoding="utf-8"))["versions"]
    with Ledger.open(database, clock=clock) as ledger:
        room = Newsroom(ledger, clock)
        for version in versions:
            with (folder / version["file"]).open(encoding="utf-8", newline="") as file:
                room.take(list(csv.DictReader(file)), version["committed_at"])
        clock.now = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
        yield room


def check_what_was_known(newsroom: Newsroom, expected: dict[str, Any]) -> None:
    for one in expected["answers_known"]:
        known = dt.datetime.fromisoformat(one["known"])
        stance = one["stance"] or "nothing"
        assert word_for(newsroom.asked(one["candidate"], known=known)) == stance, one


def check_both_axes(newsroom: Newsroom, expected: dict[str, Any]) -> None:
    for one in expected["answers_said_and_known"]:
        known = dt.datetime.fromisoformat(one["known"])
        found = newsroom.asked(one["candidate"], said=one["said"], known=known)
        assert found is not None
        if (
            one["stance"] is None
        ):  # no certain word: what may have been said by then decides nothing
            assert found.status in ("silent", "possible"), one
        elif one["stance"].startswith("unknown"):
            assert found.status == "possible", one
            may = {(claim.stance, claim.factuality) for claim in found.possible}
            assert may == {HELD["Raised questions"], HELD["Accepted with reservations"]}
        else:
            assert word_for(found) == one["stance"], one


def check_changes(newsroom: Newsroom, expected: dict[str, Any]) -> None:
    """Reversals are reversals, corrections corrections, and the man who was both is both."""
    for one in expected["stance_changes"]:
        found = newsroom.asked(one["candidate"])
        assert found is not None
        assert word_for(found) == one["to"], one
        turned = one["kind"] in ("change_of_stance", "trap_correction_and_change")
        assert bool(found.turns) == turned, one
        assert all(turn.kind == "reversal" and not turn.order_unknown for turn in found.turns)
        day = one["uttered_hint"].strip("[].")
        assert str(found.evidence[-1].said).endswith(day), one
    cao = newsroom.asked("Hung Cao")
    assert cao is not None
    assert [run.stance for run in cao.runs] == ["opposes", "supports"]
    told = newsroom.ledger.explain(cao)
    (dropped,) = [one for one in told.steps[1].claims if not one.kept and cao.party in one.claim]
    assert "struck out" in dropped.why
    barrett = newsroom.asked("Tom Barrett")
    assert barrett is not None
    assert [run.stance for run in barrett.runs] == ["opposes", "supports", "opposes"]
    for one in expected["turns_no_diff_can_see"]:
        seen = newsroom.asked(one["candidate"])
        assert seen is not None
        former = HELD[NOTES[one["note"]]][0]
        assert seen.runs[0].stance == former, one
        assert bool(seen.turns) == (former != HELD[one["stance"]][0]), one


def check_rows(newsroom: Newsroom, expected: dict[str, Any]) -> None:
    rows = expected["rows_v1_to_v2"]
    assert [list(pair) for pair in newsroom.renamed] == rows["of_which_renamed"]
    assert sorted(newsroom.added[1]) == sorted(rows["truly_new"])
    assert newsroom.gone[:1] == rows["truly_gone"]
    assert newsroom.added[2:] == [[], []]
    last = dt.datetime.fromisoformat("2022-10-20T20:12:24Z")
    assert newsroom.ledger.as_of(known=last).basis == newsroom.ledger.as_of().basis


def test_candidates_stand_and_turn_as_the_tables_say(
    newsroom: Newsroom, expected: dict[str, Any]
) -> None:
    check_what_was_known(newsroom, expected)
    check_both_axes(newsroom, expected)
    check_changes(newsroom, expected)
    check_rows(newsroom, expected)
