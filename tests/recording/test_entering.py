"""What is entered: receipts, the same record twice, tags, what is stored of it."""

from __future__ import annotations

import json

import attrs
import pytest

from ledger import (
    Claim,
    Document,
    Ledger,
    Membership,
    Occurrence,
    Party,
    Proposition,
    Quotation,
    Receipt,
    Recorder,
    Topic,
)
from ledger.errors import AlreadyRecorded, InvalidMerge, InvalidText, LedgerError
from ledger.model import events as ev

NOUNS = [
    Party("delta", name="Delta", kind="state", names=["The Delta"], metonyms=["Rivermouth"]),
    Party("harbour", name="Harbour Office", part_of=["delta"]),
    Party("both", name="Delta and Board", kind="joint", members=["delta", "board"]),
    Membership("speaker", "harbour", role="envoy", period="2020/2022", speaks_for=False),
    Topic("tides", label="Tides", part_of="bridges"),
    Proposition("flooded", text="The quay is flooded", topic=["tides", "bridges"]),
    Occurrence("surge", label="The surge", propositions=["flooded", "bridge-shut"]),
    Document("notice", publisher="courier", published="2023-02", text="High water.", language="en"),
    Document("kept-out", publisher="courier", text="High water.", keep_text=False, title="N"),
]
CLAIM = Claim(
    id="c9",
    claimant="board",
    act="assert",
    proposition="bridge-open",
    uttered="2023-02",
    utterance="press-hour",
    document="gazette-1",
    quote=["the lower", "open"],
    addressees="state",
    extra={"pages": (1, 2), "seen": {"by": ("desk",)}},
)


def sequences(ledger):
    return [stored.sequence for stored in ledger.events()]


# -- receipts -----------------------------------------------------------------------------------


def test_a_receipt_tells_id_sequences_instant_and_size(ledger, clock):
    first = ledger.register(Topic("roads", label="Roads"))
    assert (first.id, first.sequences, first.stored, first.size) == ("roads", (0,), "stored", 1)
    assert first.recorded == clock.now
    party = ledger.register(Party("delta", name="Delta", names=["D"], metonyms=["Rivermouth"]))
    assert (party.sequences, party.size) == ((1, 2, 3), 4)
    assert str(party) == "delta (stored at #1, #2, #3)"
    assert party.to_dict()["recorded"] == "2023-03-01T12:00:00Z"


def test_sequences_have_no_gaps_and_ids_rise_with_them(town):
    stored = list(town.events())
    assert [one.sequence for one in stored] == list(range(len(stored)))
    assert [one.id for one in stored] == sorted({one.id for one in stored})


def test_a_claim_without_an_id_of_the_hosts_is_known_by_the_ledgers(town):
    receipt = town.record(claimant="board", act="assert", proposition="bridge-open")
    assert receipt.id == receipt.ledger_id
    assert town.trace(receipt).claim == receipt.id
    again = town.record(claimant="board", act="assert", proposition="bridge-open")
    assert again.id != receipt.id
    assert again.stored == "stored"


def test_a_record_is_found_by_the_hosts_id_and_by_the_ledgers(town):
    ledger_id = town.register(Topic("t", label="T")).ledger_id
    by_own = town.register(Proposition("p", text="t", topic=ledger_id))
    assert by_own.stored == "stored"
    assert town.register(Proposition("p", text="t", topic="t")).stored == "already_stored"


def test_every_event_tells_who_entered_it_with_which_tags(ledger):
    with ledger.tagged(correlation="batch-1", causation="mail-7"):
        ledger.register(Topic("roads", label="Roads"))
        with ledger.tagged(correlation="batch-2"):
            ledger.register(Topic("rails", label="Rails"))
        with pytest.raises(LedgerError):
            ledger.register(Topic("x", label="\0"))
    ledger.register(Topic("ports", label="Ports"))
    stored = list(ledger.events())
    assert [(one.correlation, one.causation) for one in stored] == [
        ("batch-1", "mail-7"),
        ("batch-2", None),
        (None, None),
    ]
    assert {one.recorder for one in stored} == {Recorder(id="desk-7", name="The desk")}
    assert [line.correlation for line in ledger.log()] == ["batch-1", "batch-2", None]


def test_tags_end_where_an_error_leaves_them(ledger):
    def fail():
        with ledger.tagged(correlation="batch-1"):
            ledger.record(proposition="qqq", act="assert")

    with pytest.raises(LedgerError):
        fail()
    ledger.register(Topic("ports", label="Ports"))
    assert [one.correlation for one in ledger.events()] == [None]


@pytest.mark.parametrize(
    "recorder",
    [Recorder(id=""), Recorder(id="a\0"), Recorder(name="\ud800"), Recorder(tool="x" * 1_000)],
    ids=["empty", "NUL", "half pair", "long"],
)
def test_a_recorder_that_no_entry_can_hold_is_refused_at_once(recorder):
    with pytest.raises(InvalidText, match=r"^recorder\."):
        Ledger.open(":memory:", recorder=recorder)


# -- the same again -----------------------------------------------------------------------------


