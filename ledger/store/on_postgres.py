"""How a batch is written on PostgreSQL: one statement, whatever the driver.

Here lives PostgreSQL's text. Parameters are named `$name` here and put as the driver wants them,
binary in all cases; many rows are arrays. Beyond 5,000 events an append takes more statements.

The head row is the first lock that a statement takes, so streams cannot deadlock. A refusal must be
an error, since a filtered write would leave the others standing: what was found is told in the
text of a number that is none. Streams are looked up one by one: a join would be planned once for a
young table and then read all of it, at every append, until the next ANALYZE. For the same reason
an event is looked up in the order of sequences: there is an index of ids that begins with the log.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import attrs
from sqlalchemy import Connection
from sqlalchemy.engine import TwoPhaseTransaction
from sqlalchemy.exc import DBAPIError

from ledger.store.arrays import sent
from ledger.store.batch import (
    Base,
    Batch,
    Head,
    already_recorded,
    head_moved,
    left_out,
    wrong_version,
)
from ledger.store.fetching import first
from ledger.store.held import Writer
from ledger.store.refusals import NO_NUMBER, diagnosis
from ledger.store.riding import Behind, Riding
from ledger.store.tables import Tables
from ledger.store.types import stored_instant
from ledger.store.values import KINDS, columns, moves, scalars
from ledger.store.ways import in_autocommit

_COLUMNS: Final = (
    *("known_at", "id", "type", "stream", "stream_v", "entry", "leaf_hash"),
    *("slot_who", "slot_what", "slot_words", "slot_by"),
)
# An array is handed on by a subquery, which the planner does not look into: else it would plan anew
# for every array, in twice the time that the statement takes, since it counts on few rows in short
# ones. One event goes without arrays: they would cost server and driver as much again.
_ARRAYS: Final = {
    "streams": """unnest((SELECT $streams::text[]), (SELECT $expected::bigint[]),
    (SELECT $versions::bigint[])) AS x(stream, expected, version)""",
    "events": """unnest((SELECT $id::text[]), (SELECT $type::text[]), (SELECT $stream::text[]),
    (SELECT $stream_v::bigint[]), (SELECT $known_at::timestamptz[]), (SELECT $entry::text[]),
    (SELECT $leaf_hash::bytea[]), (SELECT $slot_who::bytea[]), (SELECT $slot_what::bytea[]),
    (SELECT $slot_words::bytea[]), (SELECT $slot_by::bytea[])
  ) WITH ORDINALITY AS x(id, type, stream, stream_v, known_at, entry, leaf_hash,
    slot_who, slot_what, slot_words, slot_by, ord)""",
    "ids": "(SELECT $id::text[])",
    "whole": "(SELECT count(*) FROM written) = $rows::bigint",
}
_SCALARS: Final = {
    "streams": """(VALUES ($streams::text, $expected::bigint, $versions::bigint)
  ) AS x(stream, expected, version)""",
    "events": """(VALUES ($id::text, $type::text, $stream::text, $stream_v::bigint,
    $known_at::timestamptz, $entry::text, $leaf_hash::bytea, $slot_who::bytea,
    $slot_what::bytea, $slot_words::bytea, $slot_by::bytea, 1)
  ) AS x(id, type, stream, stream_v, known_at, entry, leaf_hash,
    slot_who, slot_what, slot_words, slot_by, ord)""",
    "ids": "ARRAY[$id::text]",
    "whole": "EXISTS (SELECT FROM written)",
}
_FORMS: Final = {
    "scalars": _SCALARS,
    "arrays": _ARRAYS,
    "parted": _ARRAYS | {"ids": "(SELECT $ids::text[])"},
}
_ON_HEAD: Final = """
WITH head AS (
  UPDATE {log} AS l SET size = l.size + $many::bigint, known_at = greatest(l.known_at, $latest)
  WHERE l.id = $log::bigint AND l.size = $size::bigint AND coalesce((
    SELECT e.leaf_hash FROM {event} AS e WHERE e.log_id = l.id AND e.seq < $size::bigint
    ORDER BY e.seq DESC LIMIT 1), '') = $leaf::bytea
  RETURNING l.id, $size::bigint AS base, $before::timestamptz AS known
)"""
_ANYWHERE: Final = """
WITH held AS (
  SELECT id, size, known_at FROM {log} WHERE origin = $origin::text FOR UPDATE
), head AS (
  UPDATE {log} AS l SET size = held.size + $many::bigint,
    known_at = greatest(held.known_at, $latest::timestamptz)
  FROM held WHERE l.id = held.id
  RETURNING l.id, held.size AS base, held.known_at AS known
)"""
# The statement may be older than its lock on the head. FOR UPDATE sees the newest version of a
# stream all the same; one that was opened in between breaks the key.
_WRITE: Final = """, asked AS (
  SELECT head.id AS log_id, head.base, x.stream, x.expected, x.version, coalesce((
    SELECT s.version FROM {stream} AS s
    WHERE s.log_id = head.id AND s.stream = x.stream FOR UPDATE), -1) AS actual
  FROM head, {streams}
), refused AS (
  SELECT json_build_object('stream', stream, 'actual', actual, 'taken', (
    SELECT json_build_array(t.id, t.seq) FROM (
      SELECT i.id, i.ord, (
        SELECT e.seq FROM {event} AS e WHERE e.log_id = asked.log_id AND e.id = i.id) AS seq
      FROM unnest({ids}) WITH ORDINALITY AS i(id, ord)) AS t
    WHERE t.seq IS NOT NULL ORDER BY t.ord LIMIT 1))::text AS told
  FROM asked WHERE actual <> expected LIMIT 1
), opened AS (
  INSERT INTO {stream} (log_id, stream, version)
  SELECT log_id, stream, version FROM asked WHERE expected = -1 AND actual = -1
), moved AS (
  INSERT INTO {stream} (log_id, stream, version)
  SELECT log_id, stream, version FROM asked WHERE expected <> -1 AND actual = expected
  ON CONFLICT (log_id, stream) DO UPDATE SET version = excluded.version
){rides}, written AS (
  INSERT INTO {event} (log_id, seq, {columns})
  SELECT head.id, CASE WHEN EXISTS (SELECT FROM refused)
    THEN (SELECT told FROM refused)::bigint {behind} ELSE head.base + x.ord - 1 END,
    greatest(head.known, x.known_at), {selected}
  FROM head, {events}
  RETURNING 1
)
SELECT CASE WHEN {whole} THEN id ELSE {left_out} END, base, known{notify} FROM head"""

_TEXT: Final = {
    "head": (
        "SELECT l.id, l.size, l.known_at, (SELECT e.leaf_hash FROM {event} AS e "
        "WHERE e.log_id = l.id AND e.seq > l.size - 2 AND e.seq < l.size "
        "ORDER BY e.seq LIMIT 1) AS leaf "
        "FROM {log} AS l WHERE l.origin = $origin::text FOR UPDATE OF l"
    ),
    "new_log": (
        "INSERT INTO {log} (origin, size) VALUES ($origin::text, 0) "
        "ON CONFLICT (origin) DO NOTHING RETURNING id"
    ),
    "size": "SELECT size FROM {log} WHERE id = $log::bigint",
    "append": _ON_HEAD.replace("$latest", "$latest::timestamptz") + _WRITE,
    "put": _ANYWHERE + _WRITE,
    "more": (
        "WITH written AS (INSERT INTO {event} (log_id, seq, {columns}) "
        "SELECT $log::bigint, $first::bigint + x.ord - 1, x.known_at, {selected} FROM {events} "
        "RETURNING 1) SELECT count(*) FROM written"
    ),
}
_SIZE: Final = "ledger_size"
"""Under which name a connection keeps how large the log was to which it appended last."""

_BEHIND: Final = "ledger:behind"
"""What the text of no number tells where a row that rides is elsewhere."""
_LEFT_OUT: Final = "ledger:left_out"
"""What it tells where the database took fewer rows than it was given."""
_TELLING: Final = "(SELECT '{}' FROM head)::bigint"
"""Such a text; were it not read from the head, it would be looked at beforehand."""
_NO_TABLE: Final = "42P01"
"""PostgreSQL's SQLSTATE for a table that is not there: of a view that begins, or was pruned."""
_TOLD: Final = re.compile(r"\{.*\}", re.DOTALL)
_NAME: Final = re.compile(r"\$([a-z_0-9]+)")


