"""A bundle checked: offline, without a database, by whoever was handed it and trusts nobody.

Here lives what must add up. Names and forms of the files are in `layout`; nothing of the ledger's
own reading of events is needed, so that what is checked is what is written there.

```
slots -> commitments in the entry -> leaf hash -> the way to the root -> checkpoint -> signatures
```
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ledger.codec.canonical import parse
from ledger.codec.entry import MAX_ENTRY_BYTES, SALT_BYTES, SLOTS, commitment
from ledger.errors import (
    CodecError,
    CommitmentMismatch,
    InconsistentCheckpoint,
    InvalidBundle,
    InvalidPolicy,
    LeafMismatch,
    NodeMismatch,
    ProofRejected,
    RootMismatch,
)
from ledger.merkle.checkpoint import Checkpoint, as_checkpoint
from ledger.merkle.hashing import leaf_hash
from ledger.merkle.tiles import HEIGHT, WIDTH, place, tile_path, unbundled, widths
from ledger.merkle.tree import Growth
from ledger.merkle.written import GrowthProof, InclusionProof
from ledger.model.text import show
from ledger.projections.answer import Answer
from ledger.proving.layout import (
    KEYED,
    Manifest,
    Source,
    opened,
    parsed,
    read_of,
    read_slots,
    text_of,
)
from ledger.signing.policy import Policy, Signed

_ERASURE = "content_erased"


@attrs.frozen(kw_only=True)
class CheckedEntry(Answer):
    """An entry that was checked: what it discloses, and why it does not disclose the rest.

    `said` has the JSON of each disclosed slot. `missing` says for each other slot "withheld", or
    "erased by #20" with date and reason, if an erasure in the bundle names it.
    """

    sequence: int
    type: str
    recorded_at: str
    said: Mapping[str, Any]
    missing: Mapping[str, str]

    def __str__(self) -> str:
        told = f"#{self.sequence} {self.recorded_at} {self.type}"
        missing = ", ".join(f"{slot} {why}" for slot, why in self.missing.items())
        return f"{told}: {missing}" if missing else told


@attrs.frozen(kw_only=True)
class CheckedBundle(Answer):
    """A bundle that was checked, and found to be right.

    `signed` is None if no key was given. `continues` is the size of the kept checkpoint which the
    bundle's continues. `incomplete` are the entries that do not disclose everything; of a whole
    log, only these are listed.

    What it is `about` is among the entries; with `about_unseen` it may be one whose id is withheld.
    Nothing proves that everything which amended, corrected or withdrew it is there too: a part of a
    log does not show what was left out.
    """

    origin: str
    size: int
    root: str
    about: Mapping[str, str]
    about_unseen: bool
    entries: int
    incomplete: tuple[CheckedEntry, ...]
    shown: tuple[CheckedEntry, ...]
    signed: Signed | None
    continues: int | None

    def __str__(self) -> str:
        held = "all" if self.entries == self.size else f"{self.entries} of"
        told = f"ok: {held} {self.size} entries of {self.origin}"
        for kind, named in self.about.items():
            told += f", about {kind} {show(named)}"
        if self.about_unseen:
            told += " (as the sender says: the entry that would show it does not disclose its id)"
        told += f", root {self.root}"
        if self.continues is not None:
            told += f", continues the checkpoint at {self.continues}"
        told += f", {self.signed}" if self.signed else ", signatures not checked: no key was given"
        return "\n".join([told, *(f"  {one}" for one in self.incomplete)])


def verify_bundle(
    path: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    kept: Checkpoint | str | None = None,
) -> CheckedBundle:
    """Check a bundle, a folder or a zip, offline and without a database.

    `policy` has the keys that you trust (`Policy.parse` also reads a verifier key); without it
    signatures are not checked. `kept` is an earlier checkpoint of yours, which the bundle's must
    continue.

    Only a bundle of the whole log shows everything that amended, corrected or withdrew a claim. A
    smaller one does not show what was left out.

    Raises:
        InvalidBundle: it is no bundle, not a complete one, or not about what it says.
        InvalidPolicy: the policy is none.
        CommitmentMismatch: what is disclosed is not what the entry commits to.
        LeafMismatch: an entry is not of this log.
        ProofRejected: an entry is not in the log at that place.
        RootMismatch: a whole log has another root than its checkpoint, or than the one kept.
        NodeMismatch: a tile does not follow from the entries.
        SignatureRejected: a signature is wrong, or one that the policy wants is missing.
        InconsistentCheckpoint: the checkpoint kept is of another log, or nothing shows whether it
            is continued.
    """
    given: object = policy
    if not isinstance(given, Policy | None):
        raise InvalidPolicy(
            f"{show(given)} is no policy. Write policy=Policy.parse(verifier_key), with the line "
            "of the key as text; Policy is of ledger.signing.",
            field="policy",
            given=given,
        )
    if not isinstance(path, (str, os.PathLike)):
        raise InvalidBundle(
            f"{show(path)} is no path. Write verify_bundle('weir.zip').", field="path", given=path
        )
    before = None if kept is None else as_checkpoint(kept)
    with opened(Path(path)) as source:
        manifest = Manifest.parse(read_of(source, "bundle.json"))
        checkpoint = Checkpoint.parse(text_of(source, "checkpoint"))
        if (checkpoint.origin, checkpoint.size) != (manifest.origin, manifest.size):
            raise InconsistentCheckpoint(
                f"The bundle says that it is of {manifest.size} entries of {manifest.origin!r}, "
                f"its checkpoint counts {checkpoint.size} of {checkpoint.origin!r}."
            )
        signed = None if policy is None else policy.check(checkpoint)
        checking = _Checking(source, checkpoint, manifest.about)
        if manifest.sequences is None:
            checking.whole(before)
        else:
            checking.some(manifest.sequences)
            if before is not None:
                _check_growth(source, checkpoint, before)
    return CheckedBundle(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        about=manifest.about,
        about_unseen=checking.about_unseen(),
        entries=checking.entries,
        incomplete=tuple(checking.explained()),
        shown=tuple(checking.shown),
        signed=signed,
        continues=None if before is None else before.size,
    )


@attrs.define
class _Checking:
    """What is gathered while the entries are gone through."""

    source: Source
    checkpoint: Checkpoint
    about: Mapping[str, str]
    entries: int = 0
    held: set[str] = attrs.field(factory=set)
    hidden: set[str] = attrs.field(factory=set)
    shown: list[CheckedEntry] = attrs.field(factory=list)
    gaps: list[tuple[str, CheckedEntry]] = attrs.field(factory=list)
    erasures: dict[tuple[str, str], str] = attrs.field(factory=dict)

    def some(self, sequences: tuple[int, ...]) -> None:
        for sequence in sequences:
            entry = read_of(self.source, f"entries/{sequence}.json")
            proof = InclusionProof.parse(text_of(self.source, f"proofs/{sequence}.tlog-proof"))
            if proof.checkpoint != self.checkpoint or proof.index != sequence:
                raise ProofRejected(
                    f"The proof of the entry at sequence {sequence} leads to another checkpoint "
                    "than the bundle's, or is of another entry.",
                    sequence=sequence,
                )
            proof.verify(entry)
            name = f"slots/{sequence}.json"
            told = parsed(read_of(self.source, name), name)
            self.shown.append(self._entry(sequence, entry, told))

    def whole(self, kept: Checkpoint | None) -> None:
        """Rebuild the tree from the entries, and compare every tile with it."""
        size = self.checkpoint.size
        if kept is not None and (kept.origin != self.checkpoint.origin or kept.size > size):
            raise InconsistentCheckpoint(
                f"The checkpoint kept counts {kept.size} entries of {kept.origin!r}, the bundle "
                f"{size} of {self.checkpoint.origin!r}."
            )
        above: dict[int, list[bytes]] = {}
        growth = Growth(whole=lambda level, _, root: above.setdefault(level, []).append(root))
        before = growth.root() if kept is not None and not kept.size else None
        for index, width in widths(size):
            leaves = self._tile(index, width)
            cut = kept.size - growth.size if kept is not None else 0
            if 0 < cut <= width:
                growth.extend(leaves[:cut])
                before, leaves = growth.root(), leaves[cut:]
            growth.extend(leaves)
        for found, wanted in ((growth.root(), self.checkpoint), (before, kept)):
            if wanted is not None and found != wanted.root:
                raise RootMismatch(
                    f"The first {wanted.size} entries of the bundle have another root than the "
                    f"checkpoint says, {wanted.root.hex()}: the log was rewritten, or the bundle."
                )
        for level, roots in above.items():
            for index, width in widths(size, level // HEIGHT):
                hashes = roots[index * WIDTH : index * WIDTH + width]
                self._compare(tile_path(level // HEIGHT, index, width), hashes)

    def _tile(self, index: int, width: int) -> list[bytes]:
        name = tile_path("entries", index, width)
        entries = unbundled(read_of(self.source, name))
        slots = f"slots/{place(index, width)}.json"
        told = parsed(read_of(self.source, slots), slots)
        if len(entries) != width or not isinstance(told, list) or len(told) != width:
            raise InvalidBundle(
                f"{name} and {slots} should hold {width} entries and what they say. Ask for the "
                "bundle again.",
                field=name,
            )
        leaves = [leaf_hash(entry) for entry in entries]
        first = index * WIDTH
        self._compare(tile_path(0, index, width), leaves, first)
        for sequence, (entry, one) in enumerate(zip(entries, told, strict=True), first):
            self._entry(sequence, entry, one)
        return leaves

    def _compare(self, name: str, hashes: list[bytes], first: int | None = None) -> None:
        if read_of(self.source, name) != b"".join(hashes):
            raise NodeMismatch(
                f"{name} of the bundle does not follow from its entries.", sequence=first
            )

    def _entry(self, sequence: int, data: bytes, told: object) -> CheckedEntry:
        entry = _read_entry(sequence, data, self.checkpoint.origin)
        slots = read_slots(told, sequence)
        promised = entry["slots"]
        for name, slot in slots.items():
            if promised.get(name) != commitment(slot):
                raise CommitmentMismatch(
                    f"The slot {name!r} at sequence {sequence} was changed: it is not what its "
                    "entry commits to.",
                    sequence=sequence,
                )
        said = {name: _payload(sequence, name, slot) for name, slot in slots.items()}
        found = CheckedEntry(
            sequence=sequence,
            type=entry["type"],
            recorded_at=entry["recorded_at"],
            said=said,
            missing={name: "withheld" for name in SLOTS if name in promised and name not in said},
        )
        self.entries += 1
        self._look(entry["id"], found)
        if found.missing:
            self.gaps.append((entry["id"], found))
        what = said.get("what")
        if entry["type"] == _ERASURE and isinstance(what, dict):
            gone = what.get("slots")
            for name in gone if isinstance(gone, list) else ():
                self.erasures[str(what.get("target")), str(name)] = (
                    f"erased by #{sequence} on {found.recorded_at[:10]}, because "
                    f"{what.get('reason')}, by the authority of {what.get('authority')}"
                )
        return found

    def _look(self, id_: str, entry: CheckedEntry) -> None:
        """Whether this is what the bundle is about, or could be."""
        for kind, named in self.about.items():
            slot, types = KEYED[kind]
            said = entry.said.get(slot)
            if entry.type not in types:
                continue
            if id_ == named or (isinstance(said, dict) and said.get("key") == named):
                self.held.add(kind)
            elif slot in entry.missing:
                self.hidden.add(kind)

    def about_unseen(self) -> bool:
        """Whether it cannot be told that what the bundle is about is in it.

        Raises:
            InvalidBundle: it can, and is not.
        """
        unseen = self.about.keys() - self.held
        for kind in sorted(unseen - self.hidden):
            raise InvalidBundle(
                f"The bundle says that it is about the {kind} {show(self.about[kind])}, which is "
                "not among its entries. Ask for the bundle again.",
                field="about",
                given=self.about[kind],
            )
        return bool(unseen)

    def explained(self) -> Iterator[CheckedEntry]:
        """The entries with gaps, each with its erasure where the bundle holds it."""
        for id_, entry in self.gaps:
            missing = entry.missing.items()
            told = {name: self.erasures.get((id_, name), why) for name, why in missing}
            yield attrs.evolve(entry, missing=told)


def _read_entry(sequence: int, data: bytes, origin: str) -> Mapping[str, Any]:
    entry: Any = None
    if len(data) <= MAX_ENTRY_BYTES:
        try:
            entry = parse(data.decode())
        except (CodecError, UnicodeDecodeError):
            entry = None
    match entry:
        case {
            "id": str(),
            "type": str(),
            "recorded_at": str(),
            "log": str(log),
            "slots": dict(slots),
        } if all(isinstance(one, str) for one in slots.values()):
            if log == origin:
                return entry  # type: ignore[no-any-return]
            raise LeafMismatch(
                f"The entry at sequence {sequence} was written for the log {log!r}, but stands in "
                f"a bundle of {origin!r}.",
                sequence=sequence,
            )
        case _:
            raise LeafMismatch(
                f"What stands at sequence {sequence} is no entry of a log of claims.",
                sequence=sequence,
            )


def _payload(sequence: int, name: str, slot: bytes) -> Any:
    try:
        return parse(slot[SALT_BYTES:].decode())
    except (CodecError, UnicodeDecodeError) as error:
        raise CommitmentMismatch(
            f"The slot {name!r} at sequence {sequence} holds no JSON.", sequence=sequence
        ) from error


def _check_growth(source: Source, checkpoint: Checkpoint, kept: Checkpoint) -> None:
    if (kept.origin, kept.size) == (checkpoint.origin, checkpoint.size):
        if kept.root != checkpoint.root:
            raise RootMismatch(
                f"The bundle's checkpoint and the one kept count {kept.size} entries and have two "
                "roots: the log was rewritten, or two histories of it are shown."
            )
        return
    written = source.find("growth.proof")
    if written is None:
        raise InconsistentCheckpoint(
            "The bundle does not show whether it continues the checkpoint kept, at "
            f"{kept.size} of {kept.origin!r}. Ask for one that does: claims bundle --since"
        )
    try:
        growth = GrowthProof.parse(written.decode())
    except UnicodeDecodeError as error:
        raise InvalidBundle("growth.proof of the bundle is no text.", field="growth") from error
    if growth.checkpoint != checkpoint:
        raise ProofRejected("growth.proof leads to another checkpoint than the bundle's.")
    growth.verify(kept)
