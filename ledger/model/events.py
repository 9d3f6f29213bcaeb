"""The events of the log: what was entered, in the past tense, as frozen classes; a closed union.

Inside events things name each other by the ledger's own random ids (the id of the event that
registered them); an id that a host chose is a value, `key`, in a slot. Each field says in which
erasable slot it is stored (`who`, `what` or `words`: integrity.md, 1) and whether it is `fixed`:
identity, which no amendment changes. The stored type names stand
below, independent of these classes' names; versions in `ledger.codec.converter`.

A claim that has passed into the log is another type than the `Claim` a host hands in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import attrs

from ledger.errors import Invalid
from ledger.model.moment import Edtf
from ledger.model.period import ALWAYS, Period
from ledger.model.quotation import Quotation
from ledger.model.text import check_id, check_name, show


def _field(slot: str, *, fixed: bool, **options: Any) -> Any:
    return attrs.field(metadata={"slot": slot, "fixed": fixed}, **options)


def _who(*, fixed: bool = False, **options: Any) -> Any:
    return _field("who", fixed=fixed, **options)


def _what(*, fixed: bool = False, **options: Any) -> Any:
    return _field("what", fixed=fixed, **options)


def _words(*, fixed: bool = False, **options: Any) -> Any:
    return _field("words", fixed=fixed, **options)


@attrs.frozen
class ChainLink:
    """A link of a chain inside an event: party by ledger id, kind, role."""

    agent: str
    kind: str
    role: str = ""


@attrs.frozen(kw_only=True)
class LinkWords:
    """The document's words for one link: which alternative chain, which link of it."""

    chain: int
    link: int
    words: Quotation | None = None
    cue: Quotation | None = None


@attrs.frozen(kw_only=True)
class PartyRegistered:
    """A party entered the ledger; its id is this event's."""

    key: str = _who(fixed=True)
    name: str = _who()
    kind: str = _what()
    members: tuple[str, ...] = _what(default=())


@attrs.frozen(kw_only=True)
class PartyNamed:
    """A party bears a name or metonym during a period."""

    party: str = _what()
    name: str = _who()
    metonym: bool = _what(default=False)
    period: Period = _what(default=ALWAYS)
    rank: int = _what(default=0)
    language: str | None = _what(default=None)


@attrs.frozen(kw_only=True)
class MembershipRecorded:
    """A party belongs to another, in a role, during a period."""

    member: str = _what()
    organisation: str = _what()
    role: str = _what(default="")
    period: Period = _what(default=ALWAYS)
    speaks_for: bool = _what(default=True)


@attrs.frozen(kw_only=True)
class PartiesMerged:
    """Two ids always were one party; the kept one is shown."""

    kept: str = _what()
    merged: str = _what()
    reason: str = _words(default="")


@attrs.frozen(kw_only=True)
class TopicDefined:
    """A topic, perhaps part of a wider one."""

    key: str = _what(fixed=True)
    label: str = _what()
    part_of: str | None = _what(default=None)


@attrs.frozen(kw_only=True)
class PropositionDefined:
    """A proposition: a fact or an aim, in topics."""

    key: str = _what(fixed=True)
    text: str = _what()
    kind: str = _what(default="fact")
    topics: tuple[str, ...] = _what(default=())


@attrs.frozen(kw_only=True)
class PropositionsMerged:
    """Two ids always were one proposition; `negated` swaps supports and opposes."""

    kept: str = _what()
    merged: str = _what()
    negated: bool = _what(default=False)
    reason: str = _words(default="")


@attrs.frozen(kw_only=True)
class OccurrenceDescribed:
    """One occurrence in the world, and the propositions that describe it."""

    key: str = _what(fixed=True)
    label: str = _what()
    propositions: tuple[str, ...] = _what()


@attrs.frozen(kw_only=True)
class DocumentRegistered:
    """A document version: digest and length always, its text where it may be kept."""

    key: str = _what(fixed=True)
    publisher: str = _what()
    sha256: str = _what(fixed=True)
    length: int = _what(fixed=True)
    published: Edtf | None = _what(default=None)
    title: str | None = _what(default=None)
    url: str | None = _what(default=None)
    language: str | None = _what(default=None)
    text: str | None = _words(fixed=True, default=None, repr=False)


@attrs.frozen(kw_only=True)
class DocumentRevised:
    """A document is a later version of another one: what PROV calls wasRevisionOf."""

    document: str = _what()
    revises: str = _what()


@attrs.frozen(kw_only=True)
class ClaimRecorded:
    """One act of saying; several `chains` are alternatives, one without a says names nobody."""

    chains: tuple[tuple[ChainLink, ...], ...] = _who()
    addressees: tuple[str, ...] = _who(default=())
    mentions: tuple[str, ...] = _who(default=())
    capacity: str = _who(default="official")
    key: str | None = _what(fixed=True, default=None)
    proposition: str = _what()
    act: str = _what()
    stance: str = _what()
    factuality: str = _what(default="certain")
    uttered: Edtf | None = _what(default=None)
    about: Edtf | None = _what(default=None)
    expires: Edtf | None = _what(default=None)
    utterance: str | None = _what(default=None)
    utterance_key: str | None = _what(default=None)
    document: str | None = _what(default=None)
    conditions: str | None = _what(default=None)
    language: str | None = _what(default=None)
    quote: Quotation | None = _words(default=None)
    link_words: tuple[LinkWords, ...] = _words(default=())
    basis: str | None = _words(default=None)
    note: str | None = _words(default=None)
    extra: Mapping[str, Any] = _words(factory=dict)


