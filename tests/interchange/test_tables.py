"""CSV and TSV with mapping files: what a row stands for, and what is refused of one."""

from __future__ import annotations

import pytest

from ledger import Ledger, Party, Proposition
from ledger.errors import InvalidImport
from ledger.interchange import Outcome, import_file

VOTES = """\
Who,Party,Vote,Day,Held from,Held to,Why,With
Ada,Blue,Yes,03/04/2024,2019-01-01,2023-12-31,because,Bea; Cyd
Bea,Red,No,04/04/2024,2019-01-01,,,
"""
MAPPING = """\
bounds = "closed"

[[rows]]
record = { type = "party", id = "{Who}", name = "{Who}", kind = "person" }

[[rows]]

[rows.record]
type = "membership"
member = "{Who}"
organisation = "{Party}"
from = "{Held from}"
until = "{Held to}"

[[rows]]
when = { column = "Vote", is = ["Yes", "No"] }

[rows.record]
type = "claim"
claimant = ["{Who}"]
act = "assert"
proposition = "bill"
stance = { column = "Vote", map = { Yes = "supports", No = "opposes" } }
uttered = { column = "Day", date = "%d/%m/%Y" }
mentions = { column = "With", split = ";" }
note = "{Why}"
extra = { file = "{year} votes" }

[constants]
year = "2024"
"""


@pytest.fixture
def ledger():
    with Ledger.open(":memory:") as opened:
        for name in ("Blue", "Red", "Cyd"):
            opened.register(Party(name, name=name))
        opened.register(Proposition("bill", text="The bill is good"))
        yield opened


@pytest.fixture
def importing(ledger, tmp_path):
    def run(text=VOTES, mapping=MAPPING, name="votes.csv", **options):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
        told: list[Outcome] = []
        import_file(
            ledger,
            tmp_path / name,
            mapping=tmp_path / "map.toml" if mapping else None,
            tell=told.append,
            **options,
        )
        return told

    return run


def test_a_row_stands_for_what_the_mapping_says(importing, ledger):
    told = importing(VOTES.replace("Bea; Cyd", "Cyd"))
    assert [one.verdict for one in told] == ["accepted", "accepted"], told
    rows = {row.claimant[0]: row for row in ledger.claims()}
    assert (rows["Ada"].stance, str(rows["Ada"].uttered)) == ("supports", "2024-04-03")
    assert rows["Bea"].stance == "opposes"
    (*_, event) = (one.event for one in ledger.events() if one.type == "claim_recorded")
    assert getattr(event, "extra", None) == {"file": "2024 votes"}
    assert getattr(event, "note", "") is None  # an empty cell is a field left out
    view = ledger.as_of()
    assert [one.organisation for one in view.memberships("Ada", on="2023-12-31")] == ["Blue"]
    assert view.memberships("Ada", on="2024-01-01") == ()
    assert [one.verdict for one in importing(VOTES.replace("Bea; Cyd", "Cyd"))] == ["skipped"] * 2


def test_a_cell_without_a_stance_is_no_yes(importing, ledger):
    blank = VOTES.replace("Bea; Cyd", "Cyd").replace("Blue,Yes", "Blue,")
    everyone = MAPPING.replace('when = { column = "Vote", is = ["Yes", "No"] }\n', "")
    refused, accepted = importing(blank, everyone)
    assert (refused.verdict, accepted.verdict) == ("refused", "accepted")
    assert "the cell of column 'Vote' is empty, so nothing tells a stance. Write \"\"" in (
        refused.reason
    )
    told = importing(blank, everyone.replace("{ Yes =", '{ "" = "neutral", Yes ='))
    assert [one.verdict for one in told] == ["accepted", "skipped"]
    assert {row.claimant[0]: row.stance for row in ledger.claims()} == {
        "Ada": "neutral",
        "Bea": "opposes",
    }


