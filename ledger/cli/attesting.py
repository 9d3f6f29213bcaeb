"""Commands whose output leaves the house: keys, checkpoints, proofs, bundles."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ledger import Checkpoint, Ledger
from ledger.cli.options import CHECK, HERE, Flag, Many, NumberOrNone, Where, number_or_id
from ledger.cli.output import answer, as_json, handed_out, say, warn
from ledger.errors import Invalid, InvalidCheckpoint, InvalidPolicy
from ledger.interchange.source import is_irreplaceable
from ledger.model.text import show
from ledger.signing import (
    CheckpointSigner,
    Ed25519Signer,
    FileMemory,
    Policy,
    allowed_signer,
    cosigned,
    ssh_signature,
)

key_app = App(name="key", help="Keys that sign checkpoints.", group=CHECK)

Files = Annotated[tuple[Path, ...], Parameter(negative=(), show_default=False)]
KeyName = Annotated[str, Parameter(name="--name", env_var="CLAIMS_ORIGIN")]


@key_app.command(name="new")
def key_new(file: Path, /, *, name: KeyName = "default", json: Flag = False) -> None:
    """Make a key, write it into a file that only you may read, and print the verifier key.

    Example: `claims key new weir.key --name weir.example/claims`

    Args:
        file: The file to create.
        name: The name of the log, which is also the key's.
        json: Print one JSON document.
    """
    signer = Ed25519Signer.generate(name)
    signer.save(file)
    _public(signer, json=json)


@key_app.command(name="show")
def key_show(file: Path, /, *, ssh: Flag = False, json: Flag = False) -> None:
    """Print the verifier key, for those who check your signatures.

    Example: `claims key show weir.key > weir.vkey`

    Args:
        file: The file that claims key new made.
        ssh: As a line of a file of allowed signers, for ssh-keygen.
        json: Print one JSON document.
    """
    signer = Ed25519Signer.read(file)
    if ssh and not json:
        say(allowed_signer(signer.verifier_key))
    else:
        _public(signer, json=json)


def _public(signer: Ed25519Signer, *, json: bool) -> None:
    key = signer.verifier_key
    if json:
        as_json(
            {
                "name": key.name,
                "id": key.key_id.hex(),
                "verifier_key": str(key),
                "allowed_signer": allowed_signer(key),
            }
        )
    else:
        say(str(key))


def checkpoint(
    *,
    size: NumberOrNone = None,
    key: Files = (),
    memory: Path | None = None,
    witnesses: Path | None = None,
    where: Where = HERE,
) -> int:
    """Print the checkpoint of the log, to be kept elsewhere; signed, if a key is given.

    Example: `claims checkpoint --key weir.key > checkpoint.txt`

    Args:
        size: Of the first so many events; all if left out.
        key: A file that claims key new made; repeatable while you change keys.
        memory: The file with what the signer signed last; beside the key if left out.
        witnesses: A policy file whose witnesses are asked to cosign.
    """
    policy = None if witnesses is None else read_policy(str(witnesses))
    signer = _signer(key, memory)
    with where.ledger() as ledger:
        found = ledger.checkpoint(size, signer=signer)
        reached = True
        if policy is not None:
            found, reached = _witnessed(ledger, found, policy)
    if where.json:
        as_json(
            {
                "origin": found.origin,
                "size": found.size,
                "root": found.root.hex(),
                "signatures": [str(one) for one in found.signatures],
            }
        )
    else:
        say(str(found))
    return 0 if reached else 1


def _witnessed(ledger: Ledger, found: Checkpoint, policy: Policy) -> tuple[Checkpoint, bool]:
    asked = [one for one in policy.witnesses.values() if one.url]

    def prove(old: int, new: int) -> tuple[bytes, ...]:
        return ledger.prove_growth(old, new).hashes

    found, refused = cosigned(found, asked, prove)
    for error in refused:
        warn(f"claims: {error}")
    reached = policy.reached(found)
    if not reached:
        warn("claims: Too few witnesses cosigned; the checkpoint stands without them.")
    return found, reached


def _signer(keys: tuple[Path, ...], memory: Path | None) -> CheckpointSigner | None:
    if not keys:
        if memory is not None:
            raise Invalid(
                "--memory is the signer's, and nobody signs. Type --key FILE as well.",
                field="memory",
                given=str(memory),
            )
        return None
    read = [*map(Ed25519Signer.read, keys)]  # refuses a path without a name, too
    kept = keys[0].with_name(f"{keys[0].name}.signed") if memory is None else memory
    return CheckpointSigner(FileMemory(kept), *read)


def prove(
    claim: str | None = None,
    /,
    *,
    checkpoint: Path | None = None,
    since: Path | None = None,
    entry: Path | None = None,
    key: Path | None = None,
    where: Where = HERE,
) -> None:
    """Print the proof that the log holds a claim, or that it continues an older checkpoint.

    Example: `claims prove C1 --checkpoint checkpoint.txt --entry C1.json > C1.tlog-proof`

    Args:
        claim: The claim's id, or the sequence number of an event.
        checkpoint: A file with the checkpoint that the proof leads to; the log's end if left out.
        since: A file with an older checkpoint; proves that the log continues it.
        entry: The file to which the proved bytes are written.
        key: The key that signs these bytes, in a file beside them that ends with .sig.
    """
    if (claim is None) == (since is None):
        raise Invalid(
            "Prove one thing: a claim by its id, or with --since FILE that the log continues a "
            "checkpoint.",
            field="claim",
            given=claim,
        )
    if since is not None and entry is not None:
        raise Invalid(
            "--entry writes what a claim's proof is of, and growth has no such bytes. Leave "
            "--entry out, or name a claim.",
            field="entry",
            given=str(entry),
        )
    if key is not None and entry is None:
        raise Invalid(
            "--key signs the entry, which is not written. Type --entry FILE as well.",
            field="key",
            given=str(key),
        )
    if entry is not None:
        _expect_replaceable(entry)
        _expect_replaceable(_beside(entry))
    given = None if checkpoint is None else read_checkpoint(checkpoint)
    with where.ledger() as ledger:
        if since is not None:
            growth = ledger.prove_growth(read_checkpoint(since), given)
            told = _told(growth.hashes, growth.checkpoint, old=growth.old)
            handed_out(str(growth), told, json=where.json)
            return
        proof = ledger.prove(number_or_id(claim or ""), checkpoint=given)
    signature = None if key is None else ssh_signature(Ed25519Signer.read(key), proof.entry)
    if signature is not None and entry is not None:
        _beside(entry).write_text(signature)
    if entry is not None:
        entry.write_bytes(proof.entry)
    told = _told(proof.inclusion.hashes, proof.checkpoint, index=proof.sequence)
    handed_out(f"{proof}\n", told, json=where.json)


def _told(hashes: tuple[bytes, ...], end: Checkpoint, **begin: int) -> dict[str, object]:
    return {**begin, "size": end.size, "hashes": hashes, "checkpoint": f"{end}\n"}


def _beside(entry: Path) -> Path:
    """Where the signature of an entry's bytes is written."""
    return entry.with_name(f"{entry.name}.sig")


