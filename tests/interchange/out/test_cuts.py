"""What leaves is what the view shows: cut by what was said, by what was known, and by erasure."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
import pytest

from ledger import Claim, Ledger
from ledger.codec.entry import SLOTS
from ledger.errors import Invalid, InvalidView
from ledger.interchange import import_file
from ledger.interchange.out import jsonl, leaving, log
from ledger.interchange.out.arrow import frame
from ledger.interchange.out.columns import COLUMNS
from ledger.interchange.out.exporting import FORMATS, export
from ledger.interchange.out.tables import rows
from ledger.model import events as ev
from tests.interchange.out.conftest import NOON, fill

ACROSS = [name for name, one in FORMATS.items() if not one.of_log and name != "popolo"]
"""Formats that hold acts of saying."""


@pytest.mark.parametrize("name", ACROSS)
def test_what_was_said_later_does_not_leave(corridor, exported, name):
    now, before = corridor.as_of(), corridor.as_of(said="2023-01-18")
    later = ("taken-back", "zakharova-call", "moscow-call")
    assert any(one in exported(corridor, name, view=now) for one in later)
    text = exported(corridor, name, view=before) if name != "parquet" else tables(before)
    assert not any(one in text for one in later)
    if name != "cito":
        assert "lavrov-soon" in text


def tables(view):
    return json.dumps([list(rows(view, name)) for name in COLUMNS], default=str)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "parquet"])
def test_what_was_recorded_later_does_not_leave(full, exported, name):
    entries = {one.type: one.sequence for one in full.log()}
    before = full.as_of(known=entries["document_registered"])
    text = exported(full, name, view=before)
    for later in ("claimsentinel", "withdrawalsentinel", "relationsentinel", "amendmentsentinel"):
        assert later not in text


def test_an_earlier_wording_leaves_of_an_earlier_date(full):
    amended = next(one.sequence for one in full.log() if one.type == "record_amended")
    then = {one["id"]: one for one in jsonl.lines(full.as_of(known=amended - 1)) if "id" in one}
    now = {one["id"]: one for one in jsonl.lines(full.as_of()) if "id" in one}
    assert then["claimsentinel"]["conditions"] == "earlierwording"
    assert now["claimsentinel"]["conditions"] == "conditionsentinel"


def test_what_was_struck_out_does_not_leave(corridor, exported):
    corridor.amend("mod-blocked", strike_out=True, reason="never was")
    for name in ACROSS:
        if name != "parquet":
            assert "mod-blocked" not in exported(corridor, name)
    assert "mod-blocked" in exported(corridor, "log")


WHY: dict[str, Any] = {"reason": "asked for by the person", "authority": "privacy officer"}


@pytest.fixture(scope="module")
def scrubbed():
    """The full ledger, the name of p3, the claimant of one claim and the text of d1 erased."""
    with Ledger.open(":memory:", clock=lambda: NOON) as ledger:
        fill(ledger)
        party, other = ids_of(ledger, "p3", "other")
        ledger.erase("p3", slots=["who"], **WHY)
        ledger.erase("other", slots=["who", "what"], **WHY)
        ledger.erase("d1", **WHY)
        yield ledger, party, other


def ids_of(ledger, *keys):
    with ledger.as_of().facts() as facts:
        kinds = ("party", "claim", "document")
        return [next(i for kind in kinds if (i := facts.id_of(kind, key))) for key in keys]


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_erased_does_not_leave_and_what_hangs_on_it_does(scrubbed, exported, name):
    ledger, party, _ = scrubbed
    text = exported(ledger, name)
    for gone in ("Third", "Textsentinel", '"other"', "claim/other", "x-ledger:gone"):
        assert gone not in text
    if name not in ("popolo", "cito", "cloudevents", "log", "parquet"):
        assert "claimsentinel" in text
    if name in ("jsonl", "prov", "nanopub", "annotations", "schemaorg"):
        assert party in text  # the claim hangs together by the id that is left


def test_lines_with_a_nameless_party_are_imported_and_the_claim_is_its(scrubbed, tmp_path):
    ledger, party, _ = scrubbed
    file = tmp_path / "out.jsonl"
    with file.open("wb") as out:
        jsonl.write(ledger.as_of(), out)
    with Ledger.open(":memory:") as copy:
        account = import_file(copy, file)
        assert account.refused == 0
        assert copy.claims(claimant=party).ids
        (gone,) = [one for one in copy.as_of().parties() if one.id == party]
        assert (gone.name, gone.kind) == (party, "person")


def test_a_party_that_is_gone_altogether_leaves_as_an_id(tmp_path):
    with Ledger.open(":memory:", clock=lambda: NOON) as ledger:
        fill(ledger)
        (party,) = ids_of(ledger, "p3")
        ledger.erase("p3", slots=["who", "what"], **WHY)
        (gone,) = [one for one in leaving.leaving(ledger.as_of(), "party") if one.id == party]
    assert gone.gone
    assert gone.event == ev.PartyRegistered(key=party, name=party, kind=leaving.GONE)


def test_the_log_leaves_without_the_slots_that_are_gone(full):
    lines = list(log.lines(full.as_of()))
    assert lines[0]["size"] == len(lines) - 1
    assert {name for one in lines[1:] for name in one["slots"]} == set(SLOTS)


def test_a_file_stands_only_when_it_is_whole(corridor, tmp_path, monkeypatch):
    target = tmp_path / "claims.jsonl"
    target.write_text("what was there")

    def broken(_):
        yield {"type": "party"}
        raise RuntimeError("on the way")

    monkeypatch.setattr(jsonl, "lines", broken)
    with pytest.raises(RuntimeError):
        export(corridor.as_of(), "jsonl", target)
    assert target.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_holds_something_is_left_alone(corridor, tmp_path):
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(Invalid, match="not an empty folder"):
        export(corridor.as_of(), "parquet", tmp_path)
    with pytest.raises(Invalid, match="are a folder of files"):
        export(corridor.as_of(), "parquet", io.BytesIO())


@pytest.mark.parametrize("base", ["claims", "https://claims.example", "https://a b/", ""])
def test_a_base_that_is_none_is_refused(corridor, base):
    with pytest.raises(Invalid, match="no absolute address"):
        export(corridor.as_of(), "prov", io.BytesIO(), base=base)


def test_the_log_may_grow_while_a_view_leaves(corridor, monkeypatch):
    monkeypatch.setattr(leaving, "PAGE", 3)
    whole = list(jsonl.lines(corridor.as_of()))
    found = []
    for number, one in enumerate(jsonl.lines(corridor.as_of())):
        found.append(one)
        if number % 5 == 0:
            corridor.record_all(
                [Claim(id=f"more-{number}", claimant="az", act="assert", proposition="protest")]
            )
    assert found == whole


def test_lines_that_leave_are_valid_by_the_published_schema(corridor, full, request):
    file = request.config.rootpath / "docs" / "reference" / "jsonl.schema.json"
    if not file.exists():
        pytest.skip("needs docs/reference/jsonl.schema.json, which the importer publishes")
    schema = json.loads(file.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    for ledger in (corridor, full):
        for line in jsonl.lines(ledger.as_of()):
            validator.validate(line)
    assert not validator.is_valid({"type": "party", "id": 5, "name": "x"})


def test_a_ledger_is_not_exported_but_a_view_of_it(corridor, tmp_path):
    wrong: list[Any] = [corridor, "jsonl"]
    for given in wrong:
        with pytest.raises(InvalidView, match=r"is no view\. Write export\(ledger\.as_of\(\)"):
            export(given, "jsonl", tmp_path / "out.jsonl")
    with pytest.raises(InvalidView, match=r"Write ledger\.as_of\(\)"):
        frame(corridor, "claims")
