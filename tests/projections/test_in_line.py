"""A party's words in one order, a day after another: the quick answer is that of the whole log."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import Document, Ledger, Membership, Party, Proposition, View
from ledger.model.events import ClaimRecorded, NewEvent
from ledger.model.moment import Edtf
from ledger.projecting import cells
from ledger.projections import positions
from tests.examples import examples

NOW = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)
DAYS = [f"2024-0{month}-{day}" for month in (1, 2, 3) for day in ("03", "09", "17", "25")]
VAGUE = [None, "2024-02", "2024-01-10/2024-01-20", "2024-02-03T08:00:00Z", "2024-03-25T08:00:00Z"]
SAID = ["2024-02-03T09:00:00Z", "2024-03-03", "2024-04-01", "2025-01-01"]


@st.composite
def words(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Claims on days of their own, in any order; in some of them one date or stance is unsure."""
    days = draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=5, unique=True))
    stances = st.sampled_from(["supports", "opposes"])
    claims = [
        {
            "claimant": draw(st.sampled_from(["the-ministry", "the-ministry", "a-spokeswoman"])),
            "act": draw(st.sampled_from(["assert", "assert", "predict"])),
            "stance": draw(stances),
            "uttered": day,
            "factuality": draw(st.sampled_from(["certain", "certain", "probable"])),
            "conditions": draw(st.sampled_from([None, None, "if it rains"])),
            "expires": draw(st.sampled_from([None, "2024-03-28", "2024-12"])),
            "capacity": draw(st.sampled_from(["official", "official", "personal"])),
            "document": draw(st.sampled_from([None, "a-statement"])),
        }
        for day in days
    ]
    if draw(st.booleans()):
        unsure = st.fixed_dictionaries({"uttered": st.sampled_from(VAGUE)})
        aside = st.just({"stance": "undeclared"})
        claims[0] |= draw(unsure | aside)
    return claims


def told(ledger: Ledger, claims: list[dict[str, Any]]) -> None:
    """Tell a ledger who there is, and the claims."""
    ledger.register(Party("the-ministry", name="The ministry"))
    ledger.register(Party("a-spokeswoman", name="A spokeswoman", kind="person"))
    ledger.register(Membership("a-spokeswoman", "the-ministry", period="2024-01-05/2024-03-20"))
    ledger.register(Proposition("the-road", text="The road is closed"))
    paper = Document(
        "a-statement", publisher="the-ministry", published="2024-03-30", text="The road."
    )
    ledger.register(paper)
    for number, fields in enumerate(claims):
        ledger.record(**{"id": f"c{number}", "proposition": "the-road", **fields})


def line(*stances: str, **fields: Any) -> list[dict[str, Any]]:
    """Claims of one party on the first days there are."""
    told = {"claimant": "the-ministry", "act": "assert", **fields}
    return [
        {**told, "uttered": day, "stance": stance}
        for day, stance in zip(DAYS, stances, strict=False)
    ]


def one(**fields: Any) -> list[dict[str, Any]]:
    """One claim of the spokeswoman."""
    said = {"claimant": "a-spokeswoman", "act": "assert", "stance": "supports", "uttered": DAYS[1]}
    return [{**said, **fields}]


def agrees(view: View) -> None:
    """Compare what is told of everybody at once with what the whole log comes to."""
    for party in ("the-ministry", "a-spokeswoman"):
        # Of what is kept by then, the second is asked of it alone.
        quick = [view.position(party, "the-road") for _ in range(2)]
        with view.facts() as facts:
            who, what = facts.id_of("party", party), facts.id_of("proposition", "the-road")
            assert who is not None
            assert what is not None
            whole = positions.position(facts, who, what, view.said)
        assert quick == [whole] * 2


@settings(max_examples=examples(100))
@given(words(), st.sampled_from(SAID))
@example(line("supports", "supports", "opposes"), "2024-04-01")
@example(line("opposes", "supports", "supports")[::-1], "2024-04-01")
@example(line("supports", "supports", expires="2024-03-28"), "2024-04-01")
@example(line("supports", "supports", expires="2024-03"), "2024-03-15")
@example(line("supports", "supports", "opposes", id=None), "2024-04-01")
@example(one(id=None), "2024-04-01")
@example([*line("supports", expires="2024-03-28"), line("x", "supports")[1]], "2024-04-01")
@example([*line("supports"), line("x", "supports", expires="2024-03-28")[1]], "2024-04-01")
@example(
    [*line("supports"), {**line("opposes", claimant="a-spokeswoman")[0], "uttered": "2024-03"}],
    "2024-04-01",
)
@example(line("supports", "opposes", claimant="a-spokeswoman"), "2024-04-01")
@example(one(uttered="2024-02"), "2024-02-15")
@example(one(uttered="2024-03"), "2024-04-01")
@example(one(capacity="personal"), "2024-04-01")
@example(one(stance="undeclared", expires="2024-03-28", conditions="if it rains"), "2024-04-01")
@example([*one(capacity="personal"), *line("opposes", "supports")], "2024-04-01")
@example([*one(uttered="2024-02"), *line("supports")], "2024-02-15")
@example([*one(uttered=DAYS[8]), *line("supports")], "2024-02-15")
@example([*one(stance="undeclared"), *line("supports")], "2024-04-01")
@example([*one(claimant="the-ministry", uttered="2024-01"), *line("opposes")], "2024-04-01")
@example([*one(claimant="the-ministry", uttered=DAYS[0]), *line("opposes")], "2024-04-01")
def test_words_in_line_come_to_what_the_whole_log_comes_to(
    claims: list[dict[str, Any]], said: str
) -> None:
    """Runs, shifts, turns, dates, lapses: the same, whether the words are in line or not."""
    with Ledger.open(":memory:", clock=lambda: NOW) as ledger:
        told(ledger, claims)
        ledger.projections.add(cells(ledger.layout), mode="deferred")
        ledger.projections.run("cells")
        agrees(ledger.as_of(said=said))


