"""A projection: what a host hands over to have a view of its own kept up with the log.

Here lives the value and the page of events that it is given. What moves it along is `running`, in
an append `inline`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import attrs
from sqlalchemy import Connection, Table

from ledger.codec.converter import type_called
from ledger.codec.envelope import opened
from ledger.errors import CodecError, InvalidProjection, ProjectionFailed
from ledger.model.events import StoredEvent
from ledger.model.fields import check_flag
from ledger.model.text import show
from ledger.projecting.failing import momentary
from ledger.store import read
from ledger.store.tables import Tables

Mode = Literal["inline", "deferred"]
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def _named(_projection: Any, _attribute: Any, name: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidProjection(
            f"{name!r} cannot be the name of a projection. Write a small letter, then up to 62 of "
            "a-z, 0-9, _ and -.",
            field="name",
            given=name,
        )


def _in_order(tables: Iterable[Table]) -> tuple[Table, ...]:
    several = isinstance(tables, Iterable) and not isinstance(tables, str)
    found = tuple(tables) if several else ()
    if not several or not all(isinstance(one, Table) for one in found):
        raise InvalidProjection(
            f"tables are SQLAlchemy's Tables in a list, as tables=[table], not {show(tables)}.",
            field="tables",
            given=tables,
        )
    return found


def _stored_names(
    types: str | type[Any] | Collection[str | type[Any]] | None,
) -> Collection[str] | None:
    if types is None:
        return None
    several = types if isinstance(types, Collection) and not isinstance(types, str) else (types,)
    return frozenset(map(type_called, several))


@attrs.define(kw_only=True)
class Page:
    """Consecutive events of a log, `start` <= sequence < `stop`, for a projection.

    `events` are read when first used. Inline they are in memory already, and `sequence_of` may give
    an event's sequence number by its id. `memory` lasts for one run, to save look-ups, and is
    dropped after any failure.
    """

    conn: Connection
    tables: Tables
    log_id: int
    start: int
    stop: int
    memory: dict[str, Any] = attrs.field(factory=dict)
    sequence_of: Callable[[str], int | None] | None = None
    given: Sequence[StoredEvent] | None = None

    def events(self, types: Collection[str] | None = None) -> list[StoredEvent]:
        """The events, all or those of some types, in order."""
        if self.given is not None:
            return [one for one in self.given if types is None or one.type in types]
        rows = read.rows(self.conn, self.tables, self.log_id, after=self.start - 1, until=self.stop)
        return [opened(row) for row in rows if types is None or row.type in types]


def sequences(
    page: Page, here: Mapping[str, int], lasting: set[str], passing: set[str]
) -> Mapping[str, int]:
    """The sequence of every id that a page names: from it, from memory, else by one query.

    `here` are those of its own events. Of the others `lasting` are kept in memory, `passing` not.
    """
    kept: dict[str, int] = page.memory
    wanted = lasting | passing
    known = {**{id_: kept[id_] for id_ in wanted if id_ in kept}, **here}
    missing = [id_ for id_ in wanted if id_ not in known]
    if missing and page.sequence_of is not None:
        told = {id_: page.sequence_of(id_) for id_ in missing}
        known |= {id_: seq for id_, seq in told.items() if seq is not None}
        missing = [id_ for id_ in missing if id_ not in known]
    if missing:
        looked_up = read.sequences(page.conn, page.tables, page.log_id, missing)
        known |= looked_up
        kept |= {id_: looked_up[id_] for id_ in lasting if id_ in looked_up}
    return known


@attrs.frozen(kw_only=True)
class Projection:
    """Tables or a state that are kept in step with the log; give one of four ways to take events.

    - `apply(conn, event)`: writes one event with the given connection.
    - `apply_batch(conn, events)`: the same for many at once; batches are cut anywhere.
    - `apply_page(page)`: the same, but reads from the log only the columns it needs.
    - `initial()` and `evolve(state, event)`: a state of plain JSON values, kept with the cursor.

    `tables` are made before the first event. A table with a column `log_id` is shared by the logs
    of a database, one without belongs to one log. `types` leaves out all other events.

    `on_failure`: an event that fails `retries` times more is parked and the others go on ("park"),
    or the projection waits for it ("stop"). `on_live(event)` is for effects outside the database:
    after the commit, at least once, not in a replay, and for deferred projections only.

    Each call runs in a savepoint, to notice errors of PostgreSQL's that were caught and would undo
    the append; `unguarded` leaves the savepoint out.

    `rides` is for the ledger's own projections: it gets a `ledger.store.riding.Riding` in place of
    a Connection, and its rows are written by the append's statement.

    `takes_over` lets a new version replace an earlier one as soon as a run has caught up; otherwise
    `rebuild` does.

    Raises:
        InvalidProjection: no name or version, not exactly one way to take events, or a bad option.
        UnknownEventType: one of the types does not exist.

    Example:
        >>> def count(state, event):
        ...     return state + 1
        >>> Projection(name="events", initial=lambda: 0, evolve=count).version
        1
    """

    name: str = attrs.field(validator=_named)
    version: int = 1
    apply: Callable[[Connection, StoredEvent], object] | None = None
    apply_batch: Callable[[Connection, Sequence[StoredEvent]], object] | None = None
    apply_page: Callable[[Page], object] | None = None
    initial: Callable[[], Any] | None = None
    evolve: Callable[[Any, StoredEvent], Any] | None = None
    tables: Sequence[Table] = attrs.field(default=(), converter=_in_order)
    types: Collection[str] | None = attrs.field(default=None, converter=_stored_names)
    on_live: Callable[[StoredEvent], object] | None = None
    on_failure: Literal["park", "stop"] = "park"
    retries: int = 3
    takes_over: bool = False
    unguarded: bool = False
    rides: bool = False

    def __attrs_post_init__(self) -> None:
        ways = [self.apply, self.apply_batch, self.apply_page, self.evolve]
        if sum(way is not None for way in ways) != 1 or (self.evolve is None) != (
            self.initial is None
        ):
            raise InvalidProjection(
                f"The projection {self.name} must take events in one way: hand over apply, "
                "apply_batch, apply_page, or initial and evolve.",
                field="apply",
                given=self.name,
            )
        for field in ("apply", "apply_batch", "apply_page", "initial", "evolve", "on_live"):
            way = getattr(self, field)
            if way is not None and not callable(way):
                raise InvalidProjection(
                    f"{field} of the projection {self.name} is a function, not {show(way)}.",
                    field=field,
                    given=way,
                )
        if isinstance(self.version, bool) or not isinstance(self.version, int) or self.version < 1:
            raise InvalidProjection(
                f"The version of {self.name} is {self.version!r}; versions are 1, 2, 3 ...",
                field="version",
                given=self.version,
            )
        if self.on_failure not in ("park", "stop"):
            raise InvalidProjection(
                f'There is no on_failure {self.on_failure!r}. Write "park" or "stop".',
                field="on_failure",
                given=self.on_failure,
            )
        for field in ("takes_over", "unguarded", "rides"):
            check_flag(getattr(self, field), field)
        if type(self.retries) is not int or self.retries < 0:
            raise InvalidProjection(
                f"{self.name} cannot be tried {self.retries!r} times more. Write 0, 1, 2 ...",
                field="retries",
                given=self.retries,
            )

    def take(self, page: Page) -> None:
        """Write what a page of events means; nothing for one that keeps a state.

        Raises:
            ProjectionFailed: it could not take an event, or some event of several.
        """
        if self.apply_page is not None:
            self._attempt(page.start, page.stop - page.start, self.apply_page, page)
            return
        events = self._events(page)
        if self.apply is not None:
            for event in events:
                self._attempt(event.sequence, 1, self.apply, page.conn, event)
        elif self.apply_batch is not None and events:
            first = events[0].sequence
            self._attempt(first, page.stop - first, self.apply_batch, page.conn, events)

    def step(self, state: str | None, page: Page) -> str:
        """The state, as JSON, after a page of events.

        Raises:
            ProjectionFailed: it could not take an event, or the state is no plain JSON.
            InvalidProjection: it is none before the first event.
        """
        assert self.evolve is not None  # noqa: S101 - whoever calls has looked
        now = self.start() if state is None else json.loads(state)
        last = page.start
        for event in self._events(page):
            last = event.sequence
            now = self._attempt(last, 1, self.evolve, now, event)
        written: str = self._attempt(last, 1, _as_json, now)
        return written

    def start(self) -> Any:
        """The state before the first event.

        Raises:
            InvalidProjection: it is no plain JSON, so no event could be taken.
        """
        state = None if self.initial is None else self.initial()
        try:
            _as_json(state)
        except (TypeError, ValueError) as error:
            raise InvalidProjection(
                f"initial() of the projection {self.name} gives {show(state)}, which is no plain "
                "JSON. Give texts, numbers, lists, and objects with text keys, such as "
                "initial=dict.",
                field="initial",
                given=state,
            ) from error
        return state

    def _events(self, page: Page) -> list[StoredEvent]:
        """The page's events; one that nobody can read is one that this projection cannot take."""
        try:
            return page.events(self.types)
        except CodecError as error:
            raise self._failed(page.start, page.stop - page.start, error) from error

    def _attempt(self, sequence: int, many: int, act: Callable[..., Any], *given: Any) -> Any:
        try:
            return act(*given)
        except Exception as error:
            if momentary(error):
                raise
            raise self._failed(sequence, many, error) from error

    def _failed(self, sequence: int, many: int, error: Exception) -> ProjectionFailed:
        where = f"the event at sequence {sequence}"
        if many > 1:
            where = f"an event between sequence {sequence} and {sequence + many - 1}"
        return ProjectionFailed(
            f"The projection {self.name} v{self.version} could not take {where}: "
            f"{type(error).__name__}: {error}",
            projection=self.name,
            sequence=sequence,
        )


def _as_json(state: Any) -> str:
    written = json.dumps(state, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if json.loads(written) != state:
        raise InvalidProjection(
            "The state is no plain JSON: it would be another one when it is read again. Keep "
            "texts, numbers, lists, and objects with text keys.",
            field="evolve",
        )
    return written
