from __future__ import annotations

import re

import pytest

from ledger import Ledger


@pytest.mark.parametrize(
    "noun, one",
    [
        ("party", "office  office     Inspectors   Keepers"),
        ("topic", "dam  The dam"),
        ("proposition", "risk  fact  The dam is a risk  dam"),
        ("document", "d1  gazette    2024-03-05  70"),
    ],
)
def test_each_noun_can_be_listed(good, filled, noun, one):
    told = good(noun, "list").out
    assert re.sub(" +", " ", one) in re.sub(" +", " ", told)
    assert one.split()[0] in [row["id"] for row in good(noun, "list", "--json").json]


def test_a_list_is_of_what_was_known_then(good, filled):
    assert good("party", "list", "--known", "2020-01-01").out == "none\n"


def test_propositions_are_listed_by_topic(good, refused, filled):
    good("proposition", "add", "far", "--text", "The sea is far")
    assert "far" not in good("proposition", "list", "--topic", "dam").out
    assert "Did you mean 'dam'" in refused("proposition", "list", "--topic", "damn")


def test_who_belongs_to_what_is_listed(good, filled):
    assert re.search(r"office .*county", good("party", "list").out)


def test_two_parties_are_merged(good, filled):
    good("party", "add", "inspectors", "--name", "The inspectors")
    good("merge", "office", "inspectors", "--reason", "entered twice")
    assert "inspectors " not in good("party", "list").out


def test_who_enters_stands_in_the_log(good, filled, monkeypatch):
    good("party", "add", "one", "--name", "One", "--recorder", "desk-2")
    monkeypatch.setenv("CLAIMS_RECORDER", "desk-3")
    good("party", "add", "two", "--name", "Two")
    with Ledger(filled) as ledger:
        assert [line.recorder for line in ledger.log()][-2:] == ["desk-2", "desk-3"]


def test_a_recorder_that_is_no_id_is_refused(refused, filled):
    assert "recorder.id" in refused("party", "add", "one", "--name", "One", "--recorder", "a\nb")
