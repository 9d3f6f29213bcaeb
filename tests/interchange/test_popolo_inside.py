"""Popolo whose records stand inside each other: memberships, posts, and who is in them."""

from __future__ import annotations

import pytest

from tests.interchange.test_popolo import ANN, HOUSE, SEAT

POST = {"id": "p", "label": "MP", "organization_id": "house", "memberships": [{"person_id": "ann"}]}


@pytest.mark.parametrize(
    "documents",
    [
        [{"organizations": [HOUSE], "persons": [ANN | {"memberships": [SEAT | {"role": "MP"}]}]}],
        [
            {"persons": [ANN]},
            HOUSE | {"memberships": [{"person": {"id": "ann"}, "role": "MP"}], "posts": []},
        ],
        [{"organizations": [HOUSE]}, {"memberships": [{"role": "MP", **SEAT}]} | ANN],
        [
            {"persons": [ANN]},
            {"id": "house", "name": "H", "memberships": [{"person_id": "ann", "role": "MP"}]},
        ],
        [{"persons": [ANN], "organizations": [HOUSE]}, POST],
        [{"persons": [ANN], "organizations": [HOUSE], "posts": [POST]}],
        [{"persons": [ANN], "organizations": [HOUSE | {"posts": [POST]}]}],
        [
            {
                "persons": [ANN],
                "organizations": [HOUSE | {"posts": [{"id": "p", "label": "MP"}]}],
                "memberships": [{"person_id": "ann", "post_id": "p"}],
            }
        ],
        [
            {"organizations": [HOUSE]},
            [ANN | {"memberships": [{"organization": HOUSE, "role": "MP"}]}],
        ],
        [[ANN | {"memberships": [{"organization": HOUSE, "role": "MP"}]}]],
        [[HOUSE | {"memberships": [{"person": ANN, "role": "MP"}]}]],
        [[ANN | {"memberships": [{"post": {"role": "MP", "organization": HOUSE}}]}]],
        [
            {
                "persons": [ANN],
                "organizations": [HOUSE],
                "posts": [{"id": "p", "label": "MP", "organization": {"id": "house"}}],
                "memberships": [{"person": ANN, "post_id": "p"}],
            }
        ],
        [
            {
                "persons": [ANN],
                "organizations": [HOUSE],
                "memberships": [
                    {"person": ANN, "post": {"role": "MP", "organization_id": "house"}}
                ],
            }
        ],
    ],
)
def test_records_may_stand_inside_each_other(popolo, documents):
    places, found = popolo(*documents)
    assert found == [("house", "MP", "always")]
    assert "refused" not in {one.verdict for one in places.values()}


def test_who_stands_inside_a_membership_is_registered_where_no_list_has_them(popolo):
    seats = [{"organization": HOUSE}, {"organization": HOUSE | {"name": "The House"}}]
    places, found = popolo([ANN | {"memberships": [{**seat, "role": "MP"} for seat in seats]}])
    assert {one.verdict for one in places.values()} == {"accepted", "skipped"}
    assert found == [("house", "MP", "always")]
    nameless = [ANN | {"memberships": [{"organization": {"id": "house"}, "role": "MP"}]}]
    places, _ = popolo(nameless)
    assert "house" in places["[0].memberships[0]"].reason


def test_a_post_without_an_id_lends_nothing_to_memberships_without_a_post(popolo):
    house = HOUSE | {"posts": [{"label": "Speaker"}]}
    posts = [{"label": "Clerk", "organization_id": "house", "end_date": "2000-01-01"}]
    _, found = popolo(
        {"persons": [ANN], "organizations": [house], "posts": posts, "memberships": [SEAT]}
    )
    assert found == [("house", "", "always")]


def test_a_membership_inside_a_person_is_told_by_its_place(popolo):
    places, _ = popolo({"persons": [ANN | {"memberships": [{"role": "MP"}, 7]}]})
    assert places["persons[0]"].verdict == "accepted"
    assert "organization_id is missing" in places["persons[0].memberships[0]"].reason
    assert "an object should stand here" in places["persons[0].memberships[1]"].reason
