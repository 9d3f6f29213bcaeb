from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from ledger import Ledger, Party

ENTERED = {"id", "ledger_id", "recorded", "sequences", "size", "stored", "version"}


@pytest.fixture
def ledger(claims):
    assert claims("init").status == 0


def test_init_creates_a_ledger_and_finds_it_ready_the_next_time(good, tmp_path):
    assert good("init", "other.db").out == "other.db is ready (0 events)\n"
    assert good("init", "--db", "other.db", "--json").json == {"events": 0}
    assert (tmp_path / "other.db").exists()


def test_a_name_that_changed_hands_while_the_words_may_have_been_said_is_refused(good, refused):
    good("init")
    good("proposition", "add", "open", "--text", "The road is open")
    good("party", "add", "old", "--name", "Old state")
    good("party", "add", "new", "--name", "New state")
    good("name", "old", "Baku", "--metonym", "--until", "1991-08-30")
    good("name", "new", "Baku", "--metonym", "--since", "1991-08-30")
    said = ("record", "--claimant", "Baku", "--act", "assert", "--proposition", "open")
    sentence = refused(*said, "--uttered", "1991")
    assert "denotes several parties between 1991-01-01 and 1991-12-31: new, old" in sentence
    good(*said, "--uttered", "1991-09", "--id", "c1")
    good(*said, "--uttered", "[1991-01..1991-08-29]", "--id", "c2")
    assert [one["claimant"] for one in good("claims", "--json").json["rows"]] == [["old"], ["new"]]


def test_a_name_that_was_anothers_in_between_is_refused(good, refused):
    good("init")
    good("proposition", "add", "open", "--text", "The road is open")
    good("party", "add", "old", "--name", "Old state")
    good("party", "add", "new", "--name", "New state")
    good("name", "old", "Baku", "--metonym", "--until", "1991-03-01")
    good("name", "new", "Baku", "--metonym", "--since", "1991-03-01", "--until", "1991-04-01")
    good("name", "old", "Baku", "--metonym", "--since", "1991-04-01")
    said = ("record", "--claimant", "Baku", "--act", "assert", "--proposition", "open")
    sentence = refused(*said, "--uttered", "1991")
    assert "denotes several parties between 1991-01-01 and 1991-12-31: new, old" in sentence
    good(*said, "--uttered", "[1991-05..1991-06]", "--id", "c1")


def test_a_small_ledger_can_be_entered_by_commands_alone(good, ledger, tmp_path):
    words = "Baku said the road is open; the ministry said it is blocked."
    (tmp_path / "words.txt").write_bytes(words.encode())
    good("party", "add", "az", "--name", "Azerbaijan", "--kind", "state")
    good("name", "az", "Baku", "--metonym", "--since", "1991-10-18")
    good("party", "add", "gazette", "--name", "Gazette", "--kind", "publisher")
    good("party", "add", "ministry", "--name", "The ministry", "--metonym", "Ministry row")
    good("party", "add", "state", "--name", "The state", "--kind", "state")
    good("member", "Ministry row", "The state", "--role", "ministry", "--since", "2000")
    good("party", "add", "both", "--name", "Both", "--kind", "joint", "--member", "Azerbaijan")
    good("topic", "add", "roads", "--label", "Roads")
    good("topic", "add", "road", "--label", "The road", "--part-of", "roads")
    good("proposition", "add", "open", "--text", "The road is open", "--topic", "road")
    good("proposition", "add", "pass", "--text", "Let them pass", "--kind", "aim")
    good("occurrence", "add", "stop", "--label", "The stop", "--proposition", "open")
    good(
        *("document", "add", "d1", "--publisher", "Gazette", "--published", "2024-03-05"),
        *("--text-file", "words.txt", "--title", "News", "--url", "https://example.org/1"),
    )
    told = good(
        *("record", "--claimant", "Baku", "--act", "assert", "--proposition", "open"),
        *("--uttered", "2024-03-04", "--document", "d1", "--quote", "the road is open"),
        *("--range", "10-26", "--mode", "indirect", "--via", "Gazette", "--id", "c1"),
        *("--about", "2024-03", "--utterance", "u1", "--factuality", "probable"),
        *("--capacity", "official", "--expires", "2025-01-01", "--conditions", "if dry"),
        *("--note", "a note"),
    )
    assert told.out.startswith("c1 (stored at #")
    told = good(
        *("record", "--claimant", "ministry", "--claimant", "Azerbaijan", "--act", "deny"),
        *("--proposition", "open", "--on-behalf-of", "The state", "--id", "c2", "--json"),
    )
    assert told.json.keys() == ENTERED
    good("relate", "c2", "disputes", "c1", "--note", "why")
    with Ledger(tmp_path / "claims.db") as kept:
        trace = kept.trace("c1")
        assert trace.claimant == ("az",)
        assert trace.quotation is not None
        assert trace.quotation.ranges == ((10, 26),)
        assert trace.quotation.mode == "indirect"
        event = kept.as_of().claims().rows[0]
        assert (event.utterance, event.factuality, str(event.about)) == (
            "u1",
            "probable",
            "2024-03",
        )
        assert kept.trace("c2").claimant == ("ministry", "az")
        assert next(one.recorder.tool for one in kept.events()) == "claims"


def test_the_same_again_is_no_news(good, ledger):
    party = ("party", "add", "az", "--name", "Azerbaijan", "--kind", "state")
    assert good(*party).out == "az (stored at #0)\n"
    assert good(*party).out == "az (already stored at #0)\n"


