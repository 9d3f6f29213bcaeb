"""The table of who held what: its cells, its notes, and how it reads."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from ledger import Ledger, Party, Proposition, Topic
from ledger.errors import InvalidView, UnknownTopic
from ledger.reports.table import who_held_what
from ledger.testing import lachin
from ledger.testing.demonstration import Clock

DATES = ("2022-12-31", "2023-01-18", "2023-02-22")


@pytest.fixture
def clock() -> Clock:
    return Clock("2023-02-23")


@pytest.fixture
def empty(clock):
    with Ledger.open(":memory:", clock=clock) as ledger:
        yield ledger


@pytest.fixture
def ledger(empty):
    lachin.load(empty)
    return empty


@pytest.fixture
def road(empty):
    """A ledger with two parties and one proposition that nobody has spoken on."""
    empty.register_all(
        [
            Party("north", name="North", kind="state"),
            Party("south", name="South", kind="state"),
            Party("office", name="Office of the North", part_of="north"),
            Topic("roads", label="Roads"),
            Proposition("open", text="The road is open", topic="roads"),
        ]
    )
    return empty


def tabled(ledger: Ledger, *dates: str, topic: str):
    return who_held_what([ledger.as_of(said=day) for day in dates], topic=topic)


def cells(table) -> dict[tuple[str, str], list[str]]:
    return {
        (block.proposition, row.party): [str(cell) for cell in row.cells]
        for block in table.blocks
        for row in block.rows
    }


def test_a_cell_says_what_was_held_by_the_date_and_where_the_words_are(ledger):
    found = cells(tabled(ledger, *DATES, topic="way-out"))
    assert found == {
        ("unblock", "us-state"): [
            "possibly supports [1]",
            "possibly supports [1]",
            "supports, call_for [1]",
        ],
        ("unblock", "us"): [
            "possibly supports* [1]",
            "possibly supports* [1]",
            "supports*, call_for [1]",
        ],
        ("checks", "ru"): ["possibly supports [2]", "supports, offer [2]", "supports, offer [2]"],
        ("settled-soon", "sergei-lavrov"): [
            "-",
            "supports, predict [3]",
            "supports, predict [3]",
        ],
        ("settled-soon", "ru-mfa"): ["-", "supports*, predict [3]", "supports*, predict [3]"],
        ("settled-soon", "ru"): ["-", "supports*, predict [3]", "supports*, predict [3]"],
        ("full-use", "maria-zakharova"): ["-", "-", "supports, commit [4]"],
        ("full-use", "ru-mfa"): ["-", "-", "supports*, commit [4]"],
        ("full-use", "ru"): ["-", "-", "supports*, commit [4]"],
    }


def test_speakers_stand_before_those_they_speak_for(ledger):
    (block,) = tabled(ledger, "2023-02-22", topic="relations").blocks
    assert [row.party for row in block.rows] == ["maria-zakharova", "ru", "ru-mfa"]


def test_a_topic_holds_the_propositions_of_the_topics_inside_it(ledger):
    table = tabled(ledger, *DATES, topic="lachin")
    assert {block.proposition for block in table.blocks} == {
        "blocked",
        "protest",
        "unlawful",
        "unblock",
        "checks",
        "settled-soon",
        "full-use",
    }


def test_a_note_has_claim_claimant_act_time_document_and_the_pieces_of_the_quotation(ledger):
    text = str(tabled(ledger, *DATES, topic="way-out"))
    assert (
        "[4] “we continue to search … resume the full functioning of the Lachin corridor”, direct\n"
        "    zakharova-full-use: Maria Zakharova, commit, 2023-02-22, in ria-2023-02-22\n"
    ) in text
    assert "moscow-offer: Russia, offer, by 2023-01-18, in ria-2023-02-22\n" in text
    assert text.endswith(
        "\nria-2023-02-22: News report from Moscow on the Lachin corridor, RIA Novosti, 2023-02-22"
    )


def test_several_who_may_have_said_it_are_all_named(ledger):
    table = tabled(ledger, "2023-02-22", topic="lachin")
    (quote,) = [quote for quote in table.quotes if quote.claim == "baku-unlawful"]
    assert quote.claimant == ("Azerbaijan", "The protesters (unnamed)")


def test_a_view_from_before_the_record_says_unknown_and_not_silent(ledger):
    views = [ledger.replay("2023-02-22"), ledger.replay("2023-02-23")]
    table = who_held_what(views, topic="relations")
    assert cells(table)["joint-work", "ru"] == ["unknown", "supports, call_for [1, 2]"]
    assert "unknown: not in the ledger then" in str(table)
    assert "known by 2023-02-22" in str(table)


def test_the_order_of_the_columns_is_that_of_the_views(ledger):
    table = tabled(ledger, *reversed(DATES), topic="way-out")
    assert [str(column) for column in table.columns] == [f"said by {day}" for day in DATES[::-1]]
    assert cells(table)["full-use", "ru"] == ["supports*, commit [4]", "-", "-"]


def test_a_withdrawn_claim_is_marked_from_its_withdrawal_on(ledger, clock):
    clock.set("2023-03-01")
    ledger.withdraw("moscow-offer", claimant="ru", uttered="2023-02-28")
    table = tabled(ledger, "2023-02-27", "2023-02-28", topic="way-out")
    assert cells(table)["checks", "ru"] == ["supports, offer [2]", "withdrawn [2]"]


def test_a_withdrawal_that_may_be_later_is_marked_as_possible(ledger, clock):
    clock.set("2023-03-09")
    ledger.withdraw("moscow-offer", claimant="ru", uttered="[2023-03-01..2023-03-05]")
    table = tabled(ledger, "2023-03-02", topic="way-out")
    assert cells(table)["checks", "ru"] == ["supports, offer, possibly withdrawn [2]"]


def test_further_claims_that_may_be_later_bear_a_question_mark(road):
    road.record(claimant="north", act="assert", proposition="open", uttered="2023-01-01")
    road.record(
        claimant="north", act="deny", proposition="open", uttered="[2023-01-02..2023-01-30]"
    )
    table = tabled(road, "2023-01-10", "2023-01-31", topic="roads")
    assert cells(table)["open", "north"] == ["supports, assert [1, 2?]", "opposes, deny [2]"]
    assert "perhaps said later" in str(table)


def test_a_conflict_says_why(road):
    road.record(claimant="north", act="assert", proposition="open", uttered="2023-01-01")
    road.record(claimant="office", act="deny", proposition="open", uttered="2023-01-01")
    found = cells(tabled(road, "2023-01-10", topic="roads"))
    assert found["open", "north"] == ["conflicted, order_unknown [1, 2]"]


def test_a_refusal_to_comment_is_undeclared_and_has_its_note(road):
    road.record(claimant="office", act="decline_to_comment", proposition="open", uttered="2023")
    found = cells(tabled(road, "2023-12-31", topic="roads"))
    assert found == {
        ("open", "office"): ["undeclared [1]"],
        ("open", "north"): ["undeclared* [1]"],
    }


def test_what_has_expired_and_what_is_contested_is_marked(road):
    said = {"proposition": "open", "uttered": "2023-01-01"}
    road.record(id="a", claimant="north", act="assert", expires="2023-01-05", **said)
    road.register(Proposition("said-so", text="North said that the road is open"))
    road.record(id="b", claimant="north", act="deny", proposition="said-so", uttered="2023-01-08")
    road.relate("b", "denies_attribution", "a")
    found = cells(tabled(road, "2023-01-03", "2023-01-09", topic="roads"))
    assert found["open", "north"] == [
        "supports, assert [1]",
        "supports, assert, lapsed, contested [1]",
    ]


def test_a_claim_amended_between_two_views_has_a_note_for_each_reading(road, clock):
    clock.set("2023-02-24")
    road.record(
        id="a", claimant="north", act="assert", proposition="open", uttered="2023-02-01", quote="Go"
    )
    clock.set("2023-02-25")
    road.amend("a", quote="Open it", reason="misread")
    views = [road.as_of(said="2023-02-25", known=day) for day in ("2023-02-24", "2023-02-25")]
    table = who_held_what(views, topic="roads")
    assert cells(table)["open", "north"] == ["supports, assert [1]", "supports, assert [2]"]
    assert [quote.words for quote in table.quotes] == ["Go", "Open it"]


def test_a_claim_without_words_or_document_says_so(road):
    road.record(id="a", claimant="north", act="assert", proposition="open", uttered="2023-01-01")
    text = str(tabled(road, "2023-02-01", topic="roads"))
    assert "[1] (no quotation recorded)\n    a: North, assert, 2023-01-01, in no document" in text


def test_what_is_no_list_of_views_is_refused_with_what_to_write(road):
    wrong: list[Any] = [[road], road.as_of(), ["2023-02-01"], road, 5, iter(())]
    for given in wrong:
        with pytest.raises(InvalidView, match=r"who_held_what\(\[ledger\.as_of\(said="):
            who_held_what(given, topic="roads")


def test_views_are_gone_through_once(road):
    views = [road.as_of(said="2023-02-01"), road.as_of()]
    assert who_held_what(iter(views), topic="roads") == who_held_what(views, topic="roads")


def test_a_topic_on_which_nobody_spoke_says_so(road):
    assert str(tabled(road, "2023-02-01", topic="roads")) == (
        "Roads (roads): who held what\n\n(nobody held a position)"
    )


def test_erased_claims_are_counted_below_the_table(ledger):
    table = attrs.evolve(tabled(ledger, "2023-02-22", topic="relations"), incomplete=2)
    assert "in no cell: 2 claims whose content was erased" in str(table)


def test_the_legend_explains_only_what_is_used(road):
    road.record(claimant="south", act="assert", proposition="open", uttered="2023-01-01")
    text = str(tabled(road, "2023-02-01", topic="roads"))
    for sign in ("* by", "- silent", "possibly", "unknown"):
        assert sign not in text


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_no_line_is_longer_than_a_hundred_signs(ledger, count):
    dates = [f"2023-02-{day}" for day in range(22 - count + 1, 23)]
    text = str(tabled(ledger, *dates, topic="lachin"))
    assert max(map(len, text.splitlines())) <= 100
    for day in dates:
        assert f"said by {day}" in text


def test_columns_line_up(ledger):
    lines = str(tabled(ledger, *DATES, topic="way-out")).splitlines()
    head = next(line for line in lines if "said by" in line)
    starts = [head.index(f"said by {day}") for day in DATES]
    rows = [line for line in lines if line.startswith(("Russia ", "Sergei ", "US "))]
    assert len(rows) == 5
    for row in rows:
        assert all(row[at] != " " and row[at - 2 : at] == "  " for at in starts)


def test_it_becomes_json_and_a_notebook_cell(ledger):
    table = tabled(ledger, *DATES, topic="way-out")
    told = json.loads(json.dumps(table.to_dict()))
    cell = told["blocks"][1]["rows"][0]["cells"][1]
    assert cell["status"] == "held"
    assert told["quotes"][cell["quotes"][0] - 1]["claim"] == "moscow-offer"
    assert table._repr_html_().startswith("<pre>How the corridor")


def test_no_view_is_refused():
    with pytest.raises(InvalidView, match="a view for each column"):
        who_held_what([], topic="lachin")


def test_a_topic_that_no_view_holds_is_refused_with_near_ones(ledger):
    with pytest.raises(UnknownTopic, match="lachin"):
        tabled(ledger, *DATES, topic="lachim")
