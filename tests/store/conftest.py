"""What the tests of the store share: its tables, and drafts to append."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import Engine

from ledger.codec.entry import Draft
from ledger.store import transaction
from ledger.store.append import Appended, append, lock_head
from ledger.store.layout import Layout
from ledger.store.tables import Tables, tables_for
from tests.drafts import draft, salted

NOON = dt.datetime(2023, 2, 23, 12, tzinfo=dt.UTC)


@pytest.fixture
def tables() -> Tables:
    return tables_for(Layout())


@pytest.fixture
def drafts() -> Callable[..., list[Draft]]:
    """`drafts(3)` are three events that open streams; `stream` and `version` continue one."""
    numbers = itertools.count()

    def make(
        many: int = 1,
        *,
        stream: str | None = None,
        version: int = 0,
        ids: Sequence[str] = (),
        recorded_at: dt.datetime | None = None,
        slots: Sequence[str] = ("who", "what"),
        origin: str = "default",
    ) -> list[Draft]:
        made = []
        for place in range(many):
            number = next(numbers)
            name = ids[place] if ids else f"event-{number:06d}"
            made.append(
                draft(
                    log=origin,
                    id=name,
                    type="ClaimRecorded",
                    type_v=1,
                    stream=stream or name,
                    stream_v=version + place if stream else 0,
                    recorded_at=recorded_at or NOON + dt.timedelta(seconds=number),
                    recorder="tests",
                    slots={slot: salted(b'{"act":"assert"}') for slot in slots},
                )
            )
        return made

    return make


@pytest.fixture
def record(engine: Engine, tables: Tables) -> Callable[..., Appended]:
    """Append drafts in a transaction of the ledger's own."""

    def write(drafts: Sequence[Draft], *, origin: str = "default") -> Appended:
        with transaction.writing(engine) as conn:
            return append(conn, tables, lock_head(conn, tables, origin), drafts)

    return write
