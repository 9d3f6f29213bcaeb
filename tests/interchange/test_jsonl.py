from __future__ import annotations

import base64
import datetime as dt
import io
import json

import pytest

from ledger import Ledger, LedgerError
from ledger.appending import Appender
from ledger.errors import Invalid, StoreError
from ledger.interchange import import_file
from tests.interchange.conftest import GOOD

LATER = {"type": "party", "id": "later", "name": "Later party"}


def test_all_types_of_line_are_recorded(importing, claim):
    told = importing(
        {"type": "topic", "id": "dam", "label": "The dam"},
        {"type": "proposition", "id": "full", "text": "The dam is full", "topic": "dam"},
        {"type": "occurrence", "id": "flood", "label": "Flood", "propositions": ["safe", "full"]},
        {"type": "name", "party": "board", "name": "Dam house", "metonym": True, "from": "1990"},
        {"type": "party", "id": "county", "name": "County", "kind": "state"},
        {"type": "membership", "member": "board", "organisation": "county", "until": "2030"},
        claim,
        {**claim, "id": "c2", "proposition": "full", "uttered": "2024-03-05"},
        {"type": "relation", "from": "c2", "relation": "elaborates", "to": "c1", "note": "why"},
        {"type": "withdrawal", "claim": ["c1"], "uttered": "2024-03-09", "claimant": "board"},
        {"type": "party", "id": "board2", "name": "Board of water"},
        {"type": "merge", "into": "board", "from": "board2", "reason": "one body"},
    )
    assert [str(one) for one in told if one.verdict != "accepted" or one.warnings] == []
    assert importing.types()[-1] == "parties_merged"
    assert importing.ledger.position("board", "safe").status == "withdrawn"
    assert importing.ledger.position("county", "full").stance == "supports"
    assert importing.ledger.as_of().resolve("Dam house", on="2024-01-01") == "board"


def test_all_fields_of_a_claim_arrive(importing):
    told = importing(
        {
            "type": "claim",
            "id": "c1",
            "chain": [
                {"agent": "gazette", "edge": "reports", "cue": "said"},
                {"agent": "board", "edge": "says", "role": "body", "words": "water board"},
            ],
            "act": "assert",
            "stance": "supports",
            "proposition": "safe",
            "uttered": "[2024-03-01..2024-03-05]",
            "about": "2024",
            "expires": "2025-01-01",
            "document": "d1",
            "quote": {"exact": ["the dam", "safe"], "mode": "indirect"},
            "utterance": "u1",
            "factuality": "probable",
            "capacity": "personal",
            "conditions": "no rain",
            "addressees": ["gazette"],
            "mentions": ["gazette"],
            "language": "en",
            "basis": "the date of the paper",
            "note": "two\nlines",
            "extra": {"colour": "red"},
        },
    )
    assert [one.verdict for one in told] == ["accepted"]
    event = [one.event for one in importing.ledger.events()][-1]
    assert event.quote.ranges == ((21, 28), (32, 36))
    assert event.chains[0][1].role == "body"
    assert len(event.link_words) == 2
    assert event.extra == {"colour": "red"}
    assert (event.factuality, event.capacity, event.conditions) == (
        "probable",
        "personal",
        "no rain",
    )
    assert (str(event.about), str(event.expires), event.language) == ("2024", "2025-01-01", "en")
    assert (event.basis, event.note) == ("the date of the paper", "two\nlines")
    assert (event.utterance_key, len(event.addressees), len(event.mentions)) == ("u1", 1, 1)


def test_who_reports_a_claim_is_warned_of_where_it_has_to_be_guessed(importing, claim):
    del claim["via"], claim["quote"]
    own = {**claim, "id": "c2", "claimant": "gazette"}
    nowhere = {key: value for key, value in claim.items() if key != "document"} | {"id": "c3"}
    undated = {key: value for key, value in nowhere.items() if key != "uttered"} | {"id": "c4"}
    told = importing(claim, own, nowhere, undated)
    assert [one.warnings for one in told] == [
        ("no via: the publisher of the document, 'gazette', is taken to report it",),
        (),
        ("neither via nor document: nobody is named who reports it",),
        (
            "neither via nor document: nobody is named who reports it",
            "no uttered: at any time, the day it was recorded at the latest",
        ),
    ]


def test_a_quotation_that_nobody_could_check_is_warned_of(importing, claim):
    page = {"type": "document", "id": "page", "publisher": "gazette", "text": "All is well."}
    unchecked = {**claim, "document": "page", "quote": "is well"}
    _, told, bare = importing(
        {**page, "keep_text": False},
        unchecked,
        {**{key: value for key, value in unchecked.items() if key != "quote"}, "id": "c2"},
    )
    assert told.warnings == ("the quotation is unchecked: the text of 'page' is not stored",)
    assert bare.warnings == ()