def test_a_document_may_come_by_its_digest_and_be_quoted_from_a_file(
    good, refused, claims, ledger, tmp_path
):
    (tmp_path / "d.txt").write_bytes(b"one two\r\n")
    good("party", "add", "g", "--name", "G")
    good("proposition", "add", "p", "--text", "P")
    digest = hashlib.sha256(b"one two\r\n").hexdigest()
    good("document", "add", "d", "--publisher", "g", "--sha256", digest, "--length", "9")
    claim = ("record", "--act", "assert", "--proposition", "p", "--document", "d", "--quote")
    good(*claim, "two", "--document-text", "d.txt")
    assert "does not occur" in refused(*claim, "three", "--document-text", "d.txt")
    assert "cannot be read" in refused(*claim, "two", "--document-text", "missing.txt")
    unchecked = (
        "warning: the quotation is unchecked: the text of 'd' is not stored. "
        "Type: claims check-quotes d --text-file FILE\n"
    )
    taken = ("withdraw", "c3", "--claimant", "g", "--document", "d", "--quote", "four")
    for line in ((*claim, "three", "--claimant", "g", "--id", "c3"), taken):
        told = claims(*line)
        assert (told.status, told.err) == (0, unchecked)
    (tmp_path / "d.txt").write_bytes(b"caf\xe9")
    assert "not UTF-8 at byte 3" in refused(*claim, "two", "--document-text", "d.txt")


def test_a_text_may_be_forgotten(good, ledger, tmp_path):
    good("party", "add", "g", "--name", "G")
    good("document", "add", "d", "--publisher", "g", "--text", "secret", "--forget-text")
    assert b"secret" not in (tmp_path / "claims.db").read_bytes()


def test_a_withdrawal_ends_a_position(good, filled):
    good("withdraw", "c1", "--claimant", "Water board", "--uttered", "2024-03-09", "--id", "w1")
    told = good("position", "board", "safe").out
    assert told.startswith("Water board took back the last word on “The dam is safe”")


def test_a_correction_of_the_publisher_changes_a_claim(good, filled):
    good("document", "add", "d2", "--publisher", "gazette", "--published", "2024-03-06",
         "--text", "Correction")  # fmt: skip
    good("correct", "c1", "--document", "d2", "--set", "uttered=2024-03-02", "--note", "they erred")
    assert "2024-03-02" in good("trace", "c1").out
    good("correct", "c2", "--document", "d2", "--never-said")
    assert "c2" not in good("claims").out


def test_an_amendment_sets_fields_by_text_json_and_names(good, filled):
    good("amend", "c2", "--reason", "nobody reports it", "--set", "via:=null")
    changes = ("claimant=County", 'via:=["Gazette"]', "note:=null", "factuality=possible")
    sets = [part for one in changes for part in ("--set", one)]
    good("amend", "c1", "--reason", "slip of the pen", *sets)
    (row,) = good("claims", "--claimant", "County", "--json").json["rows"]
    assert (row["claimant"], row["factuality"]) == (["county"], "possible")
    good("amend", "c3", "--reason", "entered twice", "--strike-out")
    assert "c3" not in good("claims").out


@pytest.mark.parametrize(
    "change", ["stance", "=opposes", "a b=c", "stance=a --set stance=b", "via:=gazette"]
)
def test_a_change_that_sets_nothing_is_refused(refused, filled, change):
    sets = change.split(" --set ")
    command = ["amend", "c1", "--reason", "slip"]
    for one in sets:
        command += ["--set", one]
    assert "--set" in refused(*command)


def test_ways_to_undo_refuse_with_the_others_named(refused, filled):
    told = refused("withdraw", "c1", "--claimant", "gazette", "--uttered", "2024-03-09")
    assert "use claims correct" in told
    assert "claims amend" in told
    assert "claims withdraw C03" in refused("withdraw", "--claimant", "board")


def test_a_range_needs_words_and_two_numbers(refused, filled):
    claim = ("record", "--act", "assert", "--proposition", "safe", "--range")
    assert "--quote" in refused(*claim, "1-2")
    assert "START-END" in refused(*claim, "1:2", "--quote", "x")
    assert "START-END" in refused(*claim, "٣-٤", "--quote", "x")


def test_names_are_those_of_the_day_of_the_words(good, refused, filled):
    claim = ("record", "--act", "assert", "--proposition", "risk", "--claimant", "Dam house")
    good(*claim, "--uttered", "1999-05", "--id", "old")
    good(*claim, "--document", "d1", "--id", "in-d1")
    good(*claim, "--id", "today")
    claimants = {row["id"]: row["claimant"] for row in good("claims", "--json").json["rows"]}
    assert claimants["old"] == ["board"]
    assert claimants["in-d1"] == claimants["today"] == ["county"]


def test_an_ambiguous_name_is_refused_with_the_parties_it_denotes(refused, filled):
    claim = ("record", "--act", "assert", "--proposition", "safe", "--claimant")
    assert "board, office" in refused(*claim, "Keepers")
    assert "Did you mean one of 'Water board', 'board'?" in refused(*claim, "Waterboard")
    assert "board, office" in refused("position", "Keepers", "safe")
    assert "Water board" in refused("positions", "--party", "Waterbord")
    assert "Did you mean 'safe'" in refused("position", "board", "save")


def test_an_entry_behind_one_from_the_future_is_told_of(claims, tmp_path):
    future = dt.datetime(2199, 1, 1, tzinfo=dt.UTC)
    with Ledger.open(tmp_path / "claims.db", clock=lambda: future) as ledger:
        ledger.register(Party("board", name="Board"))
    told = claims("party", "add", "office", "--name", "Office")
    assert (told.status, told.out) == (0, "office (stored at #1)\n")
    assert told.err.startswith("warning: The last entry is dated 2199-01-01T00:00:00Z, and the ")
    assert claims("verify").out.splitlines()[1].startswith("The last entry is dated 2199-")
    assert claims("verify", "--json").json["clock"].startswith("20")