def test_a_stance_left_empty_in_our_own_words_is_warned_of(importing, ledger):
    ledger.register(Party("Ada", name="Ada"))
    head = "claimant,act,proposition,stance,uttered\n"
    first, second = importing(
        f"{head}Ada,assert,bill,,2024-01-01\nAda,deny,bill,,2024-01-02\n", mapping=""
    )
    assert "the cell of stance is empty: it is read as supports" in "".join(first.warnings)
    assert "stance" not in "".join(second.warnings)


@pytest.mark.parametrize(
    "closing, verdict, words",
    [
        ('"', "accepted", "a cell holds lines 2 to 4, of which some look like rows"),
        ('" x', "refused", "The row goes on to line 4: a quotation mark may be open on line 2."),
    ],
)
def test_rows_that_an_open_quotation_mark_swallowed_are_told(
    importing, ledger, closing, verdict, words
):
    ledger.register(Party("Ada", name="Ada"))
    row = "Ada,assert,bill,supports,"
    text = f'claimant,act,proposition,stance,note\n{row}"x\n{row}y\n{row}z{closing}\n'
    (told,) = importing(text, mapping="")
    assert told.verdict == verdict
    assert words in " ".join((told.reason, *told.warnings))


def test_a_claim_of_which_the_mapping_names_no_stance_is_not_warned_of(importing, ledger):
    more = (
        MAPPING
        + """
[[rows]]
record = { type = "claim", claimant = ["{Who}"], act = "assert", proposition = "bill" }
"""
    )
    told = importing(VOTES.replace("Bea; Cyd", "Cyd"), more)
    assert [one.verdict for one in told] == ["accepted", "accepted"]
    assert not any("stance" in warning for one in told for warning in one.warnings)


def test_a_row_comes_in_as_a_whole_or_not_at_all(importing, ledger):
    first, second = importing()
    assert (first.verdict, second.verdict) == ("refused", "accepted")
    assert "there is no party 'Bea'" in first.reason
    assert "Ada" not in {one.id for one in ledger.as_of().parties()}


def test_a_party_that_goes_by_another_name_now_has_one_more(importing, ledger):
    mapping = """
[[rows]]
record = { type = "party", id = "{id}", name = "{name}", kind = "{kind}" }

[[rows]]
record = { type = "party", id = "{party}", name = "{party}" }

[[rows]]
record = { type = "membership", member = "{id}", organisation = "{party}" }
"""
    importing("id,name,kind,party\n1,Jo Doe,person,Blue\n", mapping)
    (told,) = importing("id,name,kind,party\n1,Jo B. Doe,person,Blue\n", mapping)
    assert "'Jo B. Doe' is one more" in told.warnings[0]
    view = ledger.as_of()
    assert {view.resolve(name) for name in ("Jo Doe", "Jo B. Doe")} == {"1"}
    (told,) = importing("id,name,kind,party\n1,Jo B. Doe,person,Red\n", mapping)
    assert [one.organisation for one in ledger.as_of().memberships("1")] == ["Blue", "Red"]
    assert not told.warnings
    (told,) = importing("id,name,kind,party\n1,Doe Ltd,organisation,Red\n", mapping)
    assert "'1' is taken by a record with other content" in told.reason


def test_a_kind_that_is_left_out_is_the_usual_one_beside_a_name_of_now(importing, ledger):
    ledger.amend("Blue", reason="a new name", name="The Blues")
    (told,) = importing("type,id,name\nparty,Blue,The Blues\n", "")
    assert (told.verdict, told.warnings) == ("skipped", ())


def test_the_rule_of_periods_can_be_given_with_the_call(importing, ledger):
    importing(VOTES.replace("Bea; Cyd", "Cyd"), bounds="half_open")
    assert ledger.as_of().memberships("Ada", on="2023-12-31") == ()