@attrs.frozen(kw_only=True)
class _Statement:
    """A text in the driver's own style, and its parameters in order where they go by number."""

    text: str
    names: tuple[str, ...] | None

    def first(self, conn: Writer, values: dict[str, Any]) -> Any:
        """Carry it out; the first row, None where there is none."""
        if self.names is not None:
            return first(conn, self.text, tuple(values[name] for name in self.names))
        return first(conn, self.text, values)


@functools.cache
def _statement(
    tables: Tables,
    driver: str,
    key: str,
    *,
    notify: bool = False,
    form: str = "arrays",
    age: int = 0,
    rides: tuple[str, str] = ("", ""),
) -> _Statement:
    words = {name: tables.layout.qualified(name) for name in ("log", "event", "stream")}
    words["columns"] = ", ".join(_COLUMNS)
    words["selected"] = ", ".join(f"x.{name}" for name in _COLUMNS if name != "known_at")
    channel = f"'{tables.layout.table('log_')}' || id"
    words["notify"] = f", pg_notify({channel}, '')" if notify else ""
    words |= _FORMS[form]
    words["left_out"] = _TELLING.format(_LEFT_OUT)
    words["rides"], behind = rides
    words["behind"] = behind and f"WHEN {behind} THEN {_TELLING.format(_BEHIND)}"
    text = _TEXT[key].format(**words) + (f" -- {age}" if age else "")
    if driver == "asyncpg":
        names = tuple(dict.fromkeys(_NAME.findall(text)))
        numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
        return _Statement(text=_NAME.sub(lambda one: numbers[one[1]], text), names=names)
    return _Statement(text=_NAME.sub(r"%(\1)b", text), names=None)