def test_lists_of_chains_are_alternatives(importing, claim):
    del claim["claimant"], claim["via"]
    chains = [[{"agent": "board", "edge": "says"}], [{"agent": "gazette", "edge": "says"}]]
    (told,) = importing({**claim, "chain": chains})
    assert told.warnings == (
        "2 claimants are alternatives: the claim is possible for each of them",
    )


def test_a_line_without_an_id_is_found_again_by_its_content(importing, claim):
    del claim["id"]
    assert [one.verdict for one in importing(claim, claim)] == ["accepted", "skipped"]
    assert [one.verdict for one in importing.again()] == ["skipped", "skipped"]
    assert [one.verdict for one in importing({**claim, "note": "another"})] == ["accepted"]


def test_a_withdrawal_without_claimant_is_its_claimants_own(importing, claim):
    _, told = importing(claim, {"type": "withdrawal", "claim": "c1", "uttered": "2024-03-09"})
    assert told.warnings == ("no claimant: taken back by whoever made the claim",)
    assert importing.ledger.position("board", "safe").status == "withdrawn"
    assert [one.verdict for one in importing.again()] == ["skipped", "skipped"]


def test_a_period_may_be_written_closed(importing):
    importing(
        {"type": "name", "party": "board", "name": "Old", "until": "1999-12-31", "bounds": "closed"}
    )
    view = importing.ledger.as_of()
    assert view.resolve("Old", on="1999-12-31") == "board"
    with pytest.raises(LedgerError):
        view.resolve("Old", on="2000-01-01")


def test_a_name_with_a_period_may_stand_inside_its_party(importing):
    party = {"type": "party", "id": "az", "name": "Azerbaijan", "kind": "state"}
    metonym = {"name": "Baku", "from": "1991-10-18"}
    (told,) = importing({**party, "metonyms": [metonym], "names": "Azerbaijan Republic"})
    assert told.verdict == "accepted"
    assert importing.ledger.as_of().resolve("Baku", on="2024-01-01") == "az"


@pytest.mark.parametrize(
    "change, field, words",
    [
        ({"claimant": 7}, "claimant", "a list of texts"),
        ({"claimant": ["board", None]}, "claimant[1]", "must be text"),
        ({"uttered": 20240304}, "uttered", "a date as text"),
        ({"via": {"a": 1}}, "via", "a list of texts"),
        ({"chain": "board"}, "chain", "a list of links"),
        ({"chain": [{"edge": "says"}]}, "chain[0].agent", "missing"),
        ({"chain": [{"agent": "board", "who": "x"}]}, "chain[0].who", "no field"),
        ({"chain": ["board"]}, "chain[0]", "an object"),
        ({"extra": []}, "extra", "an object"),
        ({"extra": {"score": 0.5}}, "extra.score", "write it as text"),
        ({"extra": {"größe": "1"}}, "extra", "rename"),
        ({"score": 0.5}, "extra.score", "write it as text"),
        ({"colour": "red", "extra": {"colour": "blue"}}, "colour", "once"),
        ({"confidence": True}, "confidence", "a number"),
        ({"act": None}, "act", "missing"),
        ({"stance": "neutral", "act": "deny"}, "stance", "opposes"),
        ({"quote": 7}, "quote", "quoted words"),
        ({"known_at": "2024"}, "known_at", "set by the ledger"),
        ({"mentions": ["bord"]}, "mentions[0]", "Did you mean 'board'"),
    ],
)
def test_a_field_of_the_wrong_shape_is_refused_by_its_path(importing, claim, change, field, words):
    (told,) = importing({**claim, **change})
    assert (told.verdict, told.field) == ("refused", field)
    assert words in told.reason
    assert "claim_recorded" not in importing.types()


@pytest.mark.parametrize(
    "line, field",
    [
        ({"type": "party", "id": "x", "name": "X", "colour": "red"}, "colour"),
        ({"type": "party", "id": "x", "name": "X", "metonyms": 7}, "metonyms"),
        (
            {"type": "party", "id": "x", "name": "X", "metonyms": [{"from": "1"}]},
            "metonyms[0].name",
        ),
        ({"type": "party", "id": "x", "name": "X", "part_of": "x"}, "part_of"),
        ({"type": "name", "party": "board", "name": "B", "metonym": "yes"}, "metonym"),
        ({"type": "name", "party": "board", "name": "B", "rank": 1.5}, "rank"),
        ({"type": "name", "party": "board", "name": "B", "bounds": "open"}, "bounds"),
        ({"type": "name", "party": "board", "name": "B", "until": "x"}, "until"),
        ({"type": "merge", "into": "board", "from": "gazzette"}, "from"),
        ({"type": "relation", "from": "c1", "relation": "elaborates", "to": "c1"}, "to"),
        (
            {"type": "document", "id": "x", "publisher": "gazette", "text": "x", "address": "x:y"},
            "address",
        ),
        (
            {
                "type": "document",
                "id": "x",
                "publisher": "gazette",
                "text": "x",
                "address": "http://a.example",
                "url": "http://b.example",
            },
            "address",
        ),
    ],
)
def test_refusals_use_the_field_names_of_the_file(importing, line, field):
    (told,) = importing(line)
    assert (told.verdict, told.field) == ("refused", field), told


