"""Each ruling on whom words reach as an example of its own (model.md, 5)."""

from __future__ import annotations

import pytest

from ledger import Membership, Party


def test_a_spokeswomans_words_reach_her_ministry_and_its_state(told):
    told.claim("c1", "speaker", uttered="2023-01-05")
    one = told.ledger.position("delta", "quay")
    assert (one.status, one.stance) == ("held", "supports")
    assert [e.path for e in one.evidence] == [("speaker", "harbour", "delta")]
    assert not one.own


def test_a_states_position_is_not_its_ministrys(told):
    told.claim("c1", "delta", uttered="2023-01-05")
    assert told.ledger.position("harbour", "quay").status == "silent"


def test_a_spokeswoman_who_left_leaves_her_old_words_behind(told):
    told.claim("old", "former", uttered="2022-12-05")
    told.claim("new", "former", uttered="2023-01-05", stance="opposes")
    told.claim("between", "former", uttered="2022-12/2023-01", stance="mixed")
    one = told.ledger.position("harbour", "quay")
    assert [e.claim for e in one.evidence] == ["old"]
    assert [e.claim for e in one.possible] == ["between"]


def test_a_seat_on_a_roster_never_rolls_up(told):
    told.ledger.register(Membership("river", "union", speaks_for=False))
    told.claim("c1", "river", uttered="2023-01-05")
    assert told.ledger.position("union", "quay").status == "silent"


def test_personal_capacity_does_not_roll_up(told):
    told.claim("c1", "speaker", uttered="2023-01-05", capacity="personal")
    assert told.ledger.position("speaker", "quay").status == "held"
    assert told.ledger.position("harbour", "quay").status == "silent"


def test_a_joint_word_in_personal_capacity_stops_at_the_members(told):
    told.ledger.register(Party("two", name="The two", kind="joint", members=["speaker", "river"]))
    told.claim("c1", "two", uttered="2023-01-05", capacity="personal")
    assert told.ledger.position("speaker", "quay").status == "held"
    assert told.ledger.position("harbour", "quay").status == "silent"


def test_stated_links_replace_other_memberships(told):
    told.claim("c1", "speaker", uttered="2023-01-05", on_behalf_of="river")
    assert told.ledger.position("river", "quay").status == "held"
    assert told.ledger.position("harbour", "quay").status == "silent"


def test_from_whom_they_speak_for_words_go_up_by_membership(told):
    told.claim("c1", "river", uttered="2023-01-05", on_behalf_of="harbour")
    one = told.ledger.position("delta", "quay")
    assert [e.path for e in one.evidence] == [("river", "harbour", "delta")]


def test_whoever_speaks_on_behalf_of_itself_goes_up_by_its_own_memberships(told):
    told.ledger.register(Party("pier", name="The harbour office"))
    told.claim("c1", "pier", uttered="2023-01-05", on_behalf_of="harbour")
    before = told.ledger.position("delta", "quay")
    told.ledger.merge("harbour", "pier", reason="one office, spelt otherwise")
    after = told.ledger.position("delta", "quay")
    assert [e.path for e in before.evidence] == [("pier", "harbour", "delta")]
    assert [e.path for e in after.evidence] == [("harbour", "delta")]


def test_reports_and_outer_sayings_take_no_position(told):
    told.claim(
        "c1",
        None,
        uttered="2023-01-05",
        chain=told.links(("courier", "reports"), ("speaker", "says"), ("river", "says")),
    )
    assert told.ledger.position("river", "quay").status == "held"
    assert told.ledger.position("speaker", "quay").status == "silent"
    assert told.ledger.position("courier", "quay").status == "silent"


def test_a_joint_statement_reaches_its_members_and_goes_up_and_never_back(told):
    told.ledger.register(Membership("river", "union"))
    told.claim("joint", "leaders", uttered="2023-01-03")
    told.claim("alone", "river", uttered="2023-01-05", stance="opposes")
    assert told.ledger.position("delta", "quay").stance == "supports"
    assert told.ledger.position("leaders", "quay").stance == "supports"
    assert told.ledger.position("river", "quay").stance == "opposes"
    assert told.ledger.as_of(said="2023-01-04").position("union", "quay").stance == "supports"


def test_a_membership_in_a_joint_party_carries_nothing_into_it(told):
    told.ledger.register(Membership("river", "leaders"))
    told.claim("c1", "river", uttered="2023-01-05")
    assert told.ledger.position("leaders", "quay").status == "silent"


def test_several_ways_up_show_the_shortest_of_the_surest(told):
    told.ledger.register(Membership("speaker", "delta"))
    told.claim("c1", "speaker", uttered="2023-01-05")
    assert told.ledger.position("delta", "quay").evidence[0].path == ("speaker", "delta")


@pytest.mark.parametrize("first, last", [("annex", "wharf"), ("wharf", "annex")])
def test_of_two_ways_as_sure_and_as_short_the_least_by_id_is_shown(told, first, last):
    for office in (first, last):
        told.ledger.register(Party(office, name=office.title(), part_of="delta"))
        told.ledger.register(Membership("river", office))
    told.claim("c1", "river", uttered="2023-01-05")
    path = told.ledger.position("delta", "quay").evidence[0].path
    assert path == ("river", "annex", "delta")


def test_a_doubtful_way_is_the_shortest_even_beyond_a_surer_detour(told):
    told.ledger.register(Membership("river", "harbour", period="2023-01-05/"))
    told.ledger.register(Membership("river", "speaker"))
    told.ledger.register(Membership("delta", "union", period="2023-01-05/"))
    told.ledger.register(Membership("harbour", "union", period="2023-01-05/"))
    told.claim("c1", "river", uttered="2023-01-09")
    way = told.ledger.position("union", "quay").possible[0].path
    assert way == ("river", "harbour", "union")


def test_an_ambiguous_claimant_counts_possibly_and_where_all_lead_for_certain(told):
    told.claim("c1", ["speaker", "harbour"], uttered="2023-01-05")
    assert told.ledger.position("speaker", "quay").status == "possible"
    assert told.ledger.position("harbour", "quay").status == "held"
    assert told.ledger.position("delta", "quay").status == "held"


def test_an_unknown_claimant_is_listed_and_in_no_position(told):
    told.claim("c1", None, uttered="2023-01-05", document="gazette-1")
    assert told.ledger.claims().ids == ("c1",)
    assert told.ledger.claims().rows[0].claimant == ()
    assert {p.status for p in told.everyone("quay")} == {"silent"}


# -- one occasion, order, conflict -----------------------------------------------------------------
