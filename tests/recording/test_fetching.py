"""What is entered into a log that is not folded is checked as by one that is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.projections.naive_fold import Op
from tests.projections.worlds import DOCUMENTS, STEPS, crowded, worlds
from tests.recording.fetching import Told, fetched, told_in

REVISED = (
    ("r0", "g1"),
    ("r1", "g2"),
    ("r2", "r0"),
    ("r3", "r1"),
    ("r0", "r2"),
    ("r4", "g1"),
    ("r5", "g1"),
)
MORE = (
    *(Op("revise", id_, {"publisher": "gazette", "revises": of}) for id_, of in REVISED),
    *(Op("document", id_, {"publisher": "gazette", "published": "2023-01"}) for id_ in DOCUMENTS),
    *(Op("erase", "", {"target": "g1", "slots": slots}) for slots in (["words"], ["what"])),
    *(Op("name", "", {"party": "envoy", "name": name, "metonym": False}) for name in ("E", "F")),
    Op("proposition", "open", {"fact_or_aim": "fact"}),
    Op("claim", "nowhere", {"chains": (), "proposition": "shut", "act": "assert"}),
)


@st.composite
def handed_in(draw):
    """A world, and among it things handed in again, as they were or otherwise, and some more."""
    ops = [op for op, _ in draw(st.one_of(worlds(), worlds(), crowded()))]
    for _ in range(draw(st.integers(0, 8))):
        op = draw(st.one_of(st.sampled_from(ops), st.sampled_from(MORE)))
        if op.kind == "claim" and draw(st.booleans()):
            op = Op(op.kind, op.id, op.fields | {"act": "avoid", "stance": "neutral"})
        elif op.kind == "claim" and draw(st.integers(0, 3)) == 0:
            slots = draw(st.sampled_from((["words"], ["what"], ["who"])))
            op = Op("erase", "", {"target": op.id, "slots": slots})
        ops.insert(draw(st.integers(0, len(ops))), op)
    return ops


ANEW = st.lists(st.integers(0, 3).map(bool), min_size=10, max_size=10)


def check(mine: Told, theirs: Told, ops, anew):
    mine.anew()
    for at, op in enumerate(ops):
        if not anew[at % len(anew)]:
            mine.anew()
        for told in (mine, theirs):
            told.teller.clock.now += STEPS[at % len(STEPS)]
        assert mine.tell(op) == theirs.tell(op), op
    assert mine.log() == theirs.log()
    for told in (mine, theirs):
        assert told.ledger.verify().size == len(told.log())
        told.ledger.close()


@settings(max_examples=examples(60))
@given(handed_in(), ANEW)
def test_an_entry_is_checked_as_against_the_folded_log(ops, anew):
    check(told_in(":memory:", fetching=True), told_in(":memory:", fetching=False), ops, anew)


QUESTIONS = (
    *("withdrawals_of", "relations_from", "relations_to", "revision_of", "revisions_of"),
    *("acts_of_utterance", "names_of", "memberships_of", "propositions_in", "merged_into"),
)


def looked_at(facts, kind: str, id_: str, keys) -> object:
    """What one look finds."""
    match kind:
        case "key":
            return [facts.id_of(*key) for key in keys]
        case "record":
            return facts.stored.get(id_), facts.effective.get(id_), facts.changes_of(id_)
        case "stream":
            return facts.stream_version(id_)
        case "act":
            return facts.act(id_), facts.public(id_), id_ in facts.lost, facts.hidden.get(id_)
        case _:
            return facts.indexed(kind, id_)


KINDS = ("key", "key", "record", "record", "stream", "act", *QUESTIONS)
LOOKS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 99)), min_size=4, max_size=12)


@settings(max_examples=examples(60))
@given(handed_in(), st.lists(LOOKS, min_size=3, max_size=3))
def test_what_is_fetched_is_as_if_it_had_been_folded(ops, looks):
    told = told_in(":memory:", fetching=True)
    parts = [ops[: len(ops) // 2], ops[len(ops) // 2 :], []]
    with told.ledger as ledger:
        for part, seen in zip(parts, looks, strict=True):
            compare(told, seen)
            with ledger._folded.facts():  # from here on this is another writer
                told.fetching = False
            for op in part:
                told.tell(op)


def compare(told: Told, looks):
    """Some looks, first at what is fetched and then at the whole."""
    with told.ledger._folded.facts() as facts:
        ids = [*facts.stored, *dict.fromkeys(utterances_of(facts))]
        kinds = ("claim", "document", "utterance", "party", "topic", "proposition")
        keys = [(kind, key) for kind in kinds for key in facts.keys(kind)]
        asked = [(kind, ids[at % len(ids)], [keys[at % len(keys)]]) for kind, at in looks]
        expected = [looked_at(facts, *one) for one in asked]
        size, last = facts.size, facts.last_recorded
    told.ledger._folded.fold.forget()
    with fetched(told) as found:
        assert (found.size, found.last_recorded) == (size, last)
        for one, there in zip(asked, expected, strict=True):
            assert looked_at(found, *one) == there, one


def utterances_of(facts):
    found = (getattr(one, "utterance", None) for one in facts.effective.values())
    return filter(None, found)
