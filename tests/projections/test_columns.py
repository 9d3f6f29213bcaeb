"""Columns: on every day, everybody's status and stance are those of the position."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
from typing import Any, cast
from uuid import UUID

import attrs
import pytest
from hypothesis import example as also
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Document, Edtf, Ledger, Membership, Party, Proposition
from ledger.errors import InvalidView, LedgerError
from ledger.model.events import NewEvent
from ledger.narrowing import columns
from ledger.projecting import cells
from ledger.testing import lachin
from tests.examples import examples
from tests.projections.test_narrowed import WORLDS
from tests.projections.worlds import Clock, told_to

DAYS = [dt.date(2019, 1, 1), dt.date(2022, 12, 31), dt.date(2023, 3, 1)]
DAYS += [dt.date(2023, 1, day) for day in range(2, 14)]


def positions(ledger, day, known=None):
    """All that is not silent, by the position itself."""
    view = ledger.as_of(said=day, known=known)
    found = {
        (who.id, what.id): view.position(who.id, what.id)
        for who in view.parties()
        for what in view.propositions()
    }
    rows = {(one.party, one.proposition): one for one in found.values()}
    return sorted(
        (*key, one.status, one.stance) for key, one in rows.items() if one.status != "silent"
    )


@pytest.fixture
def example():
    with Ledger.open(":memory:") as ledger:
        lachin.load(ledger)
        yield ledger


def rows(sheet):
    return sorted((one.party, one.proposition, one.status, one.stance) for one in sheet)


@settings(max_examples=examples(25))
@given(WORLDS, st.booleans(), st.lists(st.sampled_from(DAYS), min_size=2, max_size=2))
def test_a_sheet_is_the_table_of_positions_on_any_day(world, narrow, days):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        if narrow:
            ledger.projections.add(cells(ledger.layout))
        told_to(ledger, clock, world)
        held = ledger.as_of().columns()
        for day in days:
            table = positions(ledger, day)
            assert rows(held.at(day)) == table
            for key in itertools.product(held.parties, held.propositions):
                told = [row for row in table if row[:2] == key]
                assert rows([held.cell(*key, day)]) == (told or [(*key, "silent", None)])


@pytest.mark.parametrize("numbers", [True, False])
def test_one_party_and_everybody_agree_with_numpy_and_without(example, monkeypatch, numbers):
    if not numbers:
        monkeypatch.setattr(columns, "numpy", lambda: None)
    else:
        pytest.importorskip("numpy")
        monkeypatch.setattr(columns, "_FEW", 0)
    for known in (None, 35):
        held = example.as_of(known=known).columns()
        for day in ("2022-12-31", "2023-01-18", "2023-02-22"):
            everybody = rows(held.at(day))
            assert everybody == positions(example, day, known)
            for party in held.parties:
                mine = [row for row in everybody if row[0] == party]
                assert rows(held.at(day, party=party)) == mine
        assert rows(held.at("1999-01-01")) == positions(example, "1999-01-01", known)
        assert held.nbytes > 0


def test_what_was_merged_is_asked_about_by_its_former_id():
    with Ledger.open(":memory:") as ledger:
        ledger.register_all(
            [
                *(Party(id_, name=id_) for id_ in ("mill", "mill-ltd", "zoo")),
                *(Proposition(id_, text=id_) for id_ in ("open", "shut", "unsaid")),
            ]
        )
        ledger.record(claimant="mill-ltd", act="assert", proposition="shut", uttered="2023-01-05")
        ledger.merge("mill", "mill-ltd", reason="one firm")
        ledger.merge("open", "shut", negated=True, reason="one question")
        held = ledger.as_of().columns()
    found = [("mill", "open", "held", "opposes")]
    assert (held.parties, held.propositions) == (("mill", "zoo"), ("open", "unsaid"))
    for party, proposition in itertools.product(("mill", "mill-ltd"), ("open", "shut")):
        assert rows([held.cell(party, proposition, "2023-01-06")]) == found
        assert rows(held.at("2023-01-06", party=party)) == found
    assert rows([held.cell("zoo", "shut", "2023-01-06")]) == [("zoo", "open", "silent", None)]


def test_an_instant_or_an_unknown_party_is_refused(example):
    held = example.as_of().columns()
    with pytest.raises(InvalidView, match="by plain days"):
        held.at("2023-01-18T12:00:00Z")
    with pytest.raises(InvalidView, match="by plain days"):
        held.cell("az", "blocked", "2023-01-18T12:00:00Z")
    with pytest.raises(InvalidView, match="No proposition 'nothing' is"):
        held.cell("az", "nothing", "2023-01-18")
    with pytest.raises(InvalidView, match="No party None is"):
        held.cell(None, "blocked", "2023-01-18")
    with pytest.raises(InvalidView, match="No party 'nobody'"):
        held.at("2023-01-18", party="nobody")
    with pytest.raises(InvalidView, match="No party 7 is"):
        held.at("2023-01-18", party=7)


def test_what_is_shown_of_a_million_numbers_is_how_many(example):
    held = example.as_of().columns()
    events = f"of {example.as_of().basis} events>"
    of = f"{len(held.parties)} parties on {len(held.propositions)} propositions"
    assert repr(held) == f"<columns of {of}, {events}"
    sheet = held.at("2023-02-22", party="az")
    assert str(sheet) == f"<2 cells said by 2023-02-22, {events}"


LATER = dt.datetime(2023, 2, 1, tzinfo=dt.UTC)
SPOKE = st.fixed_dictionaries(
    {
        "claimant": st.sampled_from(["miller", "miller", "mill", "guild", ("miller", "guild")]),
        "proposition": st.sampled_from(["shut", "open"]),
        "stance": st.sampled_from(["supports", "opposes", "neutral", "undeclared"]),
        "uttered": st.sampled_from(
            [None, None, "2023-01-03", "2023-01-05", "2023-01-06", "2022", "2023-01-06T08:00:00Z"]
        ),
        "utterance": st.sampled_from([None, None, None, "u1", "u2"]),
        "document": st.sampled_from([None, "late", "undated", "moved"]),
        "capacity": st.sampled_from(["official", "official", "personal"]),
    }
)
MOVED = ("amend", "c0", {"proposition": "open"})
POSTPONED = ("amend", "moved", {"published": "2023-01-20"})
STRUCK_OUT = ("amend", "shut", {"strike_out": True})
MERGED = ("merge", "open", {"merged": "shut", "negated": True})
CHANGED = st.sampled_from(
    [
        MOVED,
        POSTPONED,
        ("amend", "c1", {"stance": "opposes"}),
        ("amend", "c1", {"utterance": "u1"}),
        ("amend", "c0", {"strike_out": True}),
        ("withdraw", "c1", {"claimant": "miller", "uttered": "2023-01-09"}),
        ("relate", "c1", {"relation": "replies_to", "target": "c0"}),
        ("erase", "c1", {"slots": "who", "authority": "editor"}),
        MERGED,
        STRUCK_OUT,
    ]
)


def spoke(**fields):
    """The fields of a claim on a shut mill, one of the above but for some of them."""
    told = {"claimant": "miller", "proposition": "shut", "stance": "supports", "uttered": None}
    return {**told, "utterance": None, "document": None, "capacity": "official", **fields}


def crossroads(ledger):
    """A miller who speaks for a mill for some days, a guild, and three documents."""
    papers = {"late": "2023-01-12", "undated": None, "moved": "2023-01-10"}
    ledger.register_all(
        [
            Party("mill", name="Mill"),
            Party("guild", name="Guild"),
            Party("miller", name="Miller", kind="person"),
            Membership("miller", "mill", period="2022-06/2023-01-05"),
            Proposition("shut", text="Shut"),
            Proposition("open", text="Open"),
            *(
                Document(id_, publisher="guild", published=day, text="A text.")
                for id_, day in papers.items()
            ),
        ]
    )


def change(ledger, how, what, fields):
    """Change something, where that can be done."""
    more = fields if how in ("withdraw", "relate") else {**fields, "reason": "as it was"}
    with contextlib.suppress(LedgerError):
        getattr(ledger, how)(what, **more)


def by_the_whole_log(ledger, view, day):
    """The sheet of a day without the tables of cells."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(columns, "narrowed", lambda *_: contextlib.nullcontext(None))
        return rows(view.columns().at(day))


