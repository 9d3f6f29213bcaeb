"""Commands about the log itself: its lines, its checkpoints, its audit; and a demonstration."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ledger.cli.options import HERE, Flag, Where
from ledger.cli.output import answer, as_json, say
from ledger.errors import InvalidCheckpoint
from ledger.model.text import show
from ledger.projecting import claims


def log(
    *,
    after: int = -1,
    limit: int | None = None,
    where: Where = HERE,
) -> None:
    """Print the log, a line (or a JSON document) an event.

    Example: `claims log --after 10 --limit 5`

    Args:
        after: Begin behind the event of this number.
        limit: At most so many events.
    """
    with where.ledger() as ledger:
        for line in ledger.log(after=after, limit=limit):
            answer(line, json=where.json)


def verify(*, checkpoint: Path | None = None, views: Flag = False, where: Where = HERE) -> None:
    """Check every stored byte, and a checkpoint kept elsewhere.

    Example: `claims verify --checkpoint checkpoint.txt`

    Args:
        checkpoint: A file that holds what `claims checkpoint` printed.
        views: Compare the views that are served with a fresh replay of the log too.
    """
    kept = None if checkpoint is None else _read_checkpoint(checkpoint)
    with where.ledger() as ledger:
        ledger.projections.add(claims(ledger.layout), mode="deferred")
        answer(ledger.verify(kept, views=views), json=where.json)


def _read_checkpoint(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidCheckpoint(
            f"{show(str(path), 200)} holds no checkpoint that can be read. Give the file into "
            "which claims checkpoint was printed.",
            field="checkpoint",
            given=str(path),
        ) from error


def checkpoint(*, size: int | None = None, where: Where = HERE) -> None:
    """Print the root over the log, to be kept outside of it.

    Example: `claims checkpoint > checkpoint.txt`

    Args:
        size: Over the first so many events; all if left out.
    """
    with where.ledger() as ledger:
        found = ledger.checkpoint(size)
    if where.json:
        as_json({"origin": found.origin, "size": found.size, "root": found.root.hex()})
    else:
        say(str(found).rstrip("\n"))


def demo(*, folder: Path | None = None, json: Flag = False) -> None:
    """Record, ask and verify a small ledger.

    Example: `claims demo`

    Args:
        folder: Where to leave the ledger; a temporary folder if left out.
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