def test_unknown_fields_of_a_claim_are_kept_under_extra_with_a_warning(importing, claim):
    (told,) = importing({**claim, "claimnt": "x", "confidence": 0.50})
    foreign, confidence = told.warnings
    assert "no field 'claimnt'; it was put under extra. Did you mean one of 'claimant'" in foreign
    assert confidence == 'confidence is kept as the text "0.5" under extra'
    event = [one.event for one in importing.ledger.events()][-1]
    assert event.extra == {"claimnt": "x", "confidence": "0.5"}


def test_names_are_held_against_those_in_the_ledger_before(importing):
    importing()
    (told,) = importing({"type": "party", "id": "x", "name": "WATER BOARD"})
    assert "easily taken for 'Water board', a name of 'board'" in told.warnings[0]


@pytest.mark.parametrize("since, warned", [("2001-01-01", 0), ("1999-01-01", 1)])
def test_a_name_that_passes_on_is_no_warning(importing, since, warned):
    first = {"type": "name", "party": "board", "name": "The Weir", "until": "2000-01-01"}
    later = {"type": "name", "party": "gazette", "name": "The Weir", "from": since}
    told = importing(first, later)
    assert [one.verdict for one in told] == ["accepted", "accepted"]
    assert [len(one.warnings) for one in told] == [0, warned]


def test_a_warning_is_given_once_though_a_batch_is_tried_again(importing):
    told = importing({"type": "party", "id": "x", "name": "GAZETTE"}, {"type": "party"}, LATER)
    assert [len(one.warnings) for one in told] == [1, 0, 0]
    assert [one.verdict for one in told] == ["accepted", "refused", "accepted"]


def test_many_good_lines_and_few_bad_ones_are_few_appends(importing, claim, monkeypatch):
    appends = []
    original = Appender.append

    def counted(self, entry):
        appends.append(1)
        return original(self, entry)

    monkeypatch.setattr(Appender, "append", counted)
    lines = [{**claim, "id": f"c{number}"} for number in range(700)]
    lines[100] = {**lines[100], "claimant": "nobody"}
    told = importing(*lines)
    assert [one.verdict for one in told].count("accepted") == 699
    assert len(appends) <= 8


def test_a_party_from_further_down_needs_a_second_run(importing, claim):
    told = importing({**claim, "claimant": "later"}, LATER)
    assert [one.verdict for one in told] == ["refused", "accepted"]
    assert "import the file once more; if in another file, import that one" in told[0].reason
    assert [one.verdict for one in importing.again()] == ["accepted", "skipped"]


def test_a_dry_run_tells_all_and_records_nothing(importing, claim):
    told = importing(claim, {"type": "withdrawal", "claim": "c1", "uttered": "2999"}, dry_run=True)
    assert [one.verdict for one in told] == ["accepted", "refused"]
    assert importing.types() == []
    assert not importing.account.stored
    assert str(importing.account).endswith("nothing was recorded")


def test_all_or_nothing_records_nothing_if_a_line_is_refused(importing, claim):
    importing(claim, "{}\n", all_or_nothing=True)
    assert importing.types() == []
    importing(claim, all_or_nothing=True)
    assert len(importing.types()) == 5
    assert importing.account.stored


@pytest.mark.parametrize("options", [{}, {"dry_run": True}, {"all_or_nothing": True}])
def test_each_engine_imports_and_undoes(database, tmp_path, options):
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(LATER) + "\n{}\n")
    with Ledger.open(database) as ledger:
        account = import_file(ledger, file, **options)
        assert (account.accepted, account.refused) == (1, 1)
        assert ledger.checkpoint().size == (0 if options else 1)
        ledger.register_all([])
        ledger.verify()


def test_an_import_into_a_hosts_connection_is_not_committed(ledger, tmp_path):
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(LATER))
    with ledger._folded.bind.connect() as conn:
        inside = Ledger(conn)
        import_file(inside, file)
        assert inside.checkpoint().size == 1
        conn.rollback()
    assert ledger.checkpoint().size == 0


def test_the_report_gives_back_an_overlong_line_in_full(ledger, tmp_path):
    file, report = tmp_path / "long.jsonl", io.BytesIO()
    long = b'{"type": "party", "name": "' + b"x" * 5_100_000 + b'"}\n'
    file.write_bytes(b"\n" + long + json.dumps(LATER).encode())
    account = import_file(ledger, file, report=report)
    assert (account.accepted, account.refused, account.skipped) == (1, 1, 1)
    (told,) = [json.loads(line) for line in report.getvalue().splitlines()]
    assert (told["file"], told["line"]) == ("long.jsonl", 2)
    assert base64.b64decode(told["raw"]) == long


