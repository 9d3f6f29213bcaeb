"""A bundle written: one claim, a party's claims or the whole log, for somebody without the ledger.

Here lives what goes in: which entries belong together, and what is withheld. The files are those of
`layout`; nothing is half-written, for a bundle takes its name when it is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from ledger.codec.emptied import Emptied
from ledger.codec.entry import SLOTS, Row
from ledger.errors import Invalid, InvalidBundle, UnknownEvent
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.tiles import HEIGHT, WIDTH, bundled, place, tile_path, widths
from ledger.merkle.tree import Growth
from ledger.model import events as ev
from ledger.model.text import is_number, show
from ledger.projections import naming
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.provenance import touching
from ledger.proving.layout import Manifest, write_slots
from ledger.proving.proof import Trunk

Put = Callable[[str, bytes], object]
"""Takes the name and the bytes of one file."""


@attrs.frozen(kw_only=True)
class Bundled(Answer):
    """The result of writing a bundle: its path, the log, the number of entries, what was withheld.

    `withheld` counts the slots that were left out although the ledger holds them.
    """

    path: str
    origin: str
    size: int
    entries: int
    withheld: int

    def __str__(self) -> str:
        told = f"{self.path}: {self.entries} of {self.size} entries of {self.origin}"
        return f"{told}, {self.withheld} slots withheld" if self.withheld else told


@attrs.frozen
class Withheld:
    """What is left out: slots of every entry, or of some by their sequence."""

    everywhere: frozenset[str]
    at: frozenset[tuple[int, str]]

    @classmethod
    def parse(cls, given: Iterable[str]) -> Withheld:
        """Read each as SLOT or SEQUENCE:SLOT.

        Raises:
            Invalid: it is neither.
        """
        everywhere, at = set(), set()
        several = isinstance(given, Iterable) and not isinstance(given, str)
        for one in given if several else [given]:
            if not isinstance(one, str):
                raise Invalid(
                    f"{show(one)} cannot be withheld. Write withhold=['words'], or one of one "
                    "entry by its sequence, such as ['12:words'].",
                    field="withhold",
                    given=one,
                )
            sequence, colon, slot = one.rpartition(":")
            if slot not in SLOTS or (colon and not is_number(sequence)):
                raise Invalid(
                    f"{one[:60]!r} cannot be withheld. Name a slot ({', '.join(SLOTS)}), or one of "
                    "one entry by its sequence, such as 12:words.",
                    field="withhold",
                    given=one[:60],
                )
            if colon:
                at.add((int(sequence), slot))
            else:
                everywhere.add(slot)
        return cls(frozenset(everywhere), frozenset(at))

    def has(self, sequence: int, type_: str, slot: str) -> bool:
        """Whether a slot of an entry is left out; what an erasure says only where it is named."""
        told = type_ == "content_erased" and slot == "what"
        return (slot in self.everywhere and not told) or (sequence, slot) in self.at


@attrs.define
class _Writer:
    """Puts files, and counts."""

    trunk: Trunk
    withheld: Withheld
    put: Put
    entries: int = 0
    left_out: int = 0
    places: set[tuple[int, str]] = attrs.field(factory=set)
    """The slots that were left out of one entry each."""
    emptied: Emptied = attrs.field(factory=Emptied)

    def common(self, about: dict[str, str], sequences: tuple[int, ...] | None) -> None:
        checkpoint = self.trunk.checkpoint
        manifest = Manifest(
            origin=checkpoint.origin, size=checkpoint.size, about=about, sequences=sequences
        )
        self.put("bundle.json", manifest.written().encode())
        self.put("checkpoint", f"{checkpoint}\n".encode())

    def some(self, sequences: Iterable[int]) -> None:
        for sequence in sequences:
            proof = self.trunk.proof(sequence)
            type_ = str(json.loads(proof.entry)["type"])
            slots = self._disclosed(sequence, type_, proof.slots.items())
            self.put(f"entries/{sequence}.json", proof.entry)
            self.put(f"proofs/{sequence}.tlog-proof", str(proof.inclusion).encode())
            self.put(f"slots/{sequence}.json", _json(write_slots(slots)))
            self.entries += 1

    def whole(self) -> None:
        """A tlog-tiles directory, and the slots of each tile's entries beside it."""
        size = self.trunk.checkpoint.size
        above: dict[int, list[bytes]] = {}
        growth = Growth(whole=lambda level, _, root: above.setdefault(level, []).append(root))
        last, page = -1, iter(())  # type: tuple[int, Iterator[Row]]
        for index, width in widths(size):
            rows: list[Row] = []
            while len(rows) < width:
                row = next(page, None)
                if row is not None:
                    rows.append(row)
                    last = row.seq
                    continue
                found = self.trunk.rows(after=last)
                if not found:
                    raise InvalidBundle(
                        f"The event at sequence {last + 1} is missing, so no bundle can be made. "
                        "ledger.verify() tells what else was changed."
                    )
                page = iter(found)
            for one in rows:
                self.emptied.look(one)
            self._tile(index, width, rows)
            growth.extend(row.leaf_hash for row in rows)
        for level, roots in above.items():
            for index, width in widths(size, level // HEIGHT):
                hashes = roots[index * WIDTH : index * WIDTH + width]
                self.put(tile_path(level // HEIGHT, index, width), b"".join(hashes))
        self.entries = size

    def _tile(self, index: int, width: int, rows: list[Row]) -> None:
        entries = bundled(row.entry.encode() for row in rows)
        self.put(tile_path("entries", index, width), entries)
        self.put(tile_path(0, index, width), b"".join(row.leaf_hash for row in rows))
        slots = [
            write_slots(
                self._disclosed(row.seq, row.type, ((name, row.slot(name)) for name in SLOTS))
            )
            for row in rows
        ]
        self.put(f"slots/{place(index, width)}.json", _json(slots))

    def _disclosed(
        self, sequence: int, type_: str, slots: Iterable[tuple[str, bytes | None]]
    ) -> dict[str, bytes]:
        found = {}
        for name, slot in slots:
            if slot is None:
                continue
            if self.withheld.has(sequence, type_, name):
                self.left_out += 1
                self.places.add((sequence, name))
            else:
                found[name] = slot
        return found

    def check_withheld(self) -> None:
        """Refuse to hand out a bundle from which something named is not left out.

        Raises:
            Invalid: no entry of the bundle has such a slot: a number was mistyped, perhaps.
        """
        missed = sorted(self.withheld.at - self.places)
        if missed:
            sequence, slot = missed[0]
            raise Invalid(
                f"{sequence}:{slot} cannot be withheld: no entry of the bundle at sequence "
                f"{sequence} holds {slot}. Nothing was written; look the sequence up with "
                "`claims log`.",
                field="withhold",
                given=f"{sequence}:{slot}",
            )

    def check_emptied(self) -> None:
        """Refuse to hand out a whole log whose reader could not tell what was erased.

        Raises:
            InvalidBundle: a slot is empty, and its erasure is none of the entries.
        """
        if many := len(self.emptied.missing):
            slots = "1 slot" if many == 1 else f"{many} slots"
            raise InvalidBundle(
                f"The {self.entries} entries that the checkpoint counts lost {slots} to erasures "
                "that came later, and without those nobody could tell why. Nothing was written; "
                "take a newer checkpoint."
            )


def write(
    path: Path,
    trunk: Trunk,
    *,
    about: dict[str, str],
    sequences: tuple[int, ...] | None,
    since: Checkpoint | None,
    withheld: Withheld,
) -> Bundled:
    """Write a bundle, as a zip where the path ends with `.zip`, else as a folder.

    Raises:
        InvalidBundle: there is something at the path already, it cannot be written, or of a whole
            log something was erased after the checkpoint.
        UnknownEvent: something that belongs to it is newer than the checkpoint.
        Invalid: what is to be withheld of one entry is not in the bundle.
    """
    if "\0" in str(path):
        raise InvalidBundle(
            f"{show(str(path), 200)} holds a NUL, which no path can. Give another path.",
            field="path",
            given=str(path),
        )
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InvalidBundle(
            f"{str(path)!r} is there already, and is left as it is. Give another path.",
            field="path",
            given=str(path),
        )
    last, size = max(sequences or (-1,)), trunk.checkpoint.size
    if last >= size:
        raise UnknownEvent(
            f"The checkpoint counts {size} entries, and what belongs to the bundle goes on to "
            f"sequence {last}. Take a newer checkpoint, and give this one as since=: it then "
            "shows which of the entries were in the log already.",
            given=str(last),
        )
    with _placed(path) as put:
        writer = _Writer(trunk, withheld, put)
        writer.common(about, sequences)
        if since is not None:
            put("growth.proof", str(trunk.growth(since)).encode())
        if sequences is None:
            writer.whole()
        else:
            writer.some(sequences)
        writer.check_withheld()
        writer.check_emptied()
    return Bundled(
        path=str(path),
        origin=trunk.checkpoint.origin,
        size=trunk.checkpoint.size,
        entries=writer.entries,
        withheld=writer.left_out,
    )


# -- what belongs together ----------------------------------------------------------------------


def belonging(
    facts: Facts, *, claim: str | None, party: str | None
) -> tuple[dict[str, str], tuple[int, ...]]:
    """What a bundle of a claim or of a party is about, and the sequences of what goes in.

    Raises:
        UnknownClaim: there is no such claim.
        UnknownParty: there is no such party.
    """
    if claim is not None:
        return {"claim": claim}, _around(facts, [naming.find_act(facts, claim)])
    who = facts.canonical(naming.find(facts, "party", party or ""))
    acts: list[tuple[str, ev.Act]] = [*facts.of_type(ev.ClaimRecorded)]
    acts += facts.of_type(ev.ClaimWithdrawn)
    made = [id_ for id_, act in acts if who in facts.claimants(act)]
    return {"party": facts.public(who)}, _around(facts, [who, *made])


def _around(facts: Facts, claims: Iterable[str]) -> tuple[int, ...]:
    """The sequences of claims, of all that touched them, of what they name, of what was erased."""
    found: set[str] = set()
    queue = list(claims)
    wanted = set(queue)
    while queue:
        id_ = queue.pop()
        if id_ in found:
            continue
        event = facts.stored[id_].event
        if isinstance(event, ev.ClaimRecorded) and id_ not in wanted:
            continue  # another claim, which a relation or a withdrawal names: nobody asked for it
        found.add(id_)
        queue += touching(facts, id_)
        if not isinstance(event, ev.Remains):
            queue += _named(facts, attrs.asdict(event))
    return tuple(sorted(facts.stored[id_].sequence for id_ in found))


def _named(facts: Facts, value: Any) -> Iterator[str]:
    """The ids of records anywhere in an event's fields."""
    match value:
        case str():
            if value in facts.stored:
                yield value
        case dict():
            for one in value.values():
                yield from _named(facts, one)
        case list() | tuple() | set() | frozenset():
            for one in value:
                yield from _named(facts, one)
        case _:
            pass


# -- files --------------------------------------------------------------------------------------


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@contextlib.contextmanager
def _placed(path: Path) -> Iterator[Put]:
    """Where files are put; all of them are there at the end, or none, and no folder for them.

    Until then they are in a folder whose name begins as the path's does and ends with `.part`: who
    finds one that a kill has left can tell what it was.
    """
    made: Path | None = None
    folders = [one for one in path.parents if not one.exists()]
    whole = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f"{path.name}.", suffix=".part"))
        if path.suffix == ".zip":
            with zipfile.ZipFile(made / "zip", "x", zipfile.ZIP_DEFLATED) as held:
                yield held.writestr
            (made / "zip").replace(path)
            whole = True
            return
        files = made / "folder"
        files.mkdir()

        def put(name: str, data: bytes) -> None:
            file = files / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

        yield put
        if path.is_dir():
            path.rmdir()
        os.replace(files, path)  # noqa: PTH105 - a folder, onto nothing
        whole = True
    except OSError as error:
        raise InvalidBundle(
            f"{show(str(path), 200)} cannot be written: {error.strerror or error}. Give another "
            "path.",
            field="path",
            given=str(path),
        ) from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        for folder in [] if whole else folders:  # the innermost first
            with contextlib.suppress(OSError):  # it was not made, or holds another's files by now
                folder.rmdir()
