"""What each format cannot carry: field by field, and counted for the records of a view.

A field that is not named here is carried. `LOSSES` is the ground of the table in
docs/reference/exports.md and of `claims export --losses`; tests hold it against what is written.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import attrs

from ledger.interchange.out.exporting import FORMATS, format_called
from ledger.interchange.out.leaving import KINDS, Leaving, leaving
from ledger.model import events as ev
from ledger.projections.answer import Answer
from ledger.view import View

How = Literal["partly", "no"]

_EVENTS: Final[Mapping[str, type]] = {
    "party": ev.PartyRegistered,
    "name": ev.PartyNamed,
    "membership": ev.MembershipRecorded,
    "topic": ev.TopicDefined,
    "proposition": ev.PropositionDefined,
    "merge": ev.PropositionsMerged,
    "occurrence": ev.OccurrenceDescribed,
    "document": ev.DocumentRegistered,
    "claim": ev.ClaimRecorded,
    "withdrawal": ev.ClaimWithdrawn,
    "relation": ev.ClaimsRelated,
}
_SPOKEN: Final = {"key": "id", "utterance_key": "utterance", "chains": "chain"}
_INSIDE: Final = frozenset({"utterance"})
"""A field for the ledger's own use, which never leaves."""


def _fields() -> Iterator[str]:
    for kind in KINDS:
        names = [field.name for field in attrs.fields(_EVENTS[kind])]
        yield from (f"{kind}.{_SPOKEN.get(one, one)}" for one in names if one not in _INSIDE)
        if kind in ("claim", "withdrawal"):
            yield f"{kind}.quote.ranges"
            yield f"{kind}.quote.context"
            yield f"{kind}.quote.renderings"
        if kind == "document":
            yield "document.revises"


FIELDS: Final = (
    *_fields(),
    "entry.id",
    "entry.sequence",
    "entry.recorded",
    "entry.recorder",
    "entry.recorder name and tool",
    "entry.correlation, causation",
    "entry.hash and salts",
    "history.earlier wordings, amendments, corrections, what was struck out",
    "view.certainty, withdrawn",
    "view.corrected",
)
"""Every field that a record, its entry or a view has."""

_HISTORY: Final = "history.* no"
_ENTRY_REST: Final = (
    "entry.recorder name and tool|entry.correlation, causation|entry.hash and salts no"
)
_LATER: Final = "document.revises|claim.quote.renderings|withdrawal.quote.renderings no"
_LINK_WORDS: Final = "claim.link_words|withdrawal.link_words partly"
_NOT_PARTIES: Final = "topic.*|proposition.*|merge.*|occurrence.*|document.* no"
_NO_PLAIN_DATE: Final = "partly: only what is a plain day, month or year"

_LOSSES: Final[Mapping[str, tuple[str, ...]]] = {
    "jsonl": (
        "entry.* no",
        _HISTORY,
        "view.certainty, withdrawn partly: not written, but an importer's ledger finds it again",
        "view.corrected no",
        "document.text partly: not where its line would be longer than an importer reads",
    ),
    "log": ("view.* partly: not written, but the restored ledger finds it again",),
    "parquet": (
        f"{_LINK_WORDS}: the words and their ranges",
        _ENTRY_REST,
        "entry.id partly: of claims and withdrawals",
        "entry.sequence|entry.recorded|entry.recorder partly: not of what has no row of its own",
        _HISTORY,
    ),
    "prov": (
        f"{_LINK_WORDS}: the words",
        _ENTRY_REST,
        "entry.* partly: of claims and withdrawals",
        "merge.reason no",
        _HISTORY,
    ),
    "nanopub": (
        _LATER,
        f"{_LINK_WORDS}: the words",
        "party.id partly: as an address, where a claim names it",
        "party.*|name.*|membership.*|topic.*|occurrence.*|merge.* no",
        "proposition.topics no",
        "proposition.* partly: where a claim is about it",
        "document.id partly: as an address, where a claim names it",
        "document.* no",
        "claim.extra no",
        _ENTRY_REST,
        "entry.* partly: of claims, withdrawals and relations",
        "history.* partly: each version supersedes the one before; what was struck out is gone",
        "view.* no",
    ),
    "annotations": (
        _LATER,
        "party.id partly: as an address, where words name it",
        "party.*|name.*|membership.*|topic.*|occurrence.*|merge.*|relation.* no",
        "proposition.text partly: beside the quotations about it",
        "proposition.* no",
        "document.id partly: where it has no url",
        "document.url partly: where words of it are quoted",
        "document.* no",
        (
            "claim.id|claim.quote|claim.quote.ranges|claim.quote.context|claim.link_words|claim.act|"
            "claim.stance|claim.factuality|claim.note partly: where it has words in a document"
        ),
        "claim.document partly: as the target",
        "claim.* no",
        (
            "withdrawal.id|withdrawal.quote|withdrawal.quote.ranges|withdrawal.quote.context|"
            "withdrawal.link_words|withdrawal.note partly: where it has words in a document"
        ),
        "withdrawal.document partly: as the target",
        "withdrawal.* no",
        "entry.recorded|entry.recorder partly: of what has words in a document",
        "entry.recorder name and tool partly: the name",
        "entry.* no",
        _HISTORY,
        "view.* no",
    ),
    "schemaorg": (
        _LATER,
        "name.metonym|name.rank|name.period no",
        "membership.speaks_for no",
        f"membership.period {_NO_PLAIN_DATE}",
        "merge.kept|merge.merged partly: of parties",
        "merge.* no",
        "document.length no",
        "claim.chain partly: the claimants",
        (
            "claim.link_words|claim.utterance|claim.basis|claim.extra|claim.quote.ranges|"
            "claim.quote.context no"
        ),
        "withdrawal.*|relation.* no",
        "entry.recorded partly: of claims",
        "entry.* no",
        _HISTORY,
        "view.corrected no",
        "view.certainty, withdrawn partly: withdrawn",
    ),
    "cito": (
        "claim.id partly: as an address, where it is related or withdrawn",
        "party.*|name.*|membership.* no",
        _NOT_PARTIES,
        "claim.* no",
        "withdrawal.id|withdrawal.claims|withdrawal.note partly: as a citation",
        "withdrawal.* no",
        _ENTRY_REST,
        "entry.id|entry.recorder no",
        "entry.* partly: of relations and withdrawals",
        _HISTORY,
        "view.* no",
    ),
    "popolo": (
        "name.rank|name.language no",
        f"name.period {_NO_PLAIN_DATE}",
        "membership.speaks_for no",
        f"membership.period {_NO_PLAIN_DATE}",
        _NOT_PARTIES,
        "claim.*|withdrawal.*|relation.* no",
        "entry.recorded partly: of parties and memberships",
        "entry.* no",
        _HISTORY,
        "view.* no",
    ),
    "cloudevents": ("entry.hash and salts no", "view.* no"),
}


