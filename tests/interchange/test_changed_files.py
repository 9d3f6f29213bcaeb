"""Foreign files that say another thing the second time: nothing is put on what was said before."""

from __future__ import annotations

import gzip
import json

import pytest

from ledger import Document, Ledger, Party
from ledger.errors import InvalidImport
from ledger.interchange import Outcome, import_file

ANNO = "http://www.w3.org/ns/anno.jsonld"
SHUT = "The weir is shut, the board said. The dam is open, the board said."
MARKS = (
    "T1\tContent 0 16\tThe weir is shut\nT2\tSource 18 27\tthe board\nT3\tCue 28 32\tsaid\n"
    "T4\tContent 34 49\tThe dam is open\nT5\tSource 51 60\tthe board\nT6\tCue 61 65\tsaid\n"
)
FIRST = "E1\tAttribution:T3 Source:T2 Cue:T3 Content:T1\n"
OTHER = "E1\tAttribution:T6 Source:T5 Cue:T6 Content:T4\n"
TOLD = {"document": {"publisher": "gaz", "published": "2024-03-14"}}


@pytest.fixture
def ledger():
    with Ledger.open(":memory:") as opened:
        opened.register(Party("gaz", name="Gazette"))
        yield opened


def claims(ledger):
    """What was said, in the words of the propositions."""
    words = {one.id: one.text for one in ledger.as_of().propositions()}
    return [(one.id, words[one.proposition]) for one in ledger.as_of().claims()]


def test_a_mark_with_an_old_id_is_not_put_on_the_old_words(ledger, tmp_path):
    (tmp_path / "weir.txt").write_text(SHUT)
    file = tmp_path / "weir.ann"
    file.write_text(MARKS + OTHER)
    import_file(ledger, file, mapping=TOLD)
    ledger.amend("weir:the-board", reason="known now", name="Water Board")
    claim = next(one.id for one in ledger.events() if one.type == "claim_recorded")
    ledger.amend(claim, strike_out=True, reason="wrongly marked")
    file.write_text(MARKS + FIRST)
    account = import_file(ledger, file, mapping=TOLD)
    (refusal,) = account.refusals
    assert "'weir-E1' is in the ledger as 'The dam is open'" in refusal.reason
    assert "the file says 'The weir is shut'" in refusal.reason
    assert claims(ledger) == []
    words = next(one.id for one in ledger.events() if one.type == "proposition_defined")
    ledger.amend(words, strike_out=True, reason="wrongly marked")
    assert import_file(ledger, file, mapping=TOLD).refused == 0
    assert claims(ledger) == [("weir-E1", "The weir is shut")]