@settings(max_examples=examples(60))
@given(
    spoken=st.lists(SPOKE, min_size=1, max_size=6),
    changes=st.lists(CHANGED, max_size=3),
    day=st.sampled_from([dt.date(2023, 1, day) for day in (3, 5, 6, 7, 11, 15, 25)]),
    behind=st.booleans(),
)
@also(
    spoken=[spoke(uttered="2023-01-05"), spoke(claimant="guild")],
    changes=[MOVED],
    day=dt.date(2023, 1, 7),
    behind=False,
)
@also(spoken=[spoke(uttered="2023-01-05")], changes=[MOVED], day=dt.date(2023, 1, 7), behind=True)
@also(spoken=[spoke(uttered="2023-01-05")], changes=[MERGED], day=dt.date(2023, 1, 7), behind=False)
@also(spoken=[spoke()], changes=[], day=LATER.date(), behind=False)
@also(spoken=[spoke()], changes=[MOVED, STRUCK_OUT], day=LATER.date(), behind=False)
@also(
    spoken=[spoke(document="moved")],
    changes=[POSTPONED],
    day=dt.date(2023, 1, 15),
    behind=False,
)
@also(
    spoken=[spoke(document="moved")],
    changes=[POSTPONED],
    day=dt.date(2023, 1, 25),
    behind=False,
)
@also(
    spoken=[spoke(uttered="2023-01-05"), spoke(uttered="2023-01-06T08:00:00Z", stance="opposes")],
    changes=[],
    day=dt.date(2023, 1, 7),
    behind=False,
)
@also(
    spoken=[
        spoke(utterance="u1"),
        spoke(utterance="u1", proposition="open", uttered="2023-01-05"),
    ],
    changes=[],
    day=dt.date(2023, 1, 7),
    behind=False,
)
def test_plain_claims_and_others_are_told_together(spoken, changes, day, behind):
    with Ledger.open(":memory:", clock=lambda: LATER) as ledger:
        crossroads(ledger)
        for number, fields in enumerate(spoken):
            with contextlib.suppress(LedgerError):
                ledger.record(id=f"c{number}", act="assert", **fields)
        early = ledger.as_of().basis - 1
        if behind:
            ledger.projections.add(cells(ledger.layout), mode="deferred")
            ledger.projections.run("cells")
        for how, what, fields in changes:
            change(ledger, how, what, fields)
        if not behind:
            ledger.projections.add(cells(ledger.layout))
            ledger.projections.rebuild("cells")
        for known in (None, early):
            view = ledger.as_of(known=known)
            assert rows(view.columns().at(day)) == by_the_whole_log(ledger, view, day)


