"""How the migrations are run: through Alembic, beside an Alembic that a host may be running.

Here lives everything that touches Alembic, which is imported when it is needed. The migrations are
in `migrations/` of a checkout and in `ledger/migrations` of an installed library; when they are run
and what is said about it is in `schema`.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from ledger.store.layout import Layout

if TYPE_CHECKING:
    from alembic.config import Config

_TURN: Final = threading.Lock()
"""Alembic keeps the migration that runs in global names, so threads take turns."""


def run(conn: Connection, layout: Layout, to: str) -> None:
    """Bring the tables to a revision, in the transaction that the connection is in."""
    from alembic import command  # noqa: PLC0415 - costs 50 ms that no reader should pay

    config = config_for(layout)
    config.attributes["connection"] = conn
    with _turn():
        command.upgrade(config, to)


def write(dialect: str, layout: Layout, since: str, to: str) -> str:
    """The SQL that leads from one revision to another."""
    from alembic import command  # noqa: PLC0415 - costs 50 ms that no reader should pay

    config = config_for(layout)
    config.output_buffer = written = io.StringIO()
    config.attributes["dialect"] = dialect
    with _turn():
        command.upgrade(config, f"{since}:{to}", sql=True)
    return written.getvalue()


def revisions() -> tuple[str, ...]:
    """Every revision of this version of the library, the first one first.

    Example:
        >>> revisions()[0]
        'ledger_0001'
    """
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - costs 50 ms that no reader pays

    script = ScriptDirectory.from_config(config_for(Layout()))
    return tuple(one.revision for one in script.walk_revisions())[::-1]


def config_for(layout: Layout) -> Config:
    """Alembic's configuration, which needs no file."""
    from alembic.config import Config  # noqa: PLC0415 - costs 50 ms that no reader should pay

    config = Config()
    # ConfigParser reads % as the beginning of a reference.
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["layout"] = layout
    return config


@contextlib.contextmanager
def _turn() -> Iterator[None]:
    """Run alone, and give a host's migration, in which this may be called, its `op` back."""
    from alembic import context, op  # noqa: PLC0415 - costs 50 ms that no reader should pay

    with _TURN:
        outer: list[Any] = [getattr(module, "_proxy", None) for module in (context, op)]
        try:
            yield
        finally:
            for proxy in outer:
                if proxy is not None:
                    proxy._install_proxy()  # noqa: SLF001 - Alembic has no other way back


def folder() -> Path:
    """Where the migrations are, in a checkout and where the library is installed."""
    inside = Path(__file__).parents[1] / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"