@attrs.frozen(kw_only=True)
class ClaimsRelated:
    """A typed edge from one claim to another."""

    claim: str = _what()
    relation: str = _what()
    target: str = _what()
    note: str | None = _words(default=None)


@attrs.frozen(kw_only=True)
class ClaimWithdrawn:
    """The claimant took claims back: an act of saying of its own."""

    chains: tuple[tuple[ChainLink, ...], ...] = _who()
    capacity: str = _who(default="official")
    key: str | None = _what(fixed=True, default=None)
    claims: tuple[str, ...] = _what()
    uttered: Edtf | None = _what(default=None)
    utterance: str | None = _what(default=None)
    utterance_key: str | None = _what(default=None)
    document: str | None = _what(default=None)
    quote: Quotation | None = _words(default=None)
    link_words: tuple[LinkWords, ...] = _words(default=())
    note: str | None = _words(default=None)


@attrs.frozen(kw_only=True)
class ClaimCorrected:
    """The document's publisher corrected its report: new fields, or never said."""

    target: str = _what()
    document: str = _what()
    never_said: bool = _what(default=False)
    changes: Mapping[str, Any] = _field("of the target", fixed=True, factory=dict)
    record_type: str = _what()
    note: str | None = _words(default=None)


@attrs.frozen(kw_only=True)
class RecordAmended:
    """The ledger's user corrected an entry: fields of the record replaced, or it is struck out.

    `target` is the amended event; where that is an amendment itself, `changes` replace what it
    changes. `record_type` names the type of the record at the end of such a row of amendments.
    """

    target: str = _what()
    strike_out: bool = _what(default=False)
    changes: Mapping[str, Any] = _field("of the target", fixed=True, factory=dict)
    record_type: str = _what()
    reason: str = _words(default="")


@attrs.frozen(kw_only=True)
class ContentErased:
    """Slots of an earlier event were erased, for a reason, on somebody's authority."""

    target: str = _what()
    slots: tuple[str, ...] = _what()
    reason: str = _what()
    authority: str = _what()


Event = (
    PartyRegistered
    | PartyNamed
    | MembershipRecorded
    | PartiesMerged
    | TopicDefined
    | PropositionDefined
    | PropositionsMerged
    | OccurrenceDescribed
    | DocumentRegistered
    | DocumentRevised
    | ClaimRecorded
    | ClaimsRelated
    | ClaimWithdrawn
    | ClaimCorrected
    | RecordAmended
    | ContentErased
)

Act = ClaimRecorded | ClaimWithdrawn
"""The events that are acts of saying: they have chains, a time and perhaps a document."""

Change = ClaimCorrected | RecordAmended
"""The events that change what an earlier one says."""


TYPE_NAMES: Final[Mapping[type[Any], str]] = {
    PartyRegistered: "party_registered",
    PartyNamed: "party_named",
    MembershipRecorded: "membership_recorded",
    PartiesMerged: "parties_merged",
    TopicDefined: "topic_defined",
    PropositionDefined: "proposition_defined",
    PropositionsMerged: "propositions_merged",
    OccurrenceDescribed: "occurrence_described",
    DocumentRegistered: "document_registered",
    DocumentRevised: "document_revised",
    ClaimRecorded: "claim_recorded",
    ClaimsRelated: "claims_related",
    ClaimWithdrawn: "claim_withdrawn",
    ClaimCorrected: "claim_corrected",
    RecordAmended: "record_amended",
    ContentErased: "content_erased",
}
"""The stored name of every event class; a name is for ever."""


@attrs.frozen
class Remains:
    """What is left of an event that lost a slot it cannot be without: its type, and what it lost.

    `left` names the slots that are still stored, `by` apart; `key` is the id that its host gave
    it, where that was not erased.
    """

    type: str
    slots: tuple[str, ...]
    left: tuple[str, ...] = ()
    key: str | None = None


@attrs.frozen(kw_only=True)
class Recorder:
    """Who records, and with which tool.

    `id` is a pseudonym and stays in every entry for ever; `name` and `tool` can be erased.
    """

    id: str = "unnamed"
    name: str = ""
    tool: str = ""


def checked(recorder: object) -> Recorder:
    """Refuse a recorder that no entry can hold; what the log gives back is not looked at again.

    Raises:
        Invalid: it is no Recorder.
        InvalidText: its id is no id, or a name no line of text.
    """
    if not isinstance(recorder, Recorder):
        typed = repr(recorder) if isinstance(recorder, str) else '"desk-7"'
        raise Invalid(
            f"{show(recorder)} is no recorder. Write recorder=Recorder(id={typed}).",
            field="recorder",
            given=recorder,
        )
    check_id(recorder.id, field="recorder.id")
    for field, value in (("recorder.name", recorder.name), ("recorder.tool", recorder.tool)):
        if value != "":
            check_name(value, field=field)
    return recorder


@attrs.frozen(kw_only=True)
class NewEvent:
    """An event on its way into the log, with the id and stream it will have there."""

    id: str
    stream: str
    stream_v: int
    event: Event


@attrs.frozen(kw_only=True)
class StoredEvent:
    """An event of the log with its place and circumstances.

    `sequence` counts from 0; `recorded` is the log's known_at, a UTC instant that never runs
    backwards. `erased` names the slots that were erased.
    """

    sequence: int
    id: str
    type: str
    type_v: int
    stream: str
    stream_v: int
    recorded: dt.datetime
    recorder: Recorder
    causation: str | None = None
    correlation: str | None = None
    event: Event | Remains
    erased: tuple[str, ...] = ()
