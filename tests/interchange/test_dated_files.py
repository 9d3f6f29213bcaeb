"""Names and memberships of foreign files, on the days at which something begins or ends."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.interchange import Outcome, import_file

DICTIONARY = """\
FOO_ [AAA]
+FU_BAR_
\t[BBB >19910101]
\t[CCC <19800101]
FOO_ [DDD]
\t[EEE 19850101-19851231]
"""


@pytest.mark.parametrize("name", ["FOO", "FU BAR"])
@pytest.mark.parametrize(
    "on, code", [("1979-12-31", "CCC"), ("1980-06-01", "AAA"), ("1995-01-01", "BBB")]
)
def test_the_code_of_an_entrys_first_line_holds_where_no_dated_one_does(tmp_path, name, on, code):
    path = tmp_path / "few.actors.txt"
    path.write_text(DICTIONARY)
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path)
        assert ledger.as_of().resolve(name, on=on) == code


def test_a_membership_on_behalf_of_a_group_ends_when_the_group_is_dissolved(tmp_path):
    path = tmp_path / "assembly.json"
    seats = [
        {"person_id": "ann", "organization_id": "assembly", "on_behalf_of_id": "greens"},
        {"person_id": "bob", "organization_id": "greens"},
    ]
    path.write_text(
        json.dumps(
            {
                "persons": [
                    {"id": "ann", "name": "Ann"},
                    {"id": "bob", "name": "Bob", "death_date": "2016-03-01"},
                ],
                "organizations": [
                    {"id": "assembly", "name": "Assembly"},
                    {"id": "greens", "name": "Greens", "dissolution_date": "2015-12-31"},
                ],
                "memberships": [{"start_date": "2012-01-01", **seat} for seat in seats],
            }
        )
    )
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path)
        view = ledger.as_of()

        def of(party, day):
            return [one.organisation for one in view.memberships(party, on=day)]

        assert of("ann", "2015-12-31") == ["assembly", "greens"]
        assert of("ann", "2016-01-01") == ["assembly"]
        assert of("bob", "2016-01-01") == []


def denoted(tmp_path, dictionary, *names):
    """Whom names of a dictionary denote on a day of 2000, and the lines that were refused."""
    path = tmp_path / "few.actors.txt"
    path.write_bytes(dictionary)
    with Ledger.open(":memory:") as ledger:
        refused = [one.line for one in import_file(ledger, path).refusals]
        view = ledger.as_of()
        return [
            [one.party for one in view.denoted(name, on="2000-01-01")] for name in names
        ], refused


def test_names_under_an_entry_that_cannot_be_read_are_not_those_of_the_entry_above(tmp_path):
    dictionary = b"PARAGUAY_ [PRY]\n\nPER\xda_\n+LIMA_\n\t[PER]\n"
    assert denoted(tmp_path, dictionary, "PARAGUAY", "LIMA") == ([["PRY"], ["PER"]], [3])


def test_a_code_on_a_first_line_holds_where_no_entry_has_another_for_that_day(tmp_path):
    dictionary = b"FOO_ [FST]\n+SAME_\n\t[AAA <800101]\n\nBAR_\n+SAME_\n\t[BBB 900101-011231]\n"
    assert denoted(tmp_path, dictionary, "SAME", "FOO", "BAR") == ([["BBB"], ["FST"], ["BBB"]], [])


def test_a_code_without_a_tab_in_front_is_one_of_the_entry_above(tmp_path):
    dictionary = b"FOO_\n+BAR_\n[BBB >19910101]\n[AAA <19900101]\n"
    assert denoted(tmp_path, dictionary, "FOO", "BAR") == ([["BBB"], ["BBB"]], [])


@pytest.mark.parametrize(
    "dictionary, line",
    [
        (b"FOO_\n\t[AAA]\n\nBAR_\n\t[>990101] [CCC <981231]\n", 5),
        (b"FOO_ [AAA]\n+BAR_ [BBB]\n", 2),
        (b"+BAR_\nFOO_\n\t[AAA]\n", 1),
        (b"_\nFOO_\n\t[AAA]\n", 1),
        (b"FOO_\n\t[AAA]\n\nBAR_ [?]\n", 4),
    ],
)
def test_a_line_of_a_dictionary_that_says_nothing_sure_is_refused(tmp_path, dictionary, line):
    assert denoted(tmp_path, dictionary, "FOO", "BAR") == ([["AAA"], []], [line])


COMMENTED = """\
  <!-- Nobody
