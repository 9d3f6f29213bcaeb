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
