from __future__ import annotations

import pytest


def test_a_position_is_printed_with_its_words(good, filled):
    assert good("position", "Water board", "safe").out == (
        "Water board supported “The dam is safe”: asserted on 2024-03-01.\n"
        "  c1 assert (supports), 2024-03-01 “is safe”\n"
    )
    answer = good("position", "board", "safe", "--json").json
    assert (answer["party"], answer["stance"], answer["status"]) == ("board", "supports", "held")


def test_the_two_dates_cut_what_was_said_and_what_was_known(good, filled):
    ask = ("position", "office", "safe")
    assert good(*ask).out.startswith("Inspectors opposed “The dam is safe”: denied")
    silent = "No word of Inspectors on “The dam is safe” is known"
    assert silent in good(*ask, "--said", "2024-03-03").out
    assert silent in good(*ask, "--known", "2024-03-06").out
    assert silent in good(*ask, "--said", "2024-03-20", "--known", "13").out
    assert "opposes" in good(*ask, "--said", "2024-03-20", "--known", "2024-03-10T12:00:00Z").out


def test_names_are_those_of_the_day_asked_for(good, filled):
    assert good("position", "Dam house", "safe").out.startswith("County opposed")
    assert good("position", "Dam house", "safe", "--said", "1999-01-01").out.startswith(
        "No word of Water board"
    )


def test_positions_on_a_topic_are_a_table_of_parties_and_propositions(good, filled):
    view, *lines = good("positions", "--topic", "dam", "--said", "2024-03-20").out.splitlines()
    assert view == "said by 2024-03-20, known by the last event (17 events)"
    assert lines == [
        "party   safe               risk",
        "board   supports (assert)  -",
        "county  opposes* (deny)    supports* (assert)",
        "office  opposes (deny)     supports (assert)",
        "* by those who spoke for it",
    ]
    answer = good("positions", "--topic", "dam", "--said", "2024-03-20", "--json").json
    assert (answer["said"], answer["known"], answer["basis"]) == ("2024-03-20", None, 17)
    assert len(answer["rows"]) == 5


def test_positions_of_a_party_are_a_list(good, filled):
    lines = good("positions", "--party", "Inspectors").out.splitlines()[1:]
    assert lines == [
        "proposition  position           last stated",
        "risk         supports (assert)  2024-03-04",
        "safe         opposes (deny)     2024-03-04",
    ]


def test_positions_of_everybody_on_everything(good, filled):
    assert good("positions").out.splitlines()[1].split() == ["party", "safe", "risk"]
    assert "nobody holds a position" in good("positions", "--said", "1990-01-01").out


def test_a_replay_is_what_the_ledger_showed(good, filled):
    lines = good("replay", "2024-03-06", "--topic", "dam").out.splitlines()
    assert lines[0] == "said by 2024-03-06, known by 2024-03-06 (16 events)"
    assert lines[3].split() == ["county", "-", "supports*", "(assert)"]
    assert "opposes" in good("replay", "2024-03-10").out
    assert "nobody holds a position" in good("replay", "2024-03-05").out
    answer = good("replay", "2024-03-06", "--party", "county", "--json").json
    assert [row["proposition"] for row in answer["rows"]] == ["risk"]


def test_positions_on_one_proposition(good, filled):
    told = good("positions", "--proposition", "safe", "--said", "2024-03-20").out
    assert told.splitlines()[1].split() == ["party", "safe"]
    assert len(told.splitlines()) > 3
    one = good("positions", "--proposition", "safe", "--party", "office").out
    assert one.splitlines()[2].split()[:2] == ["safe", "opposes"]


def test_a_replay_of_the_future_is_refused(refused, filled):
    assert "future" in refused("replay", "2999-01-01")


def test_a_difference_between_two_dates_of_saying(good, filled):
    told = good("diff", "--from-said", "2024-03-02", "--to-said", "2024-03-05").out
    assert told.startswith("from: said by 2024-03-02, known by the last event (17 events)\n")
    assert "+ c2 office assert risk" in told
    assert "office on safe: silent -> opposes (deny)" in told


def test_a_difference_between_two_dates_of_knowing(good, filled):
    told = good("diff", "--from-known", "2024-03-06", "--to-known", "2024-03-10", "--json").json
    assert [row["id"] for row in told["learnt"]] == ["c3"]
    assert (told["from"]["basis"], told["to"]["basis"]) == (16, 17)


def test_a_difference_begins_somewhere(refused, filled):
    assert "--from-said" in refused("diff", "--to-said", "2024-03-05")


def test_claims_are_listed_and_filtered(good, filled):
    lines = good("claims").out.splitlines()
    assert lines[0].split() == [
        *("id", "claimant", "act", "stance", "proposition", "said", "marks")
    ]
    assert [line.split()[0] for line in lines[1:]] == ["c1", "c2", "c3"]
    assert [row["id"] for row in good("claims", "--party", "County", "--json").json["rows"]] == [
        *("c2", "c3")
    ]
    for filters, found in {
        ("--claimant", "Water board"): ["c1"],
        ("--proposition", "risk"): ["c2"],
        ("--topic", "dam", "--act", "deny"): ["c3"],
        ("--document", "d1", "--stance", "supports"): ["c1", "c2"],
        ("--certainty", "possible"): [],
        ("--published", "2024-03-04"): [],
    }.items():
        assert [row["id"] for row in good("claims", *filters, "--json").json["rows"]] == found
    assert good("claims", "--utterance", "none").out == "(no claims)\n"


