"""Web Annotation, schema.org, PROV-JSON and brat, as other tools write them."""

from __future__ import annotations

import json

import pytest

from ledger import Document, Ledger, Party, Proposition
from ledger.interchange import Outcome, import_file

TEXT = "The weir is shut, the board said on Monday. The union, a critic, called it wrong."
ANNO = "http://www.w3.org/ns/anno.jsonld"
PAGE = "https://gazette.example/1"


@pytest.fixture
def ledger():
    with Ledger.open(":memory:") as opened:
        gazette = Party("gazette", name="Gazette", kind="publisher")
        opened.register(Document("g1", publisher=gazette, text=TEXT, published="2024-03-14"))
        opened.register(Party("board", name="Water board"))
        yield opened


@pytest.fixture
def importing(ledger, tmp_path):
    def run(value, name="file.json", **options):
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        told: list[Outcome] = []
        import_file(ledger, path, tell=told.append, **options)
        size = ledger.checkpoint().size
        again = import_file(ledger, path, **options)
        assert again.accepted == 0
        assert ledger.checkpoint().size == size
        return told

    return run


def last(ledger):
    return [one.event for one in ledger.events() if one.type == "claim_recorded"][-1]


# -- Web Annotation -----------------------------------------------------------------------------


def annotation(**fields):
    selector = [
        {"type": "TextQuoteSelector", "exact": "is shut"},
        {"type": "TextPositionSelector", "start": 9, "end": 16},
    ]
    target = {"source": PAGE, "selector": selector}
    return {"@context": ANNO, "id": "urn:a:1", "type": "Annotation", "target": target, **fields}


def test_an_annotation_with_a_claim_for_its_body_is_that_claim(importing, ledger):
    body = {
        "type": "Claim",
        "text": "The weir is shut",
        "author": {"type": "Organization", "name": "Water board", "id": "board"},
        "act": "assert",
        "uttered": "2024-03-11",
        "mode": "indirect",
    }
    (told,) = importing(annotation(body=body), mapping={"documents": {PAGE: "g1"}})
    assert told.verdict == "accepted"
    (row,) = ledger.claims()
    assert (row.claimant, row.document, row.mode) == (("board",), "g1", "indirect")
    assert last(ledger).quote.ranges == ((9, 16),)


@pytest.mark.parametrize("value", ["char=9,16", "char=9,16;length=27,UTF-8"])
def test_a_fragment_of_a_plain_text_is_a_position(importing, ledger, value):
    target = {"source": PAGE, "selector": {"type": "FragmentSelector", "value": value}}
    shut = annotation(target=target, bodyValue="The weir is shut")
    told = importing(shut, mapping={"documents": {PAGE: "g1"}})
    assert [one.verdict for one in told] == ["accepted"]
    assert (last(ledger).quote.exact, last(ledger).quote.ranges) == ("is shut", ((9, 16),))


def test_pages_may_stand_in_a_list(importing):
    pages = [
        {"@context": ANNO, "type": "AnnotationPage", "items": [annotation(id="urn:a:1")]},
        {"@context": ANNO, "type": "AnnotationPage", "items": [annotation(id="urn:a:2"), {}]},
    ]
    told = importing(pages, mapping={"documents": {PAGE: "g1"}})
    assert [(one.at, one.verdict) for one in told] == [
        ("[0].items[0]", "accepted"),
        ("[1].items[0]", "accepted"),
        ("[1].items[1]", "refused"),
    ]


def test_an_annotation_without_an_author_leaves_the_claimant_unknown(importing, ledger):
    body = {"type": "TextualBody", "purpose": "describing", "value": "The weir is shut"}
    tag = {"type": "TextualBody", "purpose": "tagging", "value": "stance:opposes"}
    extra = {"creator": "urn:someone", "motivation": "describing"}
    (told,) = importing(annotation(body=[body, tag], **extra), mapping={"documents": {PAGE: "g1"}})
    assert "names nobody" in " ".join(told.warnings)
    assert last(ledger).stance == "opposes"
    assert last(ledger).extra["annotation"]["creator"] == "urn:someone"