def head(conn: Writer, tables: Tables, origin: str) -> Head:
    """The head of a log, locked; it is made where there is none."""
    asked = _statement(tables, conn.dialect.driver, "head")
    row = asked.first(conn, {"origin": origin})
    if row is None:
        _make(conn, tables, origin)
        row = asked.first(conn, {"origin": origin})
    if row[1] and row[3] is None:  # it waited for the lock, and looked at the leaf before that
        row = asked.first(conn, {"origin": origin})
    log_id, size, known_at, leaf = row
    known = None if known_at is None else stored_instant(known_at)
    return Head(log_id=log_id, size=size, known_at=known, leaf=leaf or b"")


def _make(conn: Writer, tables: Tables, origin: str) -> None:
    _statement(tables, conn.dialect.driver, "new_log").first(conn, {"origin": origin})


def append(
    conn: Writer,
    tables: Tables,
    head: Head,
    batch: Batch,
    *,
    notify: bool,
    riding: Riding | None = None,
) -> Base:
    """Write a batch onto a head, and what rides with it.

    What is refused aborts the transaction, but for a moved head: it must be rolled back.

    Raises:
        HeadMoved: The log stands elsewhere; nothing is written.
        WrongExpectedVersion: A stream is elsewhere.
        AlreadyRecorded: An id is taken.
        Behind: A row that rides is elsewhere.
    """
    place = {"log": head.log_id, "size": head.size, "leaf": head.leaf, "before": head.known_at}
    base = _write(conn, tables, "append", place, batch, notify=notify, riding=riding)
    if base is None:
        row = _statement(tables, conn.dialect.driver, "size").first(conn, {"log": head.log_id})
        raise head_moved(head.size, 0 if row is None else row[0])
    return base


def put(conn: Writer, tables: Tables, origin: str, batch: Batch, *, notify: bool) -> Base:
    """Write a batch wherever the log stands.

    Raises:
        WrongExpectedVersion: A stream is elsewhere.
        AlreadyRecorded: An id is taken.
    """
    if not in_autocommit(conn):
        return append(conn, tables, head(conn, tables, origin), batch, notify=notify)
    made = False
    while True:
        try:
            base = _write(conn, tables, "put", {"origin": origin}, batch, notify=notify)
        except _Opened:  # another opened that stream after we looked; now we can see its version
            continue
        if base is not None:
            return base
        if made:
            raise left_out(tables.log.fullname)
        _make(conn, tables, origin)
        made = True


class _Opened(Exception):
    """A stream was opened by another transaction, after this statement's snapshot."""


