"""The seed article, recorded on 2023-02-23: every expected answer, on every engine."""

from __future__ import annotations

import datetime as dt
import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from ledger import Ledger

_spec = importlib.util.spec_from_file_location("seed", Path(__file__).with_name("seed.py"))
assert _spec is not None
assert _spec.loader is not None
seed_loader = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(seed_loader)

ALL = [f"C{number:02}" for number in range(1, 17)]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = dt.datetime(2023, 2, 23, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(milliseconds=1)
        return self.now


@attrs.frozen
class Article:
    """The article in a ledger, its annotation, and the ledger's clock."""

    ledger: Ledger
    seed: dict[str, Any]
    clock: Clock
    folder: Path

    def said_by(self, day: str, certainty: Literal["certain", "possible"]) -> list[str]:
        found = self.ledger.as_of(said=day).claims(certainty=certainty)
        return sorted(found.ids)

    def expected(self, question: str) -> Any:
        return next(one["a"] for one in self.seed["expected_answers"] if one["q"] == question)


@pytest.fixture
def article(database: str, shared: Callable[[str], Path]) -> Iterator[Article]:
    folder = shared("data/seed/claims.json").parent
    clock = Clock()
    with Ledger.open(database, clock=clock) as ledger:
        seed = seed_loader.load(ledger, folder)
        clock.now = dt.datetime(2023, 2, 24, 9, 0, tzinfo=dt.UTC)
        yield Article(ledger, seed, clock, folder)


@pytest.mark.parametrize(
    "day", ["2023-01-17", "2023-01-18", "2023-02-21", "2023-02-22", "2022-12-11"]
)
def test_claims_certainly_said_by_a_day(article: Article, day: str) -> None:
    assert article.said_by(day, "certain") == article.expected(f"claims certainly said by {day}")


@pytest.mark.parametrize("day", ["2023-02-21", "2022-12-11"])
def test_claims_possibly_said_by_a_day(article: Article, day: str) -> None:
    question = f"claims possibly (not certainly) said by {day}"
    assert article.said_by(day, "possible") == article.expected(question)


def test_by_17_january_only_the_leaders_statements_are_certain(article: Article) -> None:
    assert article.said_by("2023-01-17", "certain") == ["C07"]
    assert article.said_by("2023-01-17", "possible") == [*ALL[7:13], "C16"]


def test_on_the_day_of_the_article_all_sixteen_are_certain(article: Article) -> None:
    assert article.said_by("2023-02-22", "certain") == ALL
    assert article.said_by("2023-02-22", "possible") == []


def test_the_first_six_claims_are_of_one_utterance(article: Article) -> None:
    rows = article.ledger.claims()
    utterances = {row.utterance for row in rows if row.id in ALL[:6]}
    assert len(utterances) == article.expected("distinct utterances among C01..C06")


@pytest.mark.parametrize("said", ["2022-01-01", "2023-02-22", "2023-02-23", None])
def test_nothing_was_known_the_day_before_it_was_recorded(
    article: Article, said: str | None
) -> None:
    view = article.ledger.as_of(known="2023-02-22", said=said)
    question = (
        "claims known to a ledger that recorded the article on 2023-02-23, "
        "asked as known at 2023-02-22, any said-by date"
    )
    assert list(view.claims().ids) == article.expected(question)
    assert view.basis == 0
    assert list(article.ledger.replay("2023-02-23").claims().ids) != []


def test_russia_still_offers_the_mechanism(article: Article) -> None:
    offer = article.ledger.as_of(said="2023-02-22").position("ru", "P15")
    assert (offer.status, offer.stance, offer.acts) == ("held", "supports", ("offer",))
    assert [one.claim for one in offer.evidence] == ["C16"]
    assert str(offer.last_stated) == "..2023-01-18"
    assert offer.utterances == 1
    assert not offer.lapsed


def test_on_17_january_russia_possibly_offers_it(article: Article) -> None:
    offer = article.ledger.as_of(said="2023-01-17").position("ru", "P15")
    assert offer.status == "possible"
    assert [(one.claim, one.act) for one in offer.possible] == [("C16", "offer")]
    assert offer.evidence == ()


def test_russia_calls_for_resuming_work_in_one_utterance_own_and_rolled_up(
    article: Article,
) -> None:
    call = article.ledger.as_of(said="2023-02-22").position("ru", "P01")
    assert (call.status, call.stance, call.acts) == ("held", "supports", ("call_for",))
    assert call.utterances == 1
    assert {one.claim: one.path for one in call.evidence} == {
        "C01": ("ru",),
        "C04": ("maria-zakharova", "ru-mfa", "ru"),
    }


def test_russia_predicts_by_its_foreign_minister(article: Article) -> None:
    found = article.ledger.as_of(said="2023-02-22").position("ru", "P13")
    assert (found.status, found.acts, found.factuality) == ("held", ("predict",), ("possible",))
    assert [one.path for one in found.evidence] == [("sergei-lavrov", "ru-mfa", "ru")]
    assert str(found.last_stated) == "2023-01-18"


def test_russia_holds_that_the_road_is_blocked_by_its_defense_ministry(article: Article) -> None:
    found = article.ledger.as_of(said="2023-02-22").position("ru", "P07")
    assert (found.status, found.stance, found.own) == ("held", "supports", False)
    assert [one.path for one in found.evidence] == [("ru-mod", "ru")]
    assert str(found.evidence[0].said) == "2022-12-12..2023-02-22"
    line = next(row for row in article.ledger.claims() if row.id == "C08")
    assert str(line.uttered) == "[2022-12-12..2023-02-22]"


@pytest.mark.parametrize(
    "party, proposition",
    [("ru-mfa", "P15"), ("ru-mod", "P03"), ("ria-novosti", "P07"), ("az", "P07")],
    ids=[
        "the foreign ministry on the offer its state made",
        "the defense ministry on its own efforts, which others described",
        "the agency on what it only reports",
        "Azerbaijan on the blocked road, which it does not deny",
    ],
)
def test_silent(article: Article, party: str, proposition: str) -> None:
    assert article.expected(f"position of {party} on {proposition}").startswith("silent")
    assert article.ledger.as_of(said="2023-02-22").position(party, proposition).status == "silent"


def test_azerbaijan_holds_another_characterisation_instead(article: Article) -> None:
    view = article.ledger.as_of(said="2023-02-22")
    assert view.position("az", "P11").stance == "supports"
    assert view.position("az", "P07").last_word_on_topic is not None


def test_armenia_is_silent_on_all_but_the_joint_statement(article: Article) -> None:
    view = article.ledger.as_of(said="2023-02-22")
    for proposition in article.seed["propositions"]:
        status = view.position("am", proposition["id"]).status
        assert status == ("undeclared" if proposition["id"] == "P06" else "silent")
    joint = view.position("am", "P06").set_aside
    assert [(one.claim, one.path) for one in joint] == [("C07", ("leaders-ru-az-am", "am"))]


def test_the_divergent_characterisations(article: Article) -> None:
    found = article.ledger.as_of(said="2023-02-22").divergences()
    assert [list(one.claims) for one in found] == article.expected("divergent characterisations")


def test_nobody_contradicts_anybody(article: Article) -> None:
    expected = article.expected("contradictions (same proposition, opposite polarity)")
    assert list(article.ledger.contradictions()) == expected


def test_every_span_of_the_annotation_reproduces(article: Article) -> None:
    text = (article.folder / "article.txt").read_text(encoding="utf-8")
    spans = list(seed_loader.spans(article.seed))
    assert len(spans) == 132
    assert [text[span["start"] : span["end"]] for span in spans] == [s["exact"] for s in spans]
    (document,) = article.ledger.as_of().documents()
    assert (document.has_text, document.length) == (True, len(text))
    stored = {row.id: row.quote for row in article.ledger.claims()}
    for claim in article.seed["claims"]:
        assert stored[claim["id"]] == " ".join(span["exact"] for span in claim["content"])


def test_a_range_shifted_by_one_is_refused(article: Article) -> None:
    claim = article.seed["claims"][7]
    span = claim["content"][0]
    shifted = [{**span, "start": span["start"] + 1, "end": span["end"] + 1}]
    before = article.ledger.checkpoint()
    with pytest.raises(ValueError, match=r"code points|occurs|stands"):
        article.ledger.record(
            claimant="ru-mod",
            act="assert",
            proposition="P07",
            document=claim["document"],
            quote=seed_loader.quotation(shifted),
        )
    assert article.ledger.checkpoint() == before


@pytest.mark.parametrize("name", ["Baku", "Azerbaijan", "the Azerbaijani side"])
def test_names_of_the_text_lead_to_azerbaijan(article: Article, name: str) -> None:
    assert article.ledger.as_of().resolve(name, on="2023-02-22") == "az"


def test_a_claim_leads_back_to_its_words_and_its_proof(article: Article) -> None:
    trace = article.ledger.trace("C08")
    text = json.loads(json.dumps(trace.to_dict()))
    assert [link["kind"] for link in text["chains"][0]] == ["reports", "says"]
    assert trace.chains[0][1].cue != ""
    assert trace.quotation is not None
    assert trace.quotation.ranges == ((1336, 1407),)
    whole = (article.folder / "article.txt").read_text(encoding="utf-8")
    assert whole.startswith(trace.before, 1336 - len(trace.before))
    assert whole.startswith(trace.after, 1407)
    assert "C09" in trace.other_reports
    assert len(trace.proof) > 0


def test_the_log_of_the_article_verifies(article: Article) -> None:
    found = article.ledger.verify(article.ledger.checkpoint())
    assert found.size == len(list(article.ledger.log()))


def test_the_answers_survive_reopening(article: Article, database: str) -> None:
    if database == "sqlite://":
        pytest.skip("a database in memory ends with its connection")
    before = article.ledger.as_of(said="2023-02-22").positions(topic="T-lachin-status").to_dict()
    with Ledger.open(database, clock=article.clock) as again:
        after = again.as_of(said="2023-02-22").positions(topic="T-lachin-status").to_dict()
    assert after == before


TESTED_BY = {
    "claims certainly said by": test_claims_certainly_said_by_a_day,
    "claims possibly (not certainly) said by": test_claims_possibly_said_by_a_day,
    "distinct utterances among": test_the_first_six_claims_are_of_one_utterance,
    "claims known to a ledger": test_nothing_was_known_the_day_before_it_was_recorded,
    "position of ru on P15 said by 2023-02-22": test_russia_still_offers_the_mechanism,
    "position of ru on P15 said by 2023-01-17": test_on_17_january_russia_possibly_offers_it,
    "position of ru on P01": test_russia_calls_for_resuming_work_in_one_utterance_own_and_rolled_up,
    "position of ru on P13": test_russia_predicts_by_its_foreign_minister,
    "position of ru on P07": test_russia_holds_that_the_road_is_blocked_by_its_defense_ministry,
    "position of ru-mfa on P15": test_silent,
    "position of ru-mod on P03": test_silent,
    "position of ria-novosti on P07": test_silent,
    "position of az on P07": test_silent,
    "position of am on any": test_armenia_is_silent_on_all_but_the_joint_statement,
    "divergent characterisations": test_the_divergent_characterisations,
    "contradictions": test_nobody_contradicts_anybody,
}


def test_each_expected_answer_of_the_annotation_has_its_test(
    shared: Callable[[str], Path],
) -> None:
    seed = json.loads(shared("data/seed/claims.json").read_text(encoding="utf-8"))
    asked = [one["q"] for one in seed["expected_answers"]]
    assert len(asked) == 21
    assert [q for q in asked if not any(q.startswith(known) for known in TESTED_BY)] == []
    assert [known for known in TESTED_BY if not any(q.startswith(known) for q in asked)] == []
