"""The built-in projection "cells": what lets a question read a few events instead of the log.

Here lives which event does what to the two tables of `ledger.store.cells`. They say where to look;
what is found there, and whether it counts, is told by `ledger.projections` as ever.

A claim stands in the cell of everybody who may have made it or was spoken for, and, once it is
amended, in that of all who ever were named with all propositions that ever were: which of them
holds at a known-date is read from the events.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import attrs
import msgspec
from sqlalchemy import Table

from ledger.codec.converter import type_called
from ledger.codec.entry import SALT_BYTES
from ledger.codec.envelope import opened
from ledger.model import events as ev
from ledger.model.attribution import claimant_of, spoken_for
from ledger.projecting.projection import Page, Projection
from ledger.projecting.registry import Factory
from ledger.store import cells as store
from ledger.store import read, views
from ledger.store.layout import Layout

NAME: Final = store.NAME
_FRAME: Final = frozenset(
    type_called(cls)
    for cls in (
        ev.PartyRegistered,
        ev.PartyNamed,
        ev.MembershipRecorded,
        ev.PartiesMerged,
        ev.TopicDefined,
        ev.PropositionDefined,
        ev.PropositionsMerged,
        ev.OccurrenceDescribed,
    )
)
_CLAIM: Final = type_called(ev.ClaimRecorded)
_KEPT: Final = frozenset({"party_registered", "proposition_defined", "document_registered"})
_REMEMBERED: Final = 200_000
_NEEDED: Final = frozenset({"who", "what"})
_MOVING: Final = frozenset({"chains", "proposition"})


@attrs.define
class _Found:
    """What a page holds; whatever names something still does so by its id."""

    claims: list[tuple[int, tuple[str, ...], str, str | None]] = attrs.field(factory=list)
    links: list[tuple[int, int, int]] = attrs.field(factory=list)
    touches: list[tuple[str, int]] = attrs.field(factory=list)
    uttered: list[tuple[str, str]] = attrs.field(factory=list)
    moved: list[str] = attrs.field(factory=list)
    erased: list[tuple[str, int]] = attrs.field(factory=list)
    ids: dict[str, int] = attrs.field(factory=dict)


def cells(layout: Layout | None = None) -> Factory:
    """The projection "cells" for a layout, to be handed to `ledger.projections.add`.

    With it, `position` and `positions` read what bears on them and never the whole log, at any
    known-date. Without it they are answered all the same, from the log folded in memory.

    Example:
        >>> [table.name for table in cells()(0).tables]
        ['ledger_v1_cell', 'ledger_v1_link']
    """
    return functools.partial(_build, layout or Layout())


def _build(layout: Layout, build: int) -> Projection:
    tables = store.tables_of(layout, build)
    return Projection(
        name=NAME,
        version=store.VERSION,
        tables=tables,
        apply_page=functools.partial(_apply, tables),
        on_failure="stop",
    )


def _apply(tables: tuple[Table, Table], page: Page) -> None:
    found = _Found()
    if page.given is not None:
        for stored in page.given:
            found.ids[stored.id] = stored.sequence
            _take(found, stored)
    else:
        _read(found, page)
    seq_of = _sequences(found, page)
    cell, link = tables
    store.add(page.conn, cell, page.log_id, _cells(found, seq_of))
    store.add(page.conn, link, page.log_id, _links(found, seq_of))
    for id_ in dict.fromkeys(found.moved):
        store.add(page.conn, cell, page.log_id, _moved(page, link, id_))
    for id_, seq in found.erased:
        _erase(page, tables, id_, seq)


def _cells(found: _Found, seq_of: Mapping[str, int]) -> Iterator[store.CellRow]:
    keys: dict[tuple[str, ...], list[int]] = {}
    for seq, parties, proposition, document in found.claims:
        if (named := keys.get(parties)) is None:
            named = keys[parties] = [seq_of[id_] for id_ in parties if id_ in seq_of]
        on = seq_of.get(proposition)
        if on is not None:
            at = None if document is None else seq_of.get(document)
            for party in named:
                yield party, on, seq, at


def _links(found: _Found, seq_of: Mapping[str, int]) -> Iterator[store.LinkRow]:
    yield from found.links
    for target, seq in found.touches:
        if target in seq_of:
            yield store.TOUCH, seq_of[target], seq
    for utterance, act in found.uttered:
        if act in seq_of:
            yield store.UTTERANCE, store.number_of(utterance), seq_of[act]


def _sequences(found: _Found, page: Page) -> Mapping[str, int]:
    """The sequence of every id that the page names: from it, from memory, else by one query."""
    kept: dict[str, int] = page.memory
    wanted = {id_ for id_, _ in found.touches} | {id_ for _, id_ in found.uttered}
    for parties in {one[1] for one in found.claims}:
        wanted.update(parties)
    wanted.update(one[2] for one in found.claims)
    wanted.update(one[3] for one in found.claims if one[3] is not None)
    known = {**{id_: kept[id_] for id_ in wanted if id_ in kept}, **found.ids}
    missing = [id_ for id_ in wanted if id_ not in known]
    if missing and page.sequence_of is not None:
        told = {id_: page.sequence_of(id_) for id_ in missing}
        known |= {id_: seq for id_, seq in told.items() if seq is not None}
        missing = [id_ for id_ in missing if id_ not in known]
    if missing:
        known |= views.sequences(page.conn, page.tables, page.log_id, missing)
    return known


# -- one event ----------------------------------------------------------------------------------


def _take(found: _Found, stored: ev.StoredEvent) -> None:
    event, seq = stored.event, stored.sequence
    if stored.type in _FRAME:
        found.links.append((store.FRAME, 0, seq))
        return
    match event:
        case ev.ClaimRecorded():
            found.claims.append((seq, _parties(event.chains), event.proposition, event.document))
            _utter(found, event.utterance, stored.id)
        case ev.ClaimWithdrawn():
            found.touches += [(claim, seq) for claim in event.claims]
            _utter(found, event.utterance, stored.id)
        case ev.ClaimsRelated():
            found.touches += [(event.claim, seq), (event.target, seq)]
        case ev.ClaimCorrected() | ev.RecordAmended():
            _change(found, stored.id, seq, event)
        case ev.ContentErased():
            found.links.append((store.FRAME, 0, seq))
            if not _NEEDED.isdisjoint(event.slots):
                found.erased.append((event.target, seq))
        case ev.Erased(type=type_) if type_ == _CLAIM:
            found.links.append((store.LOST, 0, seq))
        case _:
            pass


def _utter(found: _Found, utterance: str | None, act: str) -> None:
    if utterance is not None:
        found.uttered.append((utterance, act))


def _change(found: _Found, id_: str, seq: int, event: ev.Change) -> None:
    if event.record_type in _FRAME:
        found.links.append((store.FRAME, 0, seq))
        return
    found.touches.append((event.target, seq))
    named = event.changes
    found.touches += [(one, seq) for one in named.get("claims") or ()]
    found.touches += [(named[end], seq) for end in ("claim", "target") if named.get(end)]
    if named.get("utterance") is not None:  # whoever asks for its acts must find the change
        found.uttered.append((named["utterance"], id_))
    if event.record_type == _CLAIM and not _MOVING.isdisjoint(named):
        found.moved.append(id_)


def _parties(chains: Iterable[Sequence[ev.ChainLink]]) -> tuple[str, ...]:
    """Who may have made a claim, and for whom they spoke: from there it goes up."""
    named = ((claimant_of(chain), *spoken_for(chain)) for chain in chains)
    return tuple(dict.fromkeys(id_ for id_ in itertools.chain.from_iterable(named) if id_))


# -- many events, by what their slots say -------------------------------------------------------


class _What(msgspec.Struct, gc=False):
    proposition: str
    utterance: str | None = None
    document: str | None = None


_what: Final = msgspec.json.Decoder(_What).decode


def _read(found: _Found, page: Page) -> None:
    kept, ids = page.memory, found.ids
    whole: list[int] = []
    if len(kept) > _REMEMBERED:
        kept.clear()
    for seq, id_, type_, who, what in views.slim_rows(
        page.conn, page.tables, page.log_id, page.start, page.stop
    ):
        ids[id_] = seq
        if type_ == _CLAIM:
            if who is None or what is None:
                found.links.append((store.LOST, 0, seq))
                continue
            said = _what(what[SALT_BYTES:])
            named = _parties_in(who[SALT_BYTES:])
            found.claims.append((seq, named, said.proposition, said.document))
            _utter(found, said.utterance, id_)
        elif type_ in _FRAME:
            found.links.append((store.FRAME, 0, seq))
        elif type_ != "document_registered":
            whole.append(seq)
        if type_ in _KEPT:
            kept[id_] = seq
    for row in read.rows_at(page.conn, page.tables, page.log_id, whole):
        _take(found, opened(row))


@functools.lru_cache(maxsize=5_000)
def _parties_in(who: bytes) -> tuple[str, ...]:
    chains = msgspec.json.decode(who).get("chains", ())
    return _parties([ev.ChainLink(**link) for link in chain] for chain in chains)


# -- what is rare -------------------------------------------------------------------------------


def _moved(page: Page, link: Table, change: str) -> Iterator[store.CellRow]:
    """The cells of a claim once a change names others: all parties with all propositions ever."""
    root = _by_id(page, change)
    while root is not None and isinstance(root.event, ev.ClaimCorrected | ev.RecordAmended):
        root = _by_id(page, root.event.target)
    if root is None or not isinstance(root.event, ev.ClaimRecorded):
        return
    parties, propositions = dict.fromkeys(_parties(root.event.chains)), {root.event.proposition: 0}
    seen, fresh = {root.sequence}, {root.sequence}
    while fresh:
        key = page.log_id, page.stop
        fresh = store.linked(page.conn, link, key, store.TOUCH, fresh).difference(seen)
        seen |= fresh
        changes = []
        for row in read.rows_at(page.conn, page.tables, page.log_id, sorted(fresh)):
            event = opened(row).event
            if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
                changes.append(row.seq)
                parties.update(dict.fromkeys(_parties(event.changes.get("chains") or ())))
                if event.changes.get("proposition"):
                    propositions[event.changes["proposition"]] = 0
        fresh = set(changes)
    seq_of = views.sequences(page.conn, page.tables, page.log_id, [*parties, *propositions])
    for party, proposition in itertools.product(parties, propositions):
        if party in seq_of and proposition in seq_of:
            yield seq_of[party], seq_of[proposition], root.sequence, None


def _by_id(page: Page, id_: str) -> ev.StoredEvent | None:
    row = read.row_by_id(page.conn, page.tables, page.log_id, id_)
    return None if row is None else opened(row)


def _erase(page: Page, tables: tuple[Table, Table], id_: str, _by: int) -> None:
    """What an erased event said is gone; an erased claim is counted, at every known-date."""
    row = read.row_by_id(page.conn, page.tables, page.log_id, id_)
    if row is None or row.type in _FRAME:
        return
    store.remove(page.conn, tables, page.log_id, row.seq)
    if row.type == _CLAIM:
        store.add(page.conn, tables[1], page.log_id, [(store.LOST, 0, row.seq)])