def test_targets_in_one_source_are_pieces_and_two_sources_are_refused(importing, ledger):
    def target(exact, source=PAGE):
        return {"source": source, "selector": {"type": "TextQuoteSelector", "exact": exact}}

    pieces = annotation(target=[target("The union"), target("called it wrong")], body="It is wrong")
    (told,) = importing(pieces, mapping={"documents": {PAGE: "g1"}})
    assert told.verdict == "accepted", told
    assert len(last(ledger).quote.ranges) == 2
    (told,) = importing(annotation(target=[target("The union"), target("wrong", "urn:other")]))
    assert "there are 2 of them" in told.reason


def test_words_refined_by_words_are_the_inner_ones(importing, ledger):
    outer = {"type": "TextQuoteSelector", "exact": "The union, a critic, called it wrong"}
    inner = {"type": "TextPositionSelector", "start": 11, "end": 19}
    selector = {**outer, "refinedBy": inner}
    target = {"source": "g1", "selector": selector}
    importing(annotation(target=target, body="There are critics"))
    assert last(ledger).quote.exact == "a critic"
    assert last(ledger).quote.prefix == "The union, "


def test_a_page_of_annotations_is_read_one_by_one(importing, ledger):
    items = [annotation(id=f"urn:a:{n}", body=f"Proposition {n}") for n in range(3)]
    items[1]["target"] = {"source": PAGE, "selector": {"type": "SvgSelector"}}
    items.append(annotation(id="urn:a:9", motivation="highlighting"))
    page = {"@context": ANNO, "type": "AnnotationPage", "items": items}
    told = importing(page, mapping={"documents": {PAGE: "g1"}})
    assert [one.verdict for one in told] == ["accepted", "refused", "accepted", "skipped"]
    assert told[1].where.startswith("items[1]")


@pytest.mark.parametrize("motives, many", [(["linking"], 0), (["linking", "commenting"], 1)])
def test_motives_may_be_several(importing, ledger, motives, many):
    importing(
        annotation(motivation=motives, body="It is shut"), mapping={"documents": {PAGE: "g1"}}
    )
    assert len(list(ledger.claims())) == many


# -- schema.org ---------------------------------------------------------------------------------

REVIEW = {
    "@context": "https://schema.org",
    "@type": "ClaimReview",
    "url": "https://check.example/1",
    "claimReviewed": "The weir is shut",
    "datePublished": "2024-03-20",
    "author": {"@type": "Organization", "name": "Check Desk"},
    "itemReviewed": {
        "@type": "Claim",
        "author": {"@type": "Person", "name": "A. Speaker"},
        "datePublished": "2024-03-11",
        "appearance": {"@type": "CreativeWork", "url": PAGE},
    },
    "reviewRating": {"@type": "Rating", "ratingValue": 1, "worstRating": 1, "bestRating": 5},
}


def test_a_claim_review_is_two_claims_on_one_proposition_and_their_relation(importing, ledger):
    (told,) = importing(REVIEW, mapping={"documents": {PAGE: "g1"}})
    assert told.verdict == "accepted", told
    reviewed, review = sorted(ledger.claims(), key=lambda row: row.said.sort_key())
    assert (reviewed.stance, review.stance) == ("supports", "opposes")
    assert reviewed.proposition == review.proposition
    assert (reviewed.document, str(reviewed.uttered)) == ("g1", "2024-03-11")
    assert f"disputes {reviewed.id}" in ledger.trace(review.id).relations
    assert ledger.as_of().resolve("Check Desk") == "check-desk"


@pytest.mark.parametrize(
    "rating, stance",
    [
        ({"ratingValue": "5", "bestRating": "5"}, "supports"),
        ({"ratingValue": 3, "bestRating": 5, "worstRating": 1}, "mixed"),
        ({"ratingValue": -1, "bestRating": -1, "worstRating": -1}, "undeclared"),
        ({"alternateName": "Pants on fire"}, "opposes"),
        ({"alternateName": "Unheard of"}, "undeclared"),
        (None, "undeclared"),
    ],
)
def test_a_rating_is_the_stance_of_the_reviewer(importing, ledger, rating, stance):
    mapping = {"ratings": {"Pants on fire": "opposes"}}
    importing({**REVIEW, "reviewRating": rating}, mapping=mapping)
    assert last(ledger).stance == stance


