"""The named cursor whose moves are awaited; its rules are in `ledger.consuming`."""

from __future__ import annotations

import functools
from collections.abc import Awaitable

import attrs
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from ledger.aio.places import Run, bound, bridge
from ledger.consuming import Cursor


@attrs.frozen(kw_only=True, eq=False)
class AsyncCursor:
    """A `Cursor` whose moves are awaited; made by `AsyncLedger.cursor`.

    `conn` is the AsyncConnection or the AsyncSession of the host's transaction.
    """

    cursor: Cursor
    _run: Run = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """The consumer's name."""
        return self.cursor.name

    @property
    def position(self) -> Awaitable[int]:
        """The last sequence that was handled, -1 at first: `await cursor.position`."""
        return self._run(lambda: self.cursor.position)

    async def advance(self, to: int, conn: AsyncConnection | AsyncSession | None = None) -> None:
        """Note that everything up to a sequence is handled, if nobody else has moved the cursor.

        Raises:
            CursorMoved: somebody else moved it; roll back what was done for these events.
            InvalidCursor: `to` is not after its position, or the log has no such sequence number.
        """
        if conn is None:
            await self._run(functools.partial(self.cursor.advance, to))
        else:
            await bridge(conn)(functools.partial(self.cursor.advance, to, bound(conn)))

    async def reset(self, to: int, conn: AsyncConnection | AsyncSession | None = None) -> None:
        """Set it to a sequence number, forward or back; -1 is the beginning.

        Raises:
            InvalidCursor: the log has no such sequence.
        """
        if conn is None:
            await self._run(functools.partial(self.cursor.reset, to))
        else:
            await bridge(conn)(functools.partial(self.cursor.reset, to, bound(conn)))
