"""What is no function, flag, table or field where one goes is refused before anything is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ledger import Document, Ledger, Party, Projection, Proposition, Quotation
from ledger.aio import AsyncLedger
from ledger.errors import (
    Invalid,
    InvalidBundle,
    InvalidClaim,
    InvalidDocument,
    InvalidImport,
    InvalidProjection,
    InvalidQuotation,
    InvalidText,
    InvalidView,
    LedgerError,
)
from ledger.interchange import import_file
from ledger.model.moment import Knob

SHOWN = Projection(name="shown", initial=int, evolve=lambda state, _: state + 1)


@pytest.fixture(scope="module")
def mill():
    with Ledger.open(":memory:") as ledger:
        ledger.register_all(
            [
                Party("mill", name="Mill"),
                Proposition("shut", text="It is shut"),
                Proposition("closed", text="It is closed"),
                Document("paper", publisher=Party("gazette", name="Gazette"), text="It is shut."),
            ]
        )
        ledger.record(id="c1", claimant="mill", act="assert", proposition="shut", document="paper")
        ledger.projections.add(SHOWN)
        yield ledger


NO_FILE: Any = "votes.jsonl"
NO_FLAG: Any = "no"
NO_CLAIM: Any = True
NUMBER: Any = 7
WRONG: dict[str, tuple[Callable[[Any], object], type[LedgerError], str]] = {
    "yes for who is told how far it is": (
        lambda one: one.verify(progress=True),
        Invalid,
        "progress takes a function, such as progress=print, not True",
    ),
    "a number for who is told that all is read": (
        lambda one: next(one.follow(idle=NUMBER)),
        Invalid,
        "idle takes a function, such as idle=print, not 7",
    ),
    "a number for the name of a follower": (
        lambda one: next(one.follow(name=NUMBER)),
        InvalidText,
        "name must be text, got 7",
    ),
    "a time before now to wait": (
        lambda one: one.projections.follow("shown", poll=-1, stop=lambda: True),
        Invalid,
        "poll is a number of seconds, 0 or more, not -1",
    ),
    "a text for whether to replace": (
        lambda one: one.projections.add(SHOWN, replace=NO_FLAG),
        Invalid,
        "replace is True or False, not 'no'",
    ),
    "a text for whether a projection is guarded": (
        lambda _: Projection(name="open", apply=print, unguarded=NO_FLAG),
        Invalid,
        "unguarded is True or False, not 'no'",
    ),
    "a text for whether a projection takes over": (
        lambda _: Projection(name="next", apply=print, takes_over=NO_FLAG),
        Invalid,
        "takes_over is True or False, not 'no'",
    ),
    "a number for the text of a document": (
        lambda one: one.record(
            claimant="mill", act="assert", proposition="shut", document_text=NUMBER
        ),
        InvalidText,
        "document_text must be text, got 7",
    ),
    "a text of no document": (
        lambda one: one.record(
            claimant="mill", act="assert", proposition="shut", quote="is", document_text="It is."
        ),
        InvalidDocument,
        "none is named. Name it in document=, or leave the text out",
    ),
    "a text of no document beside a withdrawal": (
        lambda one: one.withdraw("c1", claimant="mill", uttered="2020", document_text="It is."),
        InvalidDocument,
        "none is named. Name it in document=, or leave the text out",
    ),
    "yes for who is told of columns": (
        lambda one: one.as_of().columns(progress=True),
        Invalid,
        "progress takes a function",
    ),
    "yes for who is told of a load": (
        lambda one: one.appender.load([], progress=True),
        Invalid,
        "progress takes a function",
    ),
    "yes for who is told of a run": (
        lambda one: one.projections.run("shown", progress=True),
        Invalid,
        "progress takes a function",
    ),
    "a number for who waits": (
        lambda one: one.projections.follow("shown", wait=NUMBER, stop=lambda: True),
        Invalid,
        "wait takes a function, such as wait=time.sleep, not 7",
    ),
    "yes for who is told of an import": (
        lambda one: import_file(one, NO_FILE, progress=NO_FLAG),
        Invalid,
        "progress takes a function",
    ),
    "a path for a report": (
        lambda one: import_file(one, NO_FILE, report=NO_FILE),
        InvalidImport,
        "report takes a file that is open to be written, in binary, not 'votes.jsonl'",
    ),
    "a word for a dry run of an import": (
        lambda one: import_file(one, NO_FILE, dry_run=NO_FLAG),
        Invalid,
        "dry_run is True or False, not 'no'",
    ),
    "a word for contents": (
        lambda one: one.verify(contents="no"),
        Invalid,
        "contents is True or False, not 'no'",
    ),
    "a word for views": (
        lambda one: one.verify(views="no"),
        Invalid,
        "views is True or False, not 'no'",
    ),
    "a word for quotations to be erased": (
        lambda one: one.erase("paper", reason="r", authority="a", quotations="no"),
        Invalid,
        "quotations is True or False, not 'no'",
    ),
    "a word for a dry run": (
        lambda one: one.erase("c1", reason="r", authority="a", dry_run="no"),
        Invalid,
        "dry_run is True or False, not 'no'",
    ),
    "a word for striking out": (
        lambda one: one.amend("c1", reason="r", strike_out="no"),
        Invalid,
        "strike_out is True or False, not 'no'",
    ),
    "a word for what was never said": (
        lambda one: one.correct("c1", document="paper", never_said="no"),
        Invalid,
        "never_said is True or False, not 'no'",
    ),
    "a word for negated": (
        lambda one: one.merge("shut", "closed", negated="no"),
        Invalid,
        "negated is True or False, not 'no'",
    ),
    "a word for keeping a text": (
        lambda _: Document("g3", publisher="gazette", text="Shut.", keep_text=NO_FLAG),
        Invalid,
        "keep_text is True or False, not 'no'",
    ),
    "a word for the tables that are read": (
        lambda one: one.projections.rebuild("shown", in_place="no"),
        Invalid,
        "in_place is True or False, not 'no'",
    ),
    "a path to read what is served with": (
        lambda one: one.projections.served("shown", conn="weir.db"),
        InvalidProjection,
        "conn= takes the Connection of the transaction that will read it, not 'weir.db'",
    ),
    "a number for tables": (
        lambda _: Projection(name="t", apply=print, tables=NUMBER),
        InvalidProjection,
        "tables are SQLAlchemy's Tables in a list, as tables=[table], not 7",
    ),
    "the name of a table": (
        lambda _: Projection(name="t", apply=print, tables=NO_FILE),
        InvalidProjection,
        "tables are SQLAlchemy's Tables in a list",
    ),
    "the names of tables": (
        lambda _: Projection(name="t", apply=print, tables=[NO_FILE]),
        InvalidProjection,
        "not ['votes.jsonl']",
    ),
    "a number for what takes an event": (
        lambda _: Projection(name="t", apply=NUMBER),
        InvalidProjection,
        "apply of the projection t is a function, not 7",
    ),
    "a state for what makes the first": (
        lambda _: Projection(name="t", initial=NUMBER, evolve=print),
        InvalidProjection,
        "initial of the projection t is a function, not 7",
    ),
    "a number for pieces": (
        lambda _: Quotation(exact="is shut", parts=NUMBER),
        InvalidQuotation,
        "parts is a list of texts, not 7",
    ),
    "words for pieces": (
        lambda _: Quotation(exact="is shut", parts="is shut"),
        InvalidQuotation,
        "parts is a list of texts, not 'is shut'. Type Quotation.of(['first', 'second'])",
    ),
    "a zone of a cut by name": (
        lambda _: Knob.parse("2024-03-14", zone=NO_FILE),
        InvalidView,
        "zone='votes.jsonl' is no time zone. Give one of Python's",
    ),
    "a filter that there is not": (
        lambda one: one.claims(actor="mill"),
        InvalidView,
        "Claims are not filtered by 'actor'. Did you mean 'act'? The filters are party, topic, ",
    ),
    "a mistyped filter": (
        lambda one: one.claims(claimnt="mill"),
        InvalidView,
        "Did you mean one of 'claimant', 'certainty'?",
    ),
    "a field that no claim has": (
        lambda one: one.record(claimnt="mill", act="assert", proposition="shut"),
        InvalidClaim,
        "A claim has no 'claimnt'. Did you mean one of 'claimant', 'chain'? What it has: ",
    ),
    "yes for a claim to be proved": (
        lambda one: one.prove(NO_CLAIM),
        Invalid,
        "A claim is named by its id, a text, not by True (bool)",
    ),
    "a NUL in a bundle's path": (
        lambda one: one.bundle("never\0written"),
        InvalidBundle,
        "holds a NUL, which no path can",
    ),
    "a sequence of five thousand digits": (
        lambda one: one.bundle("never-written", withhold=["9" * 5000 + ":who"]),
        Invalid,
        "cannot be withheld",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_it_is_told_what_was_given_and_nothing_is_done(mill, wrong):
    asked, error, words = WRONG[wrong]
    before = mill.checkpoint()
    with pytest.raises(LedgerError) as caught:
        asked(mill)
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert mill.checkpoint() == before


@pytest.mark.parametrize(
    "target, shown",
    [
        (":memory:", "sqlite:///:memory:"),
        ("a:b.db", "sqlite:///a:b.db"),
        ("postgresql://me:secret@db.example/x", "postgresql+psycopg://me:***@db.example/x"),
    ],
)
def test_a_ledger_is_shown_by_what_was_typed_without_its_password(target, shown):
    ledger = Ledger(target)
    assert repr(ledger) == f"Ledger('{shown}', origin='default')"
    ledger.close()


@pytest.mark.parametrize("opened", ["Ledger", "AsyncLedger"])
def test_a_log_that_was_not_named_is_not_begun_beside_others(tmp_path, opened):
    path = tmp_path / "bank.db"

    def open_(**named):
        if opened == "Ledger":
            return Ledger.open(path, **named).close()

        async def main():
            await (await AsyncLedger.open(path, **named)).close()

        return asyncio.run(main())

    with Ledger.open(path, origin="bank.example/claims") as ledger:
        ledger.register(Party("mill", name="Mill"))
    with pytest.raises(Invalid, match=r"no log 'default', but 'bank\.example/claims'\. Write"):
        open_()
    open_(origin="bank.example/claims")
    with Ledger.open(path, origin="default") as ledger:
        ledger.register(Party("mill", name="Mill"))
    open_()
