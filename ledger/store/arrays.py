"""Columns of many rows as PostgreSQL's binary arrays, ready for psycopg.

psycopg looks at each item of a list to find out how it is written; here the type is known, which
spares a sixth of an append of ten events. Other drivers are handed the lists themselves.

```
1 | is there NULL | type | how many | 1     length  item     length  item     -1 (NULL)     ...
```

Follows PostgreSQL's array_send and array_recv (src/backend/utils/adt/arrayfuncs.c).
"""

from __future__ import annotations

import datetime as dt
import functools
import struct
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final
from weakref import WeakSet

from ledger.store.held import Writer

_HEADER: Final = struct.Struct(">iiiii").pack
_LENGTH: Final = struct.Struct(">i").pack
_NULL: Final = _LENGTH(-1)
_NUMBER: Final = struct.Struct(">q").pack
_EPOCH: Final = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_ready: Final[WeakSet[Any]] = WeakSet()
"""The driver's connections that were told about arrays."""


class Array:
    """An array as it is sent; `oid` is PostgreSQL's number of its type, `item` its items' type."""

    __slots__ = ("sent",)
    oid: ClassVar[int]
    item: ClassVar[int]

    def __init__(self, items: Sequence[Any]) -> None:
        """The array of some items, None among them for NULL.

        Example:
            >>> Texts(["a", None]).sent.hex(" ", -4)
            '00000001 00000001 00000019 00000002 00000001 00000001 61ffffff ff'
        """
        written = self.written(items)
        nulls = None in items
        parts = [b""] * (1 + 2 * len(items))
        parts[0] = _HEADER(1, nulls, self.item, len(items), 1)
        if nulls:
            parts[1::2] = [_NULL if one is None else _LENGTH(len(one)) for one in written]
            parts[2::2] = [one or b"" for one in written]
        else:
            parts[1::2] = map(_LENGTH, map(len, written))
            parts[2::2] = written
        self.sent = b"".join(parts)

    @staticmethod
    def written(items: Sequence[Any]) -> Sequence[Any]:
        """The items as they are sent, but for NULL."""
        return items


class Blobs(Array):
    """A bytea[]."""

    __slots__ = ()
    oid, item = 1001, 17


class Texts(Array):
    """A text[], for a client_encoding of UTF8."""

    __slots__ = ()
    oid, item = 1009, 25

    @staticmethod
    def written(items: Sequence[str | None]) -> Sequence[bytes | None]:
        """Texts in UTF-8."""
        return [one if one is None else one.encode() for one in items]


class Numbers(Array):
    """A bigint[]."""

    __slots__ = ()
    oid, item = 1016, 20

    @staticmethod
    def written(items: Sequence[int | None]) -> Sequence[bytes | None]:
        """Whole numbers of 64 bits."""
        return [one if one is None else _NUMBER(one) for one in items]


class Instants(Array):
    """A timestamptz[]."""

    __slots__ = ()
    oid, item = 1185, 1184

    @staticmethod
    def written(items: Sequence[dt.datetime]) -> Sequence[bytes]:
        """Microseconds since 2000."""
        return [*map(_microseconds, items)]


@functools.lru_cache(maxsize=8)  # the events of an entry share one instant
def _microseconds(instant: dt.datetime) -> bytes:
    return _NUMBER((instant - _EPOCH) // _MICROSECOND)


def takes_arrays(conn: Writer) -> bool:
    """Whether a connection takes arrays that are made here; its driver is told about them."""
    if not conn.dialect.driver.startswith("psycopg"):
        return False
    driver: Any = conn.connection.driver_connection
    if driver.pgconn.parameter_status(b"client_encoding") != b"UTF8":
        return False
    if driver not in _ready:
        for kind, dumper in _dumpers().items():
            driver.adapters.register_dumper(kind, dumper)
        _ready.add(driver)
    return True


def sent(
    conn: Writer, columns: Mapping[str, list[Any] | None], kinds: Mapping[str, type[Array]]
) -> dict[str, Any]:
    """Columns by name as a connection takes them best: as arrays of these kinds, or as they are."""
    if not takes_arrays(conn):
        return {**columns}
    return {name: items and kinds[name](items) for name, items in columns.items()}


@functools.cache
def _dumpers() -> Mapping[type[Array], Any]:
    from psycopg.adapt import Dumper  # noqa: PLC0415 - an extra
    from psycopg.pq import Format  # noqa: PLC0415 - an extra

    class AsItIs(Dumper):
        format = Format.BINARY

        def dump(self, obj: Array) -> bytes:
            return obj.sent

    kinds = Blobs, Texts, Numbers, Instants
    return {kind: type(kind.__name__, (AsItIs,), {"oid": kind.oid}) for kind in kinds}
