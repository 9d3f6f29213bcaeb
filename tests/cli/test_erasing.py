from __future__ import annotations

import io
import sys

import pytest

WHY = ("--reason", "request of the person", "--authority", "privacy officer")


@pytest.fixture
def typed(monkeypatch):
    """What somebody types when they are asked."""

    def type_(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return type_


def test_it_shows_what_would_go_and_erases_once_the_id_is_typed_again(claims, good, filled, typed):
    typed("c1\n")
    ran = claims("erase", "c1", *WHY)
    assert ran.status == 0
    assert "c1: 1 slot would be erased" in ran.out
    assert "'is safe'" in ran.out
    assert ran.err == "Type c1 to erase this for good: "
    assert "c1: 1 slot erased (#17)" in ran.out
    assert "is safe" not in ran.out.partition("1 slot erased")[2]
    assert "words erased on" in good("trace", "c1").out
    assert "1 slot lawfully erased" in good("verify").out


@pytest.mark.parametrize("answer", ["", "\n", "yes\n", "c2\n", "C1\n"])
def test_anything_else_that_is_typed_erases_nothing(claims, good, filled, typed, answer):
    typed(answer)
    ran = claims("erase", "c1", *WHY)
    assert ran.status == 1
    assert "Nothing was erased: type 'c1' to confirm" in ran.err
    assert good("verify", "--json").json["size"] == 17


def test_a_dry_run_asks_nothing_and_changes_nothing(good, filled):
    told = good("erase", "c1", *WHY, "--dry-run").out
    assert "c1: 1 slot would be erased" in told
    found = good("erase", "board", *WHY, "--dry-run", "--json").json
    assert found["stored"] == "dry_run"
    assert {one["slot"] for one in found["parts"]} == {"who", "words"}
    assert good("verify", "--json").json["size"] == 17


def test_a_script_confirms_by_an_option(good, refused, filled):
    assert "add --confirm c1" in refused("erase", "c1", *WHY, "--json")
    assert "got 'c2'" in refused("erase", "c1", *WHY, "--json", "--confirm", "c2")
    done = good("erase", "c1", *WHY, "--confirm", "c1", "--json").json
    assert (done["stored"], done["sequences"]) == ("stored", [17])
    again = good("erase", "c1", *WHY, "--confirm", "c1").out
    assert again == "c1: nothing is left to erase\n"


def test_parts_are_named_one_by_one(good, filled):
    done = good("erase", "c1", *WHY, "--slots", "who", "--slots", "words", "--confirm", "c1")
    assert "c1: 2 slots erased" in done.out
    assert "c1: who, words erased on" in good("claims").out


def test_without_reason_or_authority_it_is_no_command(refused, filled):
    refused("erase", "c1", "--reason", "because", status=2)
    refused("erase", "c1", "--authority", "me", status=2)
    assert "needs --reason" in refused("erase", "c1", "--reason", " ", "--authority", "me")


def test_the_files_are_written_anew(good, filled):
    good("erase", "d1", *WHY, "--quotations", "--confirm", "d1")
    assert "done: the file was written anew (VACUUM)" in good("vacuum").out
    assert b"called it a risk" not in filled.read_bytes()


def test_a_party_without_a_name_is_listed_so(good, filled):
    good("erase", "board", *WHY, "--slots", "who", "--confirm", "board")
    (line,) = [one for one in good("party", "list").out.splitlines() if "(erased)" in one]
    id_ = line.split()[0]
    assert "held" not in good("position", id_, "safe").out
    assert "supports" in good("position", id_, "safe").out
    assert "name" in good("party", "list", "--json").json[0]
