"""A view as rows of tables: plain values, without any library for tables.

Which tables there are is in `.columns`; Arrow, Parquet and frames made of the rows, in `.arrow`.
Dates are written twice: as they were (EDTF), and as the days between which they lie, so that a
database can compare them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from ledger.codec.canonical import jcs
from ledger.errors import Invalid
from ledger.interchange.out.columns import COLUMNS
from ledger.interchange.out.jsonl import renderings_of
from ledger.interchange.out.leaving import Kind, Leaving, leaving
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.model.period import Period
from ledger.model.quotation import Quotation
from ledger.model.text import did_you_mean, near, show
from ledger.view import View

Row = dict[str, Any]


def rows(view: View, table: str) -> Iterator[Row]:
    """The rows of one table as plain values.

    Raises:
        Invalid: there is no such table.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     [one] = rows(ledger.as_of(), "topics")
        >>> one["id"], one["label"], one["sequence"]
        ('dam', 'The dam', 0)
    """
    if table not in COLUMNS:
        raise Invalid(
            f"There is no table {show(table)}.{did_you_mean(near(table, COLUMNS))} There are "
            f"{', '.join(COLUMNS)}.",
            field="table",
            given=table,
        )
    kinds, make = _TABLES[table]
    return (row for record in leaving(view, *kinds) for row in make(record))


# -- rows ---------------------------------------------------------------------------------------


def _place(record: Leaving) -> Row:
    entered = record.entered
    return {
        "sequence": entered.sequence,
        "recorded": entered.recorded,
        "recorder": entered.recorder.id,
    }


def _days(word: str, date: Edtf | None) -> Row:
    """A date as it is written, and the days between which it lies (of an instant, in UTC)."""
    if date is None:
        return {word: None, f"{word}_earliest": None, f"{word}_latest": None}
    return {
        word: date.text,
        f"{word}_earliest": _day(date.earliest),
        f"{word}_latest": _day(date.latest),
    }


def _day(bound: dt.date | dt.datetime | None) -> dt.date | None:
    return bound.astimezone(dt.UTC).date() if isinstance(bound, dt.datetime) else bound


def _period(period: Period) -> Row:
    """A period as it is written, and its ends where they are days."""
    ends = {"since": period.since, "until": period.until}
    days = {
        name: _day(end.earliest) if end is not None and end.earliest == end.latest else None
        for name, end in ends.items()
    }
    return {"period": period.to_text(), **days}


def _plain(*fields: str) -> Callable[[Leaving], Iterable[Row]]:
    """Rows that hold fields of the event as they are."""

    def make(record: Leaving) -> Iterable[Row]:
        event = record.event
        row = {name: getattr(event, name) for name in fields}
        if isinstance(event, ev.PartyNamed | ev.MembershipRecorded):
            row |= _period(event.period)
        if isinstance(event, ev.PartyRegistered | ev.PropositionDefined):
            row["shown"] = record.shown
        if record.gone:
            row["name"] = None
        own = {"id": record.id} if hasattr(event, "key") else {}
        yield {**own, **row, **_place(record)}

    return make


def _joint(record: Leaving) -> Iterable[Row]:
    members = record.event.members if isinstance(record.event, ev.PartyRegistered) else ()
    return ({"party": record.id, "member": one} for one in members)


def _merge(record: Leaving) -> Iterable[Row]:
    event = record.event
    if isinstance(event, ev.PartiesMerged | ev.PropositionsMerged):
        negated = isinstance(event, ev.PropositionsMerged) and event.negated
        both = {"kept": event.kept, "merged": event.merged, "reason": event.reason}
        yield {**both, "negated": negated, **_place(record)}


def _document(record: Leaving) -> Iterable[Row]:
    event = record.event
    if isinstance(event, ev.DocumentRegistered):
        names = ("title", "publisher", "url", "language", "sha256", "length", "text")
        yield {
            "id": record.id,
            **{name: getattr(event, name) for name in names},
            "revises": record.revises,
            **_days("published", event.published),
            **_place(record),
        }


def _claim(record: Leaving) -> Iterable[Row]:
    event, told = record.event, record.told
    if isinstance(event, ev.ClaimRecorded) and told is not None:
        same = ("act", "factuality", "conditions", "addressees", "mentions", "language", "basis")
        yield {
            **_act(record, event),
            **{name: getattr(event, name) for name in same},
            "stance": told.stance,
            "proposition": told.proposition,
            "stance_as_told": event.stance,
            "proposition_as_told": event.proposition,
            "withdrawn": told.withdrawn,
            "corrected": told.corrected,
            **_days("about", event.about),
            "expires": event.expires.text if event.expires else None,
            "extra": jcs(dict(event.extra)).decode() if event.extra else None,
        }


def _withdrawal(record: Leaving) -> Iterable[Row]:
    if isinstance(record.event, ev.ClaimWithdrawn):
        yield {**_act(record, record.event), "claims": record.event.claims}


def _act(record: Leaving, act: ev.Act) -> Row:
    told, quote = record.told, act.quote
    return {
        "id": record.id,
        "ledger_id": record.entered.ledger_id,
        "claimants": told.claimants if told else (),
        "certainty": told.certainty if told else None,
        "capacity": act.capacity,
        **_days("uttered", act.uttered),
        "utterance": act.utterance_key,
        "document": act.document,
        "quote": quote.exact if quote else None,
        "mode": quote.mode if quote else None,
        "prefix": quote.prefix or None if quote else None,
        "suffix": quote.suffix or None if quote else None,
        "renderings": jcs(renderings_of(quote)).decode() if quote and quote.renderings else None,
        "note": act.note,
        **_place(record),
    }


def _links(record: Leaving) -> Iterable[Row]:
    act = record.event
    if not isinstance(act, ev.ClaimRecorded | ev.ClaimWithdrawn):
        return
    words = {(one.chain, one.link): one for one in act.link_words}
    for index, chain in enumerate(act.chains):
        for place, link in enumerate(chain):
            told = words.get((index, place))
            yield {
                "claim": record.id,
                "chain": index,
                "place": place,
                "party": link.agent,
                "kind": link.kind,
                "role": link.role or None,
                "words": told.words.exact if told and told.words else None,
                "cue": told.cue.exact if told and told.cue else None,
            }


def _ranges(record: Leaving) -> Iterable[Row]:
    act = record.event
    if not isinstance(act, ev.ClaimRecorded | ev.ClaimWithdrawn):
        return
    found: list[tuple[str, int | None, int | None, Quotation | None]]
    found = [("quote", None, None, act.quote)]
    for one in act.link_words:
        found.append(("words", one.chain, one.link, one.words))
        found.append(("cue", one.chain, one.link, one.cue))
    for of, chain, place, quote in found:
        for piece, (start, end) in enumerate(quote.ranges if quote else ()):
            at = {"chain": chain, "place": place, "piece": piece, "start": start, "end": end}
            yield {"claim": record.id, "of": of, **at}


_ACTS: Final[tuple[Kind, ...]] = ("claim", "withdrawal")
_TABLES: Final[Mapping[str, tuple[tuple[Kind, ...], Callable[[Leaving], Iterable[Row]]]]] = {
    "parties": (("party",), _plain("name", "kind")),
    "names": (("name",), _plain("party", "name", "metonym", "rank", "language")),
    "memberships": (
        ("membership",),
        _plain("member", "organisation", "role", "speaks_for"),
    ),
    "joint_members": (("party",), _joint),
    "topics": (("topic",), _plain("label", "part_of")),
    "propositions": (("proposition",), _plain("text", "kind", "topics")),
    "merges": (("merge",), _merge),
    "occurrences": (("occurrence",), _plain("label", "propositions")),
    "documents": (("document",), _document),
    "claims": (("claim",), _claim),
    "withdrawals": (("withdrawal",), _withdrawal),
    "links": (_ACTS, _links),
    "ranges": (_ACTS, _ranges),
    "relations": (("relation",), _plain("claim", "relation", "target", "note")),
}
