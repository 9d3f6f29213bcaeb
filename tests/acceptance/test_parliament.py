"""A parliament in the Popolo format: who belongs to which group on which day."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from ledger import Ledger, Membership, Party
from ledger.errors import InvalidDate
from ledger.model.period import Period

Rule = Literal["closed", "half_open"]
BETWEEN_THE_TERMS = ("2015-03-24", "2015-03-29")


@attrs.frozen
class House:
    """The parliament in a ledger, what the file holds, and the memberships it had to refuse."""

    ledger: Ledger
    data: dict[str, Any]
    expected: dict[str, Any]
    refused: list[dict[str, Any]]

    def groups(self, person: str, day: str) -> list[str]:
        ids = [one["id"] for one in self.data["persons"] if one["name"] == person]
        found = [one for id_ in ids for one in self.ledger.as_of().memberships(id_, on=day)]
        return sorted({one.organisation for one in found if one.certain})


def load(ledger: Ledger, folder: Path, rule: Rule) -> House:
    data = json.loads((folder / "estonia.json").read_text(encoding="utf-8"))
    ledger.register_all(
        [
            *(Party(one["id"], name=one["name"], kind="person") for one in data["persons"]),
            *(Party(one["id"], name=one["name"]) for one in data["organizations"]),
        ]
    )
    terms = {one["id"]: one for one in data["events"]}
    memberships, refused = [], []
    for one in data["memberships"]:
        term = terms[one["legislative_period_id"]]
        since = one.get("start_date", term["start_date"])
        until = one.get("end_date", term.get("end_date"))
        try:
            period = Period.parse(since, until, bounds=rule)
        except InvalidDate:
            refused.append(one)
            continue
        memberships.append(
            Membership(
                one["person_id"],
                one["on_behalf_of_id"],
                role=one["legislative_period_id"],
                period=period,
                speaks_for=False,
            )
        )
    ledger.register_all(memberships)
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return House(ledger, data, expected, refused)


@pytest.fixture
def folder(shared: Callable[[str], Path]) -> Path:
    return shared("data/popolo/estonia.json").parent


@pytest.fixture
def house(database: str, folder: Path) -> Iterator[House]:
    with Ledger.open(database) as ledger:
        yield load(ledger, folder, "closed")


def test_the_groups_of_members_are_those_of_the_table(house: House) -> None:
    for one in house.expected["answers"]:
        assert house.groups(one["person"], one["asked"]) == one["groups"], one


def test_read_as_half_open_nobody_belongs_anywhere_on_the_last_day(folder: Path) -> None:
    with Ledger.open(":memory:") as ledger:
        house = load(ledger, folder, "half_open")
        for one in house.expected["answers"]:
            assert house.groups(one["person"], one["asked"]) == one["groups_if_half_open"], one


def test_those_and_nobody_else_change_their_group_within_a_term(house: House) -> None:
    found = []
    for person in house.data["persons"]:
        spells = collections.defaultdict(list)
        for one in house.ledger.as_of().memberships(person["id"]):
            spells[one.role].append((str(one.period.since), one.organisation, one.period))
        for term, listed in spells.items():
            listed.sort(key=lambda spell: spell[0])
            for (_, before, left), (joined, after, _) in itertools.pairwise(listed):
                if before != after:
                    assert left.until is not None
                    end = left.until.earliest
                    assert isinstance(end, dt.date)
                    last = str(end - dt.timedelta(days=1))
                    found.append((person["name"], term, before, last, after, joined))
    keys = ("person", "term", "from", "last_day", "to", "first_day")
    wanted = [tuple(one[key] for key in keys) for one in house.expected["changes_within_term"]]
    assert sorted(found) == sorted(wanted)


def test_a_period_that_would_run_backwards_is_refused_and_told(house: House) -> None:
    names = {one["id"]: one["name"] for one in house.data["persons"]}
    told = {(names[one["person_id"]], one["end_date"]) for one in house.refused}
    wanted = {(one["person"], one["end_date"]) for one in house.expected["ends_before_term_begins"]}
    assert told == wanted


@pytest.mark.parametrize("day", BETWEEN_THE_TERMS)
def test_between_two_terms_nobody_has_a_group(house: House, day: str) -> None:
    view = house.ledger.as_of()
    assert not any(view.memberships(one["id"], on=day) for one in house.data["persons"])


def test_a_membership_ends_with_its_member(house: House) -> None:
    for one in house.expected["dead"]:
        day = dt.date.fromisoformat(one["death_date"])
        assert house.groups(one["person"], str(day))
        assert house.groups(one["person"], str(day + dt.timedelta(days=1))) == []
