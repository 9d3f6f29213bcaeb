"""A walk along the log: each row is looked at, and the first that is wrong is named.

Here lives what rows show and what must be remembered from one to the next. The quick yes to many
rows at once is of `ledger.codec.sound`; what it leaves open is looked at here, row by row. Where a
walk begins, and what is compared at its end, is in `audit`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import attrs

from ledger.codec.canonical import parse
from ledger.codec.entry import Row, read_instant, row_of, write_instant
from ledger.codec.sound import Columns, sound, written
from ledger.errors import CodecError, ColumnMismatch, LeafMismatch, MissingEntry
from ledger.merkle.hashing import leaf_hash, leaf_hashes
from ledger.merkle.tiles import WIDTH
from ledger.merkle.tree import Growth
from ledger.store import kinds
from ledger.store.holes import ERASURE, Holes, empty_slots
from ledger.store.spread import Part
from ledger.store.types import stored_instant

Progress = Callable[[int, int], None]
"""Told now and then how many events are done, and how many there are."""

Pages = Iterable[Sequence[Sequence[Any]]]
"""Rows as the driver has them, some at a time."""

_IN_ENTRY: Final = ("id", "type", "stream", "stream_v")


@attrs.define(kw_only=True)
class Walk:
    """What must be remembered from one row to the next."""

    origin: str
    holes: Holes
    first: int = 0
    wanted: frozenset[int] = frozenset()
    frontier: Growth = attrs.field(init=False)
    nodes: dict[int, list[bytes]] = attrs.field(factory=dict)
    known_at: dt.datetime | None = None
    roots: dict[int, bytes] = attrs.field(factory=dict)
    _said: str = ""

    def __attrs_post_init__(self) -> None:
        self.frontier = Growth(whole=self.keep_node)

    def keep_node(self, level: int, _: int, root: bytes) -> None:
        """Remember the root of a tile that became whole."""
        self.nodes.setdefault(level, []).append(root)

    @property
    def size(self) -> int:
        """The sequence that comes next."""
        return self.first + self.frontier.size

    def keep_root(self) -> None:
        """Remember the root as it stands, if it is wanted."""
        if self.size in self.wanted:
            self.roots[self.size] = self.frontier.root()

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take the next leaves, which are in order."""
        start, at = self.size, 0
        inside = sorted(one - start for one in self.wanted if 0 < one - start < len(leaves))
        for end in (*inside, len(leaves)):
            self.frontier.extend(leaves[at:end])
            self.keep_root()
            at = end

    def along(self, pages: Pages, stop: int, progress: Progress | None = None) -> None:
        """Look at each of these rows; it is told how far one is on the way to `stop`."""
        for page in pages:
            self._look(page)
            if progress is not None:
                progress(self.size, stop)

    def along_leaves(self, pages: Pages, stop: int, progress: Progress | None) -> None:
        """Hash the entries of these rows, and nothing else."""
        for page in pages:
            seqs, entries, leaves = zip(*page, strict=True)
            if not (
                {*map(type, entries)} <= {str}
                and seqs == (*range(self.size, self.size + len(page)),)
                and leaf_hashes(entries) == [*leaves]
            ):
                self._check_leaves(page)
            self.extend(leaves)
            if progress is not None:
                progress(self.size, stop)

    def join(self, part: Part, leaves: Callable[[int, int], Iterable[bytes]]) -> None:
        """Take what another walk found in the stretch that comes next."""
        self.holes.join(part.holes)
        for tile in part.tiles:
            end = self.size + WIDTH
            if any(self.size < one < end for one in self.wanted):
                self.extend([*leaves(self.size, end)])
            else:
                self.frontier.graft(tile)
                self.keep_root()
        self.extend(part.leaves)
        self.known_at = part.known_at

    def _check_leaves(self, page: Sequence[Sequence[Any]]) -> None:
        for expected, (seq, entry, leaf) in enumerate(page, self.size):
            if seq != expected:
                raise _missing(expected, seq)
            if (type(entry), type(leaf)) != (str, bytes):
                raise kinds.by_hand(seq)
            if leaf_hash(entry.encode()) != leaf:
                raise _other_leaf(seq, leaf_hash(entry.encode()), leaf)

    def _look(self, rows: Sequence[Sequence[Any]]) -> None:
        """Say yes to rows that are all as they were written; else look at each."""
        columns = Columns._make(zip(*rows, strict=True))
        entries: Sequence[str | None] = [None] * len(rows)
        leaves: Sequence[bytes] = [b""] * len(rows)
        if kinds.usual(columns):
            told = columns._replace(known_at=_texts(columns.known_at))
            entries, leaves = written(told, self.origin), leaf_hashes(columns.entry)
            latest = self._latest(columns.known_at)
            if (
                latest is not None
                and entries == [*columns.entry]
                and leaves == [*columns.leaf_hash]
                and columns.seq == (*range(self.size, self.size + len(rows)),)
                and ERASURE not in columns.type
            ):
                self.known_at = latest
                self.extend(leaves)
                return
        for row, entry, leaf in zip(rows, entries, leaves, strict=True):
            self._step(row, fits=entry is not None and (entry, leaf) == (row[6], row[7]))

    def _latest(self, known: Iterable[Any]) -> dt.datetime | None:
        """The last of these instants, if none is before another; None where one is none."""
        latest = self.known_at
        for one, _ in groupby(known):  # the events of one append share an instant
            try:
                instant = stored_instant(one)
            except ValueError:
                return None
            if latest is not None and instant < latest:
                return None
            latest = instant
        return latest

    def _step(self, values: Sequence[Any], *, fits: bool) -> None:
        """Look at one row, of which it may be known that entry, leaf, slots and columns fit."""
        seq, known, leaf = values[0], values[1], values[7]
        if seq != self.size:
            raise _missing(self.size, seq)
        if fits and values[3] != ERASURE and (latest := self._latest([known])) is not None:
            self.known_at = latest
        elif kinds.odd(values):
            raise kinds.by_hand(seq)
        else:
            row = row_of((seq, stored_instant(known), *values[2:]))
            if not self._is_sound(row):
                self._look_closer(row)
                leaf = leaf_hash(row.entry.encode())
        self.extend([leaf])

    def _is_sound(self, row: Row) -> bool:
        """Whether nothing about a row is unusual, in which case it need not be explained."""
        said = sound(row, self.origin)
        if said is None or row.type == ERASURE:
            return False
        if said != self._said:  # the events of one append share an instant
            recorded_at = read_instant(said)
            latest = recorded_at if self.known_at is None else max(self.known_at, recorded_at)
            if row.known_at != latest:
                return False
            self.known_at, self._said = latest, said
        return row.known_at == self.known_at

    def _look_closer(self, row: Row) -> None:
        leaf = leaf_hash(row.entry.encode())
        if leaf != row.leaf_hash:
            raise _other_leaf(row.seq, leaf, row.leaf_hash)
        entry = _entry(row)
        empty = empty_slots(row, entry)
        self._check_columns(row, entry)
        if empty:
            self.holes.note(row, empty)
        if row.type == ERASURE:
            self.holes.erasure(row)

    def _check_columns(self, row: Row, entry: Mapping[str, Any]) -> None:
        if entry.get("log") != self.origin:
            raise ColumnMismatch(
                f"The entry at sequence {row.seq} was written for the log "
                f"{entry.get('log')!r}, but stands in {self.origin!r}.",
                sequence=row.seq,
            )
        for name in _IN_ENTRY:
            if entry.get(name) != getattr(row, name):
                raise ColumnMismatch(
                    f"The column {name} at sequence {row.seq} says {getattr(row, name)!r}, the "
                    f"entry {entry.get(name)!r}.",
                    sequence=row.seq,
                )
        recorded_at = read_instant(str(entry.get("recorded_at")))
        latest = recorded_at if self.known_at is None else max(self.known_at, recorded_at)
        if row.known_at != latest:
            raise ColumnMismatch(
                f"The column known_at at sequence {row.seq} says {row.known_at.isoformat()}; the "
                f"entries up to there give {latest.isoformat()}.",
                sequence=row.seq,
            )
        self.known_at = latest


def _texts(instants: Sequence[Any]) -> Sequence[str]:
    """Instants as entries hold them, from whichever form the driver has."""
    told = {one: one if isinstance(one, str) else write_instant(one) for one in {*instants}}
    return [told[one] for one in instants]


def _missing(sequence: int, stored: int) -> MissingEntry:
    return MissingEntry(
        f"The event at sequence {sequence} is missing: the next one stored is {stored}.",
        sequence=sequence,
    )


def _other_leaf(sequence: int, found: bytes, stored: bytes) -> LeafMismatch:
    return LeafMismatch(
        f"The entry at sequence {sequence} was changed: it hashes to {found.hex()[:16]}..., "
        f"its leaf says {stored.hex()[:16]}...",
        sequence=sequence,
    )


def _entry(row: Row) -> Mapping[str, Any]:
    try:
        entry = parse(row.entry)
    except CodecError as error:
        raise LeafMismatch(
            f"The entry at sequence {row.seq} is none: {error.message}", sequence=row.seq
        ) from error
    if not isinstance(entry, dict) or not isinstance(entry.get("slots"), dict):
        raise LeafMismatch(
            f"The entry at sequence {row.seq} is none: it holds no slots.", sequence=row.seq
        )
    return entry
