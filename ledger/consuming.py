"""Named cursors: how far a host that follows by itself has come, kept beside what it made of it.

Here live `ledger.cursor(name)` and its rules. A cursor moves by compare-and-set in the host's own
transaction, so what the host does to that database happens once for each event. Views that the
library moves along have cursors of their own, in `ledger.projecting`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, Engine

from ledger.errors import CursorMoved, InvalidCursor
from ledger.folding import Folded
from ledger.model.text import show
from ledger.store import consumers, read
from ledger.store.binds import AnySession, engine_or_connection, is_session
from ledger.store.transaction import writing

_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


class Cursor:
    """A consumer's place in one log, by name; made by `ledger.cursor`.

    It moves on only from where you last saw it. `conn` is the Connection or the Session of your
    transaction in the ledger's database; without it, the move is committed by itself.

    Raises:
        InvalidCursor: no name.

    Example:
        >>> from ledger import Ledger, Party
        >>> with Ledger.open(":memory:") as ledger:
        ...     ledger.register(Party("az", name="Azerbaijan", kind="state")).sequences
        ...     cursor = ledger.cursor("mailer")
        ...     for event in ledger.events(after=cursor.position):
        ...         cursor.advance(event.sequence)
        ...     cursor.position
        (0,)
        0
    """

    def __init__(self, log: Folded, name: str) -> None:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidCursor(
                f"{show(name)} cannot be the name of a cursor. Write a small letter, then up to 62 "
                "of a-z, 0-9, _, . and -.",
                field="name",
                given=name,
            )
        self.name = name
        self._log = log
        self._seen: int | None = None

    def __repr__(self) -> str:
        return f"Cursor({self.name!r}, origin={self._log.origin!r})"

    @property
    def position(self) -> int:
        """The last sequence that was handled, -1 at first: each look asks the database.

        `advance` moves on from what was seen last.
        """
        with self._log.connected() as conn:
            return self._look(conn)

    def advance(self, to: int, conn: Connection | AnySession | None = None) -> None:
        """Note that everything up to a sequence is handled, if nobody else has moved the cursor.

        After a rollback, read `position` again; until then this cursor refuses to move.

        Raises:
            CursorMoved: somebody else moved it; roll back what was done for these events.
            InvalidCursor: `to` is not after its position, or the log has no such sequence number.
        """
        with self._writing(conn) as joined:
            seen = self._look(joined) if self._seen is None else self._seen
            if type(to) is int and to <= seen:
                raise InvalidCursor(
                    f"The cursor {self.name} stands at {seen}, so it cannot advance to {to}. Type: "
                    f"cursor.reset({to}) if those events are to be handled once more.",
                    field="to",
                    given=to,
                )
            log_id, tables = self._log_with(joined, to), self._log.tables
            assert log_id is not None  # noqa: S101 - it holds `to`, which is no -1
            if not consumers.move(joined, tables, log_id, self.name, start=seen + 1, to=to + 1):
                actual = self._at(joined)
                raise CursorMoved(
                    f"The cursor {self.name} was seen at {seen}, but it stands at {actual}. Roll "
                    "back what was done for these events, and go on from cursor.position.",
                    expected=seen,
                    actual=actual,
                )
        self._seen = to

    def reset(self, to: int, conn: Connection | AnySession | None = None) -> None:
        """Set it to a sequence number, forward or back; -1 is the beginning.

        Raises:
            InvalidCursor: the log has no such sequence.
        """
        with self._writing(conn) as joined:
            log_id = self._log_with(joined, to)
            if log_id is not None:
                consumers.put(joined, self._log.tables, log_id, self.name, to=to + 1)
        self._seen = to

    @contextmanager
    def _writing(self, conn: Connection | AnySession | None) -> Iterator[Connection]:
        if conn is None and not self._log.checked:
            with self._log.connected():
                pass  # makes sure that the tables are ours
        if conn is not None and not (isinstance(conn, Engine | Connection) or is_session(conn)):
            raise InvalidCursor(
                f"conn= takes the Connection or the Session of your transaction, not {show(conn)}. "
                "Leave it out, and the move is committed by itself.",
                field="conn",
                given=conn,
            )
        bind = self._log.bind if conn is None else engine_or_connection(conn)
        with writing(bind) as joined:
            yield joined

    def _look(self, conn: Connection) -> int:
        self._seen = self._at(conn)
        return self._seen

    def _at(self, conn: Connection) -> int:
        log_id = self._log.log_id(conn)
        held = None
        if log_id is not None:
            held = consumers.place(conn, self._log.tables, log_id, self.name)
        return -1 if held is None else held - 1

    def _log_with(self, conn: Connection, sequence: int) -> int | None:
        """The log's number, where it holds a sequence; None before its first event."""
        head = read.head(conn, self._log.tables, self._log.origin)
        size = 0 if head is None else head.size
        if type(sequence) is not int or not -1 <= sequence < size:
            raise InvalidCursor(
                f"{show(sequence)} is no place for the cursor {self.name}: the log holds {size} "
                "events, counted from 0. Give the sequence of an event, or -1 for the beginning.",
                field="to",
                given=sequence,
            )
        return None if head is None else head.log_id
