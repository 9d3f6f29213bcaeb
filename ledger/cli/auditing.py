"""Commands about the ledger itself: its tables, its log, its checkpoints, a demonstration."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import attrs
from cyclopts import App, Parameter

from ledger.cli.options import CHECK, DESK, HERE, Desk, Flag, Where
from ledger.cli.output import answer, as_json, safe, say
from ledger.errors import InvalidCheckpoint
from ledger.ledger import Ledger
from ledger.model.text import show
from ledger.store import schema
from ledger.store.layout import Layout

schema_app = App(name="schema", help="The tables of a ledger.", group=CHECK)


def init(target: str | None = None, /, *, where: Desk = DESK) -> None:
    """Create a ledger, or bring its tables to this version.

    Example: `claims init claims.db`

    Args:
        target: Path or URL of the ledger; --db if left out.
    """
    where = where if target is None else attrs.evolve(where, db=target)
    where.refuse_memory()
    Ledger.open(where.db, layout=where.layout).close()
    with where.ledger() as ledger:
        size = ledger.checkpoint().size
    if where.json:
        as_json({"events": size})
    else:
        shown = "The ledger" if "://" in where.db else where.db  # a URL may hold a password
        say(f"{safe(shown)} is ready ({size} events)")


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


def verify(*, checkpoint: Path | None = None, where: Where = HERE) -> None:
    """Check every stored byte, and a checkpoint kept elsewhere.

    Example: `claims verify --checkpoint checkpoint.txt`

    Args:
        checkpoint: A file that holds what `claims checkpoint` printed.
    """
    kept = None if checkpoint is None else _read_checkpoint(checkpoint)
    with where.ledger() as ledger:
        answer(ledger.verify(kept), json=where.json)


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


@schema_app.command(name="sql")
def schema_sql(
    *,
    dialect: Literal["sqlite", "postgresql"] = "sqlite",
    prefix: str = Layout().prefix,
    schema_name: Annotated[str | None, Parameter(name="--schema")] = None,
    json: Flag = False,
) -> None:
    """Print the SQL that makes the tables, for someone else to run.

    Example: `claims schema sql --dialect postgresql`

    Args:
        dialect: For which database.
        prefix: What the tables' names begin with.
        schema_name: The schema they go into, on PostgreSQL.
        json: Print one JSON document.
    """
    statements = schema.sql(dialect, Layout(prefix=prefix, schema=schema_name))
    if json:
        as_json({"dialect": dialect, "sql": statements})
    else:
        sys.stdout.write(statements)


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
