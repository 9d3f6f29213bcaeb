"""What the tests of following share: a follower in a thread, and events to be followed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party

ENOUGH = 30.0
"""Seconds after which something that should have happened long ago counts as not happening."""


class Follower:
    """A follower in a thread of its own, which keeps what it is given."""

    def __init__(self, ledger: Ledger, **options: Any) -> None:
        self.seen: list[int] = []
        self.error: BaseException | None = None
        self.idle_at: list[int] = []
        self._stop = threading.Event()
        self._news = threading.Condition()
        options = {"idle": self._idle, "stop": self._stop.is_set, **options}
        self._events = ledger.follow(**options)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            with contextlib.closing(self._events):
                for event in self._events:
                    with self._news:
                        self.seen.append(event.sequence)
                        self._news.notify_all()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            self.error = error
        with self._news:
            self._news.notify_all()

    def _idle(self, position: int) -> None:
        with self._news:
            self.idle_at.append(position)
            self._news.notify_all()

    def until(self, told: Callable[[], bool]) -> None:
        """Wait until something has come to be."""
        with self._news:
            came = self._news.wait_for(lambda: told() or self.error is not None, ENOUGH)
        if self.error is not None:
            raise self.error
        assert came, f"saw {self.seen[-5:]}, idle at {self.idle_at[-5:]}"

    def until_seen(self, *sequences: int) -> None:
        """Wait until these have come, and see that nothing else has."""
        self.until(lambda: len(self.seen) >= len(sequences))
        assert self.seen == list(sequences)

    def until_idle(self, position: int) -> None:
        """Wait until it has looked at everything up to a sequence and is about to wait."""
        self.until(lambda: self.idle_at[-1:] == [position])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Tell it to stop, and see it stop."""
        self._stop.set()
        self._thread.join(ENOUGH)
        assert not self._thread.is_alive()

    def __exit__(self, *_: object) -> None:
        self.stop()


@pytest.fixture
def register() -> Callable[..., None]:
    """`register(ledger, 3)`: three more events, each in an append of its own."""
    count = iter(range(1_000_000))

    def enter(ledger: Ledger, many: int = 1) -> None:
        for _ in range(many):
            ledger.register(Party(f"party-{next(count)}", name="Somebody", kind="state"))

    return enter


@pytest.fixture
def postgres_ledger(postgres_url: str) -> Iterator[Ledger]:
    """An empty ledger in PostgreSQL."""
    with Ledger.open(postgres_url) as opened:
        yield opened


@pytest.fixture(params=["sqlite-file", "postgres"])
def shared_database(request: pytest.FixtureRequest, tmp_path) -> str:
    """The URL of an empty database that several processes can share."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'claims.db'}"


@pytest.fixture
def listeners(postgres_url: str) -> Callable[[], list[tuple[int, str, str]]]:
    """Process, state and last command of each listening or once listening connection."""

    def find() -> list[tuple[int, str, str]]:
        engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
        with engine.connect() as conn:
            rows = conn.execute(
                sa.text(
                    "SELECT pid, state, query FROM pg_stat_activity "
                    "WHERE datname = current_database() AND query ~ 'LISTEN' "
                    "AND pid <> pg_backend_pid()"
                )
            )
            return [tuple(row) for row in rows]

    return find


@pytest.fixture
def followed() -> type[Follower]:
    """`with followed(ledger, after=3) as follower:` follows in a thread until the end."""
    return Follower
