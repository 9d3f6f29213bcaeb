"""Sweeping: that erased content is gone from the database's files, not from its answers alone.

Here live the steps that a database can take itself, and the words about those that it cannot. What
is erased, and that it may be, is decided elsewhere; these steps change no answer.

```
            as a slot is emptied          after the commit            to be sure
SQLite      secure_delete: zeros          the write-ahead log is cut  VACUUM: the file anew
PostgreSQL  a dead row stays in its page  -                           VACUUM (FULL): tables anew
```
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Final

import attrs
from sqlalchemy import Connection, Engine, Table, text

from ledger.errors import StoreError
from ledger.projections.answer import Answer
from ledger.store.binds import Bind
from ledger.store.refusals import told
from ledger.store.tables import Tables
from ledger.store.turns import only_connection
from ledger.store.ways import lent


@attrs.frozen(kw_only=True)
class Step(Answer):
    """One step towards erased content being in no file: whether it is done, else how to do it."""

    what: str
    done: bool
    how: str = ""

    def __str__(self) -> str:
        return f"done: {self.what}" if self.done else f"to do: {self.what}. {self.how}"


_VACUUM: Final = "Type: claims vacuum, or in Python: ledger.vacuum()"
_PATIENCE: Final = 500
"""Milliseconds that a reader is waited for who keeps the write-ahead log from being cut."""
_STATISTICS: Final = Step(
    what="dead rows of the planner's statistics may hold some of it in their pages",
    done=False,
    how="As the owner of the database, type: VACUUM (FULL) pg_statistic",
)
_COPIES: Final = Step(
    what="copies outside this database still hold it",
    done=False,
    how="Let backups, replicas, archived write-ahead logs and files that were handed out expire, "
    "or make them anew.",
)


def after_erasing(bind: Bind) -> tuple[Step, ...]:
    """What can be done at once where the ledger owns the transaction, and what is to do."""
    if bind.dialect.name == "postgresql":
        return (_postgres_step(done=False), _COPIES)
    if isinstance(bind, Engine) and _in_memory(bind):
        return ()
    steps = [Step(what="SQLite wrote zeros over it (secure_delete)", done=True)]
    if isinstance(bind, Connection):
        how = f"After your commit: {_VACUUM[0].lower()}{_VACUUM[1:]}"
        steps.append(Step(what="the journal of the database may hold it", done=False, how=how))
    else:
        steps += _cut_journal(bind)
    pages = "a file that was made before secure_delete was on may hold copies in free pages"
    return (*steps, Step(what=pages, done=False, how=_VACUUM), _COPIES)


def sweep(engine: Engine, tables: Tables, views: Sequence[Table]) -> tuple[Step, ...]:
    """Write the log's and the views' files anew; others wait meanwhile.

    Raises:
        StoreError: The database refused: somebody is reading or writing, or a right is missing.
    """
    with told(), _autocommit(engine) as conn:
        if engine.dialect.name == "postgresql":
            statistics = _write_anew(conn, [tables.event, tables.parked, tables.cursor, *views])
            return (_postgres_step(done=True), *(() if statistics else (_STATISTICS,)), _COPIES)
        conn.exec_driver_sql("VACUUM")
    if _in_memory(engine):
        return ()
    file = Step(what="the file was written anew (VACUUM)", done=True)
    return (file, *_cut_journal(engine), _COPIES)


def _write_anew(conn: Connection, given: Sequence[Table]) -> bool:
    """Write tables anew, and what the planner learnt of their content; whether that whole."""
    names = [table.fullname for table in given]
    passed_over = [name for name in names if not _is_new(conn, name, "FULL, ANALYZE")]
    if passed_over:
        role = conn.exec_driver_sql("SELECT current_user").scalar()
        raise StoreError(
            f"PostgreSQL did not write {', '.join(passed_over)} anew, since the role {role} does "
            "not own them: what was erased still stands in their pages. Connect as their owner, "
            "such as a member of ledger_owner, and vacuum once more."
        )
    return _is_new(conn, "pg_catalog.pg_statistic", "FULL")


def _is_new(conn: Connection, table: str, how: str) -> bool:
    """Vacuum a table; PostgreSQL passes over those of others with a warning alone."""
    file = text("SELECT pg_relation_filenode(CAST(:name AS regclass))")
    before = conn.execute(file, {"name": table}).scalar()
    conn.exec_driver_sql(f"VACUUM ({how}) {table}")
    return bool(conn.execute(file, {"name": table}).scalar() != before)


@contextlib.contextmanager
def _autocommit(engine: Engine) -> Iterator[Connection]:
    """A connection outside of any transaction, once nobody else uses an engine's only one."""
    only = only_connection(engine)
    with contextlib.nullcontext() if only is None else only.turn, lent(engine) as conn:
        yield conn.execution_options(isolation_level="AUTOCOMMIT")


def _in_memory(engine: Engine) -> bool:
    with _autocommit(engine) as conn:
        return all(not file for *_, file in conn.exec_driver_sql("PRAGMA database_list"))


def _postgres_step(*, done: bool) -> Step:
    if done:
        return Step(
            what="tables, TOAST and the planner's statistics were written anew (VACUUM FULL)",
            done=True,
        )
    return Step(what="dead rows hold it in their pages", done=False, how=_VACUUM)


def _cut_journal(engine: Engine) -> list[Step]:
    """Let no page of the past stand in a journal: of a write-ahead log, or one that is kept."""
    try:
        with told(), _autocommit(engine) as conn:
            mode = str(conn.exec_driver_sql("PRAGMA journal_mode").scalar()).lower()
            if mode == "wal":
                busy = _cut_wal(conn)
            else:
                busy = 0
                if mode == "persist":
                    conn.exec_driver_sql("PRAGMA journal_mode = DELETE")
                    conn.exec_driver_sql("PRAGMA journal_mode = PERSIST")
    except StoreError:
        busy = 1
    if busy:
        how = (
            f"Somebody reads an older state. When they are done: {_VACUUM[0].lower()}{_VACUUM[1:]}"
        )
        return [Step(what="the journal of the database holds it", done=False, how=how)]
    return [Step(what="the journal of the database was cut", done=True)]


def _cut_wal(conn: Connection) -> int:
    """Cut the write-ahead log; 1 where somebody still reads in it, which is not waited for long."""
    patience = conn.exec_driver_sql("PRAGMA busy_timeout").scalar()
    conn.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE}")
    try:
        return int(conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0])
    finally:
        conn.exec_driver_sql(f"PRAGMA busy_timeout = {patience}")
