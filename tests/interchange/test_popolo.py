"""Popolo as its many publishers write it: inside each other, without dates, pointing nowhere."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.errors import InvalidImport
from ledger.interchange import Outcome, import_file

ANN = {"id": "ann", "name": "Ann"}
HOUSE = {"id": "house", "name": "House", "classification": "legislature"}
GREENS = {"id": "greens", "name": "Greens", "classification": "party"}
SEAT = {"person_id": "ann", "organization_id": "house"}
TERM = {"id": "t1", "start_date": "2011-01-01", "end_date": "2014-12-31"}


def test_a_seat_for_a_term_ends_with_the_death_of_who_held_it(popolo):
    dead = ANN | {"death_date": "2012-05-05"}
    seat = SEAT | {"on_behalf_of_id": "greens", "legislative_period_id": "t1"}
    document = {"persons": [dead], "organizations": [HOUSE, GREENS], "events": [TERM]}
    _, found = popolo(document | {"memberships": [seat]})
    period = "since 2011-01-01, before 2012-05-06"
    assert found == [("greens", "", period), ("house", "", period)]
    _, found = popolo(document | {"memberships": [seat | {"end_date": "2012-06-30"}]})
    assert {one[2] for one in found} == {"since 2011-01-01, before 2012-07-01"}


def test_a_part_of_an_organisation_is_one_until_either_is_dissolved(popolo):
    over = HOUSE | {"dissolution_date": "2014-12-31"}
    part = {"id": "ann", "name": "A committee", "classification": "committee"}
    for document in (
        {"organizations": [over, part | {"parent_id": "house"}]},
        {"organizations": [over, part | {"parent": {"id": "house", "name": "House"}}]},
    ):
        _, found = popolo(document)
        assert found == [("house", "", "before 2015-01-01")]


def test_what_a_membership_would_take_from_a_record_that_is_not_there_is_told(popolo):
    seats = [
        SEAT | {"legislative_period_id": "t9", "start_date": "2020-01-01"},
        SEAT | {"post_id": "p9"},
        SEAT | {"legislative_period_id": "t1", "post_id": "p9", "role": "MP"},
    ]
    places, _ = popolo(
        {"persons": [ANN], "organizations": [HOUSE], "events": [TERM], "memberships": seats}
    )
    warnings = [places[f"memberships[{one}]"].warnings for one in range(3)]
    assert "no event 't9'" in warnings[0][0]
    assert "no post 'p9'" in warnings[1][0]
    assert warnings[2] == ()


@pytest.mark.parametrize("start", ["2017", "2017-03", "2017-03-04"])
def test_a_seat_that_has_ended_since_is_told_to_overlap_the_one_that_goes_on(tmp_path, start):
    file = tmp_path / "people.json"
    told: list[Outcome] = []
    with Ledger.open(":memory:") as ledger:
        for end in ({}, {"end_date": "2022-06-30"}):
            seats = [SEAT | {"start_date": start} | end]
            file.write_text(
                json.dumps({"persons": [ANN], "organizations": [HOUSE], "memberships": seats})
            )
            import_file(ledger, file, tell=told.append)
        (warning,) = told[-1].warnings
        old = next(ledger.events(types="membership_recorded")).id
        assert warning.startswith("overlaps the membership in the same role")
        assert warning.endswith(f"strike it out: {old}")
        ledger.amend(old, strike_out=True, reason="it has ended")
        assert import_file(ledger, file).skipped == 3
        assert ledger.as_of().memberships("ann", on="2023-01-01") == ()


def test_the_day_an_organisation_was_founded_is_told_to_be_left_out(popolo):
    places, _ = popolo({"organizations": [HOUSE | {"founding_date": "2010-01-01"}]})
    assert "founding_date" in places["organizations[0]"].warnings[0]


def test_what_is_wrong_with_a_date_that_was_lent_is_told_in_the_words_of_the_file(popolo):
    seats = [SEAT, SEAT | {"start_date": "2016-01-01", "legislative_period_id": "t1"}]
    dead = ANN | {"death_date": "0000-00-00"}
    document = {"persons": [dead], "organizations": [HOUSE], "events": [TERM]}
    told, found = popolo(document | {"memberships": seats[:1]}, {"persons": [ANN]})
    assert (told["memberships[0]"].field, found) == ("end_date", [])
    assert "has no start_date and no end_date of its own" in told["memberships[0]"].reason
    told, _ = popolo(document | {"persons": [ANN], "memberships": seats[1:]})
    assert told["memberships[0]"].field == "start_date"
    assert "has no end_date of its own" in told["memberships[0]"].reason


def test_a_date_of_the_file_that_is_none_is_not_called_lent(popolo):
    told, _ = popolo(
        {
            "persons": [ANN],
            "organizations": [HOUSE],
            "memberships": [SEAT | {"start_date": "2020-02-30"}],
        }
    )
    reason = told["memberships[0]"].reason
    assert reason.startswith("2020-02-30 is no day")
    assert "of its own" not in reason


def test_a_post_lends_its_dates_and_what_a_name_says_more_is_told(popolo):
    named = ANN | {"other_names": [{"name": "Anna", "note": "as a child"}]}
    post = {"id": "p", "organization_id": "house", "start_date": "2012", "end_date": "2013"}
    told, found = popolo(
        {"persons": [named], "organizations": [HOUSE], "posts": [post]}
        | {"memberships": [{"person_id": "ann", "post_id": "p"}]}
    )
    assert "persons.other_names.note has no place" in told["persons[0]"].warnings[0]
    assert found == [("house", "", "since 2012, before [2013-01-02..2014-01-01]")]


@pytest.mark.parametrize(
    "dead, term, period",
    [
        ("2015", "2015-03-23", "since 2011-01-01, before [2015-01-02..2015-03-24]"),
        ("2015-03-01", "2015", "since 2011-01-01, before [2015-01-02..2015-03-02]"),
        ("2015", "2015-12", "since 2011-01-01, before [2015-01-02..2016-01-01]"),
        ("2016", "2015-03-23", "since 2011-01-01, before 2015-03-24"),
        ("2015-03-23T00:00:00Z", "2015-03-23", "since 2011-01-01, before 2015-03-24"),
        ("unknown", "2015-03-23", "since 2011-01-01, before [0001-01-02..2015-03-24]"),
        ("..", "2015-03-23", "since 2011-01-01, before 2015-03-24"),
    ],
)
def test_the_first_of_two_ends_may_be_known_to_the_year_alone(popolo, dead, term, period):
    document = {
        "persons": [ANN | {"death_date": dead}],
        "organizations": [HOUSE],
        "events": [TERM | {"end_date": term}],
        "memberships": [SEAT | {"legislative_period_id": "t1"}],
    }
    _, found = popolo(document)
    assert found == [("house", "", period)]


def test_a_membership_of_nobody_is_told_by_the_files_own_field(popolo):
    seat = {"person_id": "", "organization_id": "house"}
    told, _ = popolo({"organizations": [HOUSE], "memberships": [seat]})
    assert told["memberships[0]"].reason == "field person_id is missing. Write who is in it."
    several = {"person_id": ["ann", "bob"], "organization_id": "house"}
    told, _ = popolo({"organizations": [HOUSE], "memberships": [several]})
    assert told["memberships[0]"].field == "person_id"
    assert "Write a membership for each person." in told["memberships[0]"].reason


def test_an_id_may_stand_alone_in_a_list(popolo):
    minister = {"person_id": ["ann"], "organization_id": ["house"], "role": "minister"}
    told, found = popolo({"persons": [ANN], "organizations": [HOUSE], "memberships": [minister]})
    assert told["memberships[0]"].verdict == "accepted"
    assert found == [("house", "minister", "always")]


def test_a_moment_counts_as_its_day(popolo):
    seat = SEAT | {"start_date": "2015-01-01T00:00:00Z", "end_date": "2015-02-01T12:00:00+03:00"}
    _, found = popolo({"persons": [ANN], "organizations": [HOUSE], "memberships": [seat]})
    assert found == [("house", "", "since 2015-01-01, before 2015-02-02")]


def test_an_end_that_is_none_is_refused_beside_another(popolo):
    document = {
        "persons": [ANN | {"death_date": "soon"}],
        "organizations": [HOUSE],
        "events": [TERM],
        "memberships": [SEAT | {"legislative_period_id": "t1"}],
    }
    told, found = popolo(document)
    assert found == []
    assert "'soon' is in words" in told["memberships[0]"].reason


def test_a_person_and_an_organisation_with_one_id_are_not_taken_for_each_other(popolo):
    document = {
        "organizations": [{"id": 1, "name": "Greens"}, {"id": 2, "name": "House"}],
        "persons": [{"id": 1, "name": "Ann", "death_date": "2012-05-05"}],
        "memberships": [{"person_id": 1, "organization_id": 2, "start_date": "2011"}],
    }
    told, _ = popolo(document)
    for place in ("persons[0]", "memberships[0]"):
        assert "'1' is the id of a person and of an organisation" in told[place].reason


def test_ids_that_both_lists_count_are_parted_by_the_mapping(tmp_path):
    document = {
        "organizations": [
            {"id": 1, "name": "Greens", "parent_id": 2},
            {"id": 2, "name": "House", "dissolution_date": "2014-12-31"},
            {"id": 3, "name": "Reds"},
        ],
        "persons": [{"id": 0, "name": "Zoe"}, {"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}],
        "memberships": [
            {"person_id": 1, "organization_id": 2, "on_behalf_of_id": 1},
            {"person_id": 0, "organization_id": 3},
            {"member_id": 3, "organization_id": 2, "role": "group"},
            {"member_id": 1, "organization_id": 2, "role": "either"},
        ],
    }
    path = tmp_path / "house.json"
    path.write_text(json.dumps(document))
    with Ledger.open(":memory:") as ledger:
        account = import_file(ledger, path, mapping={"prefixes": {"persons": "p"}})
        assert [one.at for one in account.refusals] == ["memberships[3]"]
        view = ledger.as_of()
        found = {
            one.id: [(of.organisation, str(of.period)) for of in view.memberships(one.id)]
            for one in view.parties()
        }
    over = "before 2015-01-01"
    part = ("2", over)
    parties = {"p0": [("3", "always")], "p1": [part, ("1", over)], "p2": []}
    assert found == {**parties, "1": [part], "2": [], "3": [part]}


def test_a_persons_seat_is_not_that_of_an_organisation_with_the_same_id(tmp_path):
    path = tmp_path / "house.json"
    council, union = {"id": "1", "name": "Council"}, {"id": "2", "name": "Union"}
    seat = {"person_id": "1", "organization_id": "2"}
    ann = {"persons": [{"id": "1", "name": "Ann"}], "memberships": [seat]}
    with Ledger.open(":memory:") as ledger:
        path.write_text(json.dumps({"organizations": [council, union]}))
        import_file(ledger, path)
        for more, prefixes in (
            ({"organizations": [union]}, {}),  # the other one is of an earlier file
            ({"organizations": [council, union]}, {"persons": ""}),
        ):
            path.write_text(json.dumps(ann | more))
            told = import_file(ledger, path, mapping={"prefixes": prefixes}).refusals
            assert [one.at for one in told] == ["persons[0]", "memberships[0]"]
            assert ledger.as_of().memberships("1") == ()
            assert [one.name for one in ledger.as_of().names("1")] == ["Council"]


def test_a_prefix_of_no_list_is_refused(tmp_path):
    path = tmp_path / "house.json"
    path.write_text(json.dumps({"persons": [ANN]}))
    with (
        Ledger.open(":memory:") as ledger,
        pytest.raises(InvalidImport, match=r"prefixes\.person is of no list"),
    ):
        import_file(ledger, path, mapping={"prefixes": {"person": "p"}})


def test_a_name_that_cannot_be_is_left_out_and_the_person_is_not(popolo):
    names = ["Annie", {"name": ""}, {"name": "A", "start_date": "2010", "end_date": "2009"}]
    person = {"id": "ann", "name": None, "given_name": "Ann", "family_name": "Ode"}
    document = {"persons": [person | {"other_names": names}], "organizations": [HOUSE]}
    told, found = popolo(document | {"memberships": [SEAT]})
    assert found == [("house", "", "always")]
    assert told["persons[0]"].verdict == "accepted"
    assert not told["persons[0]"].warnings
    wrong = [one.at for one in told.values() if one.verdict == "refused"]
    assert wrong == ["persons[0].other_names[1]", "persons[0].other_names[2]"]


def test_a_name_that_is_new_in_a_second_file_is_added(tmp_path):
    path = tmp_path / "house.json"
    told: list[Outcome] = []
    with Ledger.open(":memory:") as ledger:
        for name, others in (("Ann Ode", []), ("Ann Ode", ["Annie"]), ("Ann Lee", ["Annie"])):
            path.write_text(json.dumps({"persons": [ANN | {"name": name, "other_names": others}]}))
            assert import_file(ledger, path, tell=told.append).refused == 0
        view = ledger.as_of()
        for name in ("Ann Ode", "Annie", "Ann Lee"):
            assert view.resolve(name) == "ann"
        assert "'Ann Lee' is one more" in told[-1].warnings[0]
        again = import_file(ledger, path)
        assert (again.accepted, again.skipped) == (0, 1)
        path.write_text(json.dumps({"organizations": [ANN | {"name": "Ann Ode"}]}))
        assert import_file(ledger, path).refused == 1


OLD = {"given_name": "Jo", "family_name": "Old", "note": "Main", "end_date": "2010-05-01"}
NOW = {"given_name": "Jo", "family_name": "New", "note": "main", "start_date": "2010-05-02"}
LORD = {"honorific_prefix": "Lord", "lordname": "Ek", "lordofname": "Weir", "surname": "Ek"}


@pytest.mark.parametrize(
    "names, name",
    [
        ([OLD, NOW], "Jo New"),
        ([NOW | {"end_date": ""}, OLD], "Jo New"),
        ([NOW, {"name": "Josie", "note": "Alternate"}], "Jo New"),
        ([{"name": "J."}, {"name": "Josie"}], "Josie"),
        ([OLD, LORD | {"note": "Main", "start_date": "2010-05-02"}], "Lord Ek of Weir"),
        (["Josie"], "Josie"),
    ],
)
def test_a_name_that_stands_among_others_alone_is_taken_from_there(tmp_path, names, name):
    path = tmp_path / "house.json"
    path.write_text(json.dumps({"persons": [{"id": "jo", "other_names": names}]}))
    told: list[Outcome] = []
    with Ledger.open(":memory:") as ledger:
        assert import_file(ledger, path, tell=told.append).refused == 0
        (party,) = ledger.as_of().parties()
        assert party.name == name
        assert not any("note" in one for one in told[0].warnings)
        if OLD in names:
            assert ledger.as_of().resolve("Jo Old", on="2010-05-01") == "jo"
            assert not ledger.as_of().denoted(name, on="2010-05-01") or NOW not in names


def test_a_person_without_any_name_is_refused_as_before(popolo):
    for names in ([], [{"note": "Main"}], [7]):
        told, _ = popolo({"persons": [{"id": "jo", "other_names": names}]})
        assert "name is missing" in told["persons[0]"].reason


def redirecting(tmp_path, ledger, **to):
    """Imports Ann's house, in which persons are found to be others."""
    path = tmp_path / "house.json"
    persons = [{"id": one, "redirect": other} for one, other in to.items()]
    names = {"ann": "Ann", "bea": "Bea"}
    persons += [{"id": one, "name": name} for one, name in names.items() if one not in to]
    seats = [{"person_id": one, "organization_id": "house"} for one in to]
    path.write_text(
        json.dumps({"persons": persons, "organizations": [HOUSE], "memberships": seats})
    )
    told: list[Outcome] = []
    import_file(ledger, path, tell=told.append)
    return {one.at: one for one in told}


