"""The built-in projection "claims": which event does what to the narrow table of claims.

Here lives the meaning, once for events at hand (inline) and once for the two slots that are read
in a rebuild; both go through the same few lines. The table is in `ledger.store.views`.

It is a ground to look claims up on, not an answer: what an amendment changes, what a withdrawal
means at a date, and what an utterance lends to others is told by the ledger's own questions.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import attrs
import msgspec
from sqlalchemy import Table

from ledger.codec.entry import SALT_BYTES
from ledger.model import events as ev
from ledger.model.attribution import claimant_of
from ledger.model.bounds import Bounds
from ledger.model.moment import Edtf
from ledger.projecting.projection import Page, Projection, sequences
from ledger.projecting.registry import Factory
from ledger.store import read, views
from ledger.store.layout import Layout
from ledger.store.views import NOBODY, ClaimRow

NAME: Final = "claims"
_KEPT: Final = frozenset({"party_registered", "proposition_defined"})
_NEEDED: Final = frozenset({"who", "what"})


class _Claim(NamedTuple):
    """A claim with what it names still by ids."""

    seq: int
    parties: tuple[str, ...]
    proposition: str
    uttered: dt.date | None
    act: str
    stance: str


@attrs.define
class _Found:
    """What a page holds: claims, the ids of what it names, and what ends or removes claims."""

    claims: list[_Claim] = attrs.field(factory=list)
    ends: list[tuple[str, int]] = attrs.field(factory=list)
    erased: list[str] = attrs.field(factory=list)
    ids: dict[str, int] = attrs.field(factory=dict)


def claims(layout: Layout | None = None) -> Factory:
    """The projection "claims" for a layout, to be passed to `ledger.projections.add`.

    Example:
        >>> claims()(0).tables[0].name
        'ledger_v1_claim'
    """
    return functools.partial(_build, layout or Layout())


def _build(layout: Layout, build: int) -> Projection:
    table = views.claim_table(layout, build)
    return Projection(
        name=NAME,
        version=views.VERSION,
        tables=[table],
        apply_page=functools.partial(_apply, table),
        on_failure="stop",
        unguarded=True,
        rides=True,
    )


def _apply(table: Table, page: Page) -> None:
    found = _Found()
    if page.given is not None:
        _from_events(found, page.given)
    else:
        _from_rows(found, page)
    lasting = {one.proposition for one in found.claims}
    lasting.update(*{one.parties for one in found.claims})
    passing = {id_ for id_, _ in found.ends} | set(found.erased)
    seq_of = sequences(page, found.ids, lasting, passing)
    views.add_claims(page.conn, table, page.log_id, [*_rows(found.claims, seq_of)])
    ends = [(seq_of[id_], seq) for id_, seq in found.ends if id_ in seq_of]
    views.end_claims(page.conn, table, page.log_id, ends)
    erased = [seq_of[id_] for id_ in found.erased if id_ in seq_of]
    views.remove_claims(page.conn, table, page.log_id, erased)


def _rows(claims: Iterable[_Claim], seq_of: Mapping[str, int]) -> Iterator[ClaimRow]:
    """The rows of claims: one for each party that may have spoken, or one for nobody."""
    keys: dict[tuple[str, ...], list[int]] = {}
    for seq, parties, proposition, uttered, act, stance in claims:
        if (found := keys.get(parties)) is None:
            found = keys[parties] = sorted({seq_of.get(id_, NOBODY) for id_ in parties}) or [NOBODY]
        for party in found:
            yield (seq, party, seq_of.get(proposition, NOBODY), uttered, act, stance)


def _from_events(found: _Found, events: Sequence[ev.StoredEvent]) -> None:
    for stored in events:
        event, seq = stored.event, stored.sequence
        found.ids[stored.id] = seq
        match event:
            case ev.ClaimRecorded():
                found.claims.append(
                    _Claim(
                        seq,
                        tuple(filter(None, map(claimant_of, event.chains))),
                        event.proposition,
                        _last_day(event.uttered),
                        event.act,
                        event.stance,
                    )
                )
            case ev.ClaimWithdrawn():
                found.ends += [(claim, seq) for claim in event.claims]
            case ev.ClaimCorrected() | ev.RecordAmended():
                found.ends.append((event.target, seq))
            case ev.ContentErased():
                _erase(found, event.target, event.slots, seq)
            case _:
                pass


def _from_rows(found: _Found, page: Page) -> None:
    kept, ids, add = page.memory, found.ids, found.claims.append
    for seq, id_, type_, who, what in read.slim_rows(
        page.conn, page.tables, page.log_id, page.start, page.stop
    ):
        if type_ == "claim_recorded":
            ids[id_] = seq
            if who is not None and what is not None:
                said = msgspec.json.decode(what[SALT_BYTES:])
                uttered = said.get("uttered")
                day = None if uttered is None else _last_day_of(uttered)
                parties = _parties(who[SALT_BYTES:])
                add(_Claim(seq, parties, said["proposition"], day, said["act"], said["stance"]))
        elif type_ in _KEPT:
            kept[id_] = ids[id_] = seq
        elif what is not None:
            _touch(found, type_, msgspec.json.decode(what[SALT_BYTES:]), seq)


@functools.lru_cache(maxsize=5_000)
def _parties(who: bytes) -> tuple[str, ...]:
    """The claimants in a payload; few say much, so that most payloads were seen before."""
    chains = msgspec.json.decode(who).get("chains", ())
    found = (claimant_of([ev.ChainLink(**link) for link in chain]) for chain in chains)
    return tuple(filter(None, found))


def _touch(found: _Found, type_: str, what: dict[str, Any], seq: int) -> None:
    match type_:
        case "claim_withdrawn":
            found.ends += [(claim, seq) for claim in what["claims"]]
        case "claim_corrected" | "record_amended":
            found.ends.append((what["target"], seq))
        case "content_erased":
            _erase(found, what["target"], what["slots"], seq)
        case _:
            pass


def _erase(found: _Found, target: str, slots: Sequence[str], seq: int) -> None:
    if _NEEDED.isdisjoint(slots):
        found.ends.append((target, seq))
    else:
        found.erased.append(target)


@functools.lru_cache(maxsize=20_000)
def _last_day_of(text: str) -> dt.date | None:
    return _last_day(Edtf.parse(text))


def _last_day(uttered: Edtf | None) -> dt.date | None:
    return None if uttered is None else Bounds.of(uttered).last_day()


__all__ = ["NAME", "claims"]
