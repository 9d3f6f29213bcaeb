"""After an erasure and the documented steps the words are in no file of the database."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger import Ledger
from ledger.interchange.out.exporting import FORMATS, export
from ledger.projecting import Projection, claims
from ledger.store import schema
from tests.erasing.conftest import NAME, WHY, filled

WORDS = "a very long statement that nobody will repeat after her "
LONG = WORDS * 400
"""Longer than a page: it lies in overflow pages on SQLite, in TOAST on PostgreSQL."""
NEEDLES = (WORDS.strip(), NAME, "the sluice by my garden has stood shut", "rang her at home")


def spoken(ledger: Ledger) -> Ledger:
    """Her world, a long note, and enough around it that pages split and are used again."""
    filled(ledger)
    for number in range(60):
        ledger.record(
            id=f"x{number}",
            claimant="board",
            act="assert",
            proposition="shut",
            uttered="2023-02-01",
            note=f"{number} " * 300,
        )
        if number == 30:
            ledger.amend("c1", note=LONG, reason=f"{NAME} rang again")
    return ledger


def silenced(ledger: Ledger) -> None:
    """Erase her and her words, everywhere."""
    ledger.erase("c1", **WHY)
    ledger.erase("paper-7", quotations=True, **WHY)
    ledger.erase("kovarikova", slots=["who", "words", "by"], **WHY)
    ledger.erase("hers", slots="what", **WHY)


def found(haystack: bytes) -> list[str]:
    return [needle for needle in NEEDLES if needle.encode() in haystack]


def in_files(path: Path) -> dict[str, list[str]]:
    """The needles in the database's file, its write-ahead log, its shared memory, its journal."""
    return {
        suffix: held
        for suffix in ("", "-wal", "-shm", "-journal")
        if (file := path.with_name(path.name + suffix)).exists()
        and (held := found(file.read_bytes()))
    }


def handed_out(ledger: Ledger, folder: Path) -> dict[str, list[str]]:
    """The needles in whatever the ledger tells now: answers of any date, exports, a bundle."""
    views = {f"at {known}": ledger.as_of(known=known) for known in (11, None)}
    told: dict[str, str] = {}
    for name, view in views.items():
        told[f"events {name}"] = repr(list(view.events()))
        for party in view.parties():
            told[f"positions {party.id} {name}"] = repr(
                (
                    view.positions(party=party.id),
                    view.attributed_to(party.id),
                    view.explain(party.id, "shut"),
                    view.evidence(party.id, "shut"),
                )
            )
        told[f"claims {name}"] = repr((view.claims(), view.parties(), view.documents()))
    told["log"] = repr(list(ledger.log()))
    told["traces"] = repr([ledger.trace(one.id) for one in ledger.claims()])
    told["quotes"] = repr((ledger.check_quotes(), ledger.resting_on("paper-7")))
    told["silences"] = repr(ledger.silences("weir"))
    ledger.bundle(folder / "bundle")
    for name, of in FORMATS.items():
        export(ledger.as_of(), name, folder / f"export-{name}" if of.folder else folder / name)
    held = {name: found(text.encode()) for name, text in told.items()}
    held |= {str(one): found(one.read_bytes()) for one in folder.rglob("*") if one.is_file()}
    return {name: needles for name, needles in held.items() if needles}


def refusing(_conn, event):
    if event.type == "claim_recorded" and event.event.key == "c1":
        raise ValueError(event.event.quote.exact)


def test_on_sqlite_the_words_are_in_no_file_once_they_are_erased(tmp_path):
    path = tmp_path / "claims.db"
    with Ledger.open(path) as ledger:
        ledger.projections.add(claims(ledger.layout))
        spoken(ledger)
        assert "quotes" in handed_out(ledger, tmp_path / "before")
        ledger.projections.add(
            Projection(name="failing", apply=refusing, retries=0), mode="deferred"
        )
        ledger.projections.run("failing")
        assert "the sluice" in ledger.projections.parked("failing")[0].reason
        assert in_files(path)
        silenced(ledger)
        assert in_files(path) == {}
        assert ledger.projections.parked("failing")[0].reason == "(erased)"
        assert ledger.verify(views=True).erased > 0
        assert handed_out(ledger, tmp_path / "out") == {}
    assert in_files(path) == {}


