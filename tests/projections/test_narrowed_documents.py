"""Narrowed questions about documents and the parts of parties, where records were changed."""

from __future__ import annotations

from typing import Any

import pytest

from ledger import (
    Claim,
    Document,
    Ledger,
    Link,
    Membership,
    Occurrence,
    Party,
    Proposition,
    Topic,
)
from ledger.errors import Invalid, NotFound
from ledger.narrowing import Asked, asked_of
from ledger.projecting import cells
from ledger.projections import listing
from ledger.projections.scope import Scope
from tests.projections.test_narrowed import questions

TEXT = "The mill says that the weir is shut, and the board denies it."


def told(ledger):
    """Two papers, versions of an article, and all that can be changed about who and where."""
    ledger.register_all(
        [
            *(
                Party(one, name=one.title())
                for one in ("mill", "board", "clerk", "guild", "county")
            ),
            *(Party(one, name=one.title(), kind="publisher") for one in ("gazette", "herald")),
            Membership("clerk", "board", role="clerk"),
            Topic("weir", label="The weir"),
            Proposition("shut", text="Shut", topic="weir"),
            Proposition("open", text="Open", topic="weir"),
            Proposition("deep", text="Deep", topic="weir"),
            Proposition("cheap", text="Cheap"),
            Occurrence("gates", label="The gates", propositions=["shut", "open"]),
            Document("g1", publisher="gazette", published="2022-03-01", text=TEXT),
            Document("g2", publisher="gazette", published="2022-03-02", text=TEXT, revises="g1"),
            Document("g3", publisher="gazette", published="2022-03-03", text=TEXT, revises="g2"),
            Document("h1", publisher="herald", published="2022-03-01", text="Nothing of it."),
            Document("h2", publisher="herald", published="2022-03-02", text="We were wrong."),
            Document("h3", publisher="herald", published="2022-03-03", text="Of the mill."),
        ]
    )
    ledger.record_all(
        [
            Claim(
                id="c1",
                via="gazette",
                claimant="mill",
                act="assert",
                document="g1",
                quote="the weir is shut",
                addressees="board",
                mentions=["herald"],
                proposition="shut",
            ),
            Claim(
                id="c2",
                claimant="clerk",
                act="deny",
                document="g1",
                quote="the board denies it",
                proposition="shut",
                utterance="hearing",
            ),
            Claim(
                id="c3",
                claimant="mill",
                on_behalf_of="guild",
                act="assert",
                proposition="cheap",
                uttered="2022-02",
            ),
            Claim(
                id="c4",
                claimant="clerk",
                act="deny",
                document="h1",
                proposition="shut",
                utterance="hearing",
            ),
            Claim(
                id="c5",
                claimant="board",
                act="assert",
                proposition="open",
                document="g3",
                quote="and the board denies it",
            ),
        ]
    )
    ledger.record(id="c6", claimant="mill", act="assert", proposition="deep", uttered="2022-01")
    ledger.record(id="c7", claimant="guild", act="assert", proposition="deep", document="h1")
    ledger.correct("c4", document="h2", act="assert")
    ledger.amend("c7", reason="it stands there, too", document="g1")
    moved = ledger.amend("c5", reason="in the other version", document="g2")
    ledger.amend("c1", reason="it was told to the guild", addressees=["guild"], mentions=["clerk"])
    ledger.amend(
        "c3",
        reason="heard through the county",
        chain=[Link("county", "reports"), Link("guild", "says")],
    )
    ledger.withdraw("c2", claimant="clerk", document="h1", id="w1")
    ledger.amend("w1", reason="read in the gazette", document="g3")
    ledger.withdraw("c3", claimant="guild", document="h3")
    revisions = [*ledger.events(types=["document_revised"])]
    ledger.amend(revisions[1].id, reason="it was printed before", strike_out=True)
    ledger.relate("c5", "disputes", "c1")
    ledger.amend(moved, reason="it was not", strike_out=True)
    ledger.merge("county", "guild", reason="one body")
    ledger.merge("open", "shut", reason="one question", negated=True)