@pytest.mark.parametrize("negated", [True, False])
@pytest.mark.parametrize("merged", [True, False])
def test_words_in_line_are_those_of_all_that_are_one(negated, merged):
    with Ledger.open(":memory:", clock=lambda: NOW) as ledger:
        ledger.projections.add(cells(ledger.layout))
        told(ledger, line("supports", "supports"))
        ledger.register(Proposition("a-detour", text="One goes round by the river"))
        ledger.register(Party("the-press-office", name="The press office"))
        on_it: dict[str, Any] = {"proposition": "a-detour", "act": "deny"}
        ledger.record(id="c2", claimant="the-ministry", uttered=DAYS[2], **on_it)
        ledger.record(id="c3", claimant="the-press-office", uttered=DAYS[3], **on_it)
        before = ledger.as_of()
        ledger.merge("the-road", "a-detour", negated=negated, reason="the same words")
        if merged:
            ledger.merge("the-ministry", "the-press-office", reason="one office")
        for view in (before, ledger.as_of(), ledger.as_of(said=DAYS[2])):
            agrees(view)
        assert len(ledger.position("the-ministry", "the-road").runs) == (1 if negated else 2)


def test_a_turn_between_words_in_line_says_where_the_last_of_either_side_have_no_order() -> None:
    with Ledger.open(":memory:", clock=lambda: NOW) as ledger:
        ledger.projections.add(cells(ledger.layout))
        told(ledger, [])
        paper = Document("a-notice", publisher="the-ministry", published="2024-02-04", text="Shut.")
        ledger.register(paper)
        said: dict[str, Any] = {
            "claimant": "the-ministry",
            "act": "assert",
            "proposition": "the-road",
        }
        ledger.record(**said, id="c0", stance="opposes", uttered="2024-02-04T10:00:00Z")
        later: dict[str, Any] = {"uttered": "2024-02-05T10:30:00Z", "document": "a-notice"}
        ledger.record(**said, id="c1", stance="supports", **later)
        view = ledger.as_of()
        assert [one.order_unknown for one in view.position("the-ministry", "the-road").turns] == [
            False
        ]
        # In the east the day begins at 10:00 UTC: that may be the instant of the first word.
        ledger.record(**said, id="c2", stance="supports", uttered="2024-02-05")
        found = ledger.position("the-ministry", "the-road")
        assert [one.claims for one in found.runs] == [("c0",), ("c1", "c2")]
        assert [one.order_unknown for one in found.turns] == [True]
        agrees(ledger.as_of())


@pytest.mark.parametrize("said", ["2024-02-10", "2024-04-10", "2024-05-05", "2024-07-01"])
def test_dates_that_contradict_each_other_are_told_as_by_the_whole_log(said: str) -> None:
    with Ledger.open(":memory:", clock=lambda: NOW) as ledger:
        fields = {"claimant": "the-ministry", "stance": "opposes", "document": "a-statement"}
        told(ledger, [*line("supports"), *one(**fields)])
        *_, last = ledger.events()
        put = str(UUID(int=UUID(last.id).int + 1))
        assert isinstance(last.event, ClaimRecorded)
        late: dict[str, Any] = {
            "key": "late",
            "uttered": Edtf.parse("2024-05"),
            "stance": "supports",
        }
        event = attrs.evolve(last.event, **late)
        new = NewEvent(id=put, stream=put, stream_v=0, event=event)
        ledger.appender.put([new])  # which is not checked: uttered after it was published
        ledger.projections.add(cells(ledger.layout))
        ledger.projections.rebuild("cells")
        view = ledger.as_of(said=said)
        agrees(view)
        held = [(row.party, row.status, row.stance) for row in view.columns().at(said)]
        parties = ("a-spokeswoman", "the-ministry")
        found = [view.position(party, "the-road") for party in parties]
        assert held == [(p.party, p.status, p.stance) for p in found if p.status != "silent"]
