"""Reviews of claims as feeds and graphs have them: wrapped in lists, or with ids alone."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.interchange import Outcome, import_file

CLAIM = {
    "@id": "urn:c:1",
    "@type": "Claim",
    "text": "The weir is shut",
    "author": {"@type": "Person", "name": "A. Speaker"},
    "datePublished": "2024-03-11",
}


def review(number, *reviewed):
    return {
        "@type": "ClaimReview",
        "@id": f"urn:r:{number}",
        "claimReviewed": "The weir is shut",
        "author": {"@type": "Organization", "name": "Check Desk"},
        "itemReviewed": reviewed[0] if len(reviewed) == 1 else [*reviewed],
        "reviewRating": {"ratingValue": 1, "worstRating": 1, "bestRating": 5},
    }


@pytest.fixture
def ledger():
    with Ledger.open(":memory:") as opened:
        yield opened


@pytest.fixture
def importing(ledger, tmp_path):
    def run(**document):
        file = tmp_path / "reviews.json"
        file.write_text(json.dumps({"@context": "https://schema.org", **document}))
        told: list[Outcome] = []
        import_file(ledger, file, tell=told.append)
        assert import_file(ledger, file).accepted == 0
        return told

    return run


def test_an_item_of_a_feed_may_hold_several_reviews(importing, ledger):
    told = importing(
        dataFeedElement=[
            {"@type": "DataFeedItem", "item": [review(1, CLAIM), review(2, CLAIM)]},
            {"@type": "DataFeedItem", "item": review(3, CLAIM)},
            {"@type": "DataFeedItem", "item": []},
        ]
    )
    assert [(one.at, one.verdict) for one in told] == [
        ("dataFeedElement[0].item[0]", "accepted"),
        ("dataFeedElement[0].item[1]", "accepted"),
        ("dataFeedElement[1]", "accepted"),
        ("dataFeedElement[2]", "skipped"),
    ]
    assert {row.id for row in ledger.claims()} == {"urn:c:1", "urn:r:1", "urn:r:2", "urn:r:3"}


def test_a_review_of_several_claims_is_refused(importing, ledger):
    (told,) = importing(**review(1, CLAIM, {**CLAIM, "@id": "urn:c:2", "text": "It is open"}))
    assert told.verdict == "refused"
    assert told.reason.startswith("itemReviewed holds 2 claims")
    assert not list(ledger.claims())


@pytest.mark.parametrize("first", ["review", "claim"])
def test_a_claim_that_a_review_names_by_its_id_is_the_one_of_the_file(importing, ledger, first):
    graph = [review(1, {"@id": "urn:c:1"}), CLAIM]
    told = importing(**{"@graph": graph if first == "review" else graph[::-1]})
    assert "refused" not in {one.verdict for one in told}, told
    claims = {row.id: row for row in ledger.claims()}
    assert claims["urn:c:1"].claimant == ("a-speaker",)
    assert str(claims["urn:c:1"].uttered) == "2024-03-11"
    assert claims["urn:r:1"].proposition == claims["urn:c:1"].proposition
    assert "disputes urn:c:1" in ledger.trace("urn:r:1").relations


def test_a_claim_that_is_in_another_file_is_known_by_what_the_review_says(importing, ledger):
    (told,) = importing(**review(1, {"@id": "urn:c:9", "author": {"name": "A. Speaker"}}))
    assert told.verdict == "accepted"
    (named,) = [row for row in ledger.claims() if row.id == "urn:c:9"]
    assert named.claimant == ("a-speaker",)


def reviews_of(page, *words, **reviewed):
    """Reviews that stand on one page, each of a claim in other words."""
    item = {"@type": "Claim", "author": "A. Speaker", **reviewed}
    told = [review(0, item) | {"url": page, "claimReviewed": one} for one in words]
    return [{key: one[key] for key in one if key != "@id"} for one in told]


def test_the_reviews_of_one_page_are_told_apart(importing, ledger):
    both = reviews_of("https://check.example/7", "The weir is shut", "The dam is shut")
    told = importing(dataFeedElement=[{"item": both}])
    assert [one.verdict for one in told] == ["accepted", "accepted"]
    first, second = sorted(row.id for row in ledger.claims() if "check.example" in row.id)
    assert first == "https://check.example/7"
    assert second.startswith("https://check.example/7#")
    assert len(ledger.contradictions()) == 2


def test_a_review_that_changed_under_its_address_is_refused_as_before(importing, ledger):
    (one,) = reviews_of("https://check.example/7", "The weir is shut")
    importing(**one)
    rating = {"reviewRating": {"ratingValue": 5, "worstRating": 1, "bestRating": 5}}
    (told,) = importing(**one | rating)
    assert told.verdict == "refused"
    assert "is taken" in told.reason


@pytest.mark.parametrize("id_", [{}, {"@id": "urn:speech"}])
def test_the_title_of_a_work_is_not_the_claim_that_is_reviewed_in_it(importing, ledger, id_):
    work = {"@type": "CreativeWork", "headline": "A speech on water", **id_}
    words = "The weir is shut", "The dam is shut"
    told = importing(**{"@graph": reviews_of("https://check.example/7", *words, **work)})
    assert [one.verdict for one in told] == ["accepted", "accepted"]
    for said in words:
        (found,) = (one for one in ledger.as_of().propositions() if one.text == said)
        assert str(ledger.position("a-speaker", found.id).stance) == "supports"
    assert len(ledger.contradictions()) == 2


def test_a_rating_in_words_alone_is_undeclared_and_told_once(importing, ledger, tmp_path):
    words = {"ratingValue": "Falso", "worstRating": "Falso", "bestRating": "Vero"}
    both = reviews_of("https://check.example/7", "The weir is shut", "The dam is shut")
    both = [one | {"reviewRating": words} for one in both]
    told = importing(**{"@graph": both})
    remarks = [one for outcome in told for one in outcome.warnings if "rating" in one]
    assert len(remarks) == 1
    assert '[ratings] with "Falso" = "opposes"' in remarks[0]
    (row,) = (row for row in ledger.claims() if row.id == "https://check.example/7")
    assert row.stance == "undeclared"
    with Ledger.open(":memory:") as other:
        import_file(other, tmp_path / "reviews.json", mapping={"ratings": {"Falso": "opposes"}})
        assert len(other.contradictions()) == 2


def test_an_offset_without_a_colon_is_one(importing, ledger):
    (one,) = reviews_of("https://check.example/7", "The weir is shut")
    (told,) = importing(**one | {"datePublished": "2024-03-12T09:00:00-0500"})
    assert told.verdict == "accepted"
    (row,) = (row for row in ledger.claims() if row.id == "https://check.example/7")
    assert str(row.uttered) == "2024-03-12T09:00:00-05:00"


@pytest.mark.parametrize("id_", ["https://check.example/#desk", "#desk"])
@pytest.mark.parametrize("bare", [True, False])
def test_an_author_that_the_file_describes_further_down_has_its_name(importing, ledger, id_, bare):
    (one,) = reviews_of("https://check.example/7", "The weir is shut")
    desk = {"@type": "Organization", "@id": id_, "name": "Check Desk"}
    importing(**{"@graph": [one | {"author": id_ if bare else {"@id": id_}}, desk]})
    assert {(one.id, one.name) for one in ledger.as_of().parties()} >= {(id_, "Check Desk")}
    (row,) = (row for row in ledger.claims() if row.id == "https://check.example/7")
    assert row.claimant == (id_,)


@pytest.mark.parametrize("name", ["", " ", None])
def test_an_author_whose_name_is_left_empty_is_unknown(importing, ledger, name):
    author = {"@type": "Person", "name": name}
    (told,) = importing(**reviews_of("https://check.example/7", "It is shut", author=author)[0])
    assert told.verdict == "accepted", told
    assert "names nobody" in " ".join(told.warnings)
    assert {row.claimant for row in ledger.claims()} == {(), ("check-desk",)}


def test_the_graphs_and_feeds_of_several_pages_may_stand_in_a_list(ledger, tmp_path):
    pages = [
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, review(1, CLAIM)]},
        {"@context": "https://schema.org", "dataFeedElement": [{"item": [review(2, CLAIM)]}]},
    ]
    file = tmp_path / "pages.json"
    file.write_text(json.dumps(pages))
    told: list[Outcome] = []
    import_file(ledger, file, tell=told.append)
    assert [(one.at, one.verdict) for one in told] == [
        ("[0].@graph[0]", "skipped"),
        ("[0].@graph[1]", "accepted"),
        ("[1].dataFeedElement[0].item[0]", "accepted"),
    ]
    assert {row.id for row in ledger.claims()} == {"urn:c:1", "urn:r:1", "urn:r:2"}
