"""Django's door: a SQLAlchemy Connection inside `transaction.atomic`, on Django's own connection.

Django keeps one connection per thread and ends its transactions itself. Here it is lent to
SQLAlchemy so that a ledger writes into the same transaction; SQLAlchemy may neither end that nor
change how the connection behaves for Django. Needs Django, and psycopg 3 for PostgreSQL.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Final

from django.db import connections, transaction
from sqlalchemy import Connection, Engine, NullPool, create_engine
from sqlalchemy.exc import DontWrapMixin

from ledger.errors import StoreError

_URLS: Final = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}


@contextlib.contextmanager
def atomic(using: str = "default", **options: bool) -> Iterator[Connection]:
    """Django's `transaction.atomic`, and a Connection to hand to `Ledger` inside it.

    `options` are those of Django, `savepoint` and `durable`. The block may stand in another atomic
    block, which then decides in the end. The Connection is of no use after the block.

    Raises:
        StoreError: The database is neither SQLite nor PostgreSQL with psycopg 3.
    """
    with transaction.atomic(using, **options):  # pyrefly: ignore  # Django is not typed
        django = connections[using]
        django.ensure_connection()
        engine = _engine(django.vendor, using, str(django.settings_dict["NAME"]))
        with engine.connect() as connection:
            yield connection


@functools.cache
def _engine(vendor: str, using: str, _name: str) -> Engine:
    """One engine per database, so that all its ledgers share what they have folded."""
    if vendor not in _URLS or not _is_psycopg_3(vendor):
        raise StoreError(
            f"A ledger is kept in SQLite or PostgreSQL, and Django's {using!r} is {vendor} with "
            "another driver. Name a database of one of those, with psycopg 3 for PostgreSQL."
        )
    options = {"use_native_hstore": False} if vendor == "postgresql" else {}
    return create_engine(
        _URLS[vendor],
        creator=lambda: _Lent(connections[using]),
        poolclass=NullPool,
        pool_reset_on_return=None,
        **options,
    )


def _is_psycopg_3(vendor: str) -> bool:
    if vendor != "postgresql":
        return True
    from django.db.backends.postgresql.psycopg_any import is_psycopg3  # noqa: PLC0415

    return bool(is_psycopg3)


class _RolledBack(StoreError, DontWrapMixin):
    """One that SQLAlchemy passes on as it is."""


class _Lent:
    """Django's connection in SQLAlchemy's hands: it runs statements and stays as it is."""

    def __init__(self, django: Any) -> None:
        self._django = django
        self._connection = django.connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self, *args: Any) -> Any:
        """A cursor of the driver's own kind: Django's binds in the client and drops time zones.

        Raises:
            StoreError: Django will roll the block back at its end, and say nothing of it.
        """
        if self._django.needs_rollback:
            raise _RolledBack(
                "Django rolls this atomic block back at its end, so nothing would be stored: an "
                "error in it was passed over, or set_rollback was called. Put what may fail into "
                "an atomic block of its own inside this one, or let the error leave this one."
            )
        cursor = self._connection.cursor(*args)
        if hasattr(self._connection, "info"):
            from psycopg import Cursor  # noqa: PLC0415 - SQLite needs none
            from psycopg.types.datetime import TimestamptzLoader  # noqa: PLC0415

            cursor = cursor if args else Cursor(self._connection)
            cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        return cursor

    def _left_alone(self, *_: object, **__: object) -> None:
        """What Django does, or has set up for itself."""

    commit = rollback = close = _left_alone
    create_function = add_notice_handler = _left_alone