def _expect_replaceable(entry: Path) -> None:
    with contextlib.suppress(OSError):  # who writes there tells
        if is_irreplaceable(entry):
            raise Invalid(
                f"{show(str(entry), 200)} belongs to an SQLite database, or is a key that signs, "
                "which would be gone. Give --entry another path.",
                field="entry",
                given=str(entry),
            )


def bundle(
    path: Path,
    /,
    *,
    claim: str | None = None,
    party: str | None = None,
    checkpoint: Path | None = None,
    since: Path | None = None,
    withhold: Many = (),
    where: Where = HERE,
) -> None:
    """Write claims with their proofs into a folder or zip, to be checked without the ledger.

    Example: `claims bundle C1.zip --claim C1 --checkpoint checkpoint.txt`

    Args:
        path: The folder to create, or a zip if it ends with .zip.
        claim: One claim, with what changed it and what it names.
        party: The claims of a party; the whole log if both are left out.
        checkpoint: A file with the checkpoint that the proofs lead to; the log's end if left out.
        since: A file with an older checkpoint that the bundle continues.
        withhold: What to leave out: a slot (who, what, words, by), or of one event, as 12:words.
    """
    with where.ledger() as ledger:
        found = ledger.bundle(
            path,
            claim=claim,
            party=party,
            checkpoint=None if checkpoint is None else read_checkpoint(checkpoint),
            since=None if since is None else read_checkpoint(since),
            withhold=withhold,
        )
    answer(found, json=where.json)


def read_checkpoint(path: Path) -> str:
    """The text of a checkpoint's file.

    Raises:
        InvalidCheckpoint: it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCheckpoint(
            f"{show(str(path), 200)} holds no checkpoint that can be read. Give the file into "
            "which claims checkpoint was printed.",
            field="checkpoint",
            given=str(path),
        ) from error


def read_policy(given: str) -> Policy:
    """The keys to trust: a file of them, or one verifier key as it is.

    Raises:
        InvalidPolicy: it is neither.
    """
    path = Path(given)
    try:
        text = path.read_text("utf-8") if path.exists() else given
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidPolicy(
            f"{show(given, 200)} cannot be read. Give a file with a verifier key or a policy.",
            field="trust",
            given=given,
        ) from error
    return Policy.parse(text)
