"""Questions and orders of the wrong kind are told what was given and what to type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import Checkpoint, Document, Ledger, Party, Projection, Proposition, Topic
from ledger.errors import (
    Invalid,
    InvalidBundle,
    InvalidCheckpoint,
    InvalidCorrection,
    InvalidCursor,
    InvalidDate,
    InvalidDocument,
    InvalidErasure,
    InvalidImport,
    InvalidProjection,
    InvalidText,
    InvalidView,
    LedgerError,
    UnknownClaim,
    UnknownEvent,
    UnknownProjection,
    UnknownTopic,
)
from ledger.interchange import import_file
from ledger.model.period import Period
from ledger.signing import Ed25519Signer


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
NUMBER: Any = 7
BYTES: Any = b"weir"
KEY: Any = Ed25519Signer.from_seed("weir.example/claims", bytes(32))
TALLY: Any = Projection(name="tally", initial=int, evolve=lambda state, _: state + 1)
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
    "a proposition for its id": (
        lambda one: one.position("mill", Proposition("shut", text="The weir is shut")),
        Invalid,
        "(Proposition). Register it, and write its id: 'shut'.",
    ),
    "a day for the size of a checkpoint": (
        lambda one: one.checkpoint("2024-03-14"),
        UnknownEvent,
        "For the end of a day: ledger.as_of(known='2024-03-14').checkpoint()",
    ),
    "everybody on everything": (
        lambda one: one.positions(),
        InvalidView,
        "Everybody's on everything: columns()",
    ),
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
    "a list for an id": (
        lambda one: one.erase(["c1"], reason="r", authority="a"),
        Invalid,
        "A record is named by its id, a text, not by ['c1'] (list)",
    ),
    "a list for what is amended": (
        lambda one: one.amend(["c1"], reason="r", act="deny"),
        Invalid,
        "A record is named by its id, a text, not by ['c1'] (list)",
    ),
    "a list for what is merged": (
        lambda one: one.merge(["mill"], "gazette"),
        Invalid,
        "A record is named by its id, a text, not by ['mill'] (list)",
    ),
    "a list for what is proved": (
        lambda one: one.prove(["c1"]),
        Invalid,
        "A claim is named by its id, a text, not by ['c1'] (list)",
    ),
    "a list for a topic": (
        lambda one: one.timeline("mill", ["weir"]),
        Invalid,
        "A topic is named by its id, a text, not by ['weir'] (list)",
    ),
    "a number for a name": (
        lambda one: one.as_of().resolve(7),
        Invalid,
        "A party is named by its id, a text, not by 7 (int)",
    ),
    "a number for a claim that is withdrawn": (
        lambda one: one.withdraw(7, claimant="mill", uttered="2024"),
        Invalid,
        "A claim is named by its id, a text, not by 7 (int)",
    ),
    "a number for a slot": (
        lambda one: one.erase("c1", slots=7, reason="r", authority="a"),
        InvalidErasure,
        "There is no slot 7",
    ),
    "the bytes of a document": (
        lambda one: one.trace("c1", document_text=b"It is shut."),
        InvalidText,
        "text must be text, got b'It is shut.' (bytes)",
    ),
    "the path of a key for a signer": (
        lambda one: one.checkpoint(signer="key.pem"),
        Invalid,
        "'key.pem' signs no checkpoints. Write signer=CheckpointSigner(memory, key)",
    ),
    "a key for a signer": (
        lambda one: one.checkpoint(signer=KEY),
        Invalid,
        "signs no checkpoints. Write signer=CheckpointSigner(memory, key)",
    ),
    "nothing for an older checkpoint": (
        lambda one: one.prove_growth(None),
        InvalidCheckpoint,
        "None is no older checkpoint",
    ),
    "nothing for a bundle's path": (
        lambda one: one.bundle(None),
        InvalidBundle,
        "None is no path. Write bundle(",
    ),
    "a number for what is withheld": (
        lambda one: one.bundle("never-written", withhold=7),
        Invalid,
        "7 cannot be withheld. Write withhold=['words']",
    ),
    "the number of processes as text": (
        lambda one: one.verify(processes="2"),
        Invalid,
        "by one process or more, not by '2'",
    ),
    "the bytes of a checkpoint": (
        lambda _: Checkpoint.parse(BYTES),
        InvalidCheckpoint,
        "A checkpoint is read from text, not from bytes",
    ),
    "a checkpoint made of texts": (
        lambda _: Checkpoint("weir", NO_RULE, b"root"),
        InvalidCheckpoint,
        "a size (a number) and a root (bytes)",
    ),
    "a number for a stored period": (
        lambda _: Period.from_text(NUMBER),
        InvalidDate,
        "7 is no stored period",
    ),
    "a number for metonyms": (
        lambda _: Party("az", name="Azerbaijan", metonyms=NUMBER),
        InvalidText,
        "name must be text, got 7 (int)",
    ),
    "bytes for a digest": (
        lambda _: Document("g2", publisher="gazette", sha256=BYTES, length=4),
        InvalidDocument,
        "It got b'weir' and 4",
    ),
    "a path for a transaction": (
        lambda one: one.cursor("mailer").reset(0, "weir.db"),
        InvalidCursor,
        "conn= takes the Connection or the Session of your transaction, not 'weir.db'",
    ),
    "a projection for its name": (
        lambda one: one.projections.run(TALLY),
        InvalidProjection,
        "not by itself: type 'tally'",
    ),
    "a list for a projection's name": (
        lambda one: one.projections.parked(["tally"]),
        InvalidProjection,
        "A projection is asked for by its name, a text, not by ['tally']",
    ),
    "a mistyped projection to be ready": (
        lambda one: one.projections.ready("taly"),
        UnknownProjection,
        "No projection 'taly' is registered here",
    ),
    "a mistyped projection to be pruned": (
        lambda one: one.projections.prune("taly"),
        UnknownProjection,
        "No projection 'taly' is registered here",
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
