"""Bad input: a typed error that says what, which value, what to type; and the log stays as it is.

Every refusal runs on every engine, against one ledger that all of them share: a refusal that
wrote anything would be seen by its own test. Here: unknown ids, times, words of documents.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ledger import (
    Claim,
    Document,
    Ledger,
    Link,
    Membership,
    Occurrence,
    Party,
    Proposition,
    Quotation,
    Topic,
)
from ledger import errors as er
from tests.recording.entries import (
    HALF,
    MEGABYTE,
    NUL,
    Entry,
    amend,
    correct,
    record,
    refused,
    register,
    withdraw,
)

# -- ids that nothing has -----------------------------------------------------------------------

UNKNOWN: list[tuple[str, Entry, type[er.NotFound], str, str]] = [
    ("claimant", record(claimant="baord"), er.UnknownParty, "baord", "board"),
    ("reporter", record(via=["gazete"]), er.UnknownParty, "gazete", "gazette"),
    ("principal", record(on_behalf_of="ministy"), er.UnknownParty, "ministy", "ministry"),
    ("link", record(claimant=None, chain=[Link("speakr")]), er.UnknownParty, "speakr", "speaker"),
    ("addressee", record(addressees="stat"), er.UnknownParty, "stat", "state"),
    ("mention", record(mentions=["state", "boardd"]), er.UnknownParty, "boardd", "board"),
    (
        "proposition",
        record(proposition="bridge-opn"),
        er.UnknownProposition,
        "bridge-opn",
        "bridge-open",
    ),
    ("document", record(document="gazette_1"), er.UnknownDocument, "gazette_1", "gazette-1"),
    (
        "publisher",
        register(Document, "d", publisher="gazet", text="t"),
        er.UnknownParty,
        "gazet",
        "gazette",
    ),
    ("part of", register(Party, "p", name="P", part_of="bord"), er.UnknownParty, "bord", "board"),
    (
        "joint member",
        register(Party, "p", name="P", kind="joint", members=["bord"]),
        er.UnknownParty,
        "bord",
        "board",
    ),
    ("member", register(Membership, "speeker", "board"), er.UnknownParty, "speeker", "speaker"),
    ("organisation", register(Membership, "speaker", "boord"), er.UnknownParty, "boord", "board"),
    (
        "topic",
        register(Proposition, "p", text="t", topic="bridge"),
        er.UnknownTopic,
        "bridge",
        "bridges",
    ),
    (
        "wider topic",
        register(Topic, "t", label="T", part_of="bridgs"),
        er.UnknownTopic,
        "bridgs",
        "bridges",
    ),
    (
        "described",
        register(Occurrence, "o", label="O", propositions=["bridge-shutt"]),
        er.UnknownProposition,
        "bridge-shutt",
        "bridge-shut",
    ),
    ("named", lambda it: it.name("minstry", "M"), er.UnknownParty, "minstry", "ministry"),
    ("kept", lambda it: it.merge("boards", "stranger"), er.UnknownParty, "boards", "board"),
    ("merged", lambda it: it.merge("board", "strangr"), er.UnknownParty, "strangr", "stranger"),
    (
        "merged proposition",
        lambda it: it.merge("bridge-open", "bridge-shit"),
        er.UnknownProposition,
        "bridge-shit",
        "bridge-shut",
    ),
    ("withdrawn", withdraw("c11"), er.UnknownClaim, "c11", "c1"),
    ("corrected", correct("c22", document="gazette-2", act="deny"), er.UnknownClaim, "c22", "c2"),
    (
        "correcting",
        correct(document="gazette-22", act="deny"),
        er.UnknownDocument,
        "gazette-22",
        "gazette-2",
    ),
    ("related", lambda it: it.relate("c33", "updates", "c1"), er.UnknownClaim, "c33", "c3"),
    ("related to", lambda it: it.relate("c3", "updates", "c11"), er.UnknownClaim, "c11", "c1"),
    ("amended to", amend(claimant="strangers"), er.UnknownParty, "strangers", "stranger"),
    (
        "position of",
        lambda it: it.position("borad", "bridge-open"),
        er.UnknownParty,
        "borad",
        "board",
    ),
    (
        "position on",
        lambda it: it.position("board", "bridge-opne"),
        er.UnknownProposition,
        "bridge-opne",
        "bridge-open",
    ),
    (
        "claims in",
        lambda it: it.claims(document="gazete-1"),
        er.UnknownDocument,
        "gazete-1",
        "gazette-1",
    ),
    (
        "positions on",
        lambda it: it.positions(topic="brigdes"),
        er.UnknownTopic,
        "brigdes",
        "bridges",
    ),
    ("traced", lambda it: it.trace("c12"), er.UnknownClaim, "c12", "c1"),
]


@pytest.mark.parametrize("case", [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_an_unknown_id_is_refused_with_the_nearest_named(standing, unchanged, case):
    entry, error, given, near = case
    found = refused(standing, unchanged, entry, error)
    assert found.given == given
    assert near in found.near
    assert repr(given) in found.message
    assert "Did you mean" in found.message
    assert repr(near) in found.message


@pytest.mark.parametrize(
    "entry, error, cure",
    [
        (record(claimant="qqq"), er.UnknownParty, "ledger.register(Party(...))"),
        (record(proposition="qqq"), er.UnknownProposition, "ledger.register(Proposition(...))"),
        (record(document="qqq"), er.UnknownDocument, "ledger.register(Document(...))"),
        (withdraw("qqq"), er.UnknownClaim, "ledger.record("),
        (amend("qqq", note="n"), er.UnknownEvent, "claims log"),
        (record(claimant=NUL), er.UnknownParty, "ledger.register(Party(...))"),
        (record(claimant=HALF), er.UnknownParty, "ledger.register(Party(...))"),
        (record(claimant=MEGABYTE), er.UnknownParty, "(1,000,000 signs)"),
        (record(claimant=""), er.UnknownParty, "ledger.register(Party(...))"),
    ],
    ids=["party", "proposition", "document", "claim", "event", "NUL", "half", "megabyte", "empty"],
)
def test_an_id_that_is_near_to_nothing_is_refused_with_what_to_type(
    standing, unchanged, entry, error, cure
):
    found = refused(standing, unchanged, entry, error)
    assert cure in found.message
    assert found.near == ()


def test_a_partys_name_where_its_id_goes_is_answered_with_the_id(standing, unchanged):
    found = refused(standing, unchanged, record(claimant="Uptown"), er.UnknownParty)
    assert found.near == ("state",)
    assert "It is a name of state: use that id" in found.message


@pytest.mark.parametrize("given", [7, None, b"board", ["board"]])
def test_what_is_no_text_cannot_be_an_id(standing, unchanged, given):
    entry = register(Membership, "speaker", given)
    assert "by its id, a text" in refused(standing, unchanged, entry, er.Invalid).message


def test_what_is_no_noun_cannot_be_registered(standing, unchanged):
    others: list[Any] = ["board", None, Claim(proposition="bridge-open", act="assert")]
    for given in others:
        found = refused(standing, unchanged, partial(Ledger.register, noun=given), er.Invalid)
        assert "ledger.record(" in found.message


# -- times --------------------------------------------------------------------------------------

TIMES: list[tuple[str, Entry, type[er.Invalid], tuple[str, ...]]] = [
    (
        "30 February",
        record(uttered="2023-02-30"),
        er.InvalidDate,
        ("2023-02-30", "February 2023 has 28 days", "Write 2023-02"),
    ),
    ("month 13", record(about="2023-13"), er.InvalidDate, ("2023-13", "01 to 12")),
    ("other order", record(uttered="22.02.2023"), er.InvalidDate, ("Write 2023-02-22",)),
    ("no date", record(expires="soon"), er.InvalidDate, ("'soon' is in words", "as 2024-03-04")),
    ("a number", record(uttered=2023), er.InvalidDate, ("int 2023", "Write a day as")),
    (
        "reversed interval",
        record(about="2023-02-22/2023-02-01"),
        er.InvalidDate,
        ("runs backwards", "Write the earlier end first"),
    ),
    (
        "reversed set",
        record(uttered="[2023-02-22..2023-02-01]"),
        er.InvalidDate,
        ("runs backwards", "Write the earlier end first"),
    ),
    (
        "published 30 February",
        register(Document, "d", publisher="gazette", text="t", published="2023-02-30"),
        er.InvalidDate,
        ("February 2023 has 28 days", "Write 2023-02"),
    ),
    (
        "reversed name",
        lambda it: it.name("board", "WB", period="2023/2020"),
        er.InvalidDate,
        ("2023/2020", "Write the earlier end first"),
    ),
    (
        "empty membership",
        register(Membership, "stranger", "board", period="2023-02-01/2023-02-01"),
        er.InvalidDate,
        ("is empty under half-open bounds", "bounds='closed'"),
    ),
    (
        "a day as period",
        lambda it: it.name("board", "WB", period="2023"),
        er.InvalidDate,
        ("has no two ends", "2023/.."),
    ),
    (
        "after publication",
        record(uttered="2023-02-23", document="gazette-1"),
        er.InvalidClaim,
        ("2023-02-23", "2023-02-22", "'gazette-1'", "correct uttered="),
    ),
    (
        "after recording",
        record(uttered="2023-03-03"),
        er.InvalidClaim,
        ("2023-03-03", "lies in the future", "2023-03-01 12:00", "about="),
    ),
    (
        "an instant after recording",
        record(uttered="2023-03-01T12:00:01Z"),
        er.InvalidClaim,
        ("lies in the future",),
    ),
    (
        "withdrawn in future",
        withdraw(uttered="2023-03-03"),
        er.InvalidClaim,
        ("lies in the future",),
    ),
    (
        "withdrawn after publication",
        withdraw(uttered="2023-02-26", document="gazette-2"),
        er.InvalidClaim,
        ("2023-02-26", "2023-02-25"),
    ),
    (
        "withdrawn before said",
        withdraw(uttered="2023-02-19"),
        er.InvalidRelation,
        ("2023-02-19", "earlier than 'c1'", "Correct uttered="),
    ),
    (
        "amended after publication",
        amend(uttered="2023-02-23"),
        er.InvalidClaim,
        ("2023-02-23", "2023-02-22"),
    ),
    (
        "corrected to 30 February",
        correct(document="gazette-2", uttered="2023-02-30"),
        er.InvalidDate,
        ("February 2023 has 28 days",),
    ),
    (
        "referring back to later",
        lambda it: it.relate("c1", "updates", "c2"),
        er.InvalidRelation,
        ("'c1'", "'c2'", "turn the relation round"),
    ),
]


@pytest.mark.parametrize(
    "entry, error, words", [case[1:] for case in TIMES], ids=[case[0] for case in TIMES]
)
def test_a_time_that_cannot_be_is_refused(standing, unchanged, entry, error, words):
    found = refused(standing, unchanged, entry, error)
    assert [word for word in words if word not in found.message] == []
    assert found.field


@pytest.mark.parametrize("uttered", ["2023-03-02", "2023-03-01T12:00:00Z", "2023-02-28/.."])
def test_a_day_that_has_begun_somewhere_is_no_future(ledger, fill, uttered):
    assert (
        fill(ledger)
        .record(claimant="board", act="assert", proposition="bridge-open", uttered=uttered)
        .stored
        == "stored"
    )


# -- words --------------------------------------------------------------------------------------

WORDS: list[tuple[str, Entry, tuple[str, ...]]] = [
    ("empty", record(quote=""), ("quote is empty", "leave it out")),
    ("empty piece", record(quote=["open", ""]), ("quote[1] is empty",)),
    ("empty list", record(quote=[]), ("empty list", "write the words")),
    (
        "not in the text",
        record(document="gazette-1", quote="the upper bridge is open"),
        ("'the upper bridge is open'", "does not occur in document 'gazette-1'", "reads"),
    ),
    (
        "other marks",
        record(document="gazette-1", quote='"closed for good"'),
        ("quotation marks", "Quote it as written"),
    ),
    (
        "twice there",
        record(document="gazette-1", quote="the lower"),
        ("several places", "ranges=[(15, 24)]"),
    ),
    (
        "at another place",
        record(document="gazette-1", quote=Quotation(exact="bridge is open", ranges=[(0, 14)])),
        ("0..14", "It stands at 25..39", "Type ranges=[(25, 39)]"),
    ),
    (
        "behind the end",
        record(document="courier-2", quote=Quotation(exact="said", ranges=[(7, 11)])),
        ("ends after document 'courier-2'", "9 code points"),
    ),
    (
        "ranges without document",
        record(quote=Quotation(exact="said", ranges=[(7, 11)])),
        ("ranges but no document", "document="),
    ),
    (
        "a link's words",
        record(claimant=None, document="gazette-1", chain=[Link("board", words="the other board")]),
        ("the other board", "does not occur"),
    ),
    ("amended words", amend(quote="the upper bridge"), ("does not occur",)),
    ("amended document", amend(document="gazette-2"), ("ends after document 'gazette-2'",)),
    (
        "withdrawn with",
        withdraw(uttered=None, document="gazette-2", quote="we were wrong"),
        ("does not occur in document 'gazette-2'",),
    ),
]


@pytest.mark.parametrize(
    "entry, words", [case[1:] for case in WORDS], ids=[case[0] for case in WORDS]
)
def test_words_that_the_document_does_not_bear_out_are_refused(standing, unchanged, entry, words):
    found = refused(standing, unchanged, entry, er.InvalidQuotation)
    assert [word for word in words if word not in found.message] == []


def test_a_text_that_is_not_the_documents_is_refused(standing, unchanged):
    entry = record(document="courier-2", document_text="Other", quote="Other")
    found = refused(standing, unchanged, entry, er.InvalidDocument)
    assert "ab" * 32 in found.message
    assert found.field == "document_text"
