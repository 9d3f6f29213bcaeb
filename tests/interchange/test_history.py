from __future__ import annotations

import base64
import datetime as dt
import gzip
import io
import itertools
import json
import re
import subprocess

import pytest

from ledger import Ledger, Party, Proposition
from ledger.errors import InvalidImport
from ledger.interchange import Outcome
from ledger.interchange.history import import_history

ROWS = "claimant,act,proposition,stance\n"


def _git(folder, *words, at="2022-01-01T00:00:00Z"):
    named = ["-c", "user.name=A desk", "-c", "user.email=desk@example.org"]
    env = {"GIT_COMMITTER_DATE": at, "GIT_AUTHOR_DATE": at, "PATH": "/usr/bin:/bin"}
    subprocess.run(["git", *named, *words], cwd=folder, check=True, capture_output=True, env=env)


def _commit(table, text, at):
    table.write_bytes(text.encode())
    _git(table.parent, "add", table.name)
    _git(table.parent, "commit", "-q", "-m", "votes", at=at)


@pytest.fixture
def history(tmp_path):
    """A table that was committed three times, the last time without a change of its cells."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "-q")
    table = folder / "votes.csv"
    for day, text in (
        ("2022-09-09T15:46:36Z", ROWS + "ada,assert,bill,supports\n"),
        ("2022-10-20T17:11:24Z", ROWS + "ada,assert,bill,opposes\n"),
        ("2022-12-19T20:55:15Z", ROWS + "ada,assert,bill,opposes\r\n"),
    ):
        _commit(table, text, day)
    return table


@pytest.fixture
def ledger():
    now = [dt.datetime(2022, 1, 1, tzinfo=dt.UTC)]
    with Ledger.open(":memory:", clock=lambda: now[0]) as opened:
        opened.register(Party("ada", name="Ada"))
        opened.register(Proposition("bill", text="The bill is good"))
        now[0] = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        yield opened


def test_each_version_is_known_from_its_commit_on(ledger, history):
    told = list(import_history(ledger, history))
    assert [(one.accepted, one.skipped) for _, one in told] == [(1, 0), (1, 0), (0, 1)]
    for known, stances in (
        ("2022-09-09T15:46:35Z", set()),
        ("2022-09-09T15:46:36Z", {"supports"}),
        ("2022-10-20T17:11:24Z", {"supports", "opposes"}),
    ):
        assert {row.stance for row in ledger.as_of(known=known).claims()} == stances
    last = list(ledger.events())[-1]
    assert last.recorder.tool == "git"
    assert last.correlation == told[1][0].commit
    ledger.verify()


def test_a_log_that_ends_later_takes_no_history(ledger, history):
    ledger.register(Party("bea", name="Bea"))
    with pytest.raises(InvalidImport, match="Import the history into an empty ledger"):
        list(import_history(ledger, history))


def test_a_history_that_was_interrupted_goes_on_and_adds_nothing_twice(ledger, history):
    assert len(list(itertools.islice(import_history(ledger, history), 2))) == 2
    counts = [(one.accepted, one.skipped) for _, one in import_history(ledger, history)]
    assert counts == [(0, 1), (0, 1)]
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2023-02-01T00:00:00Z")
    counts = [(one.accepted, one.skipped) for _, one in import_history(ledger, history)]
    assert counts == [(0, 1), (0, 1), (1, 0)]


def test_a_commit_dated_before_the_one_it_follows_is_known_as_of_that_one(ledger, history):
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2022-09-10T00:00:00Z")
    assert [one.accepted for _, one in import_history(ledger, history)] == [1, 1, 0, 1]
    *_, before, last = ledger.events()
    assert last.recorded >= before.recorded
    assert (last.event.act, f"{last.recorded:%Y-%m-%d}") == ("deny", "2022-12-19")


def test_a_file_that_was_never_committed_is_told(ledger, history):
    alone = history.with_name("alone.csv")
    alone.write_text(ROWS)
    with pytest.raises(InvalidImport, match=r"git holds no version of 'alone\.csv'"):
        list(import_history(ledger, alone))


def test_a_file_outside_of_any_repository_has_no_history(ledger, tmp_path):
    with pytest.raises(InvalidImport, match="git repository"):
        list(import_history(ledger, tmp_path / "votes.csv"))


def struck(ledger, path):
    """Each version's stances, and how many were struck out by it."""
    told = []
    for version, account in import_history(ledger, path, strike_out_vanished=True):
        told.append(account.struck_out)
        ledger.verify()
        assert version.commit
    return told


