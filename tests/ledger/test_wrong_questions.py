"""Questions and orders of the wrong kind are told what was given and what to type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import Document, Ledger, Party, Proposition, Topic
from ledger.errors import (
    InvalidCheckpoint,
    InvalidCorrection,
    InvalidDate,
    InvalidImport,
    InvalidView,
    LedgerError,
    UnknownClaim,
    UnknownEvent,
    UnknownTopic,
)
from ledger.interchange import import_file
from ledger.model.period import Period


@pytest.fixture(scope="module")
def mill():
    with Ledger.open(":memory:") as ledger:
        ledger.register_all(
            [
                Topic("weir", label="The weir"),
                Party("mill", name="Mill"),
                Proposition("shut", text="It is shut", topic="weir"),
                Document("paper", publisher=Party("gazette", name="Gazette"), text="It is shut."),
            ]
        )
        ledger.record(id="c1", claimant="mill", act="assert", proposition="shut", document="paper")
        ledger.record(id="gone", claimant="mill", act="deny", proposition="shut")
        ledger.amend("gone", strike_out=True, reason="twice")
        yield ledger


def own(candidates):
    return candidates


NO_LEDGER: Any = "votes.db"
NO_RULE: Any = "Closed"
NOTHING: Any = None
WRONG: dict[str, tuple[Callable[[Any], object], type[LedgerError], str]] = {
    "a zone by name": (
        lambda one: one.as_of(said="2024-03-14", zone="Asia/Tokyo"),
        InvalidView,
        "zoneinfo.ZoneInfo('Asia/Tokyo')",
    ),
    "a difference of days": (
        lambda one: one.diff("2024-03-01", "2024-03-10"),
        InvalidView,
        "'2024-03-01' is no view. Write diff(ledger.as_of(said=...)",
    ),
    "a policy that gives nothing back": (
        lambda one: one.position("mill", "shut", policy=lambda _: None),
        InvalidView,
        "gave back None. Return those of the candidates",
    ),
    "a policy of one's own by its position": (
        lambda one: one.explain(one.position("mill", "shut", policy=own)),
        InvalidView,
        "a policy of your own, 'own'. Hand it over: explain(position, policy=...)",
    ),
    "the path of a checkpoint": (
        lambda one: one.verify(Path("checkpoint.txt")),
        InvalidCheckpoint,
        "Hand over its text, as Path('checkpoint.txt').read_text()",
    ),
    "a size as text": (lambda one: one.checkpoint("2"), UnknownEvent, "checkpoint at size '2'"),
    "a text of no document": (
        lambda one: one.check_quotes("paper", texts="It is shut."),
        InvalidView,
        "texts= takes a text for each document",
    ),
    "a path for a ledger": (
        lambda _: import_file(NO_LEDGER, "c.csv"),
        InvalidImport,
        "'votes.db' is no ledger. Write import_file(ledger, 'claims.jsonl')",
    ),
    "nothing for a path": (lambda one: import_file(one, NOTHING), InvalidImport, "None is no path"),
    "a number as text": (
        lambda one: one.as_of(known="3"),
        InvalidView,
        "or the number of an event, as known=41",
    ),
    "a number as a day": (
        lambda one: one.as_of(said=3),
        InvalidView,
        "said must be text, a date or a datetime, got int 3. Give a day, as 2023-01-18, or an",
    ),
    "a rule of bounds that there is not": (
        lambda _: Period.of_interval("2020/2021", bounds=NO_RULE),
        InvalidDate,
        "bounds='Closed' is no rule. Write closed where the last day counts",
    ),
    "a mistyped field of a correction": (
        lambda one: one.correct("c1", document="paper", propositon="x"),
        InvalidCorrection,
        "cannot be corrected. Did you mean 'proposition'?",
    ),
    "a date that tells nothing": (
        lambda one: one.record(claimant="mill", act="assert", proposition="shut", uttered=".."),
        InvalidDate,
        "'..' tells nothing. Leave the date out",
    ),
    "a document for a claim": (
        lambda one: one.trace("paper"),
        UnknownClaim,
        "It is the id of a document.",
    ),
    "a proposition for a topic": (
        lambda one: one.silences("shut"),
        UnknownTopic,
        "It is the id of a proposition.",
    ),
    "what was struck out": (
        lambda one: one.trace("gone"),
        UnknownClaim,
        "was struck out. `claims log` tells at which sequence; a view of before still has it",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_it_is_told_what_was_given_and_what_to_type(mill, wrong):
    asked, error, words = WRONG[wrong]
    size = mill.checkpoint().size
    with pytest.raises(LedgerError) as caught:
        asked(mill)
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert mill.checkpoint().size == size


def test_a_replay_takes_a_sequence_like_a_day(mill):
    at = mill.replay(3)
    assert (at.basis, at.known) == (4, 3)
    assert str(at) == str(mill.as_of(known=3))
