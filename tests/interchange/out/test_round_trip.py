"""What left comes in again: the readable lines with the same answers, the log with the same hashes.

The readable lines are of what a view shows, so they are compared in ledgers whose clocks stand
still: when an entry was recorded is the one thing they do not hold.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Document, Ledger, Party
from ledger.errors import (
    CommitmentMismatch,
    InvalidImport,
    InvalidView,
    LeafMismatch,
    LedgerError,
    MissingEntry,
    RootMismatch,
)
from ledger.interchange import import_file
from ledger.interchange.out import jsonl, log
from ledger.interchange.restoring import restore
from ledger.model.events import ClaimRecorded
from ledger.projections.saying import one_occasion
from ledger.testing import lachin
from tests.projections.answers import everything, listed, told
from tests.projections.worlds import (
    FIRST,
    PEOPLE,
    SAID,
    TOLD,
    Clock,
    scene,
    told_to,
    worlds,
)


def standing(world):
    """A world in which no time goes by."""
    return [(op, dt.timedelta()) for op, _ in world]


def table(view):
    return {(who, what): told(view.position(who, what)) for who in PEOPLE for what in TOLD}


def refused(ledger, file):
    bad = []
    account = import_file(ledger, file, tell=lambda one: bad.append(str(one)))
    return [one for one in bad if "refused" in one], account


def written(folder, writer, view, name="out.jsonl"):
    file = Path(folder) / name
    with file.open("wb") as out:
        writer.write(view, out)
    return file


def lines_of(file):
    return sorted(file.read_text("utf-8").splitlines())


def occasions_agree(ledger):
    """Whether all reports of each utterance share a day."""
    with ledger.as_of().facts() as facts:
        return all(one_occasion(facts, id_)[1] for id_, _ in facts.of_type(ClaimRecorded))


def comes_back(world, cut):
    """What is refused of the lines of a world; where nothing is, its answers must be the same.

    A cut may leave out the report that kept an utterance's dates apart: only worlds without such
    reports are cut.
    """
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, standing(world))
        views = [(ledger.as_of(), SAID[1::4])]
        if occasions_agree(ledger):
            views.append((ledger.as_of(said=cut), (cut,)))
        for view, dates in views:
            file = written(folder, jsonl, view)
            with Ledger.open(":memory:", clock=Clock(FIRST)) as copy:
                if bad := refused(copy, file)[0]:
                    return bad
                for said in dates:
                    mine, its = ledger.as_of(said=said), copy.as_of(said=said)
                    assert (table(its), listed(its)) == (table(mine), listed(mine))
                again = written(folder, jsonl, copy.as_of(said=view.said.at), "again.jsonl")
                assert lines_of(again) == lines_of(file)
    return []


@settings(max_examples=15)
@given(worlds(), st.sampled_from(SAID))
def test_lines_imported_again_give_the_same_answers_unless_no_ledger_would_take_them(world, cut):
    # What was entered later may contradict a relation or a withdrawal that stands: it is told.
    contradictions = ("is earlier than", "in a circle", "has no part in")
    assert all(any(why in one for why in contradictions) for one in comes_back(world, cut))


@settings(max_examples=8)
@given(worlds(kinds=("claim", "claim", "membership", "merge_propositions")), st.sampled_from(SAID))
def test_lines_of_claims_that_do_not_name_each_other_are_all_taken(world, cut):
    assert comes_back(world, cut) == []


@pytest.mark.parametrize("bounds", ["closed", "half_open"])
def test_ends_that_are_known_to_the_year_come_back(tmp_path, bounds):
    lines = tmp_path / "in.jsonl"
    period = {"from": "2019", "until": "2021", "bounds": bounds}
    lines.write_text(
        "\n".join(
            json.dumps(one)
            for one in (
                {"type": "party", "id": "a", "name": "A", "names": [{"name": "Ann", **period}]},
                {"type": "party", "id": "b", "name": "B"},
                {"type": "membership", "member": "a", "organisation": "b", **period},
            )
        )
    )
    with Ledger.open(":memory:") as ledger, Ledger.open(":memory:") as copy:
        assert refused(ledger, lines)[0] == []
        assert refused(copy, written(tmp_path, jsonl, ledger.as_of()))[0] == []
        for day in ("2018-12-31", "2019-06-01", "2020-06-01", "2021-06-01", "2022-01-01"):
            mine, its = ledger.as_of(), copy.as_of()
            assert its.memberships("a", on=day) == mine.memberships("a", on=day)
            assert its.denoted("Ann", on=day) == mine.denoted("Ann", on=day)


@settings(max_examples=10)
@given(worlds())
def test_a_log_restored_has_every_hash_and_every_answer(world):
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        file = written(folder, log, ledger.as_of())
        with Ledger.open(":memory:", clock=clock) as copy:
            restore(copy, file)
            assert copy.verify(ledger.checkpoint()).size == ledger.checkpoint().size
            assert list(copy.as_of().entries()) == list(ledger.as_of().entries())
            size = ledger.checkpoint().size
            for said, known in itertools.product(SAID[5::6], (len(scene()), size - 1)):
                mine = ledger.as_of(said=said, known=known)
                assert everything(copy.as_of(said=said, known=known)) == everything(mine)
            assert written(folder, log, copy.as_of(), "again.jsonl").read_bytes() == (
                file.read_bytes()
            )


@pytest.fixture
def exported(corridor, tmp_path):
    return written(tmp_path, log, corridor.as_of())


def test_a_log_is_restored_on_every_engine(corridor, exported, database):
    with Ledger.open(database) as copy:
        assert str(restore(copy, exported)).startswith(f"{corridor.checkpoint().size} events of")
        assert copy.verify(corridor.checkpoint()).root == corridor.checkpoint().root.hex()
        mine, its = (one.as_of(said="2026-01-01") for one in (corridor, copy))
        assert [*map(str, its.positions(topic="lachin"))] == [
            *map(str, mine.positions(topic="lachin"))
        ]
        copy.register(Party("after", name="It goes on"))
        copy.verify(corridor.checkpoint())


def test_a_log_may_be_packed(corridor, exported, tmp_path):
    packed = tmp_path / "log.gz"
    packed.write_bytes(gzip.compress(exported.read_bytes()))
    with Ledger.open(":memory:") as copy:
        assert restore(copy, packed).root == corridor.checkpoint().root.hex()


def test_a_view_of_an_earlier_date_leaves_with_the_root_it_had(corridor, tmp_path):
    file = written(tmp_path, log, corridor.as_of(known=9))
    with Ledger.open(":memory:") as copy:
        restore(copy, file)
        assert copy.checkpoint() == corridor.checkpoint(10)


def with_line(file, number, change):
    lines = file.read_text("utf-8").splitlines(keepends=True)
    told = json.loads(lines[number])
    change(told)
    lines[number] = json.dumps(told) + "\n"
    return "".join(lines).encode()


def without_a_slot(told):
    told["slots"].pop("what")


def with_another_word(told):
    told["slots"]["what"]["json"] = told["slots"]["what"]["json"].replace("lachin", "lochin")


def with_another_salt(told):
    told["slots"]["what"]["salt"] = "00" * 32


def with_a_short_salt(told):
    told["slots"]["what"]["salt"] = "00"


def with_another_time(told):
    told["entry"] = told["entry"].replace('"recorded_at":"2', '"recorded_at":"3')


def with_half_an_entry(told):
    told["entry"] = told["entry"][:40]


def with_another_root(told):
    told["root"] = "00" * 32


def with_more_promised(told):
    told["size"] += 1


def with_another_log(told):
    told["origin"] = "elsewhere"


def of_another_format(told):
    told["format"] = "claimledger-log/9"


def without_a_size(told):
    told.pop("size")


@pytest.mark.parametrize(
    "line, change, error, words",
    [
        (18, without_a_slot, CommitmentMismatch, "no erasure says why"),
        (18, with_another_word, CommitmentMismatch, "at sequence 17 was changed"),
        (18, with_another_salt, CommitmentMismatch, "at sequence 17 was changed"),
        (18, with_a_short_salt, LeafMismatch, "Line 19 holds no entry"),
        (18, with_another_time, RootMismatch, "it was changed"),
        (18, with_half_an_entry, LeafMismatch, "Line 19 holds no entry"),
        (0, with_another_root, RootMismatch, "it was changed"),
        (0, with_more_promised, MissingEntry, "it was cut off or added to"),
        (0, with_another_log, InvalidImport, "Open the ledger with origin='elsewhere'"),
        (0, of_another_format, InvalidImport, "This is no log file"),
        (0, without_a_size, InvalidImport, "must say size and root"),
    ],
)
def test_a_log_file_that_was_changed_restores_nothing(exported, line, change, error, words):
    exported.write_bytes(with_line(exported, line, change))
    with Ledger.open(":memory:") as copy:
        with pytest.raises(error, match=words):
            restore(copy, exported)
        assert copy.checkpoint().size == 0


def cut(data):
    return data[:-200]


def without_the_last(data):
    return data[: data.rstrip(b"\n").rfind(b"\n") + 1]


def with_two_turned_round(data):
    lines = data.splitlines(keepends=True)
    lines[5], lines[6] = lines[6], lines[5]
    return b"".join(lines)


def packed_and_cut(data):
    return gzip.compress(data)[:-100]


def nothing(_):
    return b""


def no_text(_):
    return b"\xff\xfe\n"


def no_object(_):
    return b"[]\n"


@pytest.mark.parametrize(
    "damage, error",
    [
        (cut, InvalidImport),
        (without_the_last, MissingEntry),
        (with_two_turned_round, MissingEntry),
        (packed_and_cut, InvalidImport),
        (nothing, InvalidImport),
        (no_text, InvalidImport),
        (no_object, InvalidImport),
    ],
)
def test_a_damaged_log_file_restores_nothing(exported, damage, error):
    exported.write_bytes(damage(exported.read_bytes()))
    with Ledger.open(":memory:") as copy:
        with pytest.raises(error):
            restore(copy, exported)
        assert copy.checkpoint().size == 0


@settings(max_examples=25)
@given(st.data())
def test_whatever_byte_is_changed_the_log_comes_in_as_it_was_or_not_at_all(data):
    with tempfile.TemporaryDirectory() as folder, Ledger.open(":memory:") as ledger:
        lachin.load(ledger)
        file = written(folder, log, ledger.as_of())
        whole = bytearray(file.read_bytes())
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
        file.write_bytes(whole)
        with Ledger.open(":memory:") as copy:
            try:
                restore(copy, file)
            except LedgerError:
                assert copy.checkpoint().size == 0
            else:
                assert copy.checkpoint() == ledger.checkpoint()
                copy.verify()


def test_a_log_is_restored_only_where_there_is_none(corridor, exported):
    with pytest.raises(InvalidImport, match="a log is restored where there is none"):
        restore(corridor, exported)


def test_a_log_file_that_is_not_there_is_told(tmp_path):
    with Ledger.open(":memory:") as copy, pytest.raises(InvalidImport, match="cannot be read"):
        restore(copy, tmp_path / "no.jsonl")


def test_a_database_is_no_log_file_and_is_told_to_be_one(tmp_path):
    with Ledger.open(tmp_path / "other.db"):
        pass
    with (
        Ledger.open(":memory:") as copy,
        pytest.raises(InvalidImport, match="is an SQLite database: it cannot be read"),
    ):
        restore(copy, tmp_path / "other.db")


def test_a_text_too_long_for_a_line_stays_behind_and_its_digest_leaves():
    text = "All is well. " * 500_000
    with tempfile.TemporaryDirectory() as folder, Ledger.open(":memory:") as ledger:
        ledger.register(Party("gazette", name="Gazette"))
        ledger.register(Document("long", publisher="gazette", text=text))
        file = written(folder, jsonl, ledger.as_of())
        with Ledger.open(":memory:") as copy:
            assert refused(copy, file)[0] == []
            (mine,), (its,) = ledger.as_of().documents(), copy.as_of().documents()
            assert (its.sha256, its.length, its.has_text) == (mine.sha256, mine.length, False)


def test_lines_of_an_empty_ledger_are_none():
    with Ledger.open(":memory:") as ledger:
        assert jsonl.write(ledger.as_of(), io.BytesIO()) == 0
        assert log.write(ledger.as_of(), io.BytesIO()) == 1


WHY: dict[str, Any] = {"reason": "asked for by the person", "authority": "privacy officer"}


def test_an_erasure_that_came_later_keeps_an_earlier_log_from_leaving(corridor):
    size = corridor.checkpoint().size
    corridor.erase("mod-blocked", slots="who", **WHY)
    with pytest.raises(InvalidView, match="Export the whole log"):
        log.write(corridor.as_of(known=size - 1), io.BytesIO())


def test_an_erasure_while_a_log_is_written_is_told_as_that(corridor, tmp_path):
    class Slow(io.BytesIO):
        def write(self, data):
            if not self.tell():
                corridor.erase("mod-blocked", slots="who", **WHY)
            return super().write(data)

    with pytest.raises(InvalidView, match=r"lost 1 slot .* erased while .* export the log again"):
        log.write(corridor.as_of(), Slow())
    assert log.write(corridor.as_of(), io.BytesIO()) == corridor.checkpoint().size + 1


def test_a_log_with_erasures_is_restored_with_its_gaps(corridor, tmp_path, database):
    corridor.erase("mod-blocked", slots=["who", "words"], **WHY)
    corridor.erase("az", **WHY)
    file = written(tmp_path, log, corridor.as_of())
    erased = corridor.verify().erased
    with Ledger.open(database) as copy:
        restore(copy, file)
        assert copy.verify(corridor.checkpoint()).erased == erased > 2
        assert list(copy.as_of().entries()) == list(corridor.as_of().entries())
        assert copy.claims().lost == corridor.claims().lost
        told = [str(one) for one in corridor.as_of(said="2026-01-01").positions(topic="lachin")]
        assert [str(one) for one in copy.as_of(said="2026-01-01").positions(topic="lachin")] == told
        assert copy.erase("mod-blocked", slots="who", **WHY).stored == "nothing"
