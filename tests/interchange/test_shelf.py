"""An import holds neither the claims nor the documents it has entered, and checks as strictly."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from typing import cast

import pytest

from ledger import Ledger, Party
from ledger.interchange import import_file
from ledger.projections.missing import Unheld
from ledger.projections.slim import Shelf, Slim
from tests.interchange.conftest import GOOD, Importer


def test_memory_stays_flat_over_many_claims_and_documents(ledger, claim, tmp_path):
    path = tmp_path / "many.jsonl"
    text = GOOD[3]["text"] + " More of it." * 50
    with path.open("w") as file:
        file.writelines(json.dumps(one) + "\n" for one in GOOD)
        for number in range(1_000):
            document = GOOD[3] | {"id": f"doc{number}", "text": text}
            more = {"id": f"claim{number}", "document": document["id"], "utterance": f"u{number}"}
            file.write(json.dumps(document) + "\n" + json.dumps(claim | more) + "\n")
    held: list[int] = []
    tracemalloc.start()
    import_file(ledger, path, progress=lambda *_: held.append(tracemalloc.get_traced_memory()[0]))
    tracemalloc.stop()
    third = len(held) // 3
    assert held[-1] - held[third] < path.stat().st_size / 5
    assert ledger.verify().size == 2_004


def test_ids_are_found_again_on_the_shelf(importing, claim, monkeypatch):
    monkeypatch.setattr("ledger.interchange.shelf._WAITING", 2)
    monkeypatch.setattr("ledger.interchange.shelf._LENT", 2_500)
    claims = [
        claim | {"id": f"c{number}", "utterance": f"u{number % 3}", "uttered": f"2024-03-0{day}"}
        for number in range(9)
        for day in [number % 3 + 1]
    ]
    later = [
        {"type": "relation", "from": "c3", "relation": "elaborates", "to": "c8"},
        {"type": "relation", "from": "c3", "relation": "replies_to", "to": "c2"},
        {"type": "withdrawal", "claim": "c1", "claimant": "board", "uttered": "2024-03-09"},
        claim | {"id": "c4", "act": "deny"},
        claim | {"id": "c4x", "document": "d2"},
    ]
    told = importing(*claims, *later)
    assert [one.verdict for one in told[:9]] == ["accepted"] * 9
    outcomes = [(one.verdict, one.field) for one in told[9:]]
    assert [verdict for verdict, _ in outcomes[2:]] == ["accepted", "refused", "refused"]
    assert "taken by a record with other content at sequence 8" in told[12].reason
    with Ledger.open(":memory:") as whole:  # the same lines, with everything held
        monkeypatch.setattr("ledger.interchange.importing.without_claims", contextlib.nullcontext)
        importing.ledger = whole
        assert [(one.verdict, one.field) for one in importing.again()[9:]] == outcomes


def test_what_the_thrifty_fold_cannot_tell_is_asked_of_the_whole(importing, claim, monkeypatch):
    asked: list[str] = []

    def refuse(_, relation, id_):
        asked.append(relation)
        raise Unheld(relation)

    monkeypatch.setattr(Slim, "indexed", refuse)
    membership = {"type": "membership", "member": "board", "organisation": "gazette"}
    told = importing(claim, membership, claim | {"id": "c2"})
    assert [one.verdict for one in told] == ["accepted"] * 3
    assert len(asked) == 1


def test_a_struck_out_id_is_free_again_and_its_owner_does_not_come_back(importing, ledger, claim):
    importing(claim)
    ledger.amend("c1", strike_out=True, reason="entered twice")
    (told,) = importing(claim | {"act": "deny"})
    assert told.verdict == "accepted"
    (again,) = importing.again()
    assert again.verdict == "skipped"
    assert ledger.position("board", "safe").acts == ("deny",)


@pytest.mark.parametrize("question", ["claims_on", "acts_naming", "acts_in", "documents_of"])
def test_the_thrifty_fold_answers_nothing_by_halves(question):
    facts = Slim(cast("Shelf", None))
    with pytest.raises(Unheld):
        facts.indexed(question, "x")
    with pytest.raises(Unheld):
        tuple(facts.effective.items())


def test_another_writer_meanwhile_is_seen(tmp_path, claim):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in [*GOOD, claim] * 400))
    with Ledger.open(tmp_path / "claims.db") as ledger, Ledger.open(tmp_path / "claims.db") as by:
        numbers = iter(range(1_000))
        account = import_file(
            ledger,
            path,
            progress=lambda *_: by.register(Party(f"p{next(numbers)}", name="Somebody")),
        )
        assert (account.accepted, account.skipped) == (5, 1_995)
        assert ledger.verify().size == 5 + next(numbers)


def held_by(monkeypatch, whole):
    """Import with everything held, or as usual."""
    if whole:
        monkeypatch.setattr("ledger.interchange.importing.without_claims", contextlib.nullcontext)


@pytest.mark.parametrize("slots", ["words", "what", "who"])
def test_what_was_erased_is_met_as_by_a_fold_that_holds_everything(
    tmp_path, claim, monkeypatch, slots
):
    told = []
    for whole in (False, True):
        with Ledger.open(tmp_path / f"{whole}.db") as ledger, monkeypatch.context() as patch:
            held_by(patch, whole)
            importing = Importer(ledger, tmp_path)
            importing(claim, claim | {"id": "c2", "utterance": "u"})
            for one in ("c1", "c2", "d1"):
                if one != "d1" or slots == "words":
                    ledger.erase(one, slots=slots, reason="asked", authority="the desk")
            importing(
                claim,
                claim | {"id": "c2", "utterance": "u"},
                claim | {"id": "c3", "utterance": "u", "quote": "safe"},
                {"type": "relation", "from": "c3", "relation": "elaborates", "to": "c1"},
                {"type": "withdrawal", "claim": "c2", "claimant": "board", "uttered": "2024-03-09"},
            )
            told.append([(one.verdict, one.field, one.reason) for one in importing.told])
            told[-1].append(ledger.as_of().position("board", "safe").to_dict()["status"])
            assert ledger.verify().size == len(importing.types())
    assert told[0] == told[1]


def test_an_utterance_that_an_amendment_named_is_found(importing, ledger, claim):
    importing(claim | {"utterance": "u1"}, claim | {"id": "c2", "utterance": "u1"})
    ledger.amend("c1", utterance="u2", reason="another occasion")
    later = claim | {"id": "c3", "act": "deny", "uttered": "2024-03-05", "utterance": "u2"}
    (told,) = importing(later)
    assert told.verdict == "accepted"
    with ledger.as_of().facts() as facts:
        c1, c2, c3 = (facts.effective[facts.id_of("claim", id_)] for id_ in ("c1", "c2", "c3"))
    assert c1.utterance == c3.utterance != c2.utterance


@pytest.mark.parametrize("first", ["withdrawal", "claim"])
def test_an_id_goes_from_a_claim_to_a_withdrawal_and_back(importing, ledger, claim, first):
    withdrawal = {"type": "withdrawal", "claim": "c1", "claimant": "board", "uttered": "2024-03-09"}
    lines = {"withdrawal": withdrawal | {"id": "x"}, "claim": claim | {"id": "x"}}
    second = {"withdrawal": "claim", "claim": "withdrawal"}[first]
    for name in (first, second):
        _, told = importing(claim, lines[name])
        assert told.verdict == "accepted"
        if name == first:
            ledger.amend("x", strike_out=True, reason="no such thing")
    assert [one.verdict for one in importing.again()] == ["skipped", "skipped"]
