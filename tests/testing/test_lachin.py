"""The example data: what it says, and that of the report it holds short quotations only."""

from __future__ import annotations

import hashlib
import inspect
import re

import pytest

from ledger import Ledger
from ledger.model import events as ev
from ledger.testing import demonstration, lachin

RUN = 8


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.casefold().replace("’", "'"))


@pytest.fixture(scope="module")
def article(shared) -> str:
    return shared("data/seed/article.txt").read_bytes().decode()


@pytest.fixture
def ledger():
    with Ledger.open(":memory:", clock=demonstration.Clock("2023-02-23")) as ledger:
        lachin.load(ledger)
        yield ledger


@pytest.fixture
def demonstrated(tmp_path) -> list[ev.StoredEvent]:
    """The events of the demonstration's ledgers: the example's, and those typed in its script."""
    demonstration.run(lambda line: None, tmp_path)
    with Ledger.open(tmp_path / "lachin.db") as one, Ledger.open(tmp_path / "suppose.db") as other:
        return [*one.events(), *other.events()]


def test_every_quotation_stands_in_the_report_at_its_place_and_has_a_dozen_words_at_most(
    article, demonstrated
):
    quotations = [
        event.event.quote for event in demonstrated if getattr(event.event, "quote", None)
    ]
    assert len({quotation.exact for quotation in quotations}) == 10
    for quotation in quotations:
        assert quotation.ranges
        assert [article[start:end] for start, end in quotation.ranges] == list(quotation.pieces)
        assert len(words(quotation.exact)) <= 12


def test_every_quotation_is_attributed_and_dated_by_its_document(demonstrated):
    claims = [event.event for event in demonstrated if isinstance(event.event, ev.ClaimRecorded)]
    assert claims
    for claim in claims:
        assert claim.quote
        assert claim.document
        assert all(any(link.kind == "says" for link in chain) for chain in claim.chains)


def copied(source: str, report: str) -> list[str]:
    """The runs of eight words of a source that are the report's, quotations left out."""
    theirs = words(report)
    runs = {tuple(theirs[at : at + RUN]) for at in range(len(theirs) - RUN + 1)}
    ours = words(source)
    return [
        " ".join(ours[at : at + RUN])
        for at in range(len(ours) - RUN + 1)
        if tuple(ours[at : at + RUN]) in runs
    ]


def test_beside_the_quotations_no_run_of_eight_words_is_the_reports(article, demonstrated):
    source = inspect.getsource(lachin) + inspect.getsource(demonstration)
    for event in demonstrated:
        if isinstance(event.event, ev.ClaimRecorded) and event.event.quote:
            source = source.replace(event.event.quote.exact, " | ")
    assert copied(source, article) == []
    assert copied(source + article[600:700], article)


def test_the_report_is_registered_by_digest_and_length_without_its_text(shared, article, ledger):
    stored = shared("data/seed/article.txt").read_bytes()
    (document,) = ledger.as_of().documents()
    assert document.sha256 == hashlib.sha256(stored).hexdigest()
    assert document.length == len(article)
    assert not document.has_text


def test_nothing_is_a_contradiction_and_one_occurrence_is_told_in_two_ways(ledger):
    assert ledger.contradictions() == ()
    (divergence,) = ledger.divergences()
    assert divergence.claims == ("baku-protest", "mod-blocked")
    assert divergence.occurrence == "stopped-road"


def test_one_briefing_counts_once_for_the_state_that_it_reaches_in_two_ways(ledger):
    position = ledger.position("ru", "joint-work")
    assert position.utterances == 1
    assert {one.claim for one in position.evidence} == {"moscow-call", "zakharova-call"}


def test_words_that_may_be_anothers_give_nobody_a_certain_position(ledger):
    assert ledger.position("az", "unlawful").status == "possible"
    assert ledger.position("activists", "unlawful").status == "possible"


def test_a_state_named_in_claims_of_others_stays_silent(ledger):
    for line in ledger.as_of().propositions():
        assert ledger.position("am", line.id).status == "silent"


def test_loading_twice_is_no_news(ledger):
    before = ledger.checkpoint()
    ledger.register_all(
        [
            *lachin.PARTIES,
            *lachin.TOPICS,
            *lachin.PROPOSITIONS,
            lachin.OCCURRENCE,
            lachin.DOCUMENT,
        ]
    )
    ledger.record_all(lachin.CLAIMS)
    assert ledger.checkpoint() == before