def stances(ledger, **knobs):
    return sorted(row.stance for row in ledger.as_of(**knobs).claims())


def test_what_the_next_version_does_not_hold_is_struck_out_where_that_is_asked_for(ledger, history):
    _commit(
        history, ROWS + "ada,deny,bill,opposes\nada,assert,bill,supports\n", "2023-02-01T00:00:00Z"
    )
    assert struck(ledger, history) == [0, 1, 0, 1]
    for known, found in (
        ("2022-09-10", ["supports"]),
        ("2022-12-31", ["opposes"]),
        ("2023-02-02", ["opposes", "supports"]),
    ):
        assert stances(ledger, known=known) == found
    last = list(ledger.events())[-1]
    assert (last.type, last.recorder.tool) == ("record_amended", "git")
    assert last.event.reason.startswith("not in votes.csv any more, by commit ")
    *_, (version, _) = import_history(ledger, history)
    assert last.correlation == version.commit


@pytest.mark.parametrize("many", [1, 2, 3])
def test_what_vanished_is_struck_out_by_a_history_that_goes_on(ledger, history, many):
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2023-02-01T00:00:00Z")
    list(itertools.islice(import_history(ledger, history, strike_out_vanished=True), many))
    struck(ledger, history)
    assert stances(ledger) == ["opposes"]
    assert len(list(ledger.events())) == 7  # two nouns, three claims, two amendments


def test_a_history_that_goes_on_tells_nothing_of_what_is_there(ledger, history):
    list(itertools.islice(import_history(ledger, history), 2))
    told: list[object] = []
    list(import_history(ledger, history, strike_out_vanished=True, tell=told.append))
    assert len(told) == 2  # the row of each version that was left, the half one among them


def test_a_version_without_a_row_tells_what_it_strikes_out(ledger, history):
    _commit(history, ROWS, "2023-02-01T00:00:00Z")
    *_, last = import_history(ledger, history, strike_out_vanished=True)
    told = "votes.csv: nothing in the file, 0 rows, nothing struck out: the version holds no record"
    assert str(last[1]) == told


def test_a_version_of_which_something_is_refused_strikes_nothing_out(ledger, history):
    _commit(history, ROWS + "ada,assert\nbea,assert,bill,supports\n", "2023-02-01T00:00:00Z")
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2023-03-01T00:00:00Z")
    assert struck(ledger, history) == [0, 1, 0, 0, 1]
    assert stances(ledger, known="2023-02-02") == ["opposes"]
    assert [row.act for row in ledger.as_of().claims()] == ["deny"]


@pytest.mark.parametrize("many", [1, 3, 4, 5])
def test_a_history_taken_in_pieces_strikes_out_what_it_does_at_once(ledger, history, many):
    for month, row in (("02", "ada,deny,bill,opposes\n"), ("03", "ada,avoid,bill,\n")):
        _commit(history, ROWS + row + "ada,assert\n", f"2023-{month}-01T00:00:00Z")
    _commit(history, ROWS + "ada,assert,bill,supports\n", "2023-04-01T00:00:00Z")
    list(itertools.islice(import_history(ledger, history, strike_out_vanished=True), many))
    struck(ledger, history)
    assert [row.act for row in ledger.as_of().claims()] == ["assert"]