@pytest.mark.parametrize(
    "time", ["2024-03-20T09:30", "2024-03-20 09:30:05", "2024-03-20T09:30:05.1"]
)
def test_a_time_without_a_zone_is_of_its_day_and_kept_as_written(importing, ledger, time):
    claim = {"@context": "https://schema.org", "@type": "Claim", "text": "The weir is shut"}
    told = importing({**claim, "author": {"@id": "board"}, "datePublished": time})
    assert [one.verdict for one in told] == ["accepted"]
    assert str(last(ledger).uttered) == "2024-03-20"
    assert last(ledger).extra["schemaorg"] == {"datePublished": time}
    importing(REVIEW | {"datePublished": time})
    assert str(last(ledger).uttered) == "2024-03-20"


def test_a_quotation_carries_its_words_and_a_graph_its_parties(importing, ledger):
    graph = [
        {"@id": "urn:p:1", "@type": "Organization", "name": "The union"},
        {"@id": "urn:w:1", "@type": "Thing", "description": "It is wrong"},
        {
            "@id": "urn:q:1",
            "@type": "Quotation",
            "text": "called it wrong",
            "spokenByCharacter": {"@id": "urn:p:1"},
            "isPartOf": {"url": PAGE},
            "ledger:act": "accuse",
        },
        {"@type": "Recipe", "name": "Soup"},
        {"@type": "Claim"},
    ]
    told = importing(
        {"@context": "https://schema.org", "@graph": graph}, mapping={"documents": {PAGE: "g1"}}
    )
    verdicts = [one.verdict for one in told]
    assert verdicts == ["accepted", "accepted", "accepted", "skipped", "refused"], told
    (row,) = ledger.claims()
    assert (row.claimant, row.quote, row.act) == (("urn:p:1",), "called it wrong", "accuse")


# -- PROV-JSON ----------------------------------------------------------------------------------


def test_who_quotes_is_a_reporter_and_who_was_quoted_the_claimant(importing, ledger):
    value = {
        "prefix": {"ex": "http://ex.example/"},
        "agent": {"ex:board": {"prov:label": "Board", "prov:type": {"$": "prov:Organization"}}},
        "entity": {"ex:said": {"prov:value": "It is shut"}, "ex:quoted": {"prov:label": "Shut"}},
        "wasAttributedTo": {
            "_:a1": {"prov:entity": "ex:said", "prov:agent": "ex:board"},
            "_:a2": {"prov:entity": "ex:quoted", "prov:agent": "ex:paper"},
        },
        "wasDerivedFrom": {
            "_:d1": {
                "prov:generatedEntity": "ex:quoted",
                "prov:usedEntity": "ex:said",
                "prov:type": {"$": "prov:Quotation", "type": "prov:QUALIFIED_NAME"},
            }
        },
        "wasGeneratedBy": {
            "_:g1": {
                "prov:entity": "ex:said",
                "prov:activity": "ex:talk",
                "prov:time": "2024-03-11T10:00:00Z",
            }
        },
        "actedOnBehalfOf": {
            "_:b1": {
                "prov:delegate": "ex:board",
                "prov:responsible": "ex:county",
                "prov:activity": "ex:talk",
            }
        },
        "activity": {"ex:talk": {}},
    }
    told = importing(value, format="prov")
    assert not [one for one in told if one.verdict == "refused"], told
    rows = {row.proposition: row for row in ledger.claims()}
    board = "http://ex.example/board"
    assert rows["http://ex.example/quoted"].claimant == (board,)
    chain = ledger.trace(rows["http://ex.example/quoted"].id).chains[0]
    assert [link.party for link in chain][:2] == ["http://ex.example/paper", board]
    said = rows["http://ex.example/said"]
    assert str(said.uttered) == "2024-03-11T10:00:00Z"
    held = ledger.position("http://ex.example/county", "http://ex.example/said")
    assert held.status == "held"
    edge = ledger.trace(rows["http://ex.example/quoted"].id).relations
    assert any(one.startswith("prov:wasDerivedFrom") for one in edge)


