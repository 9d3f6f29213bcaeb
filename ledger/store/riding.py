"""What goes with an append: statements of views that are carried out as part of its own statement.

PostgreSQL is asked once then; BEGIN, each of them and COMMIT would be a round trip each. They are
written as for any connection; here they are kept, and put so that they do nothing without the head:

```
.. FROM unnest(CAST(? AS bigint[]), ..)    .. FROM unnest((SELECT $ride_0::bigint[] FROM head), ..)
UPDATE .. WHERE ..                         UPDATE .. WHERE .. AND EXISTS (SELECT FROM head)
```

An array that is NULL has no rows. What an UPDATE finds must be one row, or all is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NoReturn

import attrs
from sqlalchemy import Connection, Dialect, Engine

from ledger.store.arrays import Array, Numbers, Texts

_VALUE: Final = re.compile(r"CAST\(\? AS (\w+\[\])\)|\?")
_KINDS: Final[Mapping[str, type[Array]]] = {
    "bigint[]": Numbers,
    "text[]": Texts,
}


class CannotRide(Exception):
    """Something is to be asked or done that is no part of an append's statement."""


class Behind(Exception):
    """A row that was to be changed with an append is elsewhere; nothing is written."""


@attrs.define(eq=False)
class Riding:
    """What a view is handed in the place of a Connection, to find out what it would write.

    Whatever else a Connection does raises CannotRide.
    """

    engine: Engine
    looking: Callable[[], AbstractContextManager[Connection]]
    """A connection to look ids up with, which have the same sequence whoever asks."""
    texts: list[str] = attrs.field(factory=list)
    values: dict[str, Any] = attrs.field(factory=dict)
    columns: dict[str, list[Any]] = attrs.field(factory=dict)
    kinds: dict[str, type[Array]] = attrs.field(factory=dict)

    @property
    def dialect(self) -> Dialect:
        """The engine's."""
        return self.engine.dialect

    def __getattr__(self, name: str) -> NoReturn:
        raise CannotRide(name)

    def add(self, statement: str, values: Sequence[Any]) -> int:
        """Keep a statement with `?` for each value; tells how many rows it must change.

        Raises:
            CannotRide: it would write without the head.
        """
        found = iter(values)

        def put(value: re.Match[str]) -> str:
            name, type_ = f"ride_{len(self.values) + len(self.columns)}", value[1]
            if type_ is None:
                self.values[name] = next(found)
                return f"${name}"
            self.columns[name], self.kinds[name] = list(next(found)), _KINDS[type_]
            return f"(SELECT ${name}::{type_} FROM head)"  # noqa: S608 - of our own words

        text = _VALUE.sub(put, statement)
        if text.startswith("UPDATE "):
            text = f"{text} AND EXISTS (SELECT FROM head) RETURNING 1"
        elif "FROM head)" not in text:
            raise CannotRide(statement)
        self.texts.append(text)
        return 1

    def parts(self) -> tuple[str, str]:
        """The parts of the append's statement, and by what it sees that a row is elsewhere."""
        parts = "".join(f", ride_{n} AS ({text})" for n, text in enumerate(self.texts))
        moves = [n for n, text in enumerate(self.texts) if text.startswith("UPDATE ")]
        behind = " OR ".join(f"(SELECT count(*) FROM ride_{n}) <> 1" for n in moves)  # noqa: S608 - numbers
        return parts, behind