def test_trouble_with_the_database_ends_the_run(importing, claim, monkeypatch):
    def fail(self, entry):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(Appender, "append", fail)
    with pytest.raises(StoreError):
        importing(claim)


def test_what_is_refused_only_as_a_whole_is_tried_in_halves(importing, claim, monkeypatch):
    original = Appender.append

    def seal(self, entry):
        def checked(intake):
            made = entry(intake)
            if any(getattr(new.event, "key", None) == "bad" for new in intake.new):
                raise LedgerErrorOfALine
            return made

        return original(self, checked)

    monkeypatch.setattr(Appender, "append", seal)
    told = importing(claim, {**claim, "id": "bad"}, {**claim, "id": "c3"})
    assert [one.verdict for one in told] == ["accepted", "refused", "accepted"]


LedgerErrorOfALine = Invalid("It cannot be sealed.")


def test_the_clock_and_the_recorder_of_the_ledger_are_used(tmp_path):
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(LATER))
    then = dt.datetime(2024, 5, 1, tzinfo=dt.UTC)
    with Ledger.open(":memory:", clock=lambda: then) as ledger:
        import_file(ledger, file, all_or_nothing=True)
        assert [one.recorded for one in ledger.log()] == [then]


def test_a_second_run_undoes_nothing_that_was_corrected_since(importing, ledger, claim):
    given = [
        {"type": "name", "party": "board", "name": "The bord"},
        {"type": "membership", "member": "board", "organisation": "gazette", "from": "2020"},
        {"type": "membership", "member": "gazette", "organisation": "board"},
        claim | {"id": "c3", "utterance": "u1"},
        claim,
        claim | {"id": "c2", "act": "deny", "uttered": "2024-03-05"},
        {"type": "relation", "from": "c2", "relation": "reverses", "to": "c1"},
        {"type": "withdrawal", "id": "w", "claim": "c2", "claimant": "board", "uttered": "2024-04"},
    ]
    assert [one.verdict for one in importing(*given)] == ["accepted"] * len(given)
    ids = {event.type: event.id for event in ledger.events()}
    named, *belongs = [
        one.id for one in ledger.events(types=["party_named", "membership_recorded"])
    ]
    ledger.amend(named, name="The board", reason="misspelt")
    ledger.amend(belongs[0], period="2020/2022", reason="it left")
    for id_ in (belongs[1], "c3", ids["claims_related"], "w"):
        ledger.amend(id_, strike_out=True, reason="not so")
    size = ledger.verify().size
    assert [one.verdict for one in importing.again()] == ["skipped"] * len(given)
    assert ledger.verify().size == size
    told = [one.warnings for one in importing.told[len(GOOD) :]]
    assert [bool(one) for one in told] == [False, False, True, True, False, False, True, True]
    assert "was struck out since and stays so" in told[3][0]
    assert [one.verdict for one in importing.again(bring_back=True)] == [
        *("accepted",) * 4,
        *("skipped",) * 2,
        *("accepted",) * 2,
    ]


def test_what_names_what_was_struck_out_is_passed_over_and_told(importing, ledger, claim):
    relation = {"type": "relation", "from": "c2", "relation": "reverses", "to": "c1"}
    given = [claim, claim | {"id": "c2", "act": "deny", "uttered": "2024-03-05"}, relation]
    importing(*given)
    (related,) = (one.id for one in ledger.events(types="claims_related"))
    for id_ in (related, "c1"):
        ledger.amend(id_, strike_out=True, reason="not so")
    told = importing.again()
    assert [one.verdict for one in told] == ["skipped"] * 3
    assert "it names 'c1', which was struck out since" in told[2].warnings[0]
    assert importing.account.refused == 0
    assert [one.verdict for one in importing.again(bring_back=True)] == [
        "accepted",
        "skipped",
        "accepted",
    ]


def test_a_relation_that_orders_nothing_is_entered_once_along_with_its_claims(
    importing, ledger, claim
):
    relation = {"type": "relation", "from": "c2", "relation": "supports", "to": "c1"}
    missing = relation | {"to": "c9"}
    given = [claim, claim | {"id": "c2", "uttered": "2024-03-05"}, relation, missing, relation]
    told = importing(*given, relation | {"note": "why"})
    verdicts = [one.verdict for one in told]
    assert verdicts == ["accepted", "accepted", "accepted", "refused", "skipped", "accepted"]
    assert len([*ledger.events(types="claims_related")]) == 2
    instants = [one.recorded for one in ledger.events()]
    assert instants[-2] == instants[-3]  # the first relation came in one append with its claims