def test_dates_that_contradict_each_other_are_told_as_the_folded_log_does():
    with Ledger.open(":memory:", clock=lambda: LATER) as ledger:
        crossroads(ledger)
        ledger.projections.add(cells(ledger.layout))
        ledger.record(id="c0", act="assert", **spoke(document="late"))
        *_, last = ledger.events()
        put = str(UUID(int=UUID(last.id).int + 1))
        event = attrs.evolve(cast("Any", last.event), key="c1", stance="opposes")
        event = attrs.evolve(event, uttered=Edtf.parse("2023-01-20/.."))
        ledger.appender.put([NewEvent(id=put, stream=put, stream_v=0, event=event)])  # unchecked
        view = ledger.as_of()
        for day in (dt.date(2023, 1, 13), dt.date(2023, 1, 21), LATER.date()):
            assert rows(view.columns().at(day)) == by_the_whole_log(ledger, view, day)


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_columns_read_from_the_tables_are_those_of_the_folded_log(
    engine, tmp_path, request, monkeypatch
):
    url = f"sqlite:///{tmp_path / 'claims.db'}"
    if engine == "postgres":
        url = request.getfixturevalue("postgres_url")
    with Ledger.open(url) as ledger:
        ledger.projections.add(cells(ledger.layout))
        lachin.load(ledger)
        ledger.amend("moscow-offer", stance="opposes", reason="misheard")
        ledger.withdraw("mod-blocked", claimant="ru-mod", uttered="2023-02-23")
        ledger.erase("zakharova-full-use", reason="asked", authority="editor", slots="what")
        held = [ledger.as_of(known=known).columns() for known in (None, 35)]
        monkeypatch.setattr(columns, "narrowed", lambda *_: contextlib.nullcontext(None))
        folded = [ledger.as_of(known=known).columns() for known in (None, 35)]
    for ours, theirs in zip(held, folded, strict=True):
        for day in ("2022-12-31", "2023-01-18", "2023-02-22", "2023-03-01"):
            assert rows(ours.at(day)) == rows(theirs.at(day))
            assert rows(ours.at(day))
