"""What a ledger has in memory is what it would read: an erasure reaches both alike."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger import Ledger, Party, Proposition
from ledger.errors import LedgerError, UnknownClaim
from ledger.interchange.out.exporting import FORMATS, export
from ledger.model import events as ev
from ledger.model.erasing import SLOTS
from ledger.projecting import cells
from ledger.projections import effective
from ledger.projections.effective import Facts
from tests.examples import examples
from tests.projections.test_taking_back import state
from tests.projections.worlds import Clock, told_to, worlds


@given(worlds(), st.data())
@settings(max_examples=examples(20), deadline=None, phases=[Phase.generate])
def test_what_is_held_after_erasures_is_what_is_read_anew(world, data):
    """By whatever writer they came: of amendments too, of their `what` even."""
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        events = list(ledger.events())
        if not events:
            return
        sizes = [data.draw(st.integers(1, len(events))) for _ in range(2)]
        for _ in range(data.draw(st.integers(1, 4))):
            target = data.draw(st.sampled_from(events))
            slots = data.draw(st.sets(st.sampled_from(SLOTS), min_size=1))
            with ledger._folded.facts() as facts:
                version = facts.stream_version(target.stream)
            erased = ev.ContentErased(
                target=target.id, slots=tuple(slots), reason="r", authority="a"
            )
            new = ev.NewEvent(
                id=f"00000000-0000-7000-8000-{ledger.checkpoint().size:012}",
                stream=target.stream,
                stream_v=version + 1,
                event=erased,
            )
            ledger.as_of(known=0)
            ledger.appender.put([new])
            fresh = Facts().extend(ledger.events())
            with ledger._folded.facts() as facts:
                assert state(facts) == state(fresh)
            for size in sizes:
                with ledger.as_of(known=size - 1).facts() as facts:
                    first = state(Facts().extend(list(ledger.events())[:size]))
                    assert state(facts) == first
        assert ledger.verify().size == len(list(ledger.events()))


@given(worlds(), st.data())
@settings(max_examples=examples(15), deadline=None, phases=[Phase.generate])
def test_no_question_fails_whatever_was_erased(world, data):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        for one in list(ledger.events()):
            slots = data.draw(st.sets(st.sampled_from(SLOTS)))
            try:
                ledger.erase(one.id, slots=sorted(slots), reason="r", authority="a")
            except LedgerError:
                continue
        view = ledger.as_of()
        for party in view.parties():
            str(view.positions(party=party.id))
            for topic in view.topics():
                str(view.timeline(party.id, topic.id))
        for claim in view.claims():
            str(view.trace(claim.id))
        for lost in view.claims().lost:
            str(view.trace(lost.record))
        for party, about in itertools.product(view.parties(), view.propositions()):
            str(view.explain(party.id, about.id)), str(view.evidence(party.id, about.id))
        for topic in view.topics():
            str(view.silences(topic.id))
        for document in view.documents():
            str(view.resting_on(document.id)), str(view.check_quotes(document.id))
        for party in view.parties():
            str(view.attributed_to(party.id))
        for name, of in FORMATS.items():
            if not of.folder:
                export(view, name, io.BytesIO())
        str(view.contradictions()), str(view.divergences()), list(map(str, ledger.log()))
        assert view.claims().incomplete == len({one.record for one in view.claims().lost})
        ledger.verify()


SAID: Any = {"claimant": "board", "act": "assert", "uttered": "2023-01-01"}


@pytest.fixture
def both(tmp_path):
    """A ledger on a file, and what another process that opens it now has read."""
    path = tmp_path / "claims.db"
    with Ledger.open(path) as ledger:
        ledger.register(Party("board", name="Water Board"))
        ledger.register_all([Proposition(id_, text=f"It is {id_}") for id_ in "pq"])
        yield ledger, lambda: Facts().extend(Ledger(path).events())


def test_an_id_whose_later_bearer_is_erased_is_that_of_the_earlier_one(both):
    ledger, read = both
    first = ledger.record(id="c", proposition="p", **SAID)
    ledger.amend("c", strike_out=True, reason="twice")
    later = ledger.record(id="c", proposition="q", **SAID)
    ledger.erase(later.ledger_id, slots=["what"], reason="r", authority="a")
    with ledger._folded.facts() as facts:
        assert facts.id_of("claim", "c") == first.ledger_id
        assert state(facts) == state(read())
    with pytest.raises(UnknownClaim, match="was struck out"):
        ledger.trace("c")


def test_what_an_undoing_is_amended_to_names_no_occasion_after_an_erasure_either(both):
    ledger, read = both
    ledger.record(id="c", proposition="p", **SAID)
    struck = ledger.amend("c", strike_out=True, reason="twice")
    ledger.amend("c", strike_out=True, reason="twice, again")
    undone = ledger.amend(struck.ledger_id, strike_out=True, reason="not twice")
    idle = ledger.amend(undone.ledger_id, utterance="speech", reason="nobody sees this")
    ledger.record(id="d", proposition="p", utterance="speech", **SAID)
    ledger.erase(idle.ledger_id, reason="r", authority="a")
    ledger.record(id="e", proposition="q", utterance="speech", **SAID)
    with ledger._folded.facts() as facts:
        acts = [facts.get(facts.id_of("claim", id_), ev.ClaimRecorded) for id_ in "de"]
        assert len({act.utterance for act in acts if act is not None}) == 1
        assert state(facts) == state(read())


def test_nobody_reads_the_log_again_for_ids_that_one_record_bears(both, monkeypatch):
    ledger, read = both
    for number in range(4):
        ledger.record(id=f"c{number}", proposition="p", utterance=f"u{number}", **SAID)
    monkeypatch.setattr(effective, "may_bear", None)
    for number, slot in enumerate(("words", "what", "who")):
        ledger.erase(f"c{number}", slots=slot, reason="r", authority="a")
    with ledger._folded.facts() as facts:
        assert state(facts) == state(read())


def test_only_an_id_that_two_records_bore_takes_the_folded_log_to_erase(both):
    ledger, read = both
    for id_ in "ab":
        ledger.record(id=id_, proposition="p", note=f"first {id_}", **SAID)
    ledger.amend("a", strike_out=True, reason="twice")
    ledger.record(id="a", proposition="q", note="then a", **SAID)
    ledger.projections.add(cells(), mode="deferred")
    ledger.projections.run("cells")
    with Ledger(ledger._folded.bind.engine.url.database) as other:
        other.projections.add(cells(), mode="deferred")
        assert len(other.erase("b", reason="r", authority="a").parts) == 1
        assert not other._folded.fold.facts.size, "nothing was folded for it"
        parts = other.erase("a", reason="r", authority="a").parts
        assert sum(one.type == "claim_recorded" for one in parts) == 2
    notes = [getattr(one.event, "note", None) for one in read().stored.values()]
    assert set(notes) == {None}