def losses(format: str) -> dict[str, tuple[How, str]]:  # noqa: A002 - the word for it
    """What a format does not carry: for each such field, "no" or "partly", and how.

    Raises:
        Invalid: there is no such format.

    Example:
        >>> losses("popolo")["membership.speaks_for"]
        ('no', '')
    """
    format_called(format)
    rules = _LOSSES[format.partition("-")[0]]
    found: dict[str, tuple[How, str]] = {}
    for rule in rules:
        patterns, how, why = _parsed(rule)
        for field in FIELDS:
            if field not in found and any(_fits(field, one) for one in patterns):
                found[field] = how, why
    return {field: found[field] for field in FIELDS if field in found}


def _parsed(rule: str) -> tuple[list[str], How, str]:
    if rule.endswith(" no"):
        return rule.removesuffix(" no").split("|"), "no", ""
    patterns, _, why = rule.partition(" partly: ")
    return patterns.split("|"), "partly", why


def _fits(field: str, pattern: str) -> bool:
    if pattern.endswith(".*"):
        return field.startswith(pattern.removesuffix("*"))
    return field == pattern


@attrs.frozen(kw_only=True)
class Loss(Answer):
    """One field that a format does not carry, or partly, and how many records have it."""

    field: str
    how: How
    why: str
    records: int

    def __str__(self) -> str:
        how = "not carried" if self.how == "no" else f"carried in part ({self.why})"
        records = "1 record has it" if self.records == 1 else f"{self.records:,} records have it"
        return f"{self.field}: {how}; {records}"


@attrs.frozen(kw_only=True)
class LossReport(Answer):
    """What of a view a format does not carry; fields that no record has are left out."""

    format: str
    losses: tuple[Loss, ...]
    basis: int

    def __iter__(self) -> Iterator[Loss]:
        return iter(self.losses)

    def __str__(self) -> str:
        title = FORMATS[self.format].title
        if not self.losses:
            return f"{title} carries all of it"
        return "\n".join((f"{title} does not carry:", *(f"  {one}" for one in self.losses)))


def loss_report(view: View, format: str) -> LossReport:  # noqa: A002 - the word for it
    """What of the records of a view a format would not carry, counted; nothing is written.

    Raises:
        Invalid: there is no such format.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     for one in loss_report(ledger.as_of(), "schemaorg"):
        ...         if one.field.startswith("entry.seq"):
        ...             print(one)
        entry.sequence: not carried; 1 record has it
    """
    lost = losses(format)
    counts: collections.Counter[str] = collections.Counter()
    for record in leaving(view):
        counts.update(field for field in _held(record) if field in lost)
    changed = sum(
        one.type in {"record_amended", "claim_corrected", "content_erased"} for one in view.events()
    )
    counts.update({field: changed for field in lost if field.startswith("history.") and changed})
    return LossReport(
        format=format,
        losses=tuple(
            Loss(field=field, how=how, why=why, records=counts[field])
            for field, (how, why) in lost.items()
            if counts[field]
        ),
        basis=view.basis,
    )


def _held(record: Leaving) -> Iterator[str]:
    """The fields that a record has something in."""
    event = record.event
    for field in attrs.fields(type(event)):
        value = getattr(event, field.name)
        if field.name not in _INSIDE and value not in (None, "", (), {}) and value != field.default:
            yield f"{record.kind}.{_SPOKEN.get(field.name, field.name)}"
    if isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn) and event.quote is not None:
        if event.quote.ranges:
            yield f"{record.kind}.quote.ranges"
        if event.quote.prefix or event.quote.suffix:
            yield f"{record.kind}.quote.context"
        if event.quote.renderings:
            yield f"{record.kind}.quote.renderings"
    if record.revises is not None:
        yield "document.revises"
    yield from ("entry.id", "entry.sequence", "entry.recorded", "entry.recorder")
    yield "entry.hash and salts"
    if record.entered.recorder.name or record.entered.recorder.tool:
        yield "entry.recorder name and tool"
    if record.told is not None:
        yield "view.certainty, withdrawn"
        if record.told.corrected:
            yield "view.corrected"
