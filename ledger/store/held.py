"""The pool's connection by itself, for appends and questions that need no more of SQLAlchemy.

Here lives what of SQLAlchemy's Connection these ask for. The driver carries them out; SQLAlchemy is
called upon where something fails, so that its errors are as ever.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection


class Held:
    """The pool's connection, with what of a Connection an append asks for.

    To make a Connection, and to let go of it, takes as long as to encode an event.
    """

    __slots__ = ("_engine", "connection", "dialect")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.dialect: Dialect = engine.dialect
        kind = self.dialect.loaded_dbapi.Error
        try:
            self.connection: PoolProxiedConnection = engine.raw_connection()
        except kind as error:
            raise DBAPIError.instance("", {}, error, kind, dialect=self.dialect) from error

    @property
    def info(self) -> dict[Any, Any]:
        """What is kept with the pool's connection."""
        return self.connection.info

    @property
    def invalidated(self) -> bool:
        """Whether the pool's connection is given up."""
        return not self.connection.is_valid

    def invalidate(self, error: BaseException | None = None) -> None:
        """Give the pool's connection up."""
        self.connection.invalidate(error)

    def known_to_sqlalchemy(self) -> Connection:
        """A Connection over the same; it need not be closed."""
        return Connection(self._engine, self.connection)

    def in_transaction(self) -> bool:
        """SQLAlchemy knows of none."""
        return False

    def commit(self) -> None:
        """SQLAlchemy has nothing to commit."""

    def rollback(self) -> None:
        """SQLAlchemy has nothing to roll back."""

    def close(self) -> None:
        """Give the connection back to the pool."""
        self.connection.close()


Writer = Connection | Held
"""What an append is handed."""