def test_marks_tell_possible_and_withdrawn_claims(good, filled):
    good("withdraw", "c1", "--claimant", "board", "--uttered", "2024-03-09")
    good("record", "--claimant", "board", "--act", "assert", "--proposition", "risk",
         "--uttered", "[2024-03-01..2024-03-31]", "--id", "c4")  # fmt: skip
    lines = good("claims", "--said", "2024-03-20").out.splitlines()
    marks = {line.split()[0]: line.split()[-1] for line in lines}
    assert (marks["c1"], marks["c4"]) == ("withdrawn", "possible")


def test_a_timeline_shows_the_turns(good, filled):
    assert "safe: The dam is safe" in good("timeline", "Inspectors", "dam").out
    assert good("timeline", "office", "safe", "--json").json["strands"][0]["proposition"] == "safe"


def test_a_trace_leads_to_words_document_and_proof(good, filled):
    told = good("trace", "c1").out
    assert "quotation: …The water board said the dam [is safe]. The" in told
    assert "gazette reports" in told
    answer = good("trace", "c1", "--json").json
    assert answer["document"] == "d1"
    assert len(answer["leaf_hash"]) == 64


@pytest.mark.parametrize(
    "asked, told",
    [
        ((), "Trace one thing"),
        (("c1", "--document", "report"), "Trace one thing"),
        (("c1", "--on", "safe"), "Trace one thing"),
        (("--document", "report", "--text-file", "x.txt"), "Name the claim, or leave --text-file"),
        (("--party", "board", "--text-file", "x.txt"), "Name the claim, or leave --text-file"),
    ],
)
def test_what_is_not_traced_is_refused(refused, filled, asked, told):
    assert told in refused("trace", *asked)


def test_contradictions_and_divergences(good, filled):
    assert good("contradictions").out == "safe: board supports (c1), office opposes (c3)\n"
    assert good("contradictions", "--said", "2024-03-02").out == "no contradictions\n"
    assert good("divergences").out == "board says safe (c1), office says risk (c2)\n"
    assert good("divergences", "--known", "0").out == "no divergences\n"
    assert len(good("contradictions", "--json").json) == 1


def test_contradictions_divergences_and_differences_of_some(good, refused, filled):
    assert len(good("contradictions", "--party", "office", "--proposition", "safe").out) > 20
    assert good("contradictions", "--proposition", "risk").out == "no contradictions\n"
    assert good("divergences", "--party", "Inspectors").out == good("divergences").out
    dates = ("--from-said", "2024-03-02", "--to-said", "2024-03-10", "--json")
    whole, some = good("diff", *dates).json, good("diff", *dates, "--party", "Inspectors").json
    assert len(whole["positions"]) > len(some["positions"]) > 0
    assert some["positions"] == [one for one in whole["positions"] if one["party"] == "office"]
    assert "nobody" in refused("divergences", "--party", "nobody")
    assert "claims topic add" in refused("contradictions", "--topic", "nothing")


@pytest.mark.parametrize(
    "ask",
    [
        ("position", "board", "safe"),
        ("positions", "--topic", "dam"),
        ("positions",),
        ("timeline", "board", "dam"),
        ("claims",),
        ("trace", "c1"),
        ("contradictions",),
        ("divergences",),
        ("replay", "2024-03-10"),
        ("diff", "--from-known", "2024-03-06", "--to-known", "2024-03-10"),
    ],
)
def test_what_is_asked_for_a_settled_date_comes_out_alike_twice(good, filled, ask):
    dates = () if ask[0] in ("replay", "diff") else ("--said", "2024-03-20", "--known", "16")
    assert good(*ask, *dates, "--json").out == good(*ask, *dates, "--json").out


@pytest.mark.parametrize("date", ["2024-03", "yesterday", "2024-03-04?", "2024-03-04T12:00:00"])
def test_a_date_that_is_no_cut_is_refused(refused, filled, date):
    assert "said" in refused("position", "board", "safe", "--said", date)
    assert "known" in refused("position", "board", "safe", "--known", date)


def test_the_reasons_of_a_position_are_told_step_by_step(good, filled):
    told = good("explain", "Dam house", "safe", "--said", "2024-03-20").out
    assert told.startswith("County opposed “The dam is safe”: denied by Inspectors on")
    assert [line[:2] for line in told.splitlines() if line[1:2] == "."] == [
        f"{number}." for number in range(1, 8)
    ]
    assert "+ c3: deny, opposes, said 2024-03-04; by roll-up: office > county (membership)" in told
    assert "- c1: words of board, who does not speak for county" in told
    answer = good("explain", "office", "safe", "--known", "2024-03-06", "--json").json
    assert answer["position"]["status"] == "silent"
    assert [step["number"] for step in answer["steps"]] == list(range(1, 8))


def test_a_policy_is_one_of_those_there_are(good, refused, filled):
    assert "opposes" in good("position", "county", "safe", "--policy", "own_level_first").out
    told = refused("position", "county", "safe", "--policy", "own_level")
    assert "There is no policy 'own_level'" in told
    assert "own_level_first" in told


def test_an_occurrence_is_told_by_each_side_by_side(good, refused, filled):
    told = good("perspectives", "state", "--said", "2024-03-20").out
    assert 'safe: "' in told
    assert "board: supports (assert)" in told
    assert "office, for county: opposes (deny)" in told
    early = good("perspectives", "state", "--said", "2024-03-02", "--json").json
    assert [row["party"] for row in early["rows"]] == ["board"]
    assert "No occurrence 'stat'" in refused("perspectives", "stat")


def test_who_is_silent_is_listed_with_the_last_word(good, refused, filled):
    lines = good("silences", "dam", "--said", "2024-03-20").out.splitlines()
    assert "board on risk; last word on the topic: 2024-03-01" in lines
    rows = good("silences", "dam", "--said", "2024-03-02", "--json").json["rows"]
    office = next(row for row in rows if row["party"] == "office")
    assert (office["propositions"], office["last_word"]) == (["safe"], None)
    assert "No topic" in refused("silences", "dams")
