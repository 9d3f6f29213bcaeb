"""Narrowed questions after erasures: the folded log's answers, from tables that tell nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger import Document, Ledger, Party, Proposition
from ledger.model import events as ev
from ledger.model.erasing import SLOTS
from ledger.narrowing import Asked, plain
from ledger.projecting import cells
from ledger.store import cells as tables
from tests.examples import examples
from tests.projections.test_narrowed import (
    CELLS,
    PARTIES,
    SCENE,
    WORLDS,
    folded,
    folded_cells,
    is_narrowed,
    narrow,
    quick,
    quick_ones,
)
from tests.projections.worlds import SAID, TOLD, Clock, told_to

ASKED_FOR = ("party_registered", "proposition_defined", "topic_defined", "occurrence_described")


def erase(ledger, target, slots):
    """An erasure by whatever writer: of any slots of any event."""
    with ledger._folded.facts() as facts:
        size, version = facts.size, facts.stream_version(target.stream) + 1
    erased = ev.ContentErased(target=target.id, slots=tuple(slots), reason="r", authority="a")
    id_ = f"00000000-0000-7000-8000-{size:012}"
    new = ev.NewEvent(id=id_, stream=target.stream, stream_v=version, event=erased)
    ledger.appender.put([new])


def still_known(view, asked):
    """The cells of parties that no erased change of a membership of theirs made unknown."""
    with view.facts() as facts:
        parties = {party for party, _ in asked}
        known = {one for one in parties if facts.get(facts.id_of("party", one), ev.PartyRegistered)}
    return [cell for cell in asked if cell[0] in known]


@settings(max_examples=examples(40), phases=[Phase.generate])
@given(WORLDS, st.sampled_from(SAID[5:]), CELLS, PARTIES, st.data())
def test_a_narrowed_answer_is_that_of_the_folded_log(world, said, asked, party, data):
    clock = Clock()
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "claims.db", clock=clock) as ledger,
    ):
        inline = data.draw(st.booleans())
        ledger.projections.add(cells(ledger.layout), mode="inline" if inline else "deferred")
        last = len(told_to(ledger, clock, world).entries) - 1
        events = [one for one in ledger.events() if one.type not in ASKED_FOR]
        acts = [one for one in events if one.sequence >= SCENE] or events
        for _ in range(data.draw(st.integers(1, 4))):
            erase(
                ledger,
                data.draw(st.sampled_from(data.draw(st.sampled_from((acts, events))))),
                data.draw(st.sets(st.sampled_from(SLOTS), min_size=1)),
            )
            if not inline:
                ledger.projections.run("cells")
            for known in (data.draw(st.integers(SCENE - 1, last)), None):
                view = ledger.as_of(said=said, known=known)
                assert is_narrowed(view)
                here, them = still_known(view, asked), still_known(view, [(party, TOLD[0])])
                if here and them:
                    whole = folded(view, here, party)
                    assert narrow(view, here, party) == whole
                    assert quick(view, here) == whole[: len(here)]
        assert ledger.projections.check("cells").ok


def test_whose_words_they_were_is_in_no_cell(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all(Party(one, name=one.title()) for one in ("mill", "board", "press"))
        ledger.register(Proposition("shut", text="Shut"))
        ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023")
        ledger.record(
            id="C2", claimant="mill", act="deny", proposition="shut", uttered="2024", quote="No."
        )
        ledger.amend("C1", reason="misheard", claimant="board")
        change = [*ledger.events()][-1]
        assert quick_ones(ledger.as_of(), [("mill", "shut")]) == []

        def rows():
            cell, _ = tables.tables_of(ledger.layout, 0)
            with ledger._folded.reading() as conn:
                return sorted(tuple(row) for row in conn.execute(cell.select()))

        assert [row[1:4] for row in rows()] == [(0, 3, 4), (0, 3, 5), (1, 3, 4)]
        ledger.erase(change.id, slots="who", reason="a wish", authority="the editor")
        assert [row[1:4] for row in rows()] == [(0, 3, 4), (0, 3, 5)]
        assert ledger.position("board", "shut").incomplete == 1
        ledger.erase("C2", slots="words", reason="a wish", authority="the editor")
        held = ledger.position("mill", "shut")
        assert (held.stance, held.erased_parts, held.evidence[0].quote) == ("opposes", 1, "")
        before = ledger.as_of(known=5).position("mill", "shut")
        assert [one.reason for one in before.erased] == ["a wish"]
        ledger.erase("C2", slots=["who", "what"], reason="a wish", authority="the editor")
        assert [row[1:4] for row in rows()] == [(0, 3, 4)]
        assert ledger.position("mill", "shut").incomplete == 2
        assert ledger.projections.check("cells").ok


def test_a_claim_stays_in_the_cells_of_those_whom_a_change_that_is_left_names(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all(Party(one, name=one.title()) for one in ("mill", "board", "press"))
        ledger.register(Proposition("shut", text="Shut"))
        ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023")
        ledger.amend("C1", reason="misheard", claimant="board")
        change = [*ledger.events()][-1]
        ledger.amend("C1", reason="misheard again", claimant="press")
        ledger.erase(change.id, slots="who", reason="a wish", authority="the editor")
        stands = {one: ledger.position(one, "shut").status for one in ("mill", "board", "press")}
        assert stands == {"mill": "silent", "board": "silent", "press": "held"}
        assert ledger.projections.check("cells").ok


def test_an_erasure_reaches_what_was_asked_before(tmp_path):
    for writer in ("the same", "another", "one without cells"):
        path = tmp_path / f"{writer}.db"
        with Ledger.open(path) as ledger, Ledger.open(path) as other:
            for one in (ledger, other) if writer == "another" else (ledger,):
                one.projections.add(cells(one.layout))
            ledger.register_all([Party("mill", name="Marta"), Proposition("shut", text="Shut")])
            ledger.record(
                id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023"
            )
            kept = ledger.as_of()
            for _ in range(3):
                assert kept.position("mill", "shut").name == "Marta"
            (ledger if writer == "the same" else other).erase(
                "mill", reason="a wish", authority="the editor"
            )
            for view in (kept, ledger.as_of(known=2), ledger.as_of()):
                assert [one.name for one in view.parties()] == [""]
                assert "Marta" not in str(view.positions(party=view.parties()[0].id))


def test_claims_of_a_party_of_which_nothing_is_left_are_explained(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all(Party(one, name=one.title()) for one in ("mill", "board"))
        ledger.register(Proposition("shut", text="Shut"))
        for id_, who in (("C1", "mill"), ("C2", "board")):
            ledger.record(id=id_, claimant=who, act="assert", proposition="shut", uttered="2023")
        ledger.erase("board", slots=["what"], reason="a wish", authority="the editor")
        view = ledger.as_of()
        assert is_narrowed(view)
        with view.facts() as facts:
            whole = Asked(facts, None, view.said).explain("mill", "shut")
        assert view.explain("mill", "shut") == whole
        assert "1 may not" in str(whole)


def test_a_document_that_was_kept_is_as_it_was_registered_corrected_or_erased(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(plain, "PAPERS", 1)  # of two, one is let go of for the other
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        for n in (3, 4):
            ledger.register(
                Document(f"d{n}", publisher="mill", text="Shut.", published=f"202{n}-01-01")
            )
            ledger.record(
                id=f"C{n}", claimant="mill", act="assert", proposition="shut", document=f"d{n}"
            )

        def told(view):
            found = [view.position("mill", "shut") for _ in range(3)]  # of what is kept as well
            assert found == folded_cells(view, [("mill", "shut")]) * 3
            return [(one.document, str(one.said)) for one in found[-1].evidence]

        before = ledger.as_of()
        assert told(before) == [("d3", "..2023-01-01"), ("d4", "..2024-01-01")]
        assert [one.status for one in quick_ones(before, [("mill", "shut")])] == ["held"]
        ledger.amend("d3", reason="misprint", published="2022-01-01")
        assert told(before) == [("d3", "..2023-01-01"), ("d4", "..2024-01-01")]
        assert told(ledger.as_of()) == [("d3", "..2022-01-01"), ("d4", "..2024-01-01")]
        ledger.erase("d4", slots=["what"], reason="a wish", authority="the editor")
        for view in (before, ledger.as_of()):
            assert all("d4" not in one for one in told(view))