# -- brat ---------------------------------------------------------------------------------------

ANN = """\
T1\tContent 0 16\tThe weir is shut
T2\tSource 18 27\tthe board
T3\tCue 28 32\tsaid
T4\tAttribution 28 32\tsaid
E1\tAttribution:T4 Content:T1 Cue:T3 Source:T2
T5\tContent 44 53;65 80\tThe union called it wrong
T6\tAttribution-no-source 65 71\tcalled
E2\tAttribution-no-source:T6 Content:T5
A1\tStance E2 opposes
R1\tdisputes Arg1:E2 Arg2:E1
#1\tAnnotatorNotes E2\tread twice
T7\tContent 0 900\tbeyond
E3\tAttribution:T6 Content:T7
E4\tAttribution:T6 Content:T99
X1\tnothing
T8\tContent 1 2
*\tEquiv T1 T2
"""
GAZETTE = {"document": {"publisher": "gazette", "published": "2024-03-14"}}


@pytest.fixture
def marked(ledger, tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_bytes(TEXT.encode())
    (folder / "a.ann").write_text(ANN, encoding="utf-8")
    return folder


def test_attributions_of_a_corpus_are_claims_with_source_cue_and_content(ledger, marked):
    told: list[Outcome] = []
    import_file(ledger, marked, mapping=GAZETTE, tell=told.append)
    verdicts = {one.at.rpartition(" ")[2]: one.verdict for one in told}
    assert verdicts == {
        "a.txt": "accepted",
        "E1": "accepted",
        "E2": "accepted",
        "R1": "accepted",
        "E3": "refused",
        "E4": "refused",
        "X1": "refused",
        "T8": "refused",
        "*": "skipped",
    }
    first = ledger.trace("a-E1")
    assert [link.party for link in first.chains[0]] == ["gazette", "a:the-board"]
    assert (first.chains[0][1].words, first.chains[0][1].cue) == ("the board", "said")
    second = ledger.trace("a-E2")
    assert second.claimant == ()
    assert second.quotation.ranges == ((44, 53), (65, 80))
    assert second.relations == ("disputes a-E1",)
    assert last(ledger).note == "read twice"


@pytest.mark.parametrize(
    "lines, told, claimant",
    [
        ("T2\tSource 0 8\tThe weir\n", "T2: T2 stands twice", "a:the-board"),
        ("E1\tAttribution:T1 Content:T1\n", "E1: E1 stands twice", "a:the-board"),
        ("A9\tAct E9 deny\n", "A9: A9 names 'E9', which is not there", "a:the-board"),
        ("N9\tReference T9 Party:board\n", "N9: N9 names 'T9'", "a:the-board"),
        ("#9\tAnnotatorNotes E9\tread twice\n", "#9: #9 names 'E9'", "a:the-board"),
        ("E2\tAttribution:T1 Content:T1 Source:T2 Source:T1\n", "E2: E2 has Source twice", None),
    ],
)
def test_a_line_that_would_replace_another_or_is_about_none_is_refused(
    ledger, marked, lines, told, claimant
):
    (marked / "a.ann").write_text(
        "T1\tContent 0 16\tThe weir is shut\n"
        "T2\tSource 18 27\tthe board\n"
        "E1\tAttribution:T1 Content:T1 Source:T2\n" + lines,
        encoding="utf-8",
    )
    account = import_file(ledger, marked, mapping=GAZETTE)
    (one,) = account.refusals
    assert f"{one.at.rpartition(' ')[2]}: {one.reason}".startswith(told)
    assert claimant in (None, *ledger.trace("a-E1").claimant)


@pytest.mark.parametrize(
    "named, why",
    [
        ("T8", "which was refused. Mend it first."),
        ("T9", "which is not there. Write it, or name another."),
        ("E1", "which marks no words. Name one that does, such as T1."),
    ],
)
def test_what_names_an_annotation_that_is_of_no_use_is_told_why(ledger, marked, named, why):
    (marked / "a.ann").write_text(
        "T1\tContent 0 16\tThe weir is shut\n"
        "T8\tContent 0 99999\n"
        "E1\tNote Content:T1\n"
        f"E2\tAttribution:T1 Content:{named}\n",
        encoding="utf-8",
    )
    told = import_file(ledger, marked, mapping=GAZETTE).refusals[-1].reason
    assert told == f"E2 names '{named}', {why}"


@pytest.mark.parametrize(
    "refers", ["", "N1\tReference T1 Prop:shut\tshut\n", "N1\tReference T3 Prop:shut\tshut\n"]
)
def test_the_contents_of_an_attribution_are_one_proposition(ledger, marked, refers):
    ledger.register(Proposition("shut", text="The weir is shut"))
    (marked / "a.ann").write_text(
        "T1\tContent 0 8\tThe weir\nT3\tContent 9 16\tis shut\nT2\tSource 18 27\tthe board\n"
        f"E1\tAttribution:T2 Content:T3 Content2:T1 Source:T2\n{refers}",
        encoding="utf-8",
    )
    import_file(ledger, marked, mapping=GAZETTE)
    found = ledger.trace("a-E1")
    assert found.quotation.exact == found.text == "The weir is shut"
    assert found.proposition == ("shut" if refers else "a-E1")


def test_an_unnamed_source_is_merged_once_it_is_known(ledger, marked):
    import_file(ledger, marked, mapping=GAZETTE)
    ledger.merge("board", "a:the-board", reason="the article means the water board")
    assert ledger.position("board", "a-E1").status == "held"


def test_sources_are_found_by_their_words_where_the_mapping_knows_them(ledger, marked):
    ledger.register(Proposition("shut", text="The weir is shut"))
    known = {"parties": {"the board": "board"}, "propositions": {"The weir is shut": "shut"}}
    import_file(ledger, marked, mapping={**GAZETTE, **known})
    assert ledger.position("board", "shut").status == "held"


def test_a_mapping_with_a_slip_is_refused_with_its_path_and_what_was_meant(ledger, marked):
    path = marked / "map.toml"
    path.write_text('[documnt]\npublisher = "gazette"\nnested = "yes"\n')
    with pytest.raises(Exception, match=r"no 'documnt' here. Did you mean .*'document'"):
        import_file(ledger, marked, mapping=path)
    path.write_text('nested = "yes"\n')
    with pytest.raises(Exception, match=r"nested"):
        import_file(ledger, marked, mapping=path)


def test_an_attribution_inside_another_has_its_chain_behind_that_ones(ledger, marked):
    (marked / "a.ann").write_text(
        "T1\tContent 0 16\tThe weir is shut\n"
        "T2\tSource 18 27\tthe board\n"
        "T3\tContent 9 16\tis shut\n"
        "T4\tSource 0 8\tThe weir\n"
        "E1\tAttribution:T1 Content:T1 Source:T2\n"
        "E2\tAttribution:T3 Content:T3 Source:T4\n",
        encoding="utf-8",
    )
    import_file(ledger, marked, mapping={**GAZETTE, "nested": True})
    chain = ledger.trace("a-E2").chains[0]
    assert [link.party for link in chain] == ["gazette", "a:the-board", "a:the-weir"]


def test_a_party_that_was_struck_out_does_not_come_back_where_it_is_only_named(tmp_path):
    path = tmp_path / "review.json"
    claim = {"@type": "Claim", "@id": "urn:c1", "about": {"@id": "urn:p"}, "ledger:uttered": "2022"}
    graph = [
        {"@id": "https://example.org/mill", "@type": "Organization", "name": "Mill"},
        {"@id": "urn:p", "@type": "Thing", "description": "The weir is shut"},
        claim | {"author": [{"@id": "https://example.org/mill"}]},
    ]
    path.write_text(json.dumps({"@context": "https://schema.org", "@graph": graph}))
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path)
        for id_ in ("urn:c1", "https://example.org/mill"):
            ledger.amend(id_, strike_out=True, reason="not so")
        size = ledger.as_of().basis
        account = import_file(ledger, path)
        assert (account.refused, account.skipped, ledger.as_of().basis) == (0, 3, size)