def test_the_same_noun_again_is_no_news(town):
    first = town.register_all(NOUNS)
    held = sequences(town)
    again = town.register_all(NOUNS)
    assert sequences(town) == held
    assert {one.stored for one in first} == {"stored"}
    assert {one.stored for one in again} == {"already_stored"}
    assert [one.ledger_id for one in again] == [one.ledger_id for one in first]
    assert [one.sequences[0] for one in again] == [one.sequences[0] for one in first]


def test_the_same_noun_twice_in_one_append_is_stored_once(town):
    twice = town.register_all([NOUNS[0], NOUNS[0]])
    assert [one.stored for one in twice] == ["stored", "already_stored"]
    assert twice[0].ledger_id == twice[1].ledger_id


@pytest.mark.parametrize(
    "other",
    [
        Party("board", name="Water Board!", kind="body", part_of="ministry"),
        Party("board", name="Water Board", kind="organisation", part_of="ministry"),
        Party("board", name="Water Board", kind="body", part_of="state"),
        Party("board", name="Water Board", kind="body", part_of="ministry", names=["WB"]),
        Topic("bridges", label="The bridges"),
        Proposition("bridge-open", text="The lower bridge is open"),
        Proposition("open-bridge", text="Open the lower bridge", kind="fact"),
        Occurrence("bridge", label="The lower bridge", propositions=["bridge-shut"]),
        Document("gazette-2", publisher="gazette", published="2023-02-25", text="Corrected!"),
        Document("gazette-2", publisher="courier", published="2023-02-25", text="Corrected."),
        Document("gazette-2", publisher="gazette", published="2023-02-2X"[:7], text="Corrected."),
    ],
    ids=range(11),
)
def test_other_content_under_a_taken_id_is_refused_with_the_place_and_the_cure(
    standing, unchanged, other
):
    with unchanged(standing), pytest.raises(AlreadyRecorded) as caught:
        standing.register(other)
    assert caught.value.given == other.id
    taken = next(
        one.sequence for one in standing.events() if getattr(one.event, "key", None) == other.id
    )
    assert caught.value.sequence == taken
    assert repr(other.id) in caught.value.message
    assert f"at sequence {taken}" in caught.value.message
    assert "ledger.amend(id, reason=..., ...)" in caught.value.message


def test_one_id_may_name_a_party_a_topic_and_a_claim(town):
    town.register_all([Party("one", name="One"), Topic("one", label="One")])
    assert town.record(id="one", claimant="one", act="assert", proposition="bridge-open").size


def test_the_same_claim_again_is_no_news_and_another_one_is_refused(town, unchanged):
    first = town.record_all([CLAIM])[0]
    with unchanged(town):
        again = town.record_all([CLAIM])[0]
        assert (again.stored, again.sequences, again.ledger_id) == (
            "already_stored",
            first.sequences,
            first.ledger_id,
        )
        for change in (
            {"stance": "opposes"},
            {"claimant": ("ministry",)},
            {"quote": Quotation(exact="open")},
            {"utterance": "evening"},
            {"extra": {"pages": [1]}},
            {"uttered": "2023-02-01/.."},
        ):
            with pytest.raises(AlreadyRecorded, match="'c9' is taken") as caught:
                town.record_all([attrs.evolve(CLAIM, **change)])
            assert caught.value.sequence == first.sequences[0]


def test_a_ledger_opened_again_knows_the_same_records_as_no_news(database, clock, fill):
    if database == "sqlite://":
        pytest.skip("in memory nothing is opened again")
    with Ledger.open(database, clock=clock) as first:
        fill(first).register_all(NOUNS)
        first.record_all([CLAIM])
        edge = first.relate("c2", "disputes", "c1")
        held = list(first.events())
    with Ledger.open(database, clock=clock) as second:
        assert fill(second).register_all(NOUNS)[0].stored == "already_stored"
        assert second.record_all([CLAIM])[0].stored == "already_stored"
        assert second.relate("c2", "disputes", "c1").ledger_id == edge.ledger_id
        assert list(second.events()) == held


def test_what_a_host_does_to_its_own_dict_afterwards_changes_no_answer(town):
    extra = {"pages": [1]}
    claim = Claim(id="c8", claimant="board", act="assert", proposition="bridge-open", extra=extra)
    town.record_all([claim])
    extra["pages"].append(2)
    again = attrs.evolve(claim, extra={"pages": [1]})
    assert town.record_all([again])[0].stored == "already_stored"


# -- what is stored of it -----------------------------------------------------------------------


def test_a_claims_event_names_everything_by_the_ledgers_ids(town):
    receipt = town.record_all([CLAIM])[0]
    stored = next(iter(town.events(after=receipt.sequences[0] - 1)))
    claim = stored.event
    assert isinstance(claim, ev.ClaimRecorded)
    ids = {one.id for one in town.events()}
    assert {claim.proposition, claim.document, *claim.addressees} < ids
    assert {link.agent for link in claim.chains[0]} < ids
    assert [link.kind for link in claim.chains[0]] == ["reports", "says"]
    assert claim.quote == Quotation(exact="the lower open", ranges=((15, 24), (35, 39)))
    with town._folded.reading() as conn:
        entries = [
            json.loads(text)
            for (text,) in conn.exec_driver_sql("SELECT entry FROM ledger_event ORDER BY seq")
        ]
    assert all('"c9"' not in json.dumps(entry) for entry in entries)