def test_a_person_who_redirects_to_another_is_that_one(tmp_path):
    with Ledger.open(":memory:") as ledger:
        told = redirecting(tmp_path, ledger, anne="ann")
        assert {one.verdict for one in told.values()} == {"accepted"}
        (seat,) = ledger.as_of().memberships("ann")
        assert (seat.member, seat.organisation) == ("ann", "house")
        again = redirecting(tmp_path, ledger, anne="ann")
        assert {one.verdict for one in again.values()} == {"skipped"}
        led_on = redirecting(tmp_path, ledger, anne="bea", ann="bea")
        assert "refused" not in {one.verdict for one in led_on.values()}
        view = ledger.as_of()
        assert {one.member for name in ("ann", "bea") for one in view.memberships(name)} == {"bea"}
        elsewhere = redirecting(tmp_path, ledger, ann="bea", anne="cyd", cyd="dan", dan="cyd")
        assert "was merged into 'ann' before" in elsewhere["persons[1].redirect"].reason
        wrong = redirecting(tmp_path, ledger, cyd="eve")
        assert "there is no party 'eve'" in wrong["persons[0].redirect"].reason


def test_a_seat_that_a_redirect_leads_to_ends_with_the_death_of_who_held_it(popolo):
    persons = [ANN | {"death_date": "2012-05-05"}, {"id": "anne", "redirect": "ann"}]
    seats = [SEAT | {"person_id": "anne"}, {"id": "s2", "redirect": "s1"}]
    told, found = popolo({"persons": persons, "organizations": [HOUSE], "memberships": seats})
    assert found == [("house", "", "before 2012-05-06")]
    assert told["memberships[1]"].reason == "it only points to another membership"


def test_lists_go_by_other_names_and_those_that_are_not_known_are_told(popolo):
    lists = {"people": [ANN], "organisations": [HOUSE], "memberships": [SEAT]}
    told, found = popolo(lists | {"staff": [{"id": "s"}, {"id": "t"}], "meta": {"page": 1}})
    assert found == [("house", "", "always")]
    (warned,) = (one for one in told.values() if one.warnings)
    assert (warned.at, warned.verdict) == ("staff[0]", "skipped")
    assert "no list 'staff' in Popolo. Those that are read are persons" in warned.warnings[0]


@pytest.mark.parametrize("name", ["result", "results"])
def test_a_list_that_does_not_say_of_what_it_is_is_told_what_to_do(popolo, name):
    told, _ = popolo({name: [ANN | {"memberships": []}], "total": 1})
    (refused,) = told.values()
    assert (refused.verdict, refused.at) == ("refused", "0.json")
    assert f"no list '{name}' in Popolo" in refused.reason
    assert "write its records under one of them" in refused.reason


def test_a_file_with_a_list_of_people_alone_is_known_by_it(tmp_path):
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"people": [ANN]}))
    with Ledger.open(":memory:") as ledger:
        assert import_file(ledger, path).accepted == 1
