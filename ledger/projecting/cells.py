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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import attrs
import msgspec
from sqlalchemy import Table

from ledger.codec.converter import type_called
from ledger.codec.entry import SALT_BYTES
from ledger.codec.envelope import opened
from ledger.model import events as ev
from ledger.model.attribution import claimant_of, spoken_for
from ledger.model.erasing import without
from ledger.projecting.projection import Page, Projection, sequences
from ledger.projecting.registry import Factory
from ledger.projections.changing import changed_by
from ledger.projections.indexing import FRAME_TYPES, host_ids, is_of_the_frame
from ledger.store import cells as store
from ledger.store import read
from ledger.store.layout import Layout

NAME: Final = store.NAME
_CLAIM: Final = type_called(ev.ClaimRecorded)
_DOCUMENT: Final = type_called(ev.DocumentRegistered)
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
    named: list[tuple[int, str, int]] = attrs.field(factory=list)
    moved: list[str] = attrs.field(factory=list)
    erased: dict[str, set[str]] = attrs.field(factory=dict)
    ids: dict[str, int] = attrs.field(factory=dict)


def cells(layout: Layout | None = None) -> Factory:
    """The projection "cells" for a layout, to be passed to `ledger.projections.add`.

    With it, questions read a few events instead of the whole log, at any known date. Without it
    the answers are the same, from the whole log in memory.

    Example:
        >>> [table.name for table in cells()(0).tables]
        ['ledger_v4_cell', 'ledger_v4_link']
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
        unguarded=True,
        rides=True,
        takes_over=True,
    )


def _apply(tables: tuple[Table, Table], page: Page) -> None:
    found = _Found()
    if page.given is not None:
        for stored in page.given:
            found.ids[stored.id] = stored.sequence
            _take(found, stored)
    else:
        _read(found, page)
    _add(found, page, tables, new=True)
    if found.erased:
        _erase(found.erased, page, tables)


def _add(found: _Found, page: Page, tables: tuple[Table, Table], *, new: bool) -> None:
    seq_of = _sequences(found, page)
    cell, link = tables
    store.add(page.conn, cell, page.log_id, _cells(found, seq_of), new=new)
    store.add(page.conn, link, page.log_id, _links(found, seq_of), new=new)
    for id_ in dict.fromkeys(found.moved):
        store.add(page.conn, cell, page.log_id, _moved(page, link, id_))


def _cells(found: _Found, seq_of: Mapping[str, int]) -> Iterator[store.CellRow]:
    keys: dict[tuple[str, ...], list[int]] = {}
    for seq, parties, proposition, document in found.claims:
        if (named := keys.get(parties)) is None:
            named = [seq_of[id_] for id_ in parties if id_ in seq_of] or [store.NOBODY]
            keys[parties] = named
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
    for kind, id_, seq in found.named:
        if id_ in seq_of:
            yield kind, seq_of[id_], seq
    for utterance, act in found.uttered:
        if act in seq_of:
            yield store.UTTERANCE, store.number_of(utterance), seq_of[act]


def _sequences(found: _Found, page: Page) -> Mapping[str, int]:
    lasting = {id_ for _, id_, _ in found.named}
    for parties in {one[1] for one in found.claims}:
        lasting.update(parties)
    lasting.update(one[2] for one in found.claims)
    lasting.update(one[3] for one in found.claims if one[3] is not None)
    passing = {id_ for id_, _ in found.touches} | {id_ for _, id_ in found.uttered}
    return sequences(page, found.ids, lasting, passing)


# -- one event ----------------------------------------------------------------------------------


def _take(found: _Found, stored: ev.StoredEvent) -> None:
    event, seq = stored.event, stored.sequence
    if is_of_the_frame(stored):
        found.links.append((store.FRAME, 0, seq))
        return
    for kind, key in host_ids(event):
        _key(found, kind, key, seq)
    match event:
        case ev.ClaimRecorded():
            parties = _parties(event.chains)
            found.claims.append((seq, parties, event.proposition, event.document))
            _utter(found, event.utterance, stored.id)
            _name(found, seq, _others(event, parties), event.document)
        case ev.ClaimWithdrawn():
            found.touches += [(claim, seq) for claim in event.claims]
            _utter(found, event.utterance, stored.id)
            _name(found, seq, _agents(event.chains), event.document)
        case ev.ClaimsRelated():
            found.touches += [(event.claim, seq), (event.target, seq)]
        case ev.DocumentRevised():
            found.touches += [(event.document, seq), (event.revises, seq)]
        case ev.ClaimCorrected() | ev.RecordAmended():
            _change(found, stored, event)
        case ev.ContentErased():
            found.links.append((store.FRAME, 0, seq))
            if not _NEEDED.isdisjoint(event.slots):
                found.erased.setdefault(event.target, set()).update(event.slots)
        case ev.Remains():
            _take_remains(found, stored)
        case _:
            pass


def _take_remains(found: _Found, stored: ev.StoredEvent) -> None:
    """What is left of an act: whoever asks for its record must see that something is missing."""
    seq, record = stored.sequence, changed_by(stored)
    if record is not None:
        found.links.append((store.FRAME, 0, seq))  # perhaps of a party: it is not told any more
        found.touches.append((record, seq))
    if record is not None or stored.type == _CLAIM:
        found.links.append((store.ERASED, 0, seq))


def _utter(found: _Found, utterance: str | None, act: str) -> None:
    if utterance is not None:
        found.uttered.append((utterance, act))


def _name(found: _Found, seq: int, parties: Iterable[str], document: str | None) -> None:
    """Note whom an act names beyond the cells that it is in, and the document that carries it."""
    found.named += [(store.PART, party, seq) for party in parties]
    if document is not None:
        found.named.append((store.CARRIED, document, seq))


def _key(found: _Found, kind: str, key: str | None, seq: int) -> None:
    if key is not None:
        found.links.append((store.KEY, store.number_of_key(kind, key), seq))


def _change(found: _Found, stored: ev.StoredEvent, event: ev.Change) -> None:
    id_, seq = stored.id, stored.sequence
    found.touches.append((event.target, seq))
    if not _NEEDED.isdisjoint(stored.erased):
        found.links.append((store.ERASED, 0, seq))
    named = event.changes
    found.touches += [(one, seq) for one in named.get("claims") or ()]
    found.touches += [(named[end], seq) for end in ("claim", "target") if named.get(end)]
    _name(found, seq, _agents_of_change(named), named.get("document"))
    if isinstance(event, ev.ClaimCorrected):
        _name(found, seq, (), event.document)
    if named.get("utterance") is not None:  # whoever asks for its acts must find the change
        found.uttered.append((named["utterance"], id_))
    if event.record_type == _CLAIM and not _MOVING.isdisjoint(named):
        found.moved.append(id_)


def _parties(chains: Iterable[Sequence[ev.ChainLink]]) -> tuple[str, ...]:
    """Who may have made a claim, and for whom they spoke: from there it goes up."""
    named = ((claimant_of(chain), *spoken_for(chain)) for chain in chains)
    return tuple(dict.fromkeys(id_ for id_ in itertools.chain.from_iterable(named) if id_))


def _agents(chains: Iterable[Sequence[ev.ChainLink]]) -> tuple[str, ...]:
    """Everybody who stands in a chain."""
    return tuple(dict.fromkeys(link.agent for chain in chains for link in chain))


def _others(who: _Who | ev.ClaimRecorded, parties: tuple[str, ...]) -> tuple[str, ...]:
    """Whoever a claim names but those in whose cells it is."""
    named = (*_agents(who.chains), *who.addressees, *who.mentions)
    return tuple(one for one in dict.fromkeys(named) if one not in parties)


def _agents_of_change(named: Mapping[str, Any]) -> Iterator[str]:
    """Whoever the new values of a change name."""
    yield from _agents(named.get("chains") or ())
    yield from named.get("addressees") or ()
    yield from named.get("mentions") or ()


# -- many events, by what their slots say -------------------------------------------------------


class _What(msgspec.Struct, gc=False):
    proposition: str
    key: str | None = None
    utterance: str | None = None
    utterance_key: str | None = None
    document: str | None = None


class _Keyed(msgspec.Struct, gc=False):
    key: str | None = None


class _Who(msgspec.Struct, gc=False):
    chains: tuple[tuple[ev.ChainLink, ...], ...]
    addressees: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()


_what: Final = msgspec.json.Decoder(_What).decode
_keyed: Final = msgspec.json.Decoder(_Keyed).decode
_who: Final = msgspec.json.Decoder(_Who).decode


def _read(found: _Found, page: Page) -> None:
    kept, ids, whole = page.memory, found.ids, list[int]()
    add, link, name = found.claims.append, found.links.append, found.named.append
    if len(kept) > _REMEMBERED:
        kept.clear()
    for seq, id_, type_, who, what in read.slim_rows(
        page.conn, page.tables, page.log_id, page.start, page.stop
    ):
        ids[id_] = seq
        if type_ == _CLAIM:
            if who is None or what is None:
                whole.append(seq)
                continue
            said = _what(what[SALT_BYTES:])
            parties, others = _named_in(who[SALT_BYTES:])
            add((seq, parties, said.proposition, said.document))
            if said.document is not None:
                name((store.CARRIED, said.document, seq))
            if said.key is not None:
                link((store.KEY, store.number_of_key("claim", said.key), seq))
            for other in others:
                name((store.PART, other, seq))
            if said.utterance is not None or said.utterance_key is not None:
                _utter(found, said.utterance, id_)
                _key(found, "utterance", said.utterance_key, seq)
        elif type_ in FRAME_TYPES:
            found.links.append((store.FRAME, 0, seq))
        elif type_ == _DOCUMENT and what is not None:
            _key(found, "document", _keyed(what[SALT_BYTES:]).key, seq)
        else:
            whole.append(seq)
        if type_ in _KEPT:
            kept[id_] = seq
    for row in read.rows_at(page.conn, page.tables, page.log_id, whole):
        _take(found, opened(row))


@functools.lru_cache(maxsize=5_000)
def _named_in(who: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    named = _who(who)
    parties = _parties(named.chains)
    return parties, _others(named, parties)


# -- what is rare -------------------------------------------------------------------------------


def _moved(page: Page, link: Table, change: str) -> Iterator[store.CellRow]:
    """The cells of a claim once a change names others: all parties with all propositions ever."""
    root = _root(page, _by_id(page, change))
    if root is None or not isinstance(root.event, ev.ClaimRecorded):
        return
    parties, propositions = dict.fromkeys(_parties(root.event.chains)), {root.event.proposition: 0}
    seen, fresh, of_nobody = {root.sequence}, {root.sequence}, not parties
    while fresh:
        key = page.log_id, page.stop
        fresh = store.linked(page.conn, link, key, store.TOUCH, fresh).difference(seen)
        seen |= fresh
        changes = []
        for row in read.rows_at(page.conn, page.tables, page.log_id, sorted(fresh)):
            event = opened(row).event
            if isinstance(event, ev.ClaimCorrected | ev.RecordAmended):
                changes.append(row.seq)
                if "chains" in event.changes:
                    named = _parties(event.changes["chains"])
                    parties.update(dict.fromkeys(named))
                    of_nobody = of_nobody or not named
                if event.changes.get("proposition"):
                    propositions[event.changes["proposition"]] = 0
        fresh = set(changes)
    seq_of = read.sequences(page.conn, page.tables, page.log_id, [*parties, *propositions])
    by = [seq_of[id_] for id_ in parties if id_ in seq_of] + [store.NOBODY] * of_nobody
    on = [seq_of[id_] for id_ in propositions if id_ in seq_of]
    for party, proposition in itertools.product(by, on):
        yield party, proposition, root.sequence, None


def _root(page: Page, stored: ev.StoredEvent | None) -> ev.StoredEvent | None:
    """The record that a change changes in the end; itself where it is no change."""
    while stored is not None and (target := changed_by(stored)) is not None:
        stored = _by_id(page, target)
    return stored


def _by_id(page: Page, id_: str) -> ev.StoredEvent | None:
    row = read.row_by_id(page.conn, page.tables, page.log_id, id_)
    return None if row is None else opened(row)


def _erase(erased: Mapping[str, Collection[str]], page: Page, tables: tuple[Table, Table]) -> None:
    """What erased acts said is let go of, and what is left of them, and of what they changed, told.

    Of a change it is the claim's cells that told of it.
    """
    left: dict[str, ev.StoredEvent] = {}
    for row in read.rows_by_id(page.conn, page.tables, page.log_id, erased):
        if row.type not in FRAME_TYPES:
            left[row.id] = without(opened(row), erased[row.id])
            root = _root(page, left[row.id])
            if root is not None:
                left.setdefault(root.id, root)
    store.remove(page.conn, tables, page.log_id, [one.sequence for one in left.values()])
    again = _Found()
    for stored in sorted(left.values(), key=attrgetter("sequence")):
        again.ids[stored.id] = stored.sequence
        _take(again, stored)
        again.moved.append(stored.id)
    _add(again, page, tables, new=False)
