"""Bad input: a typed error that says what, which value, what to type; and the log stays as it is.

Every refusal runs on every engine, against one ledger that all of them share: a refusal that
wrote anything would be seen by its own test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger import (
    Claim,
    Document,
    Ledger,
    Link,
    Membership,
    Name,
    Occurrence,
    Party,
    Proposition,
    Quotation,
    Topic,
)
from ledger import errors as er

Entry = Callable[[Ledger], object]
NUL, HALF, MEGABYTE = "a\0b", "a\ud800b", "x" * 1_000_000


def record(**fields: Any) -> Entry:
    """An entry of a claim that is good but for the fields given."""
    good = {"claimant": "board", "act": "assert", "proposition": "bridge-open"}
    return lambda ledger: ledger.record(**{**good, **fields})


def register(cls: type[Any], *args: Any, **fields: Any) -> Entry:
    return lambda ledger: ledger.register(cls(*args, **fields))


def withdraw(claims: Any = "c1", **fields: Any) -> Entry:
    good = {"claimant": "board", "uttered": "2023-02-27"}
    return lambda ledger: ledger.withdraw(claims, **{**good, **fields})


def amend(record: str = "c1", **fields: Any) -> Entry:
    return lambda ledger: ledger.amend(record, **{"reason": "read again", **fields})


def correct(claim: str = "c1", **fields: Any) -> Entry:
    return lambda ledger: ledger.correct(claim, **fields)


def refused(standing: Ledger, unchanged: Any, entry: Entry, error: type[Exception]) -> Any:
    """The error of an entry, with the log compared before and after."""
    with unchanged(standing), pytest.raises(error) as caught:
        entry(standing)
    assert type(caught.value) is error
    assert isinstance(caught.value, er.LedgerError)
    assert caught.value.message == str(caught.value)
    assert caught.value.message.rstrip().endswith((".", "?")), caught.value.message
    return caught.value


# -- ids that nothing has -----------------------------------------------------------------------

UNKNOWN: list[tuple[str, Entry, type[er.NotFound], str, str]] = [
    ("claimant", record(claimant="baord"), er.UnknownParty, "baord", "board"),
    ("reporter", record(via=["gazete"]), er.UnknownParty, "gazete", "gazette"),
    ("principal", record(on_behalf_of="ministy"), er.UnknownParty, "ministy", "ministry"),
    ("link", record(claimant=None, chain=[Link("speakr")]), er.UnknownParty, "speakr", "speaker"),
    ("addressee", record(addressees="stat"), er.UnknownParty, "stat", "state"),
    ("mention", record(mentions=["state", "boardd"]), er.UnknownParty, "boardd", "board"),
    ("proposition", record(proposition="bridge-opn"), er.UnknownProposition, "bridge-opn",
     "bridge-open"),
    ("document", record(document="gazette_1"), er.UnknownDocument, "gazette_1", "gazette-1"),
    ("publisher", register(Document, "d", publisher="gazet", text="t"), er.UnknownParty, "gazet",
     "gazette"),
    ("part of", register(Party, "p", name="P", part_of="bord"), er.UnknownParty, "bord", "board"),
    ("joint member", register(Party, "p", name="P", kind="joint", members=["bord"]),
     er.UnknownParty, "bord", "board"),
    ("member", register(Membership, "speeker", "board"), er.UnknownParty, "speeker", "speaker"),
    ("organisation", register(Membership, "speaker", "boord"), er.UnknownParty, "boord", "board"),
    ("topic", register(Proposition, "p", text="t", topic="bridge"), er.UnknownTopic, "bridge",
     "bridges"),
    ("wider topic", register(Topic, "t", label="T", part_of="bridgs"), er.UnknownTopic, "bridgs",
     "bridges"),
    ("described", register(Occurrence, "o", label="O", propositions=["bridge-shutt"]),
     er.UnknownProposition, "bridge-shutt", "bridge-shut"),
    ("named", lambda it: it.name("minstry", "M"), er.UnknownParty, "minstry", "ministry"),
    ("kept", lambda it: it.merge("boards", "stranger"), er.UnknownParty, "boards", "board"),
    ("merged", lambda it: it.merge("board", "strangr"), er.UnknownParty, "strangr", "stranger"),
    ("merged proposition", lambda it: it.merge("bridge-open", "bridge-shit"), er.UnknownProposition,
     "bridge-shit", "bridge-shut"),
    ("withdrawn", withdraw("c11"), er.UnknownClaim, "c11", "c1"),
    ("corrected", correct("c22", document="gazette-2", act="deny"), er.UnknownClaim, "c22", "c2"),
    ("correcting", correct(document="gazette-22", act="deny"), er.UnknownDocument, "gazette-22",
     "gazette-2"),
    ("related", lambda it: it.relate("c33", "updates", "c1"), er.UnknownClaim, "c33", "c3"),
    ("related to", lambda it: it.relate("c3", "updates", "c11"), er.UnknownClaim, "c11", "c1"),
    ("amended to", amend(claimant="strangers"), er.UnknownParty, "strangers", "stranger"),
    ("position of", lambda it: it.position("borad", "bridge-open"), er.UnknownParty, "borad",
     "board"),
    ("position on", lambda it: it.position("board", "bridge-opne"), er.UnknownProposition,
     "bridge-opne", "bridge-open"),
    ("claims in", lambda it: it.claims(document="gazete-1"), er.UnknownDocument, "gazete-1",
     "gazette-1"),
    ("positions on", lambda it: it.positions(topic="brigdes"), er.UnknownTopic, "brigdes",
     "bridges"),
    ("traced", lambda it: it.trace("c12"), er.UnknownClaim, "c12", "c1"),
]


@pytest.mark.parametrize(
    "entry, error, given, near", [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN]
)
def test_an_unknown_id_is_refused_with_the_nearest_named(
    standing, unchanged, entry, error, given, near
):
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
        (withdraw("qqq"), er.UnknownClaim, "ledger.record(...)"),
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
    for given in ("board", None, Claim(proposition="bridge-open", act="assert")):
        found = refused(standing, unchanged, lambda it, one=given: it.register(one), er.Invalid)
        assert "ledger.record(...)" in found.message


# -- times --------------------------------------------------------------------------------------

TIMES: list[tuple[str, Entry, type[er.Invalid], tuple[str, ...]]] = [
    ("30 February", record(uttered="2023-02-30"), er.InvalidDate,
     ("2023-02-30", "February 2023 has 28 days", "Write 2023-02")),
    ("month 13", record(about="2023-13"), er.InvalidDate, ("2023-13", "01 to 12")),
    ("other order", record(uttered="22.02.2023"), er.InvalidDate, ("Write 2023-02-22",)),
    ("no date", record(expires="soon"), er.InvalidDate,
     ("'soon' is in words", "as 2024-03-04")),
    ("a number", record(uttered=2023), er.InvalidDate, ("int 2023", "Write a day as")),
    ("reversed interval", record(about="2023-02-22/2023-02-01"), er.InvalidDate,
     ("runs backwards", "Write the earlier end first")),
    ("reversed set", record(uttered="[2023-02-22..2023-02-01]"), er.InvalidDate,
     ("runs backwards", "Write the earlier end first")),
    ("published 30 February", register(Document, "d", publisher="gazette", text="t",
                                       published="2023-02-30"), er.InvalidDate,
     ("February 2023 has 28 days", "Write 2023-02")),
    ("reversed name", lambda it: it.name("board", "WB", period="2023/2020"), er.InvalidDate,
     ("2023/2020", "Write the earlier end first")),
    ("empty membership", register(Membership, "stranger", "board",
                                  period="2023-02-01/2023-02-01"), er.InvalidDate,
     ("is empty under half-open bounds", "bounds='closed'")),
    ("a day as period", lambda it: it.name("board", "WB", period="2023"), er.InvalidDate,
     ("has no two ends", "2023/..")),
    ("after publication", record(uttered="2023-02-23", document="gazette-1"), er.InvalidClaim,
     ("2023-02-23", "2023-02-22", "'gazette-1'", "correct uttered=")),
    ("after recording", record(uttered="2023-03-03"), er.InvalidClaim,
     ("2023-03-03", "lies in the future", "2023-03-01 12:00", "about=")),
    ("an instant after recording", record(uttered="2023-03-01T12:00:01Z"), er.InvalidClaim,
     ("lies in the future",)),
    ("withdrawn in future", withdraw(uttered="2023-03-03"), er.InvalidClaim,
     ("lies in the future",)),
    ("withdrawn after publication", withdraw(uttered="2023-02-26", document="gazette-2"),
     er.InvalidClaim, ("2023-02-26", "2023-02-25")),
    ("withdrawn before said", withdraw(uttered="2023-02-19"), er.InvalidRelation,
     ("2023-02-19", "earlier than 'c1'", "Correct uttered=")),
    ("amended after publication", amend(uttered="2023-02-23"), er.InvalidClaim,
     ("2023-02-23", "2023-02-22")),
    ("corrected to 30 February", correct(document="gazette-2", uttered="2023-02-30"),
     er.InvalidDate, ("February 2023 has 28 days",)),
    ("referring back to later", lambda it: it.relate("c1", "updates", "c2"), er.InvalidRelation,
     ("'c1'", "'c2'", "turn the relation round")),
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
    assert fill(ledger).record(
        claimant="board", act="assert", proposition="bridge-open", uttered=uttered
    ).stored == "stored"


# -- words --------------------------------------------------------------------------------------

WORDS: list[tuple[str, Entry, tuple[str, ...]]] = [
    ("empty", record(quote=""), ("quote is empty", "leave it out")),
    ("empty piece", record(quote=["open", ""]), ("quote[1] is empty",)),
    ("empty list", record(quote=[]), ("empty list", "write the words")),
    ("not in the text", record(document="gazette-1", quote="the upper bridge is open"),
     ("'the upper bridge is open'", "does not occur in document 'gazette-1'", "reads")),
    ("other marks", record(document="gazette-1", quote='"closed for good"'),
     ("quotation marks", "Quote it as written")),
    ("twice there", record(document="gazette-1", quote="the lower"),
     ("several places", "ranges=[(15, 24)]")),
    ("at another place", record(document="gazette-1",
                                quote=Quotation(exact="bridge is open", ranges=[(0, 14)])),
     ("0..14", "It stands at 25..39", "Type ranges=[(25, 39)]")),
    ("behind the end", record(document="courier-2",
                              quote=Quotation(exact="said", ranges=[(7, 11)])),
     ("ends after document 'courier-2'", "9 code points")),
    ("ranges without document", record(quote=Quotation(exact="said", ranges=[(7, 11)])),
     ("ranges but no document", "document=")),
    ("a link's words", record(claimant=None, document="gazette-1",
                              chain=[Link("board", words="the other board")]),
     ("the other board", "does not occur")),
    ("amended words", amend(quote="the upper bridge"), ("does not occur",)),
    ("amended document", amend(document="gazette-2"), ("ends after document 'gazette-2'",)),
    ("withdrawn with", withdraw(uttered=None, document="gazette-2", quote="we were wrong"),
     ("does not occur in document 'gazette-2'",)),
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


# -- texts that no ledger keeps -----------------------------------------------------------------


def gazette(**fields: Any) -> Entry:
    good = {"id": "d", "publisher": "gazette", "text": "t", "published": "2023-02-22"}
    given = {**good, **fields}
    return register(Document, given.pop("id"), **given)


def linked(**fields: Any) -> Entry:
    return record(claimant=None, chain=[Link("board", **fields)])


TEXT_FIELDS: dict[str, Callable[[Any], Entry]] = {
    "party id": lambda text: register(Party, text, name="P"),
    "party name": lambda text: register(Party, "p", name=text),
    "party kind": lambda text: register(Party, "p", name="P", kind=f"x-host:{text}"),
    "name": lambda text: register(Party, "p", name="P", names=[text]),
    "metonym": lambda text: lambda it: it.register(Party("p", name="P", metonyms=[Name(text)])),
    "further name": lambda text: lambda ledger: ledger.name("board", text),
    "name's language": lambda text: lambda ledger: ledger.name("board", "WB", language=text),
    "role": lambda text: register(Membership, "stranger", "board", role=text),
    "topic id": lambda text: register(Topic, text, label="T"),
    "topic label": lambda text: register(Topic, "t", label=text),
    "proposition id": lambda text: register(Proposition, text, text="t"),
    "proposition": lambda text: register(Proposition, "p", text=text),
    "occurrence id": lambda text: register(Occurrence, text, label="O", propositions="bridge-open"),
    "occurrence": lambda text: register(Occurrence, "o", label=text, propositions="bridge-open"),
    "document id": lambda text: gazette(id=text),
    "title": lambda text: gazette(title=text),
    "url": lambda text: gazette(url=f"https://gazette.example/{text}"),
    "document's language": lambda text: gazette(language=text),
    "claim id": lambda text: record(id=text),
    "act": lambda text: record(act=f"x-host:{text}"),
    "utterance": lambda text: record(utterance=text),
    "conditions": lambda text: record(conditions=text),
    "basis": lambda text: record(basis=text),
    "note": lambda text: record(note=text),
    "quote": lambda text: record(quote=text),
    "quote's prefix": lambda text: record(quote={"exact": "a", "prefix": text}),
    "claim's language": lambda text: record(language=text),
    "link's role": lambda text: lambda it: linked(role=text)(it),
    "link's words": lambda text: lambda it: linked(words=text)(it),
    "link's cue": lambda text: lambda it: linked(cue=text)(it),
    "relation": lambda text: lambda ledger: ledger.relate("c2", f"x-host:{text}", "c1"),
    "relation's note": lambda text: lambda ledger: ledger.relate("c2", "disputes", "c1", note=text),
    "merge's reason": lambda text: lambda ledger: ledger.merge("board", "stranger", reason=text),
    "withdrawal's id": lambda text: withdraw(id=text),
    "withdrawal's note": lambda text: withdraw(note=text),
    "amended name": lambda text: amend("board", name=text),
    "amended title": lambda text: amend("gazette-1", title=text),
    "amended language": lambda text: amend(language=text),
    "amended proposition": lambda text: amend("bridge-open", text=text),
    "reason": lambda text: amend(note="n", reason=text),
}


@pytest.mark.parametrize("text", [NUL, HALF, MEGABYTE], ids=["NUL", "half pair", "megabyte"])
@pytest.mark.parametrize("field", TEXT_FIELDS)
def test_a_text_that_cannot_be_kept_is_refused_by_its_field(standing, unchanged, field, text):
    entry = TEXT_FIELDS[field](text)
    quoted = "quot" in field or "words" in field or "cue" in field
    found = refused(
        standing, unchanged, entry, er.InvalidQuotation if quoted else er.InvalidText
    )
    why = {NUL: "holds NUL (U+0000)", HALF: "half of a surrogate pair (U+D800)"}
    assert why.get(text, "at most") in found.message
    assert len(found.message) < 400
    assert found.field
    assert found.message.startswith(found.field)


@pytest.mark.parametrize("text", [NUL, HALF], ids=["NUL", "half pair"])
def test_a_documents_text_that_cannot_be_kept_is_refused(standing, unchanged, text):
    assert refused(standing, unchanged, gazette(text=text), er.InvalidText).field == "text"
    entry = record(document="courier-2", document_text=text, quote="a")
    assert refused(standing, unchanged, entry, er.InvalidText).field == "document_text"


@pytest.mark.parametrize("field", ["correlation", "causation"])
@pytest.mark.parametrize("text", [NUL, HALF, MEGABYTE, "", " a", 7], ids=range(6))
def test_a_tag_that_no_entry_can_hold_is_refused(standing, unchanged, field, text):
    def entry(ledger):
        with ledger.tagged(**{field: text}):
            record()(ledger)

    assert refused(standing, unchanged, entry, er.InvalidText).field == field


@pytest.mark.parametrize(
    "extra, path",
    [
        ({"score": 0.5}, "$.extra.score"),
        ({"n": [2**53]}, "$.extra.n[0]"),
        ({"text": NUL}, "$.extra.text"),
        ({"text": HALF}, "$.extra.text"),
        ({"naïve": 1}, "$.extra"),
    ],
    ids=["float", "huge", "NUL", "half pair", "key"],
)
def test_what_extra_cannot_hold_is_refused_with_its_path(standing, unchanged, extra, path):
    with unchanged(standing), pytest.raises(er.NotCanonical) as caught:
        record(extra=extra)(standing)
    assert caught.value.path == path
    with unchanged(standing), pytest.raises(er.NotCanonical) as caught:
        amend(extra=extra)(standing)
    assert caught.value.path == path.replace("$", "$.changes")


# -- values of another kind ---------------------------------------------------------------------

VALUES: list[tuple[str, Entry, type[er.Invalid], tuple[str, ...]]] = [
    ("act", record(act="assrt"), er.InvalidClaim, ("'assrt'", "Did you mean 'assert'")),
    ("act None", record(act=None), er.InvalidClaim, ("None", "Write one of")),
    ("act number", record(act=3), er.InvalidClaim, ("3", "Write one of")),
    ("stance", record(stance="for"), er.InvalidClaim, ("'for'", "supports, opposes")),
    ("stance of act", record(act="deny", stance="supports"), er.InvalidClaim,
     ("'opposes'", 'Write stance="opposes"')),
    ("fact for aim", record(act="demand"), er.InvalidClaim,
     ("demand wants something", "'bridge-open'", 'kind="aim"')),
    ("factuality", record(factuality="sure"), er.InvalidClaim, ("'sure'", "certain, probable")),
    ("capacity", record(capacity="private"), er.InvalidClaim, ("official, personal",)),
    ("link", lambda it: record(claimant=None, chain=[Link("board", "sings")])(it),
     er.InvalidAttribution, ("'sings'", "Write one of")),
    ("hanging principal", lambda it: record(claimant=None,
                                           chain=[Link("board", "on_behalf_of")])(it),
     er.InvalidAttribution, ("'board'", "right after the says link")),
    ("chain and via", record(claimant=None, via="gazette", chain=[Link("board")]),
     er.InvalidClaim, ("leave via=",)),
    ("claimant and chain", record(claimant="state", chain=[Link("board")]),
     er.InvalidAttribution, ("'state'", "'board'", "Leave claimant= out")),
    ("extra", record(extra=[("a", 1)]), er.Invalid, ("extra", 'extra={"name": value}')),
    ("kind", register(Party, "p", name="P", kind="country"), er.InvalidParty,
     ("'country'", "'x-host:tribe'")),
    ("members", register(Party, "p", name="P", members=["board"]), er.InvalidParty,
     ("'p'", 'kind="joint"')),
    ("own member", register(Party, "p", name="P", part_of="p"), er.InvalidParty,
     ("'p'", "cannot belong to itself")),
    ("in itself", register(Membership, "board", "board"), er.InvalidMembership,
     ("'board'", "cannot belong to itself")),
    ("rank", lambda it: it.name("board", "WB", rank="first"), er.Invalid, ("rank", "'first'")),
    ("rank true", lambda it: it.name("board", "WB", rank=True), er.Invalid, ("rank", "True")),
    ("metonym", lambda it: it.name("board", "WB", metonym="no"), er.Invalid,
     ("metonym is True or False, not 'no'",)),
    ("speaks_for", register(Membership, "stranger", "board", speaks_for="no"), er.Invalid,
     ("speaks_for is True or False",)),
    ("fact or aim", register(Proposition, "p", text="t", kind="wish"), er.InvalidProposition,
     ("'wish'", 'kind="fact"')),
    ("describes nothing", register(Occurrence, "o", label="O", propositions=[]),
     er.InvalidOccurrence, ("'o'", "propositions=[...]")),
    ("no text", register(Document, "d", publisher="gazette"), er.InvalidDocument,
     ("'d'", "sha256=", "or text=")),
    ("other digest", gazette(sha256="ab" * 32), er.InvalidDocument,
     ("does not fit its text", "leave sha256 out")),
    ("other length", gazette(length=7), er.InvalidDocument, ("7 code points", "has 1")),
    ("file address", gazette(url="file:///etc/hosts"), er.InvalidDocument,
     ("'file:///etc/hosts'", "http")),
    ("relation", lambda it: it.relate("c2", "updatess", "c1"), er.InvalidRelation,
     ("'updatess'", "Did you mean 'updates'")),
    ("itself", lambda it: it.relate("c2", "updates", "c2"), er.InvalidRelation, ("'c2'",)),
    ("amended members", amend("board", members=["speaker"]), er.InvalidParty, ('kind="joint"',)),
    ("amended stance", amend(stance="for"), er.InvalidClaim, ("'for'",)),
    ("amended act", amend(act="deny"), er.InvalidClaim, ('Write stance="opposes"',)),
    ("amended proposition", amend(act="demand"), er.InvalidClaim, ('kind="aim"',)),
    ("path as id", register(Topic, "../t", label="T"), er.InvalidText, ("'..'",)),
    ("blank id", register(Topic, " t", label="T"), er.InvalidText, ("Write 't'",)),
    ("blank name", register(Topic, "t", label=" \u200b"), er.InvalidText, ("blanks",)),
    ("line end", register(Topic, "t", label="a\nb"), er.InvalidText, ("a line end (U+000A)",)),
]


@pytest.mark.parametrize(
    "entry, error, words", [case[1:] for case in VALUES], ids=[case[0] for case in VALUES]
)
def test_a_value_that_cannot_be_is_refused(standing, unchanged, entry, error, words):
    found = refused(standing, unchanged, entry, error)
    assert [word for word in words if word not in found.message] == []
    assert found.field


def test_a_refused_record_leaves_nothing_of_the_parties_handed_in_with_it(standing, unchanged):
    entry = record(claimant=Party("guest", name="Guest"), proposition="qqq")
    refused(standing, unchanged, entry, er.UnknownProposition)


def test_of_several_records_all_or_none_are_stored(standing, unchanged):
    good = Claim(proposition="bridge-open", act="assert", claimant="board")
    bad = Claim(proposition="qqq", act="assert", claimant="board")
    refused(standing, unchanged, lambda it: it.record_all([good, bad]), er.UnknownProposition)
    several = [Topic("t", label="T"), Topic("u", label="U", part_of="qqq")]
    refused(standing, unchanged, lambda it: it.register_all(several), er.UnknownTopic)