def test_annotations_of_a_text_that_has_anothers_id_are_refused_with_it(ledger, tmp_path):
    for folder, event in (("june", "E1"), ("may", "E2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "01.txt").write_text(SHUT + f" It was {folder}.")
        marks = MARKS + FIRST.replace("E1", event) + OTHER.replace("E1", event + "0")
        relation = f"R1\tsupports Arg1:{event} Arg2:{event}0\n"
        (tmp_path / folder / "01.ann").write_text(marks + relation)
    account = import_file(ledger, tmp_path, mapping=TOLD)
    assert (account.accepted, account.refused) == (4, 4)
    assert [one.at for one in account.refusals] == [
        f"may/01.ann: {one}" for one in ("01.txt", "E2", "E20", "R1")
    ]
    assert "is in the ledger with another text than '01.txt'" in account.refusals[1].reason
    told = {**TOLD, "documents": {"may/01": {"id": "may-01"}}}
    account = import_file(ledger, tmp_path, mapping=told)
    assert (account.accepted, account.refused, account.skipped) == (4, 0, 4)
    documents = {one.id: one.document for one in ledger.as_of().claims()}
    assert documents["may-01-E2"] == "may-01"
    assert documents["01-E1"] == "01"


def test_a_folder_without_annotations_is_told(ledger, tmp_path):
    (tmp_path / "weir.txt").write_text(SHUT)
    with pytest.raises(InvalidImport, match=r"holds no file that ends in \.ann"):
        import_file(ledger, tmp_path)


def web_annotation(words):
    body = {"type": "Claim", "id": "urn:c:1", "text": words, "author": {"name": "Gazette"}}
    return {"@context": ANNO, "id": f"urn:{words}", "type": "Annotation", "body": body}


def schema_claim(words):
    return {
        "@context": "https://schema.org",
        "@type": "Claim",
        "@id": "https://x.example/1",
        "text": words,
        "author": "gaz",
    }


def review(words):
    item = {"@type": "Claim", "@id": "https://x.example/1", "author": "gaz"}
    rating = {"ratingValue": 1, "bestRating": 5}
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "@id": f"https://x.example/{len(words)}",
        "claimReviewed": words,
        "itemReviewed": item,
        "reviewRating": rating,
        "author": "gaz",
    }


def provenance(words):
    return {
        "prefix": {"ex": "http://x.example/"},
        "entity": {"ex:e": {"prov:value": words}},
        "agent": {"ex:a": {"prov:label": "Ann"}},
        "wasAttributedTo": {"ex:at": {"prov:entity": "ex:e", "prov:agent": "ex:a"}},
    }


@pytest.mark.parametrize("form", [web_annotation, schema_claim, provenance])
def test_words_that_changed_are_no_claim_on_the_old_ones(ledger, tmp_path, form):
    file = tmp_path / "said.json"
    target = {"target": {"source": "d1"}} if form is web_annotation else {}
    if target:
        (tmp_path / "d1.jsonl").write_text(
            json.dumps({"type": "document", "id": "d1", "publisher": "gaz", "text": SHUT})
        )
        import_file(ledger, tmp_path / "d1.jsonl")
    file.write_text(json.dumps(form("Crime rose") | target))
    assert import_file(ledger, file).refused == 0
    before = claims(ledger)
    file.write_text(json.dumps(form("Crime did not rise") | target))
    (refusal,) = import_file(ledger, file).refusals
    assert "is in the ledger as 'Crime rose'" in refusal.reason
    assert claims(ledger) == before


@pytest.mark.parametrize("own", [None, "Crime rose", "It is worse"])
def test_reviews_of_one_claim_in_other_words_are_of_those_words(ledger, tmp_path, own):
    file = tmp_path / "said.json"
    reviews = [review("Crime rose"), review("Crime did not rise")]
    for one in reviews:
        if own is not None:
            one["itemReviewed"]["text"] = own
    file.write_text(json.dumps(reviews))
    assert import_file(ledger, file).refused == 0
    words = dict(claims(ledger))
    assert words["https://x.example/1"] == (own or "Crime rose")
    assert [words[one["@id"]] for one in reviews] == ["Crime rose", "Crime did not rise"]
    (said,) = (one for one in ledger.as_of().propositions() if one.text == "Crime rose")
    expected = {None: 2, "Crime rose": 2, "It is worse": 1}[own]
    assert len(ledger.as_of().claims(proposition=said.id)) == expected
    assert import_file(ledger, file).accepted == 0


def test_words_that_were_amended_are_the_words(ledger, tmp_path):
    file = tmp_path / "said.json"
    file.write_text(json.dumps(provenance("Crime ros")))
    import_file(ledger, file)
    ledger.amend("http://x.example/e", reason="a slip", text="Crime rose")
    later = provenance("Crime rose")
    later["wasAttributedTo"] = {"ex:later": later["wasAttributedTo"]["ex:at"]}
    file.write_text(json.dumps(later))
    assert import_file(ledger, file).refused == 0
    del later["entity"]  # which says nothing of it
    later["wasAttributedTo"] = {"ex:last": later["wasAttributedTo"]["ex:later"]}
    file.write_text(json.dumps(later))
    assert import_file(ledger, file).refused == 0
    assert len(ledger.claims()) == 3


def test_a_text_with_other_line_ends_is_the_same_text(ledger, tmp_path):
    text = SHUT.replace("said. ", "said.\n")
    ledger.register(Document("weir", publisher="gaz", text=text))
    (tmp_path / "weir.txt").write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    (tmp_path / "weir.ann").write_text(
        "T1\tContent 1 17\tThe weir is shut\nT2\tSource 19 28\tthe board\n"
        "E1\tAttribution:T2 Source:T2 Content:T1\n"
    )
    (told,) = import_file(ledger, tmp_path / "weir.ann").refusals
    assert "another text" not in told.reason  # the quotation is looked for where the file says
    (tmp_path / "weir.txt").write_bytes(text.replace("\n", "\r\n").encode())
    (tmp_path / "weir.ann").write_text(MARKS.partition("T4")[0] + FIRST)
    assert import_file(ledger, tmp_path / "weir.ann").refused == 0


def test_a_party_that_is_taken_for_another_is_told(ledger, tmp_path):
    ledger.register(Party("act", name="Audit Commission Trust"))
    file = tmp_path / "said.json"
    claims_ = [
        schema_claim(f"It is {n}")
        | {"@id": f"https://x.example/{n}", "author": {"@type": kind, "name": name}}
        for n, (kind, name) in enumerate(
            [("Organization", "ACT!"), ("Person", "Ann Lee"), ("Organization", "Ann-Lee")]
        )
    ]
    file.write_text(json.dumps(claims_))
    told: list[Outcome] = []
    import_file(ledger, file, tell=told.append)
    warned = [[w for w in one.warnings if "is taken for the party" in w] for one in told]
    assert [len(one) for one in warned] == [1, 0, 1]
    assert "'ACT!' (organisation) is taken for the party 'act'" in warned[0][0]


PACKED = {
    "popolo": b'{"persons": [{"id": "a", "name": "A"}]}',
    "annotations": json.dumps(web_annotation("x")).encode(),
    "schemaorg": json.dumps(schema_claim("x")).encode(),
    "prov": json.dumps(provenance("x")).encode(),
    "jsonl": b'{"type": "party", "id": "a", "name": "A"}\n',
    "csv": b"type,id,name\nparty,a,A\n",
    "actors": b"ARM_ [ARM]\n",
}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("format_", PACKED)
def test_a_damaged_packing_is_told_whatever_the_format(tmp_path, format_, named):
    ends = {"jsonl": ".jsonl", "csv": ".csv", "actors": ".actors.txt"}
    file = tmp_path / f"file{ends.get(format_, '.json')}.gz"
    whole = gzip.compress(PACKED[format_] + b" " * 9_000)
    for damaged in (whole[:-12], whole[:-4], whole[:5], whole[:-8] + bytes(8)):
        file.write_bytes(damaged)
        with Ledger.open(":memory:") as ledger:
            try:
                account = import_file(ledger, file, format=format_ if named else None)
                told = " ".join(one.reason for one in account.refusals)
            except InvalidImport as error:
                told = error.message
            assert "gzip packing" in told
            assert "undamaged copy" in told
