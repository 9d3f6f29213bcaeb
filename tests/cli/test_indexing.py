"""`claims index`, and the library's own views under all other commands."""

from __future__ import annotations

import sqlite3

from ledger import Ledger
from ledger.cli import options
from ledger.narrowing import narrowed
from ledger.projecting import Projection, cells
from ledger.projecting import claims as claims_view

ASKED = [
    ("position", "board", "safe"),
    ("positions", "--party", "board", "--said", "2025-01-01"),
    ("position", "board", "safe", "--known", "12"),
    ("timeline", "board", "dam"),
]


def tables():
    with sqlite3.connect("claims.db") as raw:
        return {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}


def is_narrowed(ledger):
    view = ledger.as_of()
    with narrowed(view._folded, view.basis) as found:
        return found is not None


def test_it_answers_the_same_and_is_kept_up_by_what_comes_after(good, filled):
    before = [good(*one).out for one in ASKED]
    assert good("index").out == "cells v4: caught up at 17 of 17 events\n"
    assert [good(*one).out for one in ASKED] == before
    said = ("--uttered", "2024-03-09", "--id", "c9")
    good("record", "--claimant", "board", "--act", "deny", "--proposition", "safe", *said)
    with Ledger("claims.db") as ledger:
        assert is_narrowed(ledger)
    assert good("index", "--json").json["position"] == 18
    assert "c9" in good("position", "board", "safe").out
    assert "ok: cells v4 at 18 events" in good("verify", "--views").out


def test_a_long_log_that_was_read_as_a_whole_is_told_of_until_there_are_tables(
    claims, good, filled, monkeypatch
):
    assert good("position", "board", "safe").err == ""
    monkeypatch.setattr(options, "LONG", 17)
    found = claims("position", "board", "safe", "--json")
    assert found.status == 0
    assert found.json["stance"]
    assert "17 events" in found.err
    assert found.err.endswith("Type: claims index\n")
    good("index")
    good("position", "board", "safe")
    good("party", "add", "town", "--name", "Town")


def test_a_view_of_an_applications_own_is_told_as_not_checked(claims, good, filled):
    good("index")
    with Ledger("claims.db") as ledger:
        ledger.projections.add(Projection(name="mine", initial=int, evolve=lambda n, _: n + 1))
        ledger.projections.ready()
    found = claims("verify", "--views")
    assert found.status == 0
    assert "ok: cells v4 at 17 events" in found.out
    assert "Not checked: mine." in found.err


def test_tables_of_an_older_version_are_replaced_and_then_dropped(good, filled):
    good("index")
    with sqlite3.connect("claims.db") as raw:
        for table in ("ledger_cursor", "ledger_served"):
            raw.execute(f"UPDATE {table} SET version = 3 WHERE name = 'cells'")
        for table in ("cell", "link"):
            raw.execute(f"ALTER TABLE ledger_v4_{table} RENAME TO ledger_v3_{table}")
    said = ("--uttered", "2024-03-09", "--id", "c9")
    good("record", "--claimant", "board", "--act", "deny", "--proposition", "safe", *said)
    assert "c9" in good("position", "board", "safe").out
    with Ledger("claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        assert not is_narrowed(ledger)
    assert good("index").out == "cells v4: caught up at 18 of 18 events\n"
    with Ledger("claims.db") as ledger:
        assert is_narrowed(ledger)
        assert [one.version for one in ledger.projections.status() if one.served] == [4]
    assert {"ledger_v3_cell", "ledger_v4_cell"} <= tables()
    good("index", "--again")
    assert "ledger_v3_cell" not in tables()
    assert {"ledger_v4_cell", "ledger_v4_cell_1"} <= tables()
    good("index")
    assert "ledger_v4_cell" not in tables()
    assert "ok: cells v4 at 18 events" in good("verify", "--views").out


def test_what_a_program_wrote_meanwhile_is_answered_all_the_same(good, filled):
    good("index")
    with Ledger("claims.db") as ledger:
        ledger.record(id="c9", claimant="board", act="deny", proposition="safe", uttered="2024")
        assert is_narrowed(ledger)  # with what came since
    assert "c9" in good("position", "board", "safe").out
    assert good("index", "--json").json["applied"] == 1


def test_an_erasure_reaches_every_view_at_once(good, filled):
    with Ledger("claims.db") as ledger:
        ledger.projections.add(claims_view(ledger.layout))
        ledger.projections.run("claims")
    good("index")
    why = ("--reason", "a wish", "--authority", "the editor", "--slots", "who", "--slots", "what")
    told = good("erase", "c1", *why, "--confirm", "c1").out
    assert "has not come to the erasure yet" not in told
    verified = good("verify", "--views").out
    assert "ok: cells v4 at 18 events" in verified
    assert "ok: claims v1 at 18 events, 2 rows" in verified


def test_tables_that_were_changed_are_made_anew(good, refused, filled):
    good("index")
    with sqlite3.connect("claims.db") as raw:
        raw.execute("DELETE FROM ledger_v4_cell")
    assert "cells v4 was changed" in refused("verify", "--views")
    assert "caught up at 17 of 17 events" in good("index", "--again").out
    assert "ok: cells v4" in good("verify", "--views").out