@contextlib.contextmanager
def _whole(conn: Writer, parts: int) -> Iterator[None]:
    """All or nothing, where the connection has no transaction and one statement is not enough."""
    if parts == 1 or not in_autocommit(conn):
        yield
        return
    if not isinstance(conn, Connection):
        conn = conn.known_to_sqlalchemy()
    conn.exec_driver_sql("BEGIN")
    try:
        yield
    except BaseException:
        with contextlib.suppress(DBAPIError):
            conn.exec_driver_sql("ROLLBACK")
        raise
    conn.exec_driver_sql("COMMIT")


def _write(
    conn: Writer,
    tables: Tables,
    key: str,
    place: dict[str, Any],
    batch: Batch,
    *,
    notify: bool,
    riding: Riding | None = None,
) -> Base | None:
    """Write a batch; None where no head row was there to be moved."""
    driver = conn.dialect.driver
    first, *more = batch.parts()
    many = len(batch.drafts)
    form = "parted" if more else "arrays" if many > 1 else "scalars"
    values = {**place, "many": many, "latest": batch.latest[-1]}
    values["rows"] = len(batch.drafts[first])
    if many == 1:
        values |= scalars(batch)
    else:
        many_of = columns(batch, first, batch.latest) | moves(batch)
        values |= sent(conn, many_of | ({"ids": batch.ids} if more else {}), KINDS)
    if riding is not None:
        values |= riding.values | sent(conn, riding.columns, riding.kinds)
    # PostgreSQL prepares no transaction that has notified; followers look again by themselves.
    notify = notify and not _is_two_phase(conn)
    age = _age(place["size"] if "size" in place else conn.info.get(_SIZE, 0))
    rides = ("", "") if riding is None else riding.parts()
    statement = _statement(tables, driver, key, notify=notify, form=form, age=age, rides=rides)
    try:
        with _whole(conn, 1 + len(more)):
            row = statement.first(conn, values)
            if row is None:
                return None
            log_id, size, known_at, *_ = row
            known = None if known_at is None else stored_instant(known_at)
            base = Base(log_id=log_id, size=size, known_at=known)
            for part in more:
                values = sent(conn, columns(batch, part, batch.known(known)), KINDS)
                values |= {"log": base.log_id, "first": base.size + part.start}
                (written,) = _statement(tables, driver, "more").first(conn, values)
                if written != len(batch.drafts[part]):
                    raise left_out(tables.event.fullname)
    except DBAPIError as error:
        refusal = _refusal(tables, batch, error, rides=riding is not None)
        if refusal is None:
            raise
        raise refusal from error.orig
    conn.info[_SIZE] = base.size
    return base


def _is_two_phase(conn: Writer) -> bool:
    return isinstance(conn, Connection) and isinstance(conn.get_transaction(), TwoPhaseTransaction)


def _age(size: int) -> int:
    """A number that changes as often as a log of this size has grown four-fold.

    It stands in the statement, which is planned anew then: a plan that suits a table of one page
    reads all of it, and would do so until the next ANALYZE.
    """
    return size.bit_length() // 2


def _refusal(tables: Tables, batch: Batch, error: DBAPIError, *, rides: bool) -> Exception | None:
    """What the driver's error means for the batch, None where it is about something else."""
    found = diagnosis(error)
    if found.sqlstate == NO_NUMBER and (told := _TOLD.search(found.message)):
        refused = json.loads(told[0])
        if refused["taken"] is not None:
            # An event sent twice is refused for its id, not for the stream that it opened itself.
            return already_recorded(*refused["taken"])
        stream = refused["stream"]
        return wrong_version(stream, batch.moves[stream][0], refused["actual"])
    if found.sqlstate == NO_NUMBER and _LEFT_OUT in found.message:
        return left_out(tables.event.fullname)
    if rides and (_BEHIND in found.message or found.sqlstate == _NO_TABLE):
        return Behind()
    if found.constraint == tables.layout.table("stream_pk"):
        return _Opened()
    if found.constraint == tables.layout.table("event_id_key"):
        # The transaction is aborted and cannot be asked any more; the detail quotes the key.
        taken = next((name for name in batch.ids if f", {name})" in found.detail), "")
        return already_recorded(taken)
    return None
