"""Commands about the log itself: its lines, its audit; and a demonstration."""

from __future__ import annotations

import tempfile
from pathlib import Path

import attrs

from ledger import Checkpoint, Ledger
from ledger.cli.attesting import read_checkpoint, read_policy
from ledger.cli.options import HERE, Flag, Number, NumberOrNone, Where
from ledger.cli.output import answer, as_json, progress, say, warn
from ledger.errors import Invalid
from ledger.proving import verify_bundle


def log(
    *,
    after: Number = -1,
    limit: NumberOrNone = None,
    where: Where = HERE,
) -> None:
    """Print the log, one line (or JSON document) for each event.

    Example: `claims log --after 10 --limit 5`

    Args:
        after: Begin after the event with this sequence number.
        limit: The greatest number of events to print.
    """
    with where.ledger() as ledger:
        for line in ledger.log(after=after, limit=limit):
            answer(line, json=where.json)


def verify(
    bundle: Path | None = None,
    /,
    *,
    checkpoint: Path | None = None,
    trust: str | None = None,
    since: Path | None = None,
    jobs: Number = 1,
    tree_only: Flag = False,
    views: Flag = False,
    where: Where = HERE,
) -> None:
    """Check every stored byte, and a checkpoint kept elsewhere; or a bundle, without a ledger.

    Example: `claims verify --checkpoint checkpoint.txt`

    Args:
        bundle: The folder or zip that claims bundle made; the ledger itself if left out.
        checkpoint: A file with the output of `claims checkpoint`.
        trust: Who must have signed: a verifier key, or a file with one or with a policy.
        since: A file with the checkpoint up to which it was verified before; go on from there.
        jobs: The number of processes that share the work.
        tree_only: Check entries, leaves and the tree only, not slots and columns.
        views: Also compare the tables that `claims index` makes with a replay.
    """
    kept = None if checkpoint is None else read_checkpoint(checkpoint)
    policy = None if trust is None else read_policy(trust)
    if bundle is not None:
        asked = {"since": since, "jobs": jobs - 1, "tree_only": tree_only, "views": views}
        for field in (name for name, given in asked.items() if given):
            option = f"--{field.replace('_', '-')}"
            raise Invalid(
                f"{option} is for a ledger, and a bundle is checked as a whole. Leave {option} "
                "out; a checkpoint that the bundle must continue goes into --checkpoint.",
                field=field,
                given=str(bundle),
            )
        answer(verify_bundle(bundle, policy=policy, kept=kept), json=where.json)
        return
    signed = None
    if policy is not None:
        if kept is None:
            raise Invalid(
                "--trust says who must have signed a checkpoint, and none was given. Type "
                "--checkpoint FILE as well.",
                field="trust",
                given=trust,
            )
        signed = policy.check(Checkpoint.parse(kept))
    with where.ledger() as ledger:
        found = ledger.verify(
            kept,
            since=None if since is None else read_checkpoint(since),
            contents=not tree_only,
            processes=jobs,
            progress=progress(),
        )
        found = attrs.evolve(found, signed=signed)
        if views:
            found = attrs.evolve(found, views=ledger.projections.check_all(registered=True))
            _tell_unchecked(ledger, {one.name for one in found.views})
    answer(found, json=where.json)


def _tell_unchecked(ledger: Ledger, checked: set[str]) -> None:
    """Tell on standard error which views of a host's this program cannot replay."""
    live = {one.name for one in ledger.projections.status() if one.phase == "live"}
    if others := sorted(live - checked):
        warn(
            f"Not checked: {', '.join(others)}. Such a view is replayed by the program that "
            "registers it: ledger.verify(views=True)."
        )


def demo(*, folder: Path | None = None, json: Flag = False) -> None:
    """Record, ask and verify a small ledger.

    Example: `claims demo`

    Args:
        folder: Where to keep its files; a temporary folder if left out.
        json: Print one JSON document.
    """
    from ledger.testing import demonstration  # noqa: PLC0415 - nothing else needs its texts

    told: list[str] = []
    out = told.append if json else say
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        demonstration.run(out, folder)
    else:
        with tempfile.TemporaryDirectory() as made:
            demonstration.run(out, Path(made))
    if json:
        as_json({"transcript": told})
