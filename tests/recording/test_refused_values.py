"""Bad input, continued: texts that no ledger keeps, and values of another kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from ledger import (
    Claim,
    Document,
    Link,
    Membership,
    Name,
    Occurrence,
    Party,
    Proposition,
    Topic,
)
from ledger import errors as er
from tests.recording.entries import (
    HALF,
    MEGABYTE,
    NUL,
    Entry,
    amend,
    gazette,
    linked,
    named,
    record,
    refused,
    register,
    withdraw,
)

# -- texts that no ledger keeps -----------------------------------------------------------------

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
    "link's role": lambda text: linked(role=text),
    "link's words": lambda text: linked(words=text),
    "link's cue": lambda text: linked(cue=text),
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
    found = refused(standing, unchanged, entry, er.InvalidQuotation if quoted else er.InvalidText)
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
    (
        "stance of act",
        record(act="deny", stance="supports"),
        er.InvalidClaim,
        ("'opposes'", 'Write stance="opposes"'),
    ),
    (
        "fact for aim",
        record(act="demand"),
        er.InvalidClaim,
        ("demand wants something", "'bridge-open'", 'kind="aim"'),
    ),
    ("factuality", record(factuality="sure"), er.InvalidClaim, ("'sure'", "certain, probable")),
    ("capacity", record(capacity="private"), er.InvalidClaim, ("official, personal",)),
    (
        "role of another kind",
        register(Membership, "stranger", "board", role=None),
        er.InvalidText,
        ("role must be text, got None",),
    ),
    (
        "link",
        linked("sings"),
        er.InvalidAttribution,
        ("'sings'", "Write one of"),
    ),
    (
        "hanging principal",
        linked("on_behalf_of"),
        er.InvalidAttribution,
        ("'board'", "right after the says link"),
    ),
    (
        "chain and via",
        record(claimant=None, via="gazette", chain=[Link("board")]),
        er.InvalidClaim,
        ("leave via=",),
    ),
    (
        "claimant and chain",
        record(claimant="state", chain=[Link("board")]),
        er.InvalidAttribution,
        ("'state'", "'board'", "Leave claimant= out"),
    ),
    *(
        (name, entry, er.InvalidAttribution, ("list of links", "Link(party, kind)"))
        for given in (5, "board", ["board"], [{"agent": "board"}], [Link("board"), ["board"]])
        for name, entry in (
            (f"chain {given}", record(claimant=None, chain=given)),
            (f"amended chain {given}", amend(chain=given)),
        )
    ),
    *(
        (f"id {name}", entry, er.Invalid, ("named by its id", "dict"))
        for name, entry in (
            ("of a document", amend(document={"id": "courier-1"})),
            ("of a proposition", amend(proposition={"id": "bridge-shut"})),
        )
    ),
    ("amended id", amend("gazette-1", publisher=["a"]), er.Invalid, ("by its id", "tuple")),
    ("amended list", amend(mentions=[{"id": "state"}]), er.Invalid, ("by its id", "dict")),
    ("amended utterance", amend(utterance=["u1"]), er.InvalidText, ("utterance must be text",)),
    ("amended utterance's id", amend(utterance="u\n1"), er.InvalidText, ("utterance",)),
    ("extra", record(extra=[("a", 1)]), er.Invalid, ("extra", 'extra={"name": value}')),
    (
        "kind",
        register(Party, "p", name="P", kind="country"),
        er.InvalidParty,
        ("'country'", "'x-host:tribe'"),
    ),
    (
        "members",
        register(Party, "p", name="P", members=["board"]),
        er.InvalidParty,
        ("'p'", 'kind="joint"'),
    ),
    (
        "own member",
        register(Party, "p", name="P", part_of="p"),
        er.InvalidParty,
        ("'p'", "cannot belong to itself"),
    ),
    (
        "in itself",
        register(Membership, "board", "board"),
        er.InvalidMembership,
        ("'board'", "cannot belong to itself"),
    ),
    ("rank", partial(named, rank="first"), er.Invalid, ("rank", "'first'")),
    ("rank true", partial(named, rank=True), er.Invalid, ("rank", "True")),
    (
        "metonym",
        partial(named, metonym="no"),
        er.Invalid,
        ("metonym is True or False, not 'no'",),
    ),
    (
        "speaks_for",
        register(Membership, "stranger", "board", speaks_for="no"),
        er.Invalid,
        ("speaks_for is True or False",),
    ),
    (
        "fact or aim",
        register(Proposition, "p", text="t", kind="wish"),
        er.InvalidProposition,
        ("'wish'", 'kind="fact"'),
    ),
    (
        "describes nothing",
        register(Occurrence, "o", label="O", propositions=[]),
        er.InvalidOccurrence,
        ("'o'", "propositions=[...]"),
    ),
    (
        "no text",
        register(Document, "d", publisher="gazette"),
        er.InvalidDocument,
        ("'d'", "Give text=", "or sha256=", "what else you know of it"),
    ),
    (
        "other digest",
        gazette(sha256="ab" * 32),
        er.InvalidDocument,
        ("does not fit its text", "leave sha256 out"),
    ),
    ("other length", gazette(length=7), er.InvalidDocument, ("7 code points", "has 1")),
    (
        "file address",
        gazette(url="file:///etc/hosts"),
        er.InvalidDocument,
        ("'file:///etc/hosts'", "http"),
    ),
    (
        "relation",
        lambda it: it.relate("c2", "updatess", "c1"),
        er.InvalidRelation,
        ("'updatess'", "Did you mean 'updates'"),
    ),
    ("itself", lambda it: it.relate("c2", "updates", "c2"), er.InvalidRelation, ("'c2'",)),
    ("withdrawing nothing", withdraw([]), er.InvalidWithdrawal, ("withdraw([id, ...], ...)",)),
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


ONE_CLAIM = Claim(claimant="board", act="assert", proposition="shut")


@pytest.mark.parametrize("given", [Party("one", name="One"), "one", {"id": "one"}, None, 3])
def test_what_is_not_several_is_told_where_it_goes(town, given):
    with pytest.raises(er.Invalid, match=r"is not several. Write ledger\.register\(noun\)"):
        town.register_all(given)


@pytest.mark.parametrize("given", [ONE_CLAIM, {"act": "assert"}, None])
def test_one_claim_is_not_several(town, given):
    with pytest.raises(er.Invalid, match=r"is not several. Write ledger\.record_all\(\[claim\]\)"):
        town.record_all(given)


@pytest.mark.parametrize(
    "one, typed", [({"act": "assert"}, r"Claim\(\*\*fields\)"), (Party("a", name="A"), "Claim")]
)
def test_of_several_claims_each_is_one(town, one, typed):
    with pytest.raises(er.Invalid, match=rf"at place 1, is no claim. Write {typed}") as caught:
        town.record_all([ONE_CLAIM, one])
    assert caught.value.given is one
