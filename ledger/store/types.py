"""The one column type of our own: an instant in UTC.

Here lives how an instant is kept by either engine. Dates of the model (EDTF) are no columns of
the log, they live inside slots.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import TIMESTAMP, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from ledger.codec.entry import read_instant, write_instant
from ledger.errors import InvalidDate


def in_utc(instant: dt.datetime) -> dt.datetime:
    """The same instant with the UTC offset; a naive one is refused.

    Raises:
        InvalidDate: The instant does not say its time zone.

    Example:
        >>> in_utc(dt.datetime(2023, 2, 23, 13, tzinfo=dt.timezone(dt.timedelta(hours=3))))
        datetime.datetime(2023, 2, 23, 10, 0, tzinfo=datetime.timezone.utc)
    """
    if instant.tzinfo is dt.UTC:
        return instant
    if instant.utcoffset() is None:
        raise InvalidDate(
            f"{instant.isoformat()} does not say its time zone. Write it with one, "
            f"say {instant.isoformat()}+00:00.",
            field="recorded_at",
            given=instant,
        )
    return instant.astimezone(dt.UTC)


def stored_instant(value: str | dt.datetime) -> dt.datetime:
    """An instant as either engine's driver gives it: text from SQLite, a datetime else."""
    if isinstance(value, str):
        return read_instant(value)
    return value.astimezone(dt.UTC)


class UtcInstant(TypeDecorator[dt.datetime]):
    """An instant: `timestamptz` on PostgreSQL, fixed-width text ending in Z on SQLite.

    SQLAlchemy's own `DateTime(timezone=True)` drops the offset on SQLite. The text is of the
    entry's form (RFC 3339, microseconds), so it sorts as it reads.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The engine's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> str | dt.datetime | None:
        """Towards the database; a naive instant is refused."""
        if value is None:
            return None
        instant = in_utc(value)
        return instant if dialect.name == "postgresql" else write_instant(instant)

    def process_result_value(
        self,
        value: str | dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> dt.datetime | None:
        """From the database, always with UTC."""
        return None if value is None else stored_instant(value)