def test_claims_of_one_utterance_share_the_ledgers_id_of_it(town):
    town.record_all([CLAIM, attrs.evolve(CLAIM, id="c10", document=None, quote=None)])
    shared = {
        one.event.utterance
        for one in town.events()
        if isinstance(one.event, ev.ClaimRecorded) and one.event.utterance_key == "press-hour"
    }
    assert len(shared) == 1
    assert town.claims(utterance="press-hour").ids == ("c10", "c2", "c9")


def test_a_document_whose_text_is_not_kept_still_bears_words_out(town):
    text = "High water at the quay."
    town.register(Document("n", publisher="courier", text=text, keep_text=False))
    claim = {"claimant": "board", "act": "assert", "proposition": "bridge-open", "document": "n"}
    found = town.record(**claim, quote="at the quay", document_text=text)
    quotation = town.trace(found).quotation
    assert quotation is not None
    assert quotation.ranges == ((11, 22),)
    stored = "".join(str(one.event) for one in town.events())
    assert "High water" not in stored


def test_names_relations_and_merges_again_are_no_news(town, unchanged):
    first = [
        town.name("board", "WB", metonym=True, period="1991/..", rank=1, language="en"),
        town.relate("c2", "disputes", "c1", note="flatly"),
        town.merge("board", "stranger", reason="one person"),
        town.merge("bridge-open", "bridge-shut", negated=True),
    ]
    with unchanged(town):
        again = [
            town.name("board", "WB", metonym=True, period="1991/..", rank=1, language="en"),
            town.relate("c2", "disputes", "c1", note="flatly"),
            town.merge("board", "stranger", reason="one person"),
            town.merge("bridge-open", "bridge-shut", negated=True),
        ]
    assert [one.ledger_id for one in again] == [one.ledger_id for one in first]
    assert {one.stored for one in again} == {"already_stored"}
    assert town.name("board", "WB", metonym=True, period="1992/..").stored == "stored"
    assert town.relate("c2", "disputes", "c1", note="mildly").stored == "stored"


def test_a_merge_shows_the_kept_id_and_cannot_be_made_twice_or_in_a_circle(town, unchanged):
    merge = town.merge("board", "stranger", reason="one and the same")
    assert town.position("stranger", "bridge-open").party == "board"
    town.merge("bridge-open", "bridge-shut", negated=True)
    assert town.position("board", "bridge-shut").proposition == "bridge-open"
    for kept, merged, negated in [
        ("stranger", "board", False),
        ("ministry", "stranger", False),
        ("board", "board", False),
        ("bridge-shut", "bridge-open", False),
        ("open-bridge", "bridge-open", False),
        ("state", "ministry", True),
    ]:
        with unchanged(town), pytest.raises(InvalidMerge):
            town.merge(kept, merged, negated=negated)
    way_out = rf"Strike that out first: ledger\.amend\('{merge.ledger_id}', strike_out=True"
    for kept, merged, why in [
        ("ministry", "stranger", "'stranger' was merged into 'board' before"),
        ("stranger", "board", "they are one already"),
    ]:
        with pytest.raises(InvalidMerge, match=f"{why}. {way_out}"):
            town.merge(kept, merged)
    with pytest.raises(InvalidMerge, match=r"they are one record\. Name two\."):
        town.merge("ministry", "ministry")
    town.amend(merge, strike_out=True, reason="two people")
    assert town.position("stranger", "bridge-shut").party == "stranger"
    assert town.merge("ministry", "stranger").stored == "stored"


def test_a_merge_that_came_to_nothing_is_told_by_what_it_says(town):
    first = town.merge("board", "stranger")
    undoing = town.amend(first, strike_out=True, reason="two people")
    town.merge("stranger", "board")
    town.amend(undoing, strike_out=True, reason="they were one after all")
    with pytest.raises(InvalidMerge, match="'stranger' was merged into 'board' before"):
        town.merge("ministry", "stranger")


def test_nothing_handed_in_is_nothing_stored(town, unchanged):
    with unchanged(town):
        assert town.register_all([]) == []
        assert town.record_all([]) == []


def test_a_receipt_is_what_every_entry_gives(town):
    given = [
        town.register(Topic("t", label="T")),
        town.name("board", "WB"),
        town.record(claimant="board", act="assert", proposition="bridge-open"),
        town.relate("c2", "disputes", "c1"),
        town.merge("board", "stranger"),
        town.withdraw("c1", claimant="board", uttered="2023-02-27"),
        town.correct("c2", document="gazette-2", capacity="personal"),
        town.amend("c1", note="n", reason="read again"),
    ]
    assert all(isinstance(one, Receipt) for one in given)
    assert [one.sequences for one in given] == [
        (number,) for number in range(given[0].sequences[0], given[0].size + 7)
    ]
