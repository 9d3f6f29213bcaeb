"""What is recorded and asked of long logs takes work in step with them, not its square.

Four times as much takes at most `STEP` times the calls, where the square would take sixteen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import Claim, Document, Ledger, Membership, Party, Proposition, Topic
from ledger.projecting import cells
from tests.counting import calls

FEW, MANY, STEP = 40, 160, 8


def day(number: int) -> str:
    return (dt.date(2020, 1, 1) + dt.timedelta(days=number)).isoformat()


def said(number: int, by: str = "p0", on: str = "q0", **more: Any) -> Claim:
    when = more.pop("uttered", day(number))
    given: dict[str, Any] = {"document": "d"} | more
    return Claim(id=f"c{number}", claimant=by, act="assert", proposition=on, uttered=when, **given)


def begun(parties: int = 2) -> Ledger:
    ledger = Ledger.open(":memory:")
    ledger.register_all(
        [
            Topic("t", label="The topic"),
            Proposition("q0", text="It is so", topic="t"),
            *(Party(f"p{number}", name=f"Party {number}") for number in range(parties)),
            Party("paper", name="Paper", kind="publisher"),
            Document("d", publisher="paper", published="2022-01-01", text="All of it."),
        ]
    )
    return ledger


def a_line(many: int) -> Ledger:
    ledger = begun()
    ledger.record_all([said(number) for number in range(many)])
    return ledger


def vague_dates(many: int) -> Ledger:
    ledger = begun()
    ledger.record_all(
        [said(number, uttered=f"[{day(number)}..{day(number + 4)}]") for number in range(many)]
    )
    return ledger


def taken_back(many: int) -> Ledger:
    ledger = a_line(many)
    for number in range(0, many, 2):
        ledger.withdraw(f"c{number}", claimant="p0", uttered=day(number + 5), document="d")
    return ledger


def corrected_entries(many: int) -> Ledger:
    ledger = a_line(many)
    for number in range(0, many, 2):
        ledger.amend(f"c{number}", uttered=day(number + 1), reason="misread")
    return ledger


def one_entry_corrected(many: int) -> Ledger:
    ledger = a_line(1)
    for number in range(many):
        ledger.amend("c0", uttered=day(number + 1), reason="misread")
    return ledger


def a_thread(many: int) -> Ledger:
    ledger = a_line(many)
    for number in range(1, many):
        ledger.relate(f"c{number}", "replies_to", f"c{number - 1}")
    return ledger


def many_speakers(many: int) -> Ledger:
    ledger = begun(many)
    ledger.record_all([said(number, by=f"p{number}") for number in range(many)])
    return ledger


def members_of_one(many: int) -> Ledger:
    ledger = begun(many)
    ledger.register_all([Membership(f"p{number}", "p0") for number in range(1, many)])
    ledger.record_all([said(number, by=f"p{number}") for number in range(many)])
    return ledger


def merged_into_one(many: int) -> Ledger:
    ledger = many_speakers(many)
    for number in range(1, many):
        ledger.merge("p0", f"p{number}", reason="the same")
    return ledger


def versions_of_one(many: int) -> Ledger:
    ledger = begun()
    ledger.register_all(
        [
            Document(
                f"v{number}",
                publisher="paper",
                published="2022-01-01",
                text=f"Version {number}.",
                revises=f"v{number - 1}" if number else None,
            )
            for number in range(many)
        ]
    )
    ledger.record_all([said(number, document=f"v{number}") for number in range(many)])
    return ledger


SHAPES = [
    *(a_line, vague_dates, taken_back, corrected_entries, one_entry_corrected, a_thread),
    *(many_speakers, members_of_one, merged_into_one, versions_of_one),
]


def answers(ledger: Ledger) -> Iterator[tuple[str, Callable[[], object]]]:
    view = ledger.as_of(said="2021-06-01")
    yield "position", lambda: view.position("p0", "q0")
    yield "explain", lambda: view.explain("p0", "q0")
    yield "timeline", lambda: view.timeline("p0", "t")
    yield "silences", lambda: view.silences("t")
    yield "claims", lambda: view.claims(party="p0")
    yield "resting_on", lambda: view.resting_on("d")
    yield "attributed_to", lambda: view.attributed_to("p0")
    yield "evidence", lambda: view.evidence("p0", "q0")
    yield "diff", lambda: ledger.diff(ledger.as_of(said="2020-01-20"), view)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_four_times_as_much_takes_no_square_of_work(shape: Callable[[int], Ledger]) -> None:
    def counts(many: int) -> dict[str, int]:
        entering, ledger = calls(lambda: shape(many))
        ledger.position("p0", "q0")  # now the log is folded
        found = {"recording": entering}
        return found | {name: calls(ask)[0] for name, ask in answers(ledger)}

    counts(2)  # whatever is loaded when it is first used
    few, many = counts(FEW), counts(MANY)
    steps = {name: round(many[name] / few[name], 1) for name in few}
    if shape is a_thread:
        del steps["recording"]  # each reply is held against all that it goes back to
    assert max(steps.values()) <= STEP, steps


def test_neither_a_new_party_nor_a_claim_takes_a_look_at_all_parties(tmp_path: Path) -> None:
    def counted(parties: int) -> tuple[int, int]:
        with Ledger.open(tmp_path / f"{parties}.db") as ledger:
            ledger.projections.add(cells(ledger.layout))
            ledger.register(Proposition("q0", text="It is so"))
            ledger.register_all(
                Party(f"p{number}", name=f"P {number}") for number in range(parties)
            )
            ledger.record(claimant="p0", act="assert", proposition="q0", uttered=day(0))
            ledger.position("p0", "q0")
            ledger.register(Party("new", name="New"))
            asked, _ = calls(lambda: ledger.position("new", "q0"))
            claim: dict[str, Any] = {"claimant": "new", "act": "assert", "proposition": "q0"}
            recorded, _ = calls(lambda: ledger.record(uttered=day(1), **claim))
            return asked, recorded

    counted(4)  # whatever is loaded when it is first used
    for few, many in zip(counted(FEW), counted(100 * FEW), strict=True):
        assert many < 1.5 * few
