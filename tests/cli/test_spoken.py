from __future__ import annotations

import re

import pytest

from ledger.cli.spoken import spoken

CLAIM = ("record", "--claimant", "board")
DENIAL = (*CLAIM, "--act", "deny", "--proposition", "safe")
PYTHON = re.compile(r"ledger\.|\w\(\)|=True|\b\w+=(?![\"\[])|in Python|[a-z]+=\[\(")


@pytest.mark.parametrize(
    "argv, typed",
    [
        ((*CLAIM, "--act", "deny", "--proposition", "zzz"), "claims proposition add"),
        ((*CLAIM, "--act", "demand", "--proposition", "safe", "--uttered", "2024-01-01"), "--kind"),
        ((*DENIAL, "--uttered", "2999"), "--about"),
        (
            (*DENIAL, "--stance", "neutral", "--uttered", "2024-01-01"),
            "--stance opposes",
        ),
        (
            (*DENIAL, "--document", "d1", "--quote", "dam", "--range", "0-3"),
            "--range 25-28",
        ),
        (("position", "board", "dam"), "claims positions --topic dam"),
        (("position", "board", "safe", "--known", "2999-01-01"), "--known"),
        (("claims", "--said", "2024"), "--said"),
        (("party", "add", "board", "--name", "Other"), "claims amend"),
        (("withdraw", "c1", "--claimant", "board"), "--uttered or --document"),
        (("withdraw", "c1", "--claimant", "gazette", "--uttered", "2024-03-09"), "claims amend"),
        (("correct", "c1", "--document", "d1"), "--never-said"),
        (("merge", "board", "board"), "Name two."),
        (("amend", "c1", "--reason", ""), "--strike-out"),
        (("trace", "zzzz"), "List what there is with `claims claims`, or type: claims record."),
        (("position", "zzzz", "safe"), "List what there is with `claims party list`, or type: "),
        (("perspectives", "zzzz"), "Type: claims occurrence add."),
        (("document", "add", "d2", "--publisher", "gazette"), "--sha256"),
        (("name", "board", "B", "--since", "2024-01-01", "--until", "2024-01-01"), "Type the day"),
    ],
)
def test_a_refusal_says_what_to_type_in_the_shell(refused, filled, argv, typed):
    told = refused(*argv)
    assert typed in told
    assert not PYTHON.search(told)


def test_a_merge_in_the_way_is_told_with_what_strikes_it_out(good, refused, filled):
    merge = good("merge", "board", "gazette").out.split()[0]
    assert f"claims amend {merge} --strike-out --reason" in refused("merge", "gazette", "board")


def test_an_empty_file_is_told_the_command_alone(refused, tmp_path):
    (tmp_path / "claims.db").write_bytes(b"")
    assert refused("log").endswith("Type: claims init claims.db\n")


def test_what_is_set_stays_as_it_is_typed():
    assert spoken("Type --set stance=opposes, or stance='opposes'.") == (
        "Type --set stance=opposes, or --stance 'opposes'."
    )


@pytest.mark.parametrize("quoted", ["'known=3'", "'a amend() b'", '"it\'s said=2"', r"'x\' via='"])
def test_what_is_quoted_stays_as_it_is(quoted):
    message = f"No claim {quoted} is in this view."
    assert spoken(message) == message


def test_what_was_entered_later_is_told_with_its_date(claims, filled, refused):
    assert claims("party", "add", "new", "--name", "New").status == 0
    told = refused("position", "new", "safe", "--known", "2024-03-06")
    assert "No party 'new' is in this view: it is known since 20" in told
    assert told.endswith(" on. Ask as of a later date.\n")


@pytest.mark.parametrize("date", ["2024-03-06", "2999-01-01"])
def test_a_replay_is_told_of_no_option_that_it_has_not(claims, filled, refused, date):
    assert claims("party", "add", "new", "--name", "New").status == 0
    assert "--known out" not in refused("replay", date, "--party", "new")
