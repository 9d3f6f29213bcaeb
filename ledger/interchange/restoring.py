"""A log file, as `ledger.interchange.out.log` writes it, into a ledger that has no such log yet.

Every entry is hashed again, every slot compared with what its entry commits to, and the root with
the one in the first line: what is restored is the log that was exported, or nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import attrs
from sqlalchemy import Connection

from ledger.codec.canonical import parse
from ledger.codec.emptied import Emptied
from ledger.codec.entry import SALT_BYTES, SLOTS, Draft, Row, commitment, read_instant
from ledger.codec.envelope import opened
from ledger.errors import (
    CodecError,
    CommitmentMismatch,
    InvalidImport,
    LeafMismatch,
    MissingEntry,
    NotJson,
    RootMismatch,
)
from ledger.folding import Folded
from ledger.interchange.lines import DAMAGED
from ledger.interchange.out.log import FORMAT
from ledger.interchange.source import Source
from ledger.ledger import Ledger
from ledger.merkle.hashing import leaf_hash
from ledger.merkle.tree import Growth
from ledger.model.text import show
from ledger.projections.answer import Answer
from ledger.store import append as log
from ledger.store.append import Head
from ledger.store.transaction import writing

CHUNK: Final = 1_000


@attrs.frozen(kw_only=True)
class Restored(Answer):
    """What was restored: which log, how many events, and their root (hex)."""

    origin: str
    size: int
    root: str

    def __str__(self) -> str:
        return f"{self.size:,} events of {self.origin} restored, root {self.root}"


def restore(ledger: Ledger, path: str | Path) -> Restored:
    """Restore a log file, plain or gzip, into an empty ledger: all of it, or nothing.

    Raises:
        InvalidImport: it is no log file, is cut off, or is of another log; or the ledger holds
            events already.
        TamperEvidence: an entry, a slot or the root is not what was exported.

    Example:
        >>> from ledger import Topic
        >>> from ledger.interchange.out import log as exported
        >>> file = "dam-log.jsonl"
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     with open(file, "wb") as out:
        ...         _ = exported.write(ledger.as_of(), out)
        ...     kept = ledger.checkpoint()
        >>> with Ledger.open(":memory:") as copy:
        ...     restored = restore(copy, file)
        ...     copy.checkpoint() == kept, restored.size
        (True, 1)
    """
    folded = ledger.appender.folded
    with Source(Path(path)).opened() as file, folded.connected():
        lines = enumerate(_lines(file), 1)
        head = _head_of(next(lines, (1, b""))[1], folded.origin)
        with writing(folded.bind) as conn:
            root = _restored(conn, folded, head, lines)
    ledger.projections.ready()
    return Restored(origin=folded.origin, size=head["size"], root=root.hex())


def _lines(file: BinaryIO) -> Iterator[bytes]:
    try:
        yield from file
    except DAMAGED as error:
        raise InvalidImport(
            "The file is damaged: it cannot be unpacked to its end. Take an undamaged copy.",
            field="file",
            given=str(error),
        ) from error


def _head_of(line: bytes, origin: str) -> dict[str, Any]:
    """The first line, which says what follows."""
    head = _object(line, 1)
    if head.get("format") != FORMAT:
        raise InvalidImport(
            f"This is no log file: its first line says {show(head.get('format'))} where "
            f"{FORMAT!r} should stand. JSON Lines come in with claims import.",
            field="format",
            given=head.get("format"),
        )
    if not isinstance(head.get("size"), int) or not isinstance(head.get("root"), str):
        raise InvalidImport(
            "The first line of the log file must say size and root. Take an undamaged copy.",
            field="size",
            given=head.get("size"),
        )
    if head.get("origin") != origin:
        raise InvalidImport(
            f"The file holds the log {show(head.get('origin'))}, the ledger is {show(origin)}, and "
            f"an entry says which it is of. Open the ledger with origin={head.get('origin')!r}.",
            field="origin",
            given=head.get("origin"),
        )
    return head


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = parse(line.decode())
    except (NotJson, UnicodeDecodeError) as error:
        raise InvalidImport(
            f"Line {number} is no JSON. Give an undamaged file that the export 'log' wrote.",
            given=line[:40],
        ) from error
    except CodecError as error:
        raise InvalidImport(
            f"Line {number} cannot be read: {error}. Take an undamaged copy of the file.",
            given=line[:40],
        ) from error
    if not isinstance(found, dict):
        raise InvalidImport(f"Line {number} must hold one object.", given=line[:40])
    return found


def _restored(
    conn: Connection, folded: Folded, head: dict[str, Any], lines: Iterator[tuple[int, bytes]]
) -> bytes:
    """Append the entries in chunks, and give the root over them."""
    at = log.lock_head(conn, folded.tables, folded.origin)
    if at.size:
        raise InvalidImport(
            f"The ledger holds {at.size} events of {show(folded.origin)} already: a log is "
            "restored where there is none. Give another database.",
            field="file",
            given=at.size,
        )
    tree, emptied = Growth(), Emptied()
    while chunk := list(itertools.islice(lines, CHUNK)):
        rows = [_row(line, number, place) for place, (number, line) in enumerate(chunk, at.size)]
        for row in rows:
            tree.append(row.leaf_hash)
            emptied.look(row)
        done = log.append(conn, folded.tables, at, list(map(_draft, rows)))
        at = Head(
            log_id=done.log_id, size=done.size, known_at=done.known[-1], leaf=rows[-1].leaf_hash
        )
    if at.size != head["size"]:
        raise MissingEntry(
            f"The file says that it holds {head['size']:,} events, but it holds {at.size:,}: it "
            "was cut off or added to. Take an undamaged copy.",
            sequence=at.size,
        )
    if emptied.missing:
        id_, name = min(emptied.missing)
        raise CommitmentMismatch(
            f"The slot {name!r} of the event {id_} is not in the file, and no erasure says why."
        )
    if tree.root().hex() != head["root"]:
        raise RootMismatch(
            f"The events of the file have root {tree.root().hex()}, its first line says "
            f"{show(head['root'])}: it was changed."
        )
    return tree.root()


def _row(line: bytes, number: int, sequence: int) -> Row:
    """One line as a row of the log, each of its hashes looked at.

    Raises:
        InvalidImport: the line is of another form.
        TamperEvidence: a slot is not what the entry commits to.
        CodecError: the entry or a slot is none.
    """
    told = _object(line, number)
    if told.get("sequence") != sequence:
        raise MissingEntry(
            f"Line {number} should hold the event at sequence {sequence}, but it says "
            f"{show(told.get('sequence'))}.",
            sequence=sequence,
        )
    text = told.get("entry")
    try:
        entry = _parsed(str(text))
        slots = {name: _slot(one) for name, one in told["slots"].items()}
        row = Row(
            seq=sequence,
            known_at=read_instant(entry["recorded_at"]),
            id=entry["id"],
            type=entry["type"],
            stream=entry["stream"],
            stream_v=entry["stream_v"],
            entry=str(text),
            leaf_hash=leaf_hash(str(text).encode()),
            **{name: slots.get(name) for name in SLOTS},
        )
        promised = dict(entry["slots"])
    except (CodecError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LeafMismatch(
            f"Line {number} holds no entry of a log: {error!r}. Take an undamaged copy.",
            sequence=sequence,
        ) from error
    for name, slot in slots.items():
        if commitment(slot) != promised.get(name):
            raise CommitmentMismatch(
                f"The slot {show(name)} at sequence {sequence} was changed: it is not what its "
                "entry commits to.",
                sequence=sequence,
            )
    opened(row)
    return row


def _parsed(entry: str) -> dict[str, Any]:
    found = parse(entry)
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def _slot(told: dict[str, str]) -> bytes:
    salt = bytes.fromhex(told["salt"])
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt of {len(salt)} bytes")
    return salt + told["json"].encode()


def _draft(row: Row) -> Draft:
    return Draft(
        id=row.id,
        type=row.type,
        stream=row.stream,
        stream_v=row.stream_v,
        recorded_at=row.known_at,
        entry=row.entry,
        leaf_hash=row.leaf_hash,
        slots={name: slot for name in SLOTS if (slot := row.slot(name)) is not None},
    )
