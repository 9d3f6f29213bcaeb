"""What texts may enter, how they stand in a message, and what looks suspicious."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.errors import InvalidText
from ledger.model.text import (
    MAX_ID,
    check_id,
    check_name,
    check_text,
    did_you_mean,
    near,
    show,
    suspicions,
)

any_text = st.text(st.characters(codec=None, categories=None), max_size=80)


def records(path):
    """The records of a JSON Lines file with their line numbers; lines that are no JSON left out."""
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        try:
            yield number, json.loads(line)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "id_", ["az", "ria/2023-02-22", "CON", "__proto__", "null", "a..b", ".hidden", "Žižkov", "1"]
)
def test_an_id_that_a_host_may_choose_is_kept_as_it_is(id_):
    assert check_id(id_, field="id") == id_


@pytest.mark.parametrize(
    "id_, what",
    [
        ("", "is empty"),
        ("   ", "nothing but blanks"),
        (" az", "blank at an end: ' az'. Write 'az'"),
        ("az\u00a0", r"'az\u00a0'"),
        ("a\tb", "control sign (U+0009)"),
        ("a\nb", "a line end (U+000A)"),
        ("a\u2028b", "a line end (U+2028)"),
        ("nul\0party", "NUL (U+0000)"),
        ("s4\udc00", "half of a surrogate pair (U+DC00)"),
        (".", "'.'"),
        ("..", "'..' as a step"),
        ("../../outside", "'..' as a step"),
        ("a\\..\\b", "'..' as a step"),
        ("x" * (MAX_ID + 1), "201 signs, at most 200"),
        (5, "must be text, got 5 (int)"),
        (None, "must be text, got None"),
        (b"az", "(bytes)"),
    ],
)
def test_an_id_that_could_do_harm_is_refused_and_named(id_, what):
    with pytest.raises(InvalidText) as caught:
        check_id(id_, field="party.id")
    assert what in str(caught.value)
    assert str(caught.value).startswith("party.id ")
    assert caught.value.field == "party.id"
    assert caught.value.given == id_


def test_the_longest_id_and_name_are_still_allowed():
    assert check_id("x" * 200, field="id")
    assert check_name("y" * 500, field="name")
    with pytest.raises(InvalidText, match="at most 500"):
        check_name("y" * 501, field="name")
    with pytest.raises(InvalidText, match="at most 3 are kept"):
        check_name("abcd", field="role", limit=3)


@pytest.mark.parametrize("name", ["   ", "", "\u200b", "\u00a0\u2060", "two\nlines", "\x1b[31mred"])
def test_a_name_is_one_line_that_shows_something(name):
    with pytest.raises(InvalidText):
        check_name(name, field="name")


def test_free_text_keeps_lines_tabs_and_the_forms_of_its_signs():
    text = " one\r\ntwo\tthree\u2028\x85 cafe\u0301 \U0001f30a\x07 "
    assert check_text(text, field="note") == text


@pytest.mark.parametrize("text", ["", "a\0b", "half \ud83c", "swapped \udf0a\ud83c", 1.5])
def test_free_text_that_no_database_keeps_is_refused(text):
    with pytest.raises(InvalidText):
        check_text(text, field="note")


@given(any_text, st.integers(0, 100))
@example("\u202e\x1b]0;x\x07\u200b\U000e0041\ufeff\u3164", 60)
def test_a_shown_text_holds_no_sign_that_a_terminal_obeys_or_nobody_sees(text, limit):
    shown = show(text, limit)
    assert all(sign.isprintable() for sign in shown)
    assert "\ufe0f" not in shown
    assert "\u3164" not in shown
    assert shown.encode()
    assert len(shown) <= 10 * limit + 40


@given(st.text(st.characters(categories=["L", "N"]), max_size=20))
def test_a_plain_short_text_is_shown_whole(text):
    assert unicodedata.normalize("NFC", text) in unicodedata.normalize("NFC", show(text))


def test_other_values_are_shown_briefly_and_never_fail():
    class Hostile:
        def __repr__(self):
            raise RuntimeError

    assert show(True) == "True"  # noqa: FBT003 - the value to show
    assert show(None) == "None"
    assert show(2.5) == "2.5"
    assert show("x" * 1_000_000, limit=3) == "'xxx'... (1,000,000 signs)"
    assert show("it's") == '"it\'s"'
    assert show("a\\b\n") == r"'a\\b\n'"
    assert len(show(list(range(1_000_000)))) < 100
    assert len(show(10**5000)) < 100
    assert len(show([10**5000])) < 100
    assert show(Hostile())


@pytest.mark.parametrize(
    "name, words",
    [
        ("\u0412aku", "mixed scripts in one word: Cyrillic and Latin"),
        ("\u0391lpha", "Greek and Latin"),
        ("Ba\u200bku", "invisible sign U+200B"),
        ("Ba\u00adku", "invisible sign U+00AD"),
        ("Ba\u200dku", "invisible sign U+200D"),
        ("Ba\U000e0100ku", "invisible sign U+E0100"),
        ("Ba\U000e0041ku", "invisible sign U+E0041"),
        ("\uff22\uff41\uff4b\uff55", "the same as 'Baku' after NFKC"),
        ("\u202eukaB", "bidi control U+202E"),
        ("safe \u2066hidden\u2069 text", "bidi control U+2066"),
        ("Zoe\u0301 board", "not in normal form NFC"),
        ("x\u0323y b" + "\u0301" * 200, "200 accents on one sign"),
        ("Baku ", "a blank at an end"),
    ],
)
def test_a_name_that_may_look_like_another_is_told_in_words(name, words):
    assert check_name(name, field="name") == name
    assert any(words in warning for warning in suspicions(name)), suspicions(name)


@pytest.mark.parametrize(
    "name",
    [
        "Baku",
        "Zoé board",
        "Газпром Neft",
        "Ελλάδα",
        "\U0001f3f3\ufe0f\u200d\U0001f308",
        "می\u200cخواهم",
        "葛\U000e0100城市",
        "<b>Board</b>",
        "Nguyễn Thị Ánh",
    ],
)
def test_an_ordinary_name_of_any_script_raises_no_suspicion(name):
    assert suspicions(name) == ()


@given(any_text)
def test_suspicions_are_told_safely_whatever_the_name(name):
    assert all(warning.isprintable() for warning in suspicions(name))


def test_the_nearest_words_come_first_and_case_does_not_count():
    known = ["gazette", "water-board", "water-level", "board"]
    assert near("water-bord", known)[0] == "water-board"
    assert near("WATER-BOARD", known)[0] == "water-board"
    assert set(near("wat", known)) == {"water-board", "water-level"}
    assert near("zzz", known) == ()
    assert near("", known) == ()
    assert near("silent", ["tinsel"]) == ()  # the same letters
    assert near("wat", ["water-level-of-the-lower-lake", "what"]) == (
        "water-level-of-the-lower-lake",
        "what",
    )
    assert near("water", [], 3) == ()
    assert len(near("id", [f"id-{number}" for number in range(50)], 3)) == 3


def test_near_matches_are_found_among_very_many_and_very_long_words():
    known = [f"claim-{number}" for number in range(50_000)] + ["proposition-one"]
    assert near("propositon-one", known) == ("proposition-one",)
    assert near("x" * 100_000, ["y" * 100_000] * 1_000) == ()


def test_the_question_names_one_or_several_and_is_silent_without_any():
    assert did_you_mean(()) == ""
    assert did_you_mean(("a",)) == " Did you mean 'a'?"
    assert did_you_mean(("a", "b\u202e")) == r" Did you mean one of 'a', 'b\u202e'?"


REFUSED = {
    "names.jsonl": {17, 18, 19, 20, 23, 28},
    "nul.jsonl": {6, 7},
    "lone-surrogates.jsonl": {5, 6, 8},
    "long-field.jsonl": set(),
}
WARNED = {6, 7, 8, 10, 11, 22, 30}


@pytest.mark.parametrize("file", REFUSED)
def test_of_the_hostile_files_exactly_the_unstorable_lines_are_refused(shared, file):
    refused = set()
    for number, record in records(shared(f"data/hostile/{file}")):
        try:
            if "id" in record:
                check_id(record["id"], field="id")
            if "name" in record:
                check_name(record["name"], field="name")
            if "note" in record:
                check_text(record["note"], field="note")
        except InvalidText:
            refused.add(number)
    assert refused == REFUSED[file]


def test_of_the_hostile_names_those_that_look_like_others_are_warned_of(shared):
    lines = records(shared("data/hostile/names.jsonl"))
    warned = {number for number, record in lines if "name" in record and suspicions(record["name"])}
    assert warned - REFUSED["names.jsonl"] == WARNED
