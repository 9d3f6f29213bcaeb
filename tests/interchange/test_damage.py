"""Whatever damage befalls a file: each importer tells it, ends, and half-writes nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Document, Ledger, Party, Proposition
from ledger.errors import InvalidImport
from ledger.interchange import FORMATS, Outcome, import_file
from tests.interchange.test_foreign import ANN, GAZETTE, PAGE, REVIEW, TEXT, annotation

VALID = {
    "jsonl": "\n".join(
        json.dumps(line)
        for line in (
            {"type": "party", "id": "p", "name": "Party", "metonyms": [{"name": "P", "from": "1"}]},
            {"type": "topic", "id": "t", "label": "Topic"},
            {
                "type": "claim",
                "id": "c",
                "claimant": ["board"],
                "act": "assert",
                "proposition": "shut",
                "document": "g1",
                "quote": {"ranges": [[9, 16]], "unit": "utf_16"},
            },
            {"type": "withdrawal", "claim": "c", "uttered": "2024-03-15"},
        )
    ),
    "csv": 'id,claimant,act,proposition,quote\nc1,board,assert,shut,"is ""shut"""\nc2,board,,,\n',
    "brat": ANN,
    "actors": "BAKU_ [AZE]\n+BACU_\n\t[USRAZE <911018] # c\n\t[AZE >911221]\nBARE_\n",
    "popolo": json.dumps(
        {
            "persons": [{"id": "x", "name": "X", "other_names": [{"name": "Y", "lang": "de"}]}],
            "organizations": [{"id": "o", "name": "O", "parent_id": "board"}],
            "memberships": [
                {"person_id": "x", "organization_id": "o", "end_date": "2020-01-01"},
                {"member_id": "o", "post_id": "post", "legislative_period_id": "term"},
            ],
            "events": [{"id": "term", "start_date": "2019-01-01"}],
            "posts": [{"id": "post", "organization_id": "o"}],
        }
    ),
    "prov": json.dumps(
        {
            "prefix": {"ex": "urn:ex:"},
            "entity": {"ex:e": {"prov:value": {"$": "It is so", "type": "xsd:string"}}},
            "wasAttributedTo": {"_:a": {"prov:entity": "ex:e", "prov:agent": "ex:a"}},
            "bundle": {"ex:b": {"hadMember": {"_:m": {"prov:entity": ["ex:e", "ex:f"]}}}},
        }
    ),
    "annotations": json.dumps(
        {"@context": "x", "items": [annotation(body="It is shut"), annotation(id="urn:a:2")]}
    ),
    "schemaorg": json.dumps({"@graph": [REVIEW, {"@type": "Claim", "text": "So", "author": "A"}]}),
}
ENDINGS = {"csv": ".csv", "brat": ".ann", "jsonl": ".jsonl"}
MAPPINGS = {"brat": GAZETTE, "annotations": {"documents": {PAGE: "g1"}}}
JUNK = [
    b"",
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\n",
    b"\t",
    b"null",
    b"-1",
]
JUNK += [b"1e999", b"9" * 40, b"true", b"\xed\xa0\x80", "\u202e".encode(), b"[" * 300, b'""', b"{}"]


def test_every_format_is_damaged():
    assert VALID.keys() == FORMATS.keys()


@pytest.fixture(scope="module")
def ledger():
    with Ledger.open(":memory:") as opened:
        gazette = Party("gazette", name="Gazette", kind="publisher")
        opened.register(Document("g1", publisher=gazette, text=TEXT, published="2024-03-14"))
        opened.register(Party("board", name="Water board"))
        opened.register(Proposition("shut", text="The weir is shut"))
        yield opened


@st.composite
def damaged(draw, valid):
    """A valid file with pieces cut out, put in, or moved, or cut off at its end."""
    raw = valid.encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        end = draw(st.integers(start, min(len(raw), start + 40)))
        put = draw(st.sampled_from(JUNK) | st.just(raw[start:end] * 2))
        raw = raw[:start] + put + raw[end:]
    return raw if draw(st.booleans()) else raw[: draw(st.integers(0, len(raw)))]


@pytest.mark.parametrize("format_", sorted(FORMATS))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_told_and_nothing_is_half_written(ledger, tmp_path, format_, data):
    path = tmp_path / f"file{ENDINGS.get(format_, '.json')}"
    path.write_bytes(data.draw(damaged(VALID[format_])))
    (tmp_path / "file.txt").write_bytes(TEXT.encode())
    size = ledger.checkpoint().size
    told: list[Outcome] = []
    try:
        account = import_file(
            ledger,
            path,
            format=format_,
            mapping=MAPPINGS.get(format_),
            dry_run=True,
            tell=told.append,
        )
    except InvalidImport:
        pass  # the file as a whole: an archive, another format
    else:
        assert account.accepted + account.refused + account.skipped == account.lines == len(told)
        assert all(one.reason for one in told if one.verdict != "accepted")
        assert not account.stored
    assert ledger.checkpoint().size == size


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_what_is_damaged_here_comes_in_when_it_is_whole(ledger, tmp_path, format_):
    path = tmp_path / f"file{ENDINGS.get(format_, '.json')}"
    path.write_text(VALID[format_], encoding="utf-8")
    (tmp_path / "file.txt").write_bytes(TEXT.encode())
    account = import_file(ledger, path, format=format_, mapping=MAPPINGS.get(format_), dry_run=True)
    assert account.accepted > 0


def replaced(value, junk):
    """The value with each of the values in it replaced in turn, and with itself replaced."""
    yield junk
    if not isinstance(value, dict | list):
        return
    for at, one in value.items() if isinstance(value, dict) else enumerate(value):
        for other in replaced(one, junk):
            whole = value.copy()
            whole[at] = other
            yield whole


@pytest.mark.parametrize("format_", ["annotations", "popolo", "prov", "schemaorg"])
def test_a_value_of_another_kind_is_told_wherever_it_stands(ledger, tmp_path, format_):
    path = tmp_path / "file.json"
    for junk in ([], ["x"], {"a": 1}, 5, True):
        for document in replaced(json.loads(VALID[format_]), junk):
            path.write_text(json.dumps(document), encoding="utf-8")
            mapping = MAPPINGS.get(format_)
            account = import_file(ledger, path, format=format_, mapping=mapping, dry_run=True)
            assert account.accepted + account.refused + account.skipped == account.lines


def test_a_value_of_another_kind_is_told_wherever_it_stands_in_a_line(ledger, tmp_path):
    path = tmp_path / "file.jsonl"
    quote: dict[str, object] = {
        "exact": "is shut",
        "prefix": "weir ",
        "suffix": ",",
        "mode": "direct",
    }
    quote |= {"renderings": [{"text": "ist zu", "language": "de", "original": True, "by": "desk"}]}
    line = {
        "type": "claim",
        "id": "c",
        "act": "assert",
        "proposition": "shut",
        "document": "g1",
        "quote": quote,
        "extra": {"a": 1},
        "via": ["board"],
        "stance": "opposes",
        "chain": [{"agent": "board", "edge": "says", "words": quote, "cue": "said"}],
    }
    for junk in ([], {}, ["x"], {"a": 1}, 5, 0, False):
        lines = [json.dumps(one) for one in replaced(line, junk)]
        path.write_text("\n".join(lines), encoding="utf-8")
        account = import_file(ledger, path, dry_run=True)
        assert account.accepted + account.refused + account.skipped == len(lines)
