"""What a ledger has in memory is what it would read: an erasure reaches both alike."""

from __future__ import annotations

import io
import itertools

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.errors import LedgerError
from ledger.interchange.out.exporting import FORMATS, export
from ledger.model import events as ev
from ledger.model.erasing import SLOTS
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