def documents(view):
    """What is told of each document and party."""
    ids = [one.id for one in view.documents()]
    yield lambda asked: asked.documents()
    for id_ in (*ids, "nowhere"):
        yield lambda asked, which=id_: asked.resting_on(which)
        yield lambda asked, which=id_: asked.check_quotes(which, {})
        yield lambda asked, which=id_: asked.check_quotes(which, {"g1": TEXT})
        yield lambda asked, which=id_: asked.claims(listing.Filters(document=which))
        yield lambda asked, which=id_: asked.claims(
            listing.Filters(document=which, utterance="hearing")
        )
    with view.facts() as facts:
        hearing = facts.id_of("utterance", "hearing")
    yield from (
        lambda asked, on=one: asked.claims(listing.Filters(utterance=on))
        for one in ("hearing", hearing)
    )
    for party in ("mill", "board", "clerk", "guild", "county", "gazette", "herald"):
        yield lambda asked, who=party: asked.attributed_to(who)
        yield lambda asked, who=party: asked.claims(listing.Filters(document="g1", party=who))
        yield lambda asked, who=party: asked.shown(Scope(party=who))


def answer(question, asked):
    try:
        return question(asked)
    except NotFound as error:
        return type(error)


@pytest.fixture
def filled(database, clock):
    with Ledger.open(database, clock=clock) as ledger:
        ledger.projections.add(cells(ledger.layout))
        told(ledger)
        yield ledger


def test_at_every_known_date_the_answer_is_that_of_the_folded_log(filled, database):
    size, step = filled.as_of().basis, 1 if database.endswith(".db") else 3
    for known in range(20, size, step):  # each of them in a file, and some elsewhere
        view = filled.as_of(known=known)
        with view.facts() as facts:
            whole = Asked(facts, None, view.said)
            for question in (*documents(view), *questions(view)):
                expected = answer(question, whole)
                with asked_of(filled._folded, view.basis, view.said) as near:
                    assert answer(question, near) == expected
    assert filled.projections.check("cells").ok


def test_a_build_of_the_whole_log_holds_the_same_rows(filled):
    filled.projections.rebuild("cells")
    assert filled.projections.check("cells").ok


def test_what_rests_on_a_document_is_told_without_folding(filled):
    fold = filled._folded.fold
    fold.forget()
    assert [one.claim for one in filled.resting_on("g1").claims] == ["c1", "c2", "c7"]
    assert [one.proposition for one in filled.resting_on("g1").falls]
    assert {one.claim: one.part for one in filled.attributed_to("county")} == {
        "c1": "addressed",
        "c3": "claims",
        "c7": "claims",
    }
    assert set(filled.claims(document="g1").ids) == {"c1", "c2", "c7"}
    assert set(filled.claims(utterance="hearing").ids) == {"c2", "c4"}
    assert filled.check_quotes("g1").rows
    assert not fold.facts.size


@pytest.mark.parametrize("given", [5, b"g1", ["g1"], {"g1": 1}])
def test_what_is_no_id_is_refused_in_words(filled, given: Any):
    view = filled.as_of()
    with view.facts() as facts:
        whole = Asked(facts, None, view.said)
        for question, kind in (
            (lambda asked: asked.resting_on(given), "A document"),
            (lambda asked: asked.check_quotes(given, {}), "A document"),
            (lambda asked: asked.trace(given), "A claim"),
            (lambda asked: asked.claims(listing.Filters(document=given)), "A document"),
            (lambda asked: asked.claims(listing.Filters(utterance=given)), "An utterance"),
        ):
            with pytest.raises(Invalid, match=f"{kind} is named by its id, a text"):
                question(whole)
            with (
                asked_of(filled._folded, view.basis, view.said) as near,
                pytest.raises(Invalid, match=f"{kind} is named by its id, a text"),
            ):
                question(near)