def test_a_history_that_goes_on_reads_what_is_there_as_it_was_read(ledger, history, monkeypatch):
    seat = {"type": "membership", "member": "ada", "organisation": "{on}", "until": "{until}"}
    rows = [{"record": {"type": "party", "id": "{on}", "name": "{on}"}}, {"record": seat}]
    how = {"format": "csv", "mapping": {"rows": rows}, "bounds": "closed"}
    table, head = history.with_name("seats.list"), "on,until\n"
    for month, other in ((1, "Blue"), (2, "Green")):
        text = f"{head}Red,2013-12-31\n{other},2014-12-31\n"
        _commit(table, text, f"2023-0{month}-01T00:00:00Z")
    with monkeypatch.context() as patched:
        patched.setattr("ledger.interchange.history.strike_out", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            list(import_history(ledger, table, strike_out_vanished=True, **how))
    ((_, account),) = import_history(ledger, table, strike_out_vanished=True, **how)
    assert (account.skipped, account.struck_out) == (2, 1)
    assert [one.organisation for one in ledger.as_of().memberships("ada")] == ["Red", "Green"]


def _cut_off(_appender, gone, **_):
    """In place of striking out: the second version was entered, and the run ended."""
    if gone:
        raise KeyboardInterrupt
    return 0


def seated(tmp_path, *versions):
    """The history of a house with one seat: a version a year, a name, what its row adds."""
    folder = tmp_path / "repository"
    folder.mkdir()
    _git(folder, "init", "-q")
    file = folder / "house.json"
    seat = {"person_id": "ada", "organization_id": "blue", "start_date": "2020-01-01"}
    for year, name, more in versions:
        house = {
            "persons": [{"id": "ada", "name": name}],
            "organizations": [{"id": "blue", "name": "Blue"}],
            "memberships": [seat | more],
        }
        _commit(file, json.dumps(house), f"{year}-01-01T00:00:00Z")
    return file


def test_a_person_who_goes_by_another_name_keeps_no_row_from_being_struck_out(tmp_path):
    over = {"end_date": "2022-12-31"}
    file = seated(tmp_path, (2021, "Ada", {}), (2022, "Ada B.", {}), (2023, "Ada B.", over))
    with Ledger.open(":memory:") as ledger:
        told = [one for _, one in import_history(ledger, file, strike_out_vanished=True)]
        assert [(one.refused, one.struck_out) for one in told] == [(0, 0), (0, 0), (0, 1)]
        found = ledger.as_of().memberships("ada")
        assert [str(one.period) for one in found] == ["since 2020-01-01, before 2023-01-01"]


def test_a_name_that_is_put_right_in_a_table_keeps_no_row_from_being_struck_out(history):
    seats = {
        "record": {"type": "membership", "member": "{id}", "organisation": "{party}"}
        | {"from": "{from}", "until": "{until}"}
    }
    parties = [
        {"record": {"type": "party", "id": one, "name": name, "kind": kind}}
        for one, name, kind in (("{id}", "{name}", "person"), ("{party}", "{party}", "body"))
    ]
    table, head = history.with_name("seats.csv"), "id,name,party,from,until\n"
    for year, text in (
        (2021, "1,Jo Doe,Red,2010-01-01,\n2,Al Poe,Blue,2010-01-01,\n"),
        (2022, "1,Jo B. Doe,Red,2010-01-01,\n2,Al Poe,Red,2010-01-01,\n"),
        (2023, "1,Jo B. Doe,Red,2010-01-01,2013-01-01\n2,Al Poe,Red,2010-01-01,2012-01-01\n"),
    ):
        _commit(table, head + text, f"{year}-01-01T00:00:00Z")
    mapping = {"rows": [*parties, seats]}
    with Ledger.open(":memory:") as ledger:
        told = import_history(ledger, table, strike_out_vanished=True, mapping=mapping)
        assert [(one.refused, one.struck_out) for _, one in told] == [(0, 0), (0, 1), (0, 2)]
        then, now = (ledger.as_of(known=f"{year}-06-01") for year in (2022, 2023))
        assert [one.organisation for one in then.memberships("2", on="2015-01-01")] == ["Red"]
        assert now.memberships("2", on="2015-01-01") == ()
        assert [str(one.period) for one in now.memberships("1")] == [
            "since 2010-01-01, before 2013-01-01"
        ]


def test_a_seat_whose_end_is_told_later_is_told_anew(tmp_path):
    file = seated(tmp_path, (2021, "Ada", {}), (2023, "Ada", {"end_date": "2022-12-31"}))
    with Ledger.open(":memory:") as ledger:
        told = import_history(ledger, file, strike_out_vanished=True, bounds="closed")
        assert [account.struck_out for _, account in told] == [0, 1]
        found = ledger.as_of().memberships("ada")
        assert [str(one.period) for one in found] == ["since 2020-01-01, before 2023-01-01"]
        found = ledger.as_of(known="2022-06-01").memberships("ada")
        assert [str(one.period) for one in found] == ["since 2020-01-01"]


def test_a_name_that_a_later_version_gives_is_known_from_then_on(tmp_path):
    file = seated(tmp_path, (2021, "Ada", {}), (2022, "Ada B.", {}), (2023, "Ada", {}))
    with Ledger.open(":memory:") as ledger:
        told = [one for _, one in import_history(ledger, file, strike_out_vanished=True)]
        assert [(one.refused, one.struck_out) for one in told] == [(0, 0), (0, 0), (0, 1)]
        for known, bearers in (("2021-06-01", 0), ("2022-06-01", 1), (None, 0)):
            view = ledger.as_of(known=known)
            assert len(view.denoted("Ada B.", on="2022-06-01")) == bearers
            assert view.resolve("Ada", on="2022-06-01") == "ada"


BAD = "ada,assert\n"
WORSE = "ada,assrt,bill,supports\n"


@pytest.mark.parametrize("many", range(6))
def test_what_was_refused_in_every_version_hides_nothing_that_is_gone(ledger, history, many):
    """Nor does it where the history goes on in another run; a row that broke lately does."""
    yes, no, avoid = (f"ada,{act},bill,{stance}\n" for act, stance in ACTS)
    _git(history.parent, "checkout", "-q", "--orphan", "anew")
    rows_by_month = [BAD + yes + no, BAD + yes, BAD + WORSE, WORSE + BAD + avoid, BAD + avoid]
    for month, rows in enumerate(rows_by_month, 1):
        _commit(history, ROWS + rows, f"2023-{month:02}-01T00:00:00Z")
    told = list(itertools.islice(import_history(ledger, history, strike_out_vanished=True), many))
    told += import_history(ledger, history, strike_out_vanished=True)
    by_month = {f"{version.committed:%m}": account for version, account in reversed(told)}
    assert [by_month[f"{n:02}"].struck_out for n in range(1, 6)] == [0, 1, 0, 0, 1]
    why = "a record is refused that may be what seems to be gone"
    assert [by_month[f"{n:02}"].not_struck_out for n in (1, 2, 5)] == ["", "", ""]
    assert {by_month["03"].not_struck_out, by_month["04"].not_struck_out} <= {why}
    assert why in str(by_month["04"])
    assert stances(ledger, known="2023-04-02") == ["supports", "undeclared"]
    assert [row.act for row in ledger.as_of().claims()] == ["avoid"]


def test_a_refused_row_is_known_again_however_the_file_is_laid_out(ledger, history):
    yes, no, avoid = (f"ada,{act},bill,{stance}\n" for act, stance in ACTS)
    _git(history.parent, "checkout", "-q", "--orphan", "anew")
    versions_ = [
        ROWS + WORSE + BAD + yes + no,
        (ROWS + WORSE + BAD + yes + no).replace("\n", "\r\n"),
    ]
    for month, text in enumerate([*versions_, (ROWS + WORSE + BAD + avoid)], 1):
        _commit(history, text, f"2023-{month:02}-01T00:00:00Z")
    told = list(import_history(ledger, history, strike_out_vanished=True))
    assert [account.struck_out for _, account in told] == [0, 0, 2]
    assert [account.not_struck_out for _, account in told] == ["", "", ""]


def test_a_history_cut_off_behind_a_version_without_a_row_strikes_out_what_vanished(
    ledger, history, monkeypatch
):
    yes, no, _ = (f"ada,{act},bill,{stance}\n" for act, stance in ACTS)
    _git(history.parent, "checkout", "-q", "--orphan", "anew")
    for month, rows in enumerate([yes + no, "", yes + yes.replace("assert", "predict")], 1):
        _commit(history, ROWS + rows, f"2023-{month:02}-01T00:00:00Z")

    def cut_off(_appender, gone, **_):
        assert not gone, "the third version was entered, and nothing struck out by it yet"
        return 0

    with monkeypatch.context() as patched:
        patched.setattr("ledger.interchange.history.strike_out", cut_off)
        with pytest.raises(AssertionError):
            struck(ledger, history)
    assert stances(ledger) == ["opposes", "supports", "supports"]
    assert struck(ledger, history) == [1]
    assert stances(ledger) == ["supports", "supports"]


@pytest.mark.parametrize("many", range(4))
def test_what_comes_in_for_what_it_was_refused_for_is_struck_out_once_it_is_gone(
    ledger, history, many
):
    yes, no, avoid = (f"C{n // 2},ada,{act},bill,{on}\n" for n, (act, on) in enumerate(ACTS))
    _git(history.parent, "checkout", "-q", "--orphan", "anew")
    for month, rows in enumerate([yes + no, no, avoid], 1):
        _commit(history, f"id,{ROWS}{rows}", f"2023-{month:02}-01T00:00:00Z")
    list(itertools.islice(import_history(ledger, history, strike_out_vanished=True), many))
    struck(ledger, history)
    for known, found in (("2023-01", ["assert"]), ("2023-02", ["deny"]), ("2023-03", ["avoid"])):
        assert [row.act for row in ledger.as_of(known=f"{known}-02").claims()] == found


ACTS = (("assert", "supports"), ("deny", "opposes"), ("avoid", ""))


@pytest.mark.parametrize(
    "broken, why",
    [
        (b"", "^the version holds no record"),
        (b"PK\x03\x04 and more", "^the version cannot be read .*is a zip archive"),
        (b"\x1f\x8b\x08cut", "gzip packing"),
    ],
)
def test_a_version_that_cannot_be_read_ends_no_history(ledger, history, broken, why):
    history.write_bytes(broken)
    _git(history.parent, "add", history.name)
    _git(history.parent, "commit", "-q", "-m", "votes", at="2023-01-01T00:00:00Z")
    _commit(history, ROWS + "ada,deny,bill,opposes\n", "2023-02-01T00:00:00Z")
    heard: list[Outcome] = []
    told = list(import_history(ledger, history, strike_out_vanished=True, tell=heard.append))
    account = told[3][1]
    assert account.struck_out == 0
    words = " ".join([account.not_struck_out, *(one.reason for one in account.refusals)])
    assert re.search(why, words)
    assert account.refused == (1 if broken else 0)
    assert all(told[3][0].commit[:10] in one.reason for one in account.refusals)
    assert stances(ledger, known="2023-01-02") == ["opposes"]
    assert [row.act for row in ledger.as_of().claims()] == ["deny"]
    assert [one.verdict for one in heard].count("refused") == account.refused


def line(id_, act="assert"):
    claim = {"type": "claim", "id": id_, "claimant": "ada", "act": act, "proposition": "bill"}
    return json.dumps(claim) + "\n"


BILL = json.dumps({"type": "proposition", "id": "bill", "text": "Another"}) + "\n"
PEOPLE = {"persons": [{"id": "eve", "name": "Eve", "other_names": ["Eva"]}]}
WORSE_PEOPLE = json.dumps(PEOPLE).replace('"Eva"', '{"name": "Eva", "start_date": "2010-13"}')
PACKED = gzip.compress((line("a") + "\n" * 90_000 + line("b")).encode())


@pytest.mark.parametrize(
    "name, first, second, options, left",
    [
        # broken in two places: what is behind them was not refused before
        ("x.jsonl", PACKED[:-9], PACKED[:-30], {}, ("a", "b")),
        ("x.jsonl", line("a") + line("b"), line("a") + BILL, {"all_or_nothing": True}, ("a", "b")),
        ("x.jsonl", line("a"), gzip.compress(b"", mtime=0), {}, ("a",)),
        ("x.csv", ROWS + "ada,assert,bill,\n", ROWS, {}, 1),
        ("x.csv", ROWS + "ada,assert,bill,\n", "\ufeff", {}, 1),
        # it was refused for its twin, and is not when that is gone
        ("x.jsonl", line("a") + line("a", "deny"), line("a", "deny"), {}, ("a",)),
    ],
)
def test_nothing_is_struck_out_that_may_stand(  # noqa: PLR0917 - a history has so many parts
    ledger, history, name, first, second, options, left
):
    file = history.with_name(name)
    for month, raw in ((1, first), (2, second)):
        file.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        _git(file.parent, "add", name)
        _git(file.parent, "commit", "-q", "-m", "rows", at=f"2023-0{month}-01T00:00:00Z")
    *_, (_, last) = import_history(ledger, file, strike_out_vanished=True, **options)
    found = ledger.as_of().claims()
    assert (len(found) if left == 1 else tuple(sorted(found.ids))) == left
    assert last.accepted + last.refused + last.skipped == last.lines
    if name == "x.jsonl" and second == line("a", "deny"):
        assert (last.accepted, last.struck_out) == (1, 1)
        assert [row.act for row in found] == ["deny"]


def test_a_name_that_a_later_version_spoils_is_not_struck_out(ledger, history):
    file = history.with_name("x.json")
    for month, raw in ((1, json.dumps(PEOPLE)), (2, WORSE_PEOPLE)):
        _commit(file, raw, f"2023-0{month}-01T00:00:00Z")
    *_, (_, last) = import_history(ledger, file, strike_out_vanished=True)
    assert (last.refused, last.struck_out) == (1, 0)
    assert ledger.as_of().resolve("Eva") == "eve"


def test_a_version_that_does_not_say_its_format_ends_no_history(ledger, history):
    file = history.with_name("x.json")
    for month, raw in ((1, json.dumps(PEOPLE)), (2, '{"odd": 1}'), (3, json.dumps(PEOPLE) + "\n")):
        _commit(file, raw, f"2023-0{month}-01T00:00:00Z")
    told = [one for _, one in import_history(ledger, file)]
    assert [(one.accepted, one.refused, one.skipped) for one in told] == [
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
    ]


def test_a_version_that_cannot_be_read_is_reported_with_its_bytes(ledger, history):
    history.write_bytes(b"PK\x03\x04 and more")
    _git(history.parent, "add", history.name)
    _git(history.parent, "commit", "-q", "-m", "votes", at="2023-01-01T00:00:00Z")
    report = io.BytesIO()
    list(import_history(ledger, history, report=report))
    (told,) = map(json.loads, report.getvalue().splitlines())
    assert base64.b64decode(told["raw"]) == b"PK\x03\x04 and more"


def test_annotations_without_their_text_in_a_commit_are_refused_and_others_go_on(ledger, history):
    marks = history.with_name("weir.ann")
    _commit(marks, "T1\tSource 0 4\tBaku\n", "2023-01-01T00:00:00Z")
    marks.with_suffix(".txt").write_text("Baku said the mine is open.")
    _git(marks.parent, "add", "weir.txt")
    _commit(
        marks,
        "T1\tSource 0 4\tBaku\nT2\tContent 10 26\tthe mine is open\n"
        "E1\tAttribution:T1 Source:T1 Content:T2\n",
        "2023-02-01T00:00:00Z",
    )
    mapping = {"document": {"publisher": "ada", "published": "2022-12-01"}}
    told = [one for _, one in import_history(ledger, marks, mapping=mapping)]
    assert [(one.accepted, one.refused) for one in told] == [(0, 1), (2, 0)]


def test_a_mapping_that_cannot_be_read_is_told_at_once(ledger, history, tmp_path):
    for mapping in (tmp_path / "nowhere.toml", tmp_path / "bad.toml"):
        (tmp_path / "bad.toml").write_text("rows = 3 =")
        with pytest.raises(InvalidImport, match=mapping.name) as told:
            list(import_history(ledger, history, mapping=mapping))
        assert told.value.field == "mapping"
        assert str(told.value.given).endswith(mapping.name)


def test_a_format_that_is_none_is_told_at_once(ledger, history):
    with pytest.raises(InvalidImport, match="There is no format 'cvs'"):
        list(import_history(ledger, history, format="cvs"))


def test_annotations_have_a_history_with_their_text(ledger, history):
    folder = history.parent
    (folder / "weir.txt").write_text("The weir is shut, the board said.")
    marks = folder / "weir.ann"
    marks.write_text(
        "T1\tContent 0 16\tThe weir is shut\nT2\tSource 18 27\tthe board\n"
        "E1\tAttribution:T2 Source:T2 Content:T1\n"
    )
    _git(folder, "add", "weir.txt", "weir.ann")
    _git(folder, "commit", "-q", "-m", "marks", at="2023-01-01T00:00:00Z")
    mapping = {"document": {"publisher": "ada", "published": "2022-12-01"}}
    ((_, account),) = import_history(ledger, marks, mapping=mapping)
    assert (account.accepted, account.refused) == (2, 0)
    assert ledger.as_of(known="2023-01-02").claims().ids == ("weir-E1",)


def test_a_file_whose_name_git_would_take_for_a_pattern_has_a_history(ledger, history):
    odd = history.with_name(":votes[1].csv")
    _git(history.parent, "--literal-pathspecs", "mv", history.name, odd.name)
    _git(history.parent, "commit", "-q", "-m", "a name", at="2023-01-01T00:00:00Z")
    ((_, account),) = import_history(ledger, odd)
    assert account.accepted == 1