@pytest.mark.parametrize("journal", ["delete", "truncate", "persist", "wal"])
def test_in_a_hosts_own_file_they_are_gone_after_the_steps_that_are_told(tmp_path, journal):
    path = tmp_path / "host.db"
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA journal_mode = {journal}")
        raw.execute("PRAGMA secure_delete = OFF")
        raw.execute("CREATE TABLE parcel (id integer)")
    raw.close()
    engine = sa.create_engine(f"sqlite:///{path}")
    sa.event.listen(
        engine, "connect", lambda conn, _: conn.execute(f"PRAGMA journal_mode = {journal}")
    )
    schema.upgrade(engine)
    spoken(Ledger(engine))
    with engine.connect() as conn:
        silenced(Ledger(conn))
        steps = Ledger(conn).erase("board", slots="who", **WHY).steps
        conn.commit()
    assert any("claims vacuum" in one.how for one in steps)
    assert all(one.done for one in Ledger(engine).vacuum()[:-1])
    assert in_files(path) == {}
    engine.dispose()
    assert in_files(path) == {}


def test_what_another_reads_meanwhile_is_told_and_gone_after(tmp_path):
    path = tmp_path / "claims.db"
    with Ledger.open(path) as ledger:
        spoken(ledger)
        with contextlib.closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM ledger_event").fetchone()
            steps = ledger.erase("c1", **WHY).steps
            told = [one for one in steps if "journal" in one.what]
            assert [one.done for one in told] == [False]
            assert "Somebody reads an older state" in told[0].how
            reader.rollback()
        silenced(ledger)
        ledger.vacuum()
        assert in_files(path) == {}


def in_tables(url: str) -> dict[str, list[str]]:
    """The needles in the files of every table, TOAST table and index of the ledger."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text("CHECKPOINT"))
        files = conn.execute(
            sa.text(
                "SELECT c.relname, pg_read_binary_file(pg_relation_filepath(c.oid)) "
                "FROM pg_class c "
                "WHERE c.relkind IN ('r', 't', 'i') AND pg_relation_filepath(c.oid) IS NOT NULL "
                "AND (c.relname LIKE 'ledger\\_%' OR c.oid IN ("
                "  SELECT reltoastrelid FROM pg_class WHERE relname LIKE 'ledger\\_%'))"
            )
        ).all()
    engine.dispose()
    assert any(name.startswith("pg_toast") for name, _ in files)
    return {name: held for name, data in files if (held := found(bytes(data)))}


def test_on_postgresql_the_words_are_in_no_heap_and_no_toast_after_the_steps(
    postgres_url, tmp_path
):
    with Ledger.open(postgres_url) as ledger:
        ledger.projections.add(claims(ledger.layout))
        spoken(ledger)
        before = in_tables(postgres_url)
        assert "ledger_event" in before
        assert any(name.startswith("pg_toast") for name in before)
        silenced(ledger)
        steps = ledger.erase("board", slots="who", **WHY).steps
        assert [one.done for one in steps] == [False, False]
        assert "claims vacuum" in steps[0].how
        ledger.vacuum()
        assert in_tables(postgres_url) == {}
        assert ledger.verify(views=True).erased > 0
        assert handed_out(ledger, tmp_path / "out") == {}


def in_statistics(conn: sa.Connection) -> list[str]:
    """The needles in what PostgreSQL's planner keeps of the content of the ledger's tables."""
    kept = conn.execute(
        sa.text(
            "SELECT concat(histogram_bounds::text, most_common_vals::text) FROM pg_stats "
            "WHERE tablename LIKE 'ledger\\_%'"
        )
    ).scalars()
    whole = " ".join(kept)
    return [needle for needle in NEEDLES if needle.encode().hex() in whole or needle in whole]


def test_on_postgresql_the_planner_keeps_none_of_the_words_after_the_steps(postgres_url):
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with Ledger.open(postgres_url) as ledger, engine.connect() as conn:
        spoken(ledger)
        conn.exec_driver_sql("ANALYZE")
        assert NAME in in_statistics(conn)
        silenced(ledger)
        steps = ledger.vacuum()
        assert "statistics" in steps[0].what
        assert in_statistics(conn) == []


def test_who_owns_the_tables_alone_is_told_what_the_planner_may_keep(postgres_url):
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    role = f"keeper_{sa.make_url(postgres_url).database}"
    with engine.connect() as conn:
        conn.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        conn.exec_driver_sql(f"GRANT CREATE ON SCHEMA public TO {role}")
        try:
            own = sa.make_url(postgres_url).set(username=role)
            with Ledger.open(own.render_as_string(hide_password=False)) as ledger:
                spoken(ledger)
                silenced(ledger)
                _, statistics, _ = ledger.vacuum()
            assert not statistics.done
            assert "VACUUM (FULL) pg_statistic" in statistics.how
        finally:
            conn.exec_driver_sql(f"DROP OWNED BY {role}")
            conn.exec_driver_sql(f"DROP ROLE {role}")
