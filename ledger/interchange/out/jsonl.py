"""A view as JSON Lines, in the form that `claims import` reads: docs/reference/jsonl.md.

The lines say what the view shows: amendments and corrections applied, merges and withdrawals kept.
Imported into an empty ledger they give the same answers for every date of saying; who entered what
and when is not in them. A copy to the last hash is `.log`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final, assert_never

import msgspec

from ledger.interchange.lines import MAX_LINE
from ledger.interchange.out.leaving import Leaving, leaving
from ledger.interchange.out.streaming import filled
from ledger.model import events as ev
from ledger.model.attribution import claimant_of
from ledger.model.period import ALWAYS, Period
from ledger.model.quotation import Quotation
from ledger.view import View

_encode: Final = msgspec.json.Encoder().encode


def write(view: View, file: BinaryIO) -> int:
    """Write a view line by line; gives their number. One page of records is in memory at a time.

    A document whose line would be longer than an importer reads leaves without its text.

    Example:
        >>> import io
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     write(ledger.as_of(), io.BytesIO())
        1
    """
    count = 0
    for line in lines(view):
        written = _encode(line) + b"\n"
        if len(written) > MAX_LINE and "text" in line:
            written = _encode({key: one for key, one in line.items() if key != "text"}) + b"\n"
        file.write(written)
        count += 1
    return count


def lines(view: View) -> Iterator[dict[str, Any]]:
    """The lines as objects, those that others name first.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     list(lines(ledger.as_of()))
        [{'type': 'topic', 'id': 'dam', 'label': 'The dam'}]
    """
    return map(line_of, leaving(view))


def line_of(record: Leaving) -> dict[str, Any]:
    """One record as the object of its line; fields that hold their default are left out."""
    return {"type": record.kind, **filled(**_fields(record))}


def _fields(record: Leaving) -> dict[str, Any]:
    event = record.event
    match event:
        case ev.PartyRegistered():
            kind = None if event.kind == "organisation" else event.kind
            return {"id": event.key, "name": event.name, "kind": kind, "members": [*event.members]}
        case ev.PartyNamed():
            return {
                "party": event.party,
                "name": event.name,
                "metonym": event.metonym or None,
                "rank": event.rank or None,
                "language": event.language,
                **_period(event.period),
            }
        case ev.MembershipRecorded():
            return {
                "member": event.member,
                "organisation": event.organisation,
                "role": event.role,
                "speaks_for": None if event.speaks_for else False,
                **_period(event.period),
            }
        case ev.PartiesMerged():
            return {"into": event.kept, "from": event.merged, "reason": event.reason}
        case ev.PropositionsMerged():
            return {
                "into": event.kept,
                "from": event.merged,
                "negated": event.negated or None,
                "reason": event.reason,
            }
        case ev.TopicDefined():
            return {"id": event.key, "label": event.label, "part_of": event.part_of}
        case ev.PropositionDefined():
            kind = None if event.kind == "fact" else event.kind
            return {"id": event.key, "text": event.text, "topic": [*event.topics], "kind": kind}
        case ev.OccurrenceDescribed():
            return {
                "id": event.key,
                "label": event.label,
                "propositions": [*event.propositions],
            }
        case ev.DocumentRegistered():
            return {**_document(event), "revises": record.revises}
        case ev.ClaimRecorded():
            return _claim(record.id, event)
        case ev.ClaimWithdrawn():
            return {"claim": [*event.claims], **_act(record.id, event)}
        case ev.ClaimsRelated():
            return {
                "from": event.claim,
                "relation": event.relation,
                "to": event.target,
                "note": event.note,
            }
        case ev.ClaimCorrected() | ev.RecordAmended() | ev.ContentErased() | ev.DocumentRevised():
            raise AssertionError(record.kind)  # they are applied, and do not leave by themselves
        case _:
            assert_never(event)


def _period(period: Period) -> dict[str, str | None]:
    if period == ALWAYS:
        return {}
    since = "unknown" if period.unknown_start else period.since
    until = "unknown" if period.unknown_end else period.until
    return {"from": _text(since), "until": _text(until)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _document(event: ev.DocumentRegistered) -> dict[str, Any]:
    return {
        "id": event.key,
        "publisher": event.publisher,
        "published": _text(event.published),
        "title": event.title,
        "url": event.url,
        "language": event.language,
        "sha256": event.sha256,
        "length": event.length,
        "text": event.text,
    }


def _act(id_: str, act: ev.Act) -> dict[str, Any]:
    """The fields that a claim and a withdrawal share."""
    chains = [_chain(act, index) for index in range(len(act.chains))]
    who = [claimant_of(chain) for chain in act.chains]
    return {
        "id": id_,
        "claimant": [] if None in who else [*dict.fromkeys(who)],
        "chain": chains[0] if len(chains) == 1 else chains,
        "capacity": None if act.capacity == "official" else act.capacity,
        "uttered": _text(act.uttered),
        "utterance": act.utterance_key,
        "document": act.document,
        "quote": quote_of(act.quote),
        "note": act.note,
    }


def _claim(id_: str, event: ev.ClaimRecorded) -> dict[str, Any]:
    return {
        **_act(id_, event),
        "act": event.act,
        "stance": event.stance,
        "proposition": event.proposition,
        "factuality": None if event.factuality == "certain" else event.factuality,
        "about": _text(event.about),
        "expires": _text(event.expires),
        "conditions": event.conditions,
        "addressees": [*event.addressees],
        "mentions": [*event.mentions],
        "language": event.language,
        "basis": event.basis,
        "extra": dict(event.extra),
    }


def _chain(act: ev.Act, index: int) -> list[dict[str, Any]]:
    told = {one.link: one for one in act.link_words if one.chain == index}
    return [
        filled(
            agent=link.agent,
            edge=link.kind,
            role=link.role,
            words=quote_of(told[place].words) if place in told else None,
            cue=quote_of(told[place].cue) if place in told else None,
        )
        for place, link in enumerate(act.chains[index])
    ]


def renderings_of(quote: Quotation) -> list[dict[str, Any]]:
    """The words of a quotation in other languages, as the objects that a line has for them."""
    return [
        filled(text=one.text, language=one.language, original=one.original or None, by=one.by)
        for one in quote.renderings
    ]


def quote_of(quote: Quotation | None) -> dict[str, Any] | None:
    """A quotation as the object that a line has for it."""
    if quote is None:
        return None
    exact: str | Sequence[str] = [*quote.parts] if quote.parts else quote.exact
    return filled(
        exact=exact,
        ranges=[[*pair] for pair in quote.ranges],
        mode=quote.mode,
        prefix=quote.prefix,
        suffix=quote.suffix,
        renderings=renderings_of(quote),
    )
