"""Where a record can be found again: by the ids it names, and by the id its host gave it.

Here is what one event says of that, and no more; the indexes themselves are kept in `.effective`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from ledger.model import events as ev

KEYED: Final[Mapping[type[Any], str]] = {
    ev.PartyRegistered: "party",
    ev.TopicDefined: "topic",
    ev.PropositionDefined: "proposition",
    ev.OccurrenceDescribed: "occurrence",
    ev.DocumentRegistered: "document",
    ev.ClaimRecorded: "claim",
    ev.ClaimWithdrawn: "claim",
}
"""The records that a host names by ids of its own, and the kind of id."""


def entries(event: ev.Event) -> Iterator[tuple[str, str]]:
    """Under which (relation, id) a record can be found again."""
    match event:
        case ev.PartyRegistered():
            yield from (("joint_of", member) for member in event.members)
        case ev.PartyNamed():
            yield "names_of", event.party
        case ev.MembershipRecorded():
            yield "memberships_of", event.member
            yield "members_of", event.organisation
        case ev.PartiesMerged() | ev.PropositionsMerged():
            yield "merge_of", event.merged
            yield "merged_into", event.kept
        case ev.TopicDefined(part_of=str(wider)):
            yield "topics_in", wider
        case ev.PropositionDefined():
            yield from (("propositions_in", topic) for topic in event.topics)
        case ev.OccurrenceDescribed():
            yield from (("occurrences_of", told) for told in event.propositions)
        case ev.DocumentRegistered():
            yield "documents_of", event.publisher
        case ev.DocumentRevised():
            yield "revision_of", event.document
            yield "revisions_of", event.revises
        case ev.ClaimRecorded():
            yield "claims_on", event.proposition
            yield from _act_entries(event)
        case ev.ClaimWithdrawn():
            yield from (("withdrawals_of", claim) for claim in event.claims)
            yield from _act_entries(event)
        case ev.ClaimsRelated():
            yield "relations_from", event.claim
            yield "relations_to", event.target
        case _:
            return


def _act_entries(act: ev.Act) -> Iterator[tuple[str, str]]:
    agents = {link.agent for chain in act.chains for link in chain}
    yield from (("acts_naming", agent) for agent in agents)
    if act.utterance is not None:
        yield "acts_of_utterance", act.utterance
    if act.document is not None:
        yield "acts_in", act.document


OF_THE_FRAME: Final = (
    *(ev.PartyRegistered, ev.PartyNamed, ev.MembershipRecorded, ev.PartiesMerged),
    *(ev.TopicDefined, ev.PropositionDefined, ev.PropositionsMerged, ev.OccurrenceDescribed),
)
"""The records that are neither acts nor documents: a ledger has few of them."""


FRAME_TYPES: Final = frozenset(map(ev.TYPE_NAMES.__getitem__, OF_THE_FRAME))
"""Their stored names."""


def is_of_the_frame(stored: ev.StoredEvent) -> bool:
    """Whether an event is such a record, or a change of one."""
    event = stored.event
    if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
        return event.record_type in FRAME_TYPES
    return stored.type in FRAME_TYPES


def host_ids(event: ev.Event | ev.Remains) -> Iterator[tuple[str, str]]:
    """The (kind, id) that an event tells of a host: of a record, or of the occasion of an act."""
    yield from keys_of(event)
    yield from (("utterance", key) for key, _ in utterances(event))


def may_bear(event: ev.Event | ev.Remains, keys: Collection[str]) -> bool:
    """Whether an event may tell of one of some ids of a host: quicker than to ask for them all."""
    return (
        getattr(event, "key", None) in keys
        or getattr(event, "utterance_key", None) in keys
        or getattr(event, "changes", _NO_CHANGES).get("utterance_key") in keys
    )


_NO_CHANGES: Final[Mapping[str, Any]] = {}
_KEYED_TYPES: Final = {ev.TYPE_NAMES[cls]: kind for cls, kind in KEYED.items()}


def keys_of(event: ev.Event | ev.Remains) -> Iterator[tuple[str, str]]:
    """The (kind, id) under which a host knows a record, or what is left of it."""
    match event:
        case ev.Remains():
            kind = _KEYED_TYPES.get(event.type)
        case _:
            kind = KEYED.get(type(event))
    key = getattr(event, "key", None)
    if kind is not None and key is not None:
        yield kind, key


def utterances(event: ev.Event | ev.Remains | None) -> Iterator[tuple[str, str | None]]:
    """What a host calls the occasion of an act, in the act or a change of it, and its ledger id."""
    match event:
        case ev.ClaimRecorded(utterance_key=str(key)) | ev.ClaimWithdrawn(utterance_key=str(key)):
            yield key, event.utterance
        case ev.ClaimCorrected() | ev.RecordAmended():
            named = event.changes.get("utterance_key")
            if isinstance(named, str):
                yield named, event.changes.get("utterance")
        case _:
            return