ALPHA_ [AAA]
+BETA_ -->
FOO_ [DEU] ;a coder, 3/17/95
\t[FRA >20010101] and more
BAR_
\t[>20010101]
\t[20010101-20020101]
\t[ITA 20011]
"""


def test_comments_of_a_dictionary_are_none_of_its_entries(tmp_path):
    path = tmp_path / "few.actors.txt"
    path.write_text(COMMENTED)
    told: list[Outcome] = []
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path, tell=told.append)
        names = {one.id: one.names for one in ledger.as_of().parties()}
    assert names == {"DEU": ("FOO",), "FRA": ("FOO",)}
    assert [one.line for one in told if one.verdict == "refused"] == [7, 8, 9]
    warnings = [one.warnings for one in told if one.verdict == "accepted"]
    assert warnings[0] == ("'and more' behind the code is left out",)
    assert not any("left out" in one for one in warnings[1])
    assert "'20011' behind its code, which is no date restriction" in told[-1].reason


def test_a_code_that_was_struck_out_does_not_come_back_with_its_names(tmp_path):
    path = tmp_path / "few.actors.txt"
    path.write_text("FOO_ [AAA]\n")
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path)
        for type_ in ("party_named", "party_registered"):
            (one,) = ledger.events(types=type_)
            ledger.amend(one.id, strike_out=True, reason="no such code")
        told: list[Outcome] = []
        import_file(ledger, path, tell=told.append)
        assert [one.verdict for one in told] == ["skipped"]
        assert told[0].warnings
        assert ledger.as_of().parties() == ()


def test_several_codes_on_a_line_hold_in_their_order(tmp_path):
    dictionary = b"FOO_ [BBB <19900101] [CCC >20050101] [AAA]\n\t[DDD 19990101-20001231] [EEE]\n"
    assert denoted(tmp_path, dictionary, "FOO") == ([["DDD"]], [])
    dictionary = b"BAR_ [BBB 810120-930119] [AAA >010120] [CCC]\n\nFOO_\n\t[AAA <1] [BBB]\n"
    assert denoted(tmp_path, dictionary, "BAR", "FOO") == ([["CCC"], ["BBB"]], [4])


def test_codes_joined_by_a_slash_are_denoted_at_the_same_time(tmp_path):
    dictionary = b"FOO_ [AAA/BBB]\n\t[CCC <19991231]\nBAR_ [DDD]\n\t[BBB/EEE >19990101]\n"
    assert denoted(tmp_path, dictionary, "FOO", "BAR") == ([["AAA", "BBB"], ["BBB", "EEE"]], [])
    assert denoted(tmp_path, b"EEE_\n\nFOO_ [AAA/EEE]\n", "FOO") == ([[]], [3])


def test_an_entry_that_is_no_actor_and_one_without_code_name_nobody_that_others_do(tmp_path):
    assert denoted(tmp_path, b"A_ [###]\nB_\n\t[--- <910101] # no\n", "A", "B") == ([[], []], [])
    assert denoted(tmp_path, b"AAA\nFOO_\n\t[AAA]\n", "FOO") == ([[]], [3])
    assert denoted(tmp_path, b"FOO_\n; a comment\n\t[AAA]\n", "FOO") == ([["AAA"]], [])
    assert denoted(tmp_path, b"A_ [~~]\nB_\n\t[---<20100101]\n", "A", "B") == ([[], []], [])
    dictionary = b"NOISE_ [---]\n\nFOO_\n+FU_\n\nFOO_\n+FEE_\n\nFOO_ [AAA]\n\nAAA_\n+BAR_\n"
    names = denoted(tmp_path, dictionary, "NOISE", "FU", "FEE", "FOO", "BAR")
    assert names == ([[], ["FOO"], ["FOO"], ["AAA"], []], [11])


@pytest.mark.parametrize(
    "bounds, days",
    [
        ("closed", {"1989-12-31": [], "1990-06-01": [], "1995-01-01": [], "1995-01-02": ["BBB"]}),
        (
            "half_open",
            {"1989-12-31": [], "1990-06-01": ["AAA"], "1994-12-31": [], "1995-01-01": ["BBB"]},
        ),
    ],
)
def test_an_entry_is_no_actor_on_the_days_of_a_code_that_says_so(tmp_path, bounds, days):
    path = tmp_path / "few.actors.txt"
    path.write_text(
        "FOO_ [### <19900601] [AAA 19850101-19900901]\n\nFOO_\n\t[--- 900901-950101]\n"
        "\t[BBB >920101]\nFEE_ [---] [CCC]\n"
    )
    with Ledger.open(":memory:") as ledger:
        account = import_file(ledger, path, bounds=bounds)
        assert (account.accepted, account.skipped, account.refused) == (2, 4, 0)
        view = ledger.as_of()
        assert view.denoted("FEE") == ()
        assert {day: [one.party for one in view.denoted("FOO", on=day)] for day in days} == days


def test_blanks_inside_brackets_and_a_code_of_plus_signs_are_read(tmp_path):
    dictionary = b"FOO_ [ AAA ]\n\t[ BBB <19900101 ]\nBAR_ [+++]\n"
    assert denoted(tmp_path, dictionary, "FOO", "BAR") == ([["AAA"], []], [])


def test_a_blank_line_ends_no_entry_and_a_line_that_begins_with_a_blank_is_none_of_its_own(
    tmp_path,
):
    for gap in (b"\n", b"\n\n", b"  \n"):
        dictionary = b"FOO_" + gap + b"+BAR_\n\n [AAA]\n"
        assert denoted(tmp_path, dictionary, "FOO", "BAR") == ([["AAA"], ["AAA"]], [])


def test_a_code_of_no_name_and_a_date_that_is_too_long_are_told_as_that(tmp_path):
    path = tmp_path / "few.actors.txt"
    path.write_bytes(b"PER\xda_\n\t[PER]\nFOO_\n\t[AAA >9101011]\n")
    told: list[Outcome] = []
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path, tell=told.append)
        assert [(one.id, one.names) for one in ledger.as_of().parties()] == [("PER", ())]
    assert [(one.line, one.verdict) for one in told] == [
        *((1, "refused"), (2, "accepted"), (4, "refused")),
    ]
    assert "'9101011' in '[AAA >9101011]' is no date" in told[-1].reason


def test_by_default_the_last_day_of_a_code_counts(tmp_path):
    dictionary = b"FOO_\n\t[AAA <20000101]\nBAR_\n\t[BBB 19990101-20000101]\n"
    assert denoted(tmp_path, dictionary, "FOO", "BAR") == ([["AAA"], ["BBB"]], [])


def test_a_code_beside_days_without_an_actor_has_no_end_that_it_does_not_give(tmp_path):
    path = tmp_path / "few.actors.txt"
    path.write_text("FOO_\n\t[--- 19900101-19910101]\n\t[AAA]\n")
    with Ledger.open(":memory:") as ledger:
        assert import_file(ledger, path).accepted == 1
        view = ledger.as_of()
        days = ("0900-01-01", "1990-06-01", "9999-12-31")
        found = [[one.party for one in view.denoted("FOO", on=day)] for day in days]
    assert found == [["AAA"], [], ["AAA"]]


def test_the_plural_of_a_name_is_one_too(tmp_path):
    dictionary = b"CHAMBER_OF_TRADE {CHAMBERS_OF_TRADE} [~BUS]\n"
    found = denoted(tmp_path, dictionary, "CHAMBER OF TRADE", "CHAMBERS OF TRADE")
    assert found == ([["~BUS"], ["~BUS"]], [])
    assert denoted(tmp_path, b"FOO_ {} [AAA]\n", "FOO") == ([["AAA"]], [])


def test_a_dictionary_is_the_same_with_a_comment_on_top(tmp_path):
    path = tmp_path / "few.actors.txt"
    with Ledger.open(":memory:") as ledger:
        path.write_text(f"{DICTIONARY}\nBAR_\n+BAZ_\n")
        first = import_file(ledger, path)
        path.write_text(f"# version 2\n\n{DICTIONARY}\nBAR_\n+BAZ_\n")
        again = import_file(ledger, path)
    assert (first.accepted, again.skipped) == (6, 6)


def test_a_blank_in_front_of_a_name_is_none_of_it(tmp_path):
    dictionary = b"FOO_ [AAA]\n BAR_  [BBB]\n +BAZ_\n \t[CCC >19910101]\n"
    found = denoted(tmp_path, dictionary, "FOO", "BAR", "BAZ")
    assert found == ([["AAA"], ["CCC"], ["CCC"]], [])
