"""Annotations and provenance as programs write them: several selectors, authors, blank ids."""

from __future__ import annotations

import json

import pytest

from ledger import Document, Ledger, Party
from ledger.interchange import Outcome, import_file

TEXT = "The weir is shut, the board said on Monday."
PAGE = "https://gazette.example/1"
WORDS = [
    {"type": "TextQuoteSelector", "exact": "is shut"},
    {"type": "TextPositionSelector", "start": 9, "end": 16},
]


@pytest.fixture
def ledger():
    with Ledger.open(":memory:") as opened:
        gazette = Party("gazette", name="Gazette", kind="publisher")
        opened.register(Document(PAGE, publisher=gazette, text=TEXT, published="2024-03-14"))
        yield opened


@pytest.fixture
def importing(ledger, tmp_path):
    def run(value):
        path = tmp_path / "file.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        told: list[Outcome] = []
        import_file(ledger, path, tell=told.append)
        assert import_file(ledger, path).accepted == 0
        return [one.verdict for one in told]

    return run


def annotation(selector, body):
    target = {"source": PAGE, "selector": selector}
    context = {"@context": "http://www.w3.org/ns/anno.jsonld", "type": "Annotation"}
    return {**context, "id": "urn:a:1", "body": body, "target": target}


def last(ledger):
    return [one.event for one in ledger.events() if one.type == "claim_recorded"][-1]


@pytest.mark.parametrize("kind", ["RangeSelector", "XPathSelector", "FragmentSelector"])
def test_selectors_that_find_no_text_are_left_out_beside_others(importing, ledger, kind):
    selectors = [{"type": kind, "value": "/p[1]"}, *WORDS]
    assert importing(annotation(selectors, "The weir is shut")) == ["accepted"]
    assert last(ledger).quote.ranges == ((9, 16),)


def test_words_inside_a_place_of_a_page_are_found_without_it(importing, ledger):
    selector = {"type": "CssSelector", "value": "#p", "refinedBy": WORDS[0]}
    assert importing(annotation(selector, "The weir is shut")) == ["accepted"]
    assert last(ledger).quote.ranges == ((9, 16),)


@pytest.mark.parametrize("inner", [None, WORDS[1]])
def test_a_place_of_a_page_that_names_no_words_is_refused(importing, ledger, inner):
    selector = {"type": "CssSelector", "value": "#p", "refinedBy": inner}
    assert importing(annotation(selector, "The weir is shut")) == ["refused"]


@pytest.mark.parametrize("kind, claimant", [("TextualBody", ()), ("Claim", ("reader",))])
def test_who_wrote_a_comment_is_not_the_claimant(importing, ledger, kind, claimant):
    body = {"type": kind, "value": "The weir is shut", "creator": {"name": "Reader"}}
    importing(annotation(WORDS, body))
    (row,) = ledger.claims()
    assert row.claimant == claimant
    assert last(ledger).extra["annotation"]["body"]["creator"] == {"name": "Reader"}


def test_a_target_that_names_no_document_is_refused(importing, ledger):
    inside = {"source": PAGE, "selector": WORDS}
    composite = {"type": "Composite", "items": [inside]}
    assert importing(annotation(WORDS, "It is shut") | {"target": composite}) == ["refused"]
    assert not list(ledger.claims())


def test_an_author_whose_name_is_left_empty_is_unknown(importing, ledger):
    body = {"type": "Claim", "text": "The weir is shut", "author": {"name": ""}}
    assert importing(annotation(WORDS, body)) == ["accepted"]
    assert [row.claimant for row in ledger.claims()] == [()]


def test_an_id_is_one_of_its_bundle_alone(importing, ledger):
    said = {"entity": {"ex:said": {"prov:value": "It is shut"}}}
    made = {"wasGeneratedBy": {"_:id1": {"prov:entity": "ex:said"}}}
    whose = {"wasAttributedTo": {"_:id1": {"prov:entity": "ex:said", "prov:agent": "ex:board"}}}
    bundles = {"ex:b1": said | made, "ex:b2": whose | {"activity": {"ex:said": {}}}}
    told = importing({"prefix": {"ex": "http://ex.example/"}, "bundle": bundles})
    assert "refused" not in told
    assert [row.claimant for row in ledger.claims()] == [("http://ex.example/board",)]
