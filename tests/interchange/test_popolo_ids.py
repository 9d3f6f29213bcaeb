"""Which party an id of a Popolo file is: of a list, inside a membership, behind a prefix, held."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger, Party
from ledger.interchange import import_file

ANN = {"id": "ann", "name": "Ann"}
HOUSE = {"id": "house", "name": "House"}
GREENS = {"id": "greens", "name": "Greens"}
SEAT = {"person_id": "ann", "organization_id": "house"}


@pytest.fixture
def ledger():
    """A ledger in memory."""
    with Ledger.open(":memory:") as opened:
        yield opened


@pytest.fixture
def refused(tmp_path, ledger):
    """Imports a document, and tells what was refused of it: the places with the reasons."""

    def read(document, **mapping):
        path = tmp_path / "house.json"
        path.write_text(json.dumps(document))
        account = import_file(ledger, path, format="popolo", mapping=mapping or None)
        return {one.at: one.reason for one in account.refusals}

    return read


def seats(ledger, member="ann"):
    """The memberships of somebody: in what, as what."""
    return sorted((one.organisation, one.role) for one in ledger.as_of().memberships(member))


def test_who_stands_inside_a_membership_is_what_the_field_says(ledger, refused):
    inside = {"person": ANN, "organization": HOUSE, "on_behalf_of": GREENS}
    without_id = {"person": ANN, "organization": HOUSE, "on_behalf_of": {"name": "Reds"}}
    told = [inside, without_id | {"role": "whip"}]
    assert refused({"persons": [], "memberships": told}) == {}
    kinds = {one.id: one.kind for one in ledger.as_of().parties()}
    assert kinds == {"ann": "person", "house": "organisation", "greens": "organisation"}
    assert seats(ledger) == [("greens", ""), ("house", ""), ("house", "whip")]


def test_an_id_beside_who_stands_inside_a_membership_goes_before(ledger, refused):
    seat = {"person": {"id": "zoe", "name": "Zoe"}, "person_id": "ann", "organization": HOUSE}
    assert refused({"persons": [ANN], "memberships": [seat]}) == {}
    assert sorted(one.id for one in ledger.as_of().parties()) == ["ann", "house"]
    assert seats(ledger) == [("house", "")]


def test_a_number_inside_a_membership_is_the_id_that_a_list_has(ledger, refused):
    document = {
        "persons": [{"id": 7, "name": "Ann"}],
        "organizations": [{"id": 8, "name": "House"}],
        "memberships": [{"person": {"id": 7}, "organization": {"id": 8}}],
    }
    assert refused(document) == {}
    assert seats(ledger, "7") == [("8", "")]


def test_a_prefix_may_not_make_a_person_an_organisation(ledger, refused):
    document = {
        "persons": [{"id": 1, "name": "Ann"}],
        "organizations": [{"id": "p1", "name": "The first party"}],
    }
    told = refused(document, prefixes={"persons": "p"})
    assert list(told) == ["persons[0]"]
    assert "'p1' is the id of a person and of an organisation in this file" in told["persons[0]"]
    assert [one.name for one in ledger.as_of().parties()] == ["The first party"]


@pytest.mark.parametrize("member", [["ann", "bob"], [["ann"]], {"ann": 1}, True])
def test_a_member_that_is_no_id_is_refused(ledger, refused, member):
    seat = {"member_id": member, "organization_id": "house"}
    told = refused({"persons": [ANN], "organizations": [HOUSE], "memberships": [seat]})
    assert list(told) == ["memberships[0]"]
    assert seats(ledger) == []


@pytest.mark.parametrize("name, many", [("Ann", 1), ("ANN", 1), ("Anna", 0)])
def test_the_seat_of_a_person_whom_the_ledger_has_by_that_name_is_theirs(
    ledger, refused, name, many
):
    ledger.register(Party("ann", name=name, kind="x-desk:member"))
    refused({"persons": [ANN], "organizations": [HOUSE], "memberships": [SEAT]})
    assert len(seats(ledger)) == many
