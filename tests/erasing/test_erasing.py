"""What an erasure takes, what it leaves, and how answers show it."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from ledger import Claim, Document, Erased, Ledger, Party, Proposition, Quotation
from ledger.errors import (
    AlreadyRecorded,
    InvalidAmendment,
    InvalidErasure,
    UnknownClaim,
    UnknownEvent,
    UnknownParty,
)
from ledger.merkle.proofs import verify_inclusion
from ledger.model.events import ContentErased, Remains
from ledger.model.rendering import Rendering
from ledger.projecting import claims
from tests.erasing.conftest import NAME, SAID, TEXT, WHY


def answers(ledger: Ledger) -> str:
    """Everything that a ledger answers, as text: for people and for programs."""
    view = ledger.as_of()
    told: list[object] = [*view.parties(), *view.topics(), *view.propositions(), *view.documents()]
    told += [*view.claims(), *view.claims().lost, *ledger.log(), *view.contradictions()]
    for party in view.parties():
        told += [view.positions(party=party.id), view.timeline(party.id, "weir")]
    told += [view.trace(one.id) for one in view.claims()]
    told += [view.trace(one.record) for one in view.claims().lost]
    plain = [one.to_dict() for one in told if hasattr(one, "to_dict")]
    return "\n".join(
        [*map(str, told), json.dumps(plain, ensure_ascii=False), str([*ledger.events()])]
    )


# -- one claim ----------------------------------------------------------------------------------


def test_a_dry_run_shows_what_would_go_and_where_the_words_stand_besides(world, unchanged):
    with unchanged(world):
        found = world.erase("c1", **WHY, dry_run=True)
    assert [(one.sequence, one.slot) for one in found.parts] == [(8, "words"), (10, "words")]
    assert [(one.record, one.slot) for one in found.left] == [("paper-7", "words")]
    assert (found.stored, found.sequences, found.steps) == ("dry_run", (), ())
    assert SAID[:20] in str(found)
    assert "she rang back" in str(found)


def test_the_words_of_a_claim_are_gone_from_every_answer_of_every_date(world, slots):
    before = world.as_of(known=8)
    assert SAID in answers(world)
    done = world.erase("c1", **WHY)
    assert done.sequences == (11, 12)
    assert SAID not in f"{done} {done.to_dict()}"
    assert (slots(8), slots(10)) == (("who", "what", "by"), ("what", "by"))
    world.erase("paper-7", **WHY)
    for view in (world.as_of(), before, world.as_of(known=9)):
        line = next(one for one in view.claims() if one.id == "c1")
        assert (line.quote, line.mode) == ("", "")
        trace = view.trace("c1")
        assert (trace.quotation, trace.before, trace.after) == (None, "", "")
    for needle in (SAID, "she rang back", "added later", "rang her at home", TEXT):
        assert needle not in answers(world)


def test_an_answer_says_what_was_erased_when_why_and_by_whose_word(world, clock):
    clock.set("2023-04-01T08:00:00Z")
    world.erase("c1", **WHY)
    told = Erased(
        record="c1",
        slots=("words",),
        recorded=dt.datetime(2023, 4, 1, 8, tzinfo=dt.UTC),
        sequence=11,
        **WHY,
    )
    position = world.position("kovarikova", "shut")
    assert position.evidence[0].erased == (told,)
    assert (position.erased, position.erased_parts, position.incomplete) == ((told,), 1, 0)
    assert world.timeline("kovarikova", "weir").strands[0].erased == (told,)
    assert world.trace("c1").erased == (told,)
    assert [one.erased for one in world.claims()] == [(told,), ()]
    assert [one.erasures for one in world.log()][8] == (told,)
    assert world.as_of(known=9).position("kovarikova", "shut").erased == (told,)
    sentence = (
        "c1: words erased on 2023-04-01 (#11), because request of the person concerned, by the "
        "authority of privacy officer"
    )
    for answer in (position, world.timeline("kovarikova", "weir"), world.trace("c1")):
        assert sentence in str(answer)
    assert "Claims with erased parts: 1." in str(position)


def test_every_proof_from_before_still_holds(world):
    kept = [world.checkpoint(size) for size in range(world.checkpoint().size + 1)]
    trace = world.trace("c1")
    world.erase("c1", slots=["who", "what", "words", "by"], **WHY)
    world.erase("kovarikova", **WHY)
    for one in kept:
        found = world.verify(one)
        assert (found.checkpoint, found.size) == (one.size, world.checkpoint().size)
    found = world.verify()
    assert found.erased == 22
    assert "22 slots lawfully erased" in str(found)
    verify_inclusion(
        leaf=bytes.fromhex(world.trace(trace.ledger_id).leaf_hash),
        index=trace.sequence,
        size=trace.size,
        proof=[bytes.fromhex(one) for one in trace.proof],
        root=kept[trace.size].root,
    )


def test_a_claim_without_its_claimant_is_in_no_position_and_is_counted(world):
    world.erase("c1", slots="who", **WHY)
    assert world.position("kovarikova", "shut").status == "silent"
    found = world.position("board", "shut")
    assert (found.incomplete, found.erased) == (1, ())
    assert world.claims().ids == ("c2",)
    assert [(one.record, one.slots) for one in world.claims().lost] == [("c1", ("who",))]
    assert world.claims().incomplete == world.timeline("board", "weir").incomplete == 1
    trace = world.trace("c1")
    assert (trace.claimant, trace.act, trace.sequence) == ((), "", 8)
    assert str(trace).startswith("c1: ")
    with pytest.raises(UnknownClaim, match="who erased on 2023-03-01"):
        world.relate("c2", "disputes", "c1")


def test_erased_again_is_no_news_and_stores_nothing(world):
    world.erase("c1", **WHY)
    size = world.checkpoint().size
    again = world.erase("c1", **WHY)
    assert (again.stored, again.parts, again.sequences) == ("nothing", (), ())
    assert str(again) == "c1: nothing is left to erase"
    assert world.checkpoint().size == size
    world.erase("c1", slots=["words", "by"], **WHY)
    assert world.checkpoint().size == size + 2


def test_what_was_erased_is_not_entered_again_under_its_id(world):
    world.erase("c1", **WHY)
    again = Claim(
        id="c1",
        claimant="kovarikova",
        act="assert",
        proposition="shut",
        uttered="2023-02-10",
        document="paper-7",
        quote=SAID,
    )
    with pytest.raises(AlreadyRecorded, match="erased in part: what is gone does not come back"):
        world.record_all([again])
    world.erase("c1", slots="who", **WHY)
    with pytest.raises(AlreadyRecorded, match="erased in part"):
        world.record_all([again])


def test_an_erased_amendment_hides_its_field_and_the_older_value_does_not_come_back(world):
    amended = world.amend("c2", note="another word", reason="misread").ledger_id
    world.erase(amended, **WHY)
    with world.as_of().facts() as facts:
        claim = facts.effective[facts.id_of("claim", "c2")]
    assert claim.note is None
    assert world.trace("c2").erased[0].slots == ("words",)
    world.amend("c2", note="said anew", reason="known again")
    with world.as_of().facts() as facts:
        assert facts.effective[facts.id_of("claim", "c2")].note == "said anew"


def test_an_erased_correction_of_the_claimant_hides_whose_words_they_are(world):
    world.amend("c2", claimant="kovarikova", reason="it was her")
    assert world.position("board", "shut").status == "silent"
    amended = list(world.events(types="record_amended"))[-1].id
    world.erase(amended, slots="who", **WHY)
    assert world.position("board", "shut").status == "silent"
    assert world.claims().ids == ("c1",)
    assert world.claims().incomplete == 1


def test_what_is_left_can_be_erased_later(world, slots):
    world.erase("c1", slots="who", **WHY)
    event = next(one.event for one in world.events() if one.sequence == 8)
    assert event == Remains("claim_recorded", ("who",), ("what", "words"), "c1")
    world.erase("c1", slots=["what", "words"], **WHY)
    assert slots(8) == ("by",)
    assert world.verify().size == world.checkpoint().size


# -- a person -----------------------------------------------------------------------------------


def test_a_person_is_erased_from_every_slot_that_names_them(world, slots):
    one = world.erase("kovarikova", **WHY, dry_run=True)
    assert {(part.sequence, part.slot) for part in one.parts} == {
        *((0, "who"), (1, "who"), (7, "words"), (9, "words")),
        *((sequence, "by") for sequence in range(11)),
    }
    assert [(part.record, part.slot) for part in one.left] == [("hers", "what")]
    world.erase("kovarikova", **WHY)
    world.erase("hers", slots="what", **WHY)
    assert NAME.casefold() not in answers(world).casefold().replace(f"mr {NAME}".casefold(), "")
    assert slots(8) == ("who", "what", "words")


def test_a_party_whose_name_is_erased_is_still_one_party(world):
    with world.as_of().facts() as facts:
        id_ = facts.id_of("party", "kovarikova")
    world.erase("kovarikova", slots="who", **WHY)
    nameless = next(one for one in world.as_of().parties() if one.id == id_)
    assert (nameless.name, nameless.kind, nameless.names) == ("", "person", ())
    assert nameless.erased[0].slots == ("who",)
    position = world.position(id_, "shut")
    assert (position.status, position.party) == ("held", id_)
    assert world.claims(claimant=id_).ids == ("c1",)
    with pytest.raises(UnknownParty):
        world.position("kovarikova", "shut")
    world.record(claimant=id_, act="assert", proposition="shut", uttered="2023-02-09", id="c3")
    assert world.position(id_, "shut").utterances == 2
    world.amend(id_, name="N. N.", reason="a name that may be told")
    assert [one.name for one in world.as_of().parties() if one.id == id_] == ["N. N."]
    assert world.verify().erased == 2


def test_a_name_counts_as_a_word_of_its_own_alone(ledger):
    ledger.register(Party("ro", name="Ro", kind="person"))
    ledger.register(Party("rome", name="Rome, Ro's town", kind="state"))
    ledger.amend("rome", kind="body", reason="Rome is none")
    ledger.amend("rome", kind="state", reason="said RO.")
    found = ledger.erase("ro", slots=["who", "words"], **WHY, dry_run=True)
    assert [(one.sequence, one.slot) for one in found.parts] == [(0, "who"), (3, "words")]
    assert [(one.record, one.slot) for one in found.left] == [("rome", "who")]


@pytest.mark.parametrize(
    "name, text, found",
    [
        ("Marta Petrova", "Marta\nPetrova said so.", True),
        ("Marta Petrova", "MARTA  PETROVA said so.", True),
        ("José", "Jose\u0301 said so.", True),
        ("O'Neil", "O\u2019Neil said so.", True),
        ("Anna-Lena", "Anna\u2011Lena said so.", True),
        ("Marta Petrova", "Mar\u00adta Petro\u200bva said so.", True),
        ("李明", "昨天李明说坝关了。", True),
        ("山田太郎", "山田太郎氏は述べた。", True),
        ("김철수", "김철수는 말했다.", True),
        ("สมชาย", "นายสมชายกล่าวว่า", True),
        ("ミラー", "昨日ミラー氏が述べた。", True),
        ("さくら", "昨日さくらさんが述べた。", True),
        ("奈々", "奈々は述べた。", True),
        ("Oʻtkir", "O‘tkir said so.", True),
        ("राम", "राम ने कहा।", True),
        ("राम", "रामायण एक ग्रंथ है।", False),
        ("Ro", "Rome said so.", False),
        ("Petrova", "Petrovou said so.", False),
    ],
)
def test_a_name_is_found_however_it_is_set(ledger, name, text, found):
    ledger.register_all(
        [
            Party("p", name=name, kind="person"),
            Document("d", publisher=Party("gazette", name="Gazette"), text=text),
        ]
    )
    gone = ledger.erase("p", dry_run=True, **WHY)
    assert ("document_registered" in {one.type for one in gone.parts}) is found


def test_a_short_quotation_is_looked_for_in_its_own_document(world):
    said = {"claimant": "board", "act": "assert", "proposition": "shut", "uttered": "2023-02-11"}
    world.record(id="c3", document="paper-7", quote="The board", **said)
    (left,) = world.erase("c3", dry_run=True, **WHY).left
    assert (left.record, left.slot) == ("paper-7", "words")


def test_an_id_that_a_struck_out_record_bore_before_means_both(world, slots):
    said = {"claimant": "board", "act": "assert", "proposition": "shut", "document": "paper-7"}
    first = world.record(id="c3", quote="The board did not answer", **said)
    undone = world.amend("c3", strike_out=True, reason="entered twice")
    second = world.record(id="c3", quote="Asked by this paper", **said)
    gone = world.erase("c3", **WHY)
    assert [one.sequence for one in gone.parts] == [
        *(*second.sequences, *first.sequences, *undone.sequences)
    ]
    assert all("words" not in slots(one.sequences[0]) for one in (first, second))
    world.erase(second.ledger_id, slots="what", **WHY)
    assert "what" in slots(first.sequences[0])


@pytest.mark.parametrize("slots", ["what", ["who", "what"]])
def test_it_loses_what_it_said_in_every_ledger_that_looks_on(database, world, slots):
    said = {"claimant": "board", "act": "assert", "uttered": "2023-02-10"}
    world.record(id="c3", proposition="shut", **said)
    world.amend("c3", strike_out=True, reason="entered twice")
    world.record(id="c3", proposition="hers", **said)
    other = Ledger(world._folded.bind)
    assert "c3" in other.claims().ids
    assert world.erase("c3", slots=slots, **WHY).stored == "stored"
    for ledger in (world, other):
        assert "c3" not in ledger.claims().ids
        assert ledger.verify().erased >= 2


def test_a_party_that_bore_the_id_before_goes_too(world, slots):
    first = world.register(Party("vrba", name="Vlasta Vrbova", kind="person"))
    told = {"claimant": "board", "act": "deny", "proposition": "shut"}
    note = world.record(id="c3", note="asked by Vlasta Vrbova", **told)
    world.amend("vrba", strike_out=True, reason="another name")
    world.register(Party("vrba", name="V. Novakova", kind="person"))
    world.erase("vrba", **WHY)
    assert "who" not in slots(first.sequences[0])
    assert "words" not in slots(note.sequences[0])


# -- a document -----------------------------------------------------------------------------------


def test_a_documents_text_goes_and_what_it_was_stays(world):
    before = world.as_of().documents()[0]
    found = world.erase("paper-7", **WHY, dry_run=True)
    assert [(one.record, one.slot) for one in found.left] == [("c1", "words")]
    world.erase("paper-7", **WHY)
    after = world.as_of().documents()[0]
    assert (after.sha256, after.length, after.has_text) == (before.sha256, before.length, False)
    assert after.erased[0].slots == ("words",)
    assert [one.slots for one in world.trace("c1").erased] == [("words",)]


def test_the_quotations_taken_from_a_document_go_with_it_if_asked(world, slots):
    world.erase("paper-7", quotations=True, **WHY)
    assert (slots(7), slots(8), slots(10)) == (
        ("what", "by"),
        ("who", "what", "by"),
        ("what", "by"),
    )
    assert SAID not in answers(world)


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["reason", "authority"])
@pytest.mark.parametrize("value", ["", "  ", None, 7])
def test_without_reason_or_authority_nothing_goes(world, unchanged, field, value):
    for dry_run in (True, False):
        with unchanged(world), pytest.raises(InvalidErasure, match=f"needs {field}=") as caught:
            world.erase("c1", **{**WHY, field: value}, dry_run=dry_run)
        assert (caught.value.field, caught.value.given) == (field, value)


@pytest.mark.parametrize(
    "record, slots, told",
    [
        ("c1", ["words", "quote"], "no slot 'quote'. Write some of: who, what, words, by"),
        ("c1", [], "no slot named"),
        ("weir", None, "is a topic_defined: say what is to go"),
        ("shut", None, "is a proposition_defined: say what is to go"),
    ],
)
def test_what_cannot_be_erased_so_is_refused_with_what_can(world, unchanged, record, slots, told):
    with unchanged(world), pytest.raises(InvalidErasure) as caught:
        world.erase(record, slots=slots, **WHY)
    assert told in caught.value.message


def test_what_is_not_there_is_unknown(world, unchanged):
    with unchanged(world), pytest.raises(UnknownEvent, match="Nothing in the log has the id"):
        world.erase("nobody", **WHY)


def test_an_erasure_itself_keeps_all_but_who_entered_it(world, slots):
    world.erase("c1", **WHY)
    erasing = next(one for one in world.events(types=ContentErased))
    with pytest.raises(InvalidErasure, match="could not tell any more what was done"):
        world.erase(erasing.id, slots="what", **WHY)
    amended = next(one for one in world.events(types="record_amended"))
    with pytest.raises(InvalidErasure, match="Erase the record itself"):
        world.erase(amended.id, slots="what", **WHY)
    world.erase(erasing.id, slots="by", **WHY)
    assert slots(erasing.sequence) == ("what",)
    assert world.verify().size == world.checkpoint().size


# -- beside the log -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["inline", "deferred"])
def test_the_rows_of_the_claims_view_go_with_the_claim(engine, world, mode):
    world.projections.add(claims(world.layout), mode=mode)
    world.projections.run("claims")

    def rows():
        with world.projections.reading("claims") as (conn, served):
            return {row.seq for row in conn.execute(served.table.select())}

    assert rows() == {8, 9}
    done = world.erase("c1", slots="who", **WHY)
    behind = [one for one in done.steps if "projection claims" in one.what]
    if mode == "inline":
        assert (rows(), behind) == ({9}, [])
    else:
        assert rows() == {8, 9}
        assert "Type: ledger.projections.run('claims')" in behind[0].how
        world.projections.run("claims")
        assert rows() == {9}
    assert [one.name for one in world.verify(views=True).views] == ["claims"]


def test_a_fold_of_another_process_forgets_too(database, world):
    if database == "sqlite://":
        pytest.skip("what is in memory has one process")
    with Ledger.open(database) as other:
        assert SAID in answers(other)
        world.erase("paper-7", quotations=True, **WHY)
        assert SAID not in answers(other)
        assert "paper-7" in answers(other)


# -- what every kind of question says -------------------------------------------------------------


def test_every_kind_of_answer_says_that_something_is_gone(world):
    world.record(
        id="c3",
        claimant="board",
        act="deny",
        proposition="shut",
        uttered="2023-02-09",
        document="paper-7",
        quote="The board did not answer",
    )
    world.erase("c1", slots="who", **WHY)
    world.erase("paper-7", quotations=True, **WHY)
    resting = world.resting_on("paper-7")
    assert [one.record for one in resting.erased] == ["paper-7", "c3"]
    assert resting.incomplete == 1
    quotes = world.check_quotes()
    assert (len(quotes), [one.record for one in quotes.erased]) == (0, ["paper-7", "c3"])
    assert world.silences("weir").incomplete == world.attributed_to("board").incomplete == 1
    evidence = world.evidence("board", "shut")
    assert [trace.erased[0].record for trace in evidence.traces if trace.erased] == ["c3"]
    explained = str(world.explain("board", "shut"))
    assert "1 claim with erased parts; 1 erased claim of this view in no position" in explained
    for answer in (resting, quotes, evidence):
        assert "because request of the person concerned, by the authority of" in str(answer)
    for answer in (resting, world.silences("weir"), world.attributed_to("board")):
        assert "erased claims that may b" in str(answer)


def test_other_versions_of_a_document_and_translations_are_told_by_the_dry_run(world):
    said = "the sluice has been shut, says somebody"
    world.register(
        Document("paper-8", publisher="paper", revises="paper-7", text=f"Corrected: {said}.")
    )
    world.record(
        id="c4",
        claimant="board",
        act="assert",
        proposition="shut",
        uttered="2023-02-21",
        quote=Quotation(exact=said, renderings=[Rendering(text="la vanne est fermée")]),
    )
    world.record(
        id="c5",
        claimant="board",
        act="assert",
        proposition="shut",
        uttered="2023-02-22",
        note="in French: La vanne est fermée.",
    )
    left = world.erase("paper-7", dry_run=True, **WHY).left
    assert ("paper-8", "words", "another version") in [(p.record, p.slot, p.why) for p in left]
    left = world.erase("c4", dry_run=True, **WHY).left
    assert [(p.record, p.why) for p in left] == [
        ("paper-8", "holds the same"),
        ("c5", "holds the same"),
    ]
    world.erase("c4", **WHY)
    assert "vanne" not in str(world.trace("c4"))


def test_what_a_party_is_goes_if_it_is_asked_for(world, slots):
    world.erase("kovarikova", slots=["who", "what"], **WHY)
    assert slots(0) == ("by",)
    assert "board" in {one.id for one in world.as_of().parties()}
    assert all(one.kind != "person" for one in world.as_of().parties())
    assert world.verify().erased == 4


def test_what_an_erasure_left_nothing_of_is_amended_no_more(ledger):
    ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
    ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023")
    claim = [*ledger.events()][-1].id
    ledger.erase("C1", slots=["who", "what"], reason="a wish", authority="the editor")
    for refused in ({"strike_out": True}, {"stance": "mixed"}):
        with pytest.raises(InvalidAmendment, match="was erased: there is nothing left of it"):
            ledger.amend(claim, reason="again", **refused)