def test_tabs_part_the_cells_of_a_tsv_file(importing):
    told = importing(VOTES.replace("Bea; Cyd", "Cyd").replace(",", "\t"), name="votes.tsv")
    assert [one.verdict for one in told] == ["accepted", "accepted"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_first_line_of_excels_tells_what_parts_the_cells(importing, mark, end):
    text = f"{mark}sep=;\n{VOTES.replace('Bea; Cyd', 'Cyd').replace(',', ';')}"
    told = importing(text.replace("\n", end))
    assert [(one.line, one.verdict, one.reason) for one in told] == [
        (1, "skipped", "blank"),
        (3, "accepted", ""),
        (4, "accepted", ""),
    ]


def test_a_column_may_be_called_as_such_a_line_begins(importing):
    (told, _) = importing("sep=;x\n1;2\n", mapping="")
    assert "'sep=;x'" in told.reason


def test_two_claims_of_one_row_are_warned_of_once(importing, ledger):
    claim = '{ type = "claim", claimant = "Blue", act = "assert", proposition = "%s" }'
    rows = "\n".join(f"[[rows]]\nrecord = {claim % one}" for one in ("bill", "law"))
    ledger.register(Proposition("law", text="The law is good"))
    (told,) = importing("Who\nAda\n", mapping=rows)
    assert told.verdict == "accepted"
    assert len(told.warnings) == len(set(told.warnings)) > 0


def test_rows_without_a_mapping_are_claims_in_our_words(importing, ledger):
    ledger.register(Party("Ada", name="Ada"))
    told = importing("claimant,act,proposition\nAda,assert,bill\n", mapping="")
    assert [one.verdict for one in told] == ["accepted"]
    told = importing("type,id,label\ntopic,t,The topic\n", mapping="")
    assert [one.type for one in told] == ["topic"]


@pytest.mark.parametrize(
    "change, words",
    [
        (("map = { Yes", "map = { Yep"), "does not know 'Yes'"),
        (("%d/%m/%Y", "%Y-%m-%d"), "is no date written %Y-%m-%d"),
    ],
)
def test_a_cell_that_the_mapping_cannot_read_is_refused_by_its_column(importing, change, words):
    told = importing(mapping=MAPPING.replace(*change))
    assert words in told[0].reason
    assert told[0].where == "line 2"


@pytest.mark.parametrize(
    "cell, form, uttered",
    [
        ("05/2011", '"%m/%Y"', "2011-05"),
        ("May 2011", '"%B %Y"', "2011-05"),
        ("2011", '"%Y"', "2011"),
        ("2011-123", '"%Y-%j"', "2011-05-03"),
        ("3.5.2011", '["%d.%m.%Y", "%m/%Y"]', "2011-05-03"),
        ("05/2011", '["%d.%m.%Y", "%m/%Y"]', "2011-05"),
    ],
)
def test_a_date_is_as_precise_as_its_format(importing, ledger, cell, form, uttered):
    mapping = MAPPING.replace('"%d/%m/%Y"', form)
    importing(f"{VOTES.splitlines()[0]}\nAda,Blue,Yes,{cell},,,,\n", mapping)
    assert [str(one.uttered) for one in ledger.claims(claimant="Ada").rows] == [uttered]


@pytest.mark.parametrize(
    "cells, uttered",
    [("2011,5,3", "2011-05-03"), ("2011,5,", "2011-05"), ("2011,,", "2011"), ("soon,,", "2011/..")],
)
def test_a_date_may_stand_in_several_columns_and_a_word_in_its_place(
    importing, ledger, cells, uttered
):
    mapping = """
        [[rows]]
        record.type = "claim"
        record.claimant = "Blue"
        record.act = "assert"
        record.proposition = "bill"
        record.about.column = ["year", "month", "day"]
        record.about.date = ["%Y %m %d", "%Y %m", "%Y"]
        record.about.map = { soon = "2011/.." }
    """
    importing(f"year,month,day\n{cells}\n", mapping)
    assert [str(one.about) for one in ledger.claims().rows] == [uttered]


def test_a_date_in_several_columns_that_is_none_is_told_whole(importing):
    mapping = MAPPING.replace('column = "Day"', 'column = ["Day", "Why"]')
    refused, _ = importing(mapping=mapping)
    assert refused.reason.startswith("column 'Day, Why' holds '03/04/2024 because', which is no")


@pytest.mark.parametrize(
    "change, words",
    [
        (("{Who}", "{Whom}"), "there is no column 'Whom'. Did you mean 'Who'"),
        (('column = "Day"', 'column = "Dy"'), "no column 'Dy'. Did you mean 'Day'"),
        (('column = "Day"', 'column = ["Why", "Dy"]'), "no column 'Dy'. Did you mean 'Day'"),
        (('column = "Day"', "column = []"), "column = [] names no column"),
        (('column = "Day"', "column = [3]"), "column = [3] names no column"),
        (("{Who}", "{Who"), "'{Who' holds a brace without its fellow"),
        (('date = "%d/%m/%Y"', "map = 3"), "map = 3 is no rule for column 'Day'"),
        (('date = "%d/%m/%Y"', 'split = ""'), "split = '' is no rule for column 'Day'"),
        (("%d/%m/%Y", "%a %d %B"), "date = '%a %d %B' is no rule for column 'Day'"),
        (('"%d/%m/%Y"', "[2011]"), "date = [2011] is no rule for column 'Day'"),
    ],
)
def test_a_column_that_is_not_there_refuses_the_header_and_every_row(importing, change, words):
    told = importing(mapping=MAPPING.replace(*change))
    assert [one.verdict for one in told] == ["refused"] * 3
    assert words in told[0].reason
    assert "nothing was read below that header" in told[1].reason


@pytest.mark.parametrize(
    "mapping, words",
    [
        ("delimitr = ';'", r"no 'delimitr' here. Did you mean 'delimiter'"),
        ("delimiter = 7", r"delimiter"),
        ("[[rows]]\nwhen = 'Vote'", r"record is missing"),
        ("rows = [", r"is no TOML file"),
        ("rows = 3", r"a list should stand here @ map.toml.rows"),
        ("constants = 'x'", r"a table should stand here @ map.toml.constants"),
        ("delimiter = ';;'", r"delimiter = ';;' parts no cells: write one sign"),
        ("bounds = 'open'", r"bounds = 'open' is no rule: write closed or half_open"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_path(importing, mapping, words):
    with pytest.raises(InvalidImport, match=words):
        importing(mapping=mapping)


def test_columns_of_ones_own_are_told_of_mapping_files(importing):
    told = importing("Member,Vote\nAda,Yes\n", mapping="")
    assert "need a mapping file" in told[0].reason


def test_a_title_above_the_header_is_told_as_the_header(importing):
    told = importing(f"Votes of 2024,,\n{VOTES}")
    assert told[0].reason == (
        "there is no column 'Who'. The mapping names it. The columns are 'Votes of 2024, year'. "
        "Where a title stands above the header, delete it."
    )


def test_a_mapping_may_be_a_path_in_text(ledger, tmp_path):
    (tmp_path / "votes.csv").write_text("Who\nAda\n")
    (tmp_path / "map.toml").write_text(
        "[[rows]]\nrecord = { type = 'party', id = '{Who}', name = '{Who}' }\n"
    )
    file = str(tmp_path / "votes.csv")
    assert import_file(ledger, file, mapping=str(tmp_path / "map.toml")).accepted == 1


def test_a_stray_quotation_mark_costs_one_row(importing):
    text = 'claimant,act,proposition,note\nBlue,assert,bill,"a"b\nBlue,assert,bill,so\n'
    told = importing(text, mapping="")
    assert [one.verdict for one in told] == ["refused", "accepted"]
    assert "Double quotation marks" in told[0].reason


def test_lines_that_end_with_carriage_returns_alone_are_told(ledger, tmp_path):
    table = tmp_path / "votes.csv"
    table.write_bytes(b"claimant,act,proposition\rboard,assert,safe\r")
    (one,) = import_file(ledger, table).refusals
    assert one.reason.startswith("the lines end with carriage returns alone")


def test_a_table_in_utf_16_is_told_as_that(ledger, tmp_path):
    (tmp_path / "votes.csv").write_bytes(VOTES.replace("\n", "\r\n").encode("utf-16"))
    (told,) = import_file(ledger, tmp_path / "votes.csv").refusals
    assert told.reason.startswith("the file is UTF-16, not UTF-8")


def test_a_row_that_holds_nul_is_not_told_to_be_json(ledger, tmp_path):
    table = tmp_path / "votes.csv"
    table.write_bytes(b"claimant,act,proposition\nbo\0ard,assert,safe\n")
    (one,) = import_file(ledger, table).refusals
    assert one.reason.startswith("a raw NUL at byte 3 of the line")


@pytest.mark.parametrize("row", [",,,,,,,", " , ,,,,,,", ",,,", ",,,,,,,,,,", '""', '"",""'])
def test_a_row_of_empty_cells_is_a_blank_line(importing, row):
    told = importing(VOTES.replace("Bea; Cyd", "Cyd") + f"{row}\n" * 2, dry_run=True)
    assert [one.verdict for one in told] == ["accepted", "accepted", "skipped", "skipped"], told
    assert {one.reason for one in told[2:]} == {"blank"}


def test_a_row_of_empty_cells_under_our_own_words_is_refused(importing):
    (one,) = importing("claimant,act,proposition\n,,\n", mapping="")
    assert (one.verdict, one.field) == ("refused", "proposition"), one


def test_rows_of_empty_cells_may_stand_before_the_header(importing):
    told = importing(",,,,,,,\n" + VOTES.replace("Bea; Cyd", "Cyd"))
    assert [one.verdict for one in told] == ["skipped", "accepted", "accepted"], told


def test_an_empty_file_has_no_rows(importing):
    assert importing("", mapping="") == []
    assert [one.verdict for one in importing("\n\n", mapping="")] == ["skipped", "skipped"]


@pytest.mark.parametrize(
    "note, told",
    [
        ("x" * 131_073, "a cell has more than 131,072 signs"),
        ("x" * 5_000_000, "the line is longer than 5,000,000 bytes"),
        ('"so\n' + "x" * 131_073, "a quotation mark opened on line 2 is never closed; lines 2 to"),
    ],
)
def test_a_cell_that_is_too_long_is_told_as_that(importing, note, told):
    text = f"claimant,act,proposition,note\nBlue,assert,bill,{note}\nBlue,assert,bill,so\n"
    first, second = importing(text, mapping="")
    assert (first.verdict, second.verdict) == ("refused", "accepted")
    assert first.reason.startswith(told)


def test_columns_without_a_name_stand_for_nothing(importing, ledger):
    head, *rows = VOTES.replace("Bea; Cyd", "Cyd").splitlines()
    wide = "\n".join([f"{head},,", *(f"{row},,3" for row in rows), ""])
    assert [one.verdict for one in importing(wide)] == ["accepted", "accepted"]
    plain = "claimant,act,proposition,,\nCyd,assert,bill,,\nCyd,deny,bill,,more\n"
    accepted, refused = importing(plain, mapping="")
    assert accepted.verdict == "accepted"
    assert "'more' stands in a column without a name" in refused.reason


def test_statements_without_ids_have_one_made_of_their_words(importing, ledger):
    words = "The weir is shut, and was shut all year, " * 8
    rows = f'Who,Statement\nCyd,"{words}"\nBlue,"{words}"\n'
    mapping = """
        [[rows]]
        [rows.record]
        type = "proposition"
        id = { column = "Statement", digest = "words" }
        text = "{Statement}"
        [[rows]]
        [rows.record]
        type = "claim"
        claimant = "{Who}"
        act = "assert"
        proposition = { column = "Statement", digest = "words" }
    """
    assert [one.verdict for one in importing(rows, mapping)] == ["accepted", "accepted"]
    ((id_, text),) = (
        (one.id, one.text) for one in ledger.as_of().propositions() if one.id != "bill"
    )
    assert text == words.strip()
    assert [row.proposition for row in ledger.claims()] == [id_, id_]
    told, *_ = importing(rows, mapping.replace('digest = "words"', "digest = true"))
    assert (
        told.reason == "digest = True is no rule for column 'Statement'. Write digest = \"words\"."
    )


def test_what_a_map_does_not_know_may_stay_as_it_is(importing, ledger):
    rows = "Who,From,To\nCyd,beginning of time,2010-05-01\nCyd,2012-05-02,ongoing\n"
    mapping = """
        bounds = "closed"
        [[rows]]
        [rows.record]
        type = "membership"
        member = "{Who}"
        organisation = "Blue"
        from = { column = "From", map = { "beginning of time" = ".." }, default = "{From}" }
        until = { column = "To", map = { ongoing = ".." }, default = "{To}" }
    """
    assert [one.verdict for one in importing(rows, mapping)] == ["accepted", "accepted"]
    days = ("1900-01-01", "2010-05-01", "2010-05-02", "2012-05-02", "2100-01-01")
    held = [bool(ledger.as_of().memberships("Cyd", on=day)) for day in days]
    assert held == [True, True, False, True, True]
    told, *_ = importing(rows, mapping.replace('default = "{To}"', 'default = "{Too}"'))
    assert "no column 'Too'. Did you mean 'To'?" in told.reason


TWO_CLAIMS = """
[[rows]]
[rows.record]
type = "claim"
id = "old-{No}"
claimant = "Blue"
act = "assert"
proposition = "bill"
uttered = "{Old}"

[[rows]]
[rows.record]
type = "claim"
id = "new-{No}"
claimant = "Blue"
act = "assert"
proposition = "bill"
uttered = "{New}"
"""
REVERSES = """
[[rows]]
record = { type = "relation", from = "new-{No}", relation = "reverses", to = "old-{No}" }
"""
BACK_AGAIN = """
[[rows]]
record = { type = "relation", from = "old-{No}", relation = "updates", to = "new-{No}" }
"""
TAKES_BACK = """
[[rows]]
record = { type = "withdrawal", claim = "old-{No}", uttered = "{New}" }
"""


@pytest.mark.parametrize(
    "records, told",
    [
        (REVERSES, "uttered: 'new-2' (2021-01-01..2021-12-31) is earlier than 'old-2'"),
        (TAKES_BACK, "uttered: The withdrawal (2021-01-01..2021-12-31) is earlier"),
    ],
)
def test_a_row_may_refer_back_to_its_own_claims_and_never_ahead(importing, records, told):
    first, second = importing("No,Old,New\n1,2020,2021\n2,2022,2021\n", TWO_CLAIMS + records)
    assert (first.verdict, second.verdict) == ("accepted", "refused")
    assert f"refused: {told}" in str(second)


def test_a_claim_that_its_own_row_takes_back_is_taken_back(importing, ledger):
    importing("No,Old,New\n1,2020,2021\n", TWO_CLAIMS + TAKES_BACK)
    assert {row.id: row.withdrawn for row in ledger.claims()} == {"old-1": True, "new-1": False}


def test_claims_of_a_row_refer_back_in_no_circle(importing):
    (told,) = importing("No,Old,New\n1,2020,2020\n", TWO_CLAIMS + REVERSES + BACK_AGAIN)
    assert "'old-1' would refer back to itself in a circle" in told.reason
