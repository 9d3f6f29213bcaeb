"""The roles of `claims schema grants`, on a real server, each logged in as somebody of its own."""

from __future__ import annotations

from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ledger import Ledger, Party, Proposition
from ledger.errors import InvalidLayout, StoreError
from ledger.projecting import cells
from ledger.store import schema
from ledger.store.cells import tables_of
from ledger.store.grants import Roles, grants
from ledger.store.layout import Layout

ATTACKS = {
    "update": "UPDATE {event} SET entry = '{{}}'",
    "update of a slot": "UPDATE {event} SET slot_who = NULL",
    "delete": "DELETE FROM {event}",
    "delete of a head": "DELETE FROM {log}",
    "delete of a stream": "DELETE FROM {stream}",
    "truncate": "TRUNCATE {event}",
    "drop": "DROP TABLE {event}",
    "drop of a trigger": "DROP TRIGGER {p}event_no_delete ON {event}",
    "drop of a function": "DROP FUNCTION {refuse}() CASCADE",
    "another function": (
        "CREATE OR REPLACE FUNCTION {refuse}() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN OLD; END'"
    ),
    "another trigger": (
        "CREATE TRIGGER mine BEFORE INSERT ON {event} FOR EACH ROW EXECUTE FUNCTION {refuse}('')"
    ),
    "disabled triggers": "ALTER TABLE {event} DISABLE TRIGGER ALL",
    "a rule": "CREATE RULE mine AS ON INSERT TO {event} DO INSTEAD NOTHING",
    "another column": "ALTER TABLE {event} ADD COLUMN mine int",
    "replica": "SET session_replication_role = replica",
    "the owner's role": "SET ROLE {owner}",
    "a renamed log": "UPDATE {log} SET origin = 'other'",
    "a smaller head": "UPDATE {log} SET size = 0",
    "a stream that goes back": "UPDATE {stream} SET version = -1",
    "the version of the tables": "UPDATE {version} SET version_num = 'ledger_0001'",
    "a gap": (
        "INSERT INTO {event} (log_id, seq, id, type, stream, stream_v, known_at, entry, leaf_hash) "
        "SELECT log_id, 7, 'x', type, stream, 0, known_at, entry, leaf_hash FROM {event} "
        "WHERE seq = 0"
    ),
}


@pytest.fixture(params=[Layout(), Layout(prefix="claims_", schema="archive")], ids=["", "archive"])
def layout(request):
    return request.param


class Site:
    """A database whose tables belong to a role, and somebody to log in as for each role."""

    def __init__(self, url, layout):
        self.url, self.layout = sa.make_url(url), layout
        mark = uuid4().hex[:8]
        self.roles = Roles(
            owner=f"ledger owner {mark}", writer=f"100% writer's {mark}", reader=f"reader_{mark}"
        )
        self.engines = {"admin": sa.create_engine(url)}
        schema.upgrade(self.admin, layout)

    @property
    def admin(self):
        return self.engines["admin"]

    def grant(self):
        with self.admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            driver = conn.connection.driver_connection
            assert driver is not None
            driver.execute(grants(self.layout, self.roles))

    def as_(self, role, *, create=None):
        """An engine of somebody who logs in, and is a member of that role alone."""
        user = f"{role}_{uuid4().hex[:8]}"
        with self.admin.begin() as conn:
            conn.execute(text(f"CREATE ROLE {user} LOGIN PASSWORD 'open-sesame'"))
            if create:
                conn.execute(text(create.format(user=user)))
            else:
                conn.execute(text(f'GRANT "{getattr(self.roles, role)}" TO {user}'))
        made = sa.create_engine(self.url.set(username=user, password="open-sesame"))
        self.engines[user] = made
        return made

    def names(self):
        names = ("log", "event", "stream", "refuse")
        return {
            **{one: self.layout.qualified(one) for one in names},
            "version": self.layout.qualified("alembic_version"),
            "p": self.layout.prefix,
            "owner": f'"{self.roles.owner}"',
        }

    def close(self):
        with self.admin.begin() as conn:
            for role in (*self.engines, *(getattr(self.roles, one) for one in ROLES)):
                if role != "admin":
                    conn.execute(text(f'DROP OWNED BY "{role}" CASCADE'))
                    conn.execute(text(f'DROP ROLE "{role}"'))
        for engine in self.engines.values():
            engine.dispose()


ROLES = ("owner", "writer", "reader")


@pytest.fixture
def site(postgres_url, layout):
    made = Site(postgres_url, layout)
    made.grant()
    yield made
    made.close()


def record(engine, layout, id_="c1"):
    ledger = Ledger(engine, layout=layout)
    ledger.register_all(
        [Party("board", name="Board"), Proposition("shut", text="The weir is shut")]
    )
    return ledger.record(id=id_, claimant="board", act="assert", proposition="shut")


def contents(engine, layout):
    with engine.connect() as conn:
        return [
            conn.execute(text(f"SELECT * FROM {layout.qualified(one)} ORDER BY 1, 2")).all()
            for one in ("log", "event", "stream")
        ]


def test_a_writer_records_and_the_attack_list_is_refused_to_it(site, layout):
    writer = site.as_("writer")
    assert record(writer, layout).stored == "stored"
    before = contents(site.admin, layout)
    for name, attack in ATTACKS.items():
        with pytest.raises(DBAPIError) as caught, writer.begin() as conn:
            conn.execute(text(attack.format(**site.names())))
        told = str(caught.value.orig)
        assert any(
            one in told
            for one in (
                "permission denied",
                "must be owner",
                "is append-only",
                "must be able to SET",
            )
        ), (name, told)
        assert contents(site.admin, layout) == before, name
    record(writer, layout, "c2")
    assert Ledger(writer, layout=layout).verify().size == 4


def test_a_reader_asks_and_verifies_and_is_told_why_it_cannot_write(site, layout):
    record(site.as_("writer"), layout)
    ledger = Ledger(site.as_("reader"), layout=layout)
    assert ledger.claims().ids == ("c1",)
    assert ledger.verify(ledger.checkpoint()).size == 3
    with pytest.raises(StoreError, match="The database role lacks a right that this needs") as told:
        ledger.register(Party("mill", name="The Mill"))
    assert told.value.stored == "no"
    assert ledger.verify().size == 3


def test_the_tables_of_projections_are_the_writers_to_fill_and_the_readers_to_read(site, layout):
    view = layout.qualified("v1_claim_2")
    with site.admin.begin() as conn:
        conn.execute(text(f"CREATE TABLE {view} (seq bigint)"))
    site.grant()
    with site.as_("writer").begin() as conn:
        conn.execute(text(f"INSERT INTO {view} VALUES (1)"))
        conn.execute(text(f"UPDATE {view} SET seq = 2"))
    reader = site.as_("reader")
    with reader.connect() as conn:
        assert conn.scalar(text(f"SELECT seq FROM {view}")) == 2
        with pytest.raises(DBAPIError, match="permission denied"):
            conn.execute(text(f"DELETE FROM {view}"))


@pytest.mark.parametrize("who", ["admin", "owner"])
def test_the_tables_of_cells_that_are_made_later_have_the_rights_of_the_others(site, layout, who):
    record(site.as_("writer"), layout)
    engine = site.admin if who == "admin" else site.as_("owner")
    with engine.connect() as conn:
        if who == "owner":
            conn.execute(text(f'SET ROLE "{site.roles.owner}"'))
        ledger = Ledger(conn, layout=layout)
        ledger.projections.add(cells(layout))
        ledger.projections.rebuild("cells")
        conn.commit()
    writer, reader = site.as_("writer"), Ledger(site.as_("reader"), layout=layout)
    assert record(writer, layout, "c2").stored == "stored"
    reader.projections.add(cells(layout))
    assert reader.position("board", "shut").status == "held"
    assert Ledger(writer, layout=layout).position("board", "shut").utterances == 2
    (table,) = (one for one in tables_of(layout, 0) if one.name.endswith("cell"))
    with site.admin.connect() as conn:
        owner = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST(:name AS regclass)"
        assert conn.scalar(text(owner), {"name": table.fullname}) == site.roles.owner


def test_a_writer_that_vacuums_is_told_that_nothing_was_written_anew(site, layout):
    writer = Ledger(site.as_("writer"), layout=layout)
    record(writer._folded.host, layout)
    with pytest.raises(StoreError, match="does not own them: what was erased still stands"):
        writer.vacuum()
    done = Ledger(site.admin, layout=layout).vacuum()
    assert done[0].done


def test_the_owner_upgrades_the_tables(site, layout):
    record(site.as_("writer"), layout)
    owner = site.as_("owner")
    with owner.connect() as conn:
        conn.execute(text(f'SET ROLE "{site.roles.owner}"'))
        other = Layout(prefix="second_", schema=layout.schema)
        schema.upgrade(conn, other)
        schema.check(conn, other)


@pytest.mark.parametrize("sees", [False, True])
def test_a_role_that_may_only_insert_cannot_insert_out_of_order(site, layout, sees):
    """By the order where it sees the heads; else the guard cannot look, and refuses it too."""
    record(site.as_("writer"), layout)
    names = site.names()
    rights = f"GRANT INSERT ON {names['event']} TO {{user}}"
    if sees:
        rights += f"; GRANT SELECT ON {names['event']}, {names['log']} TO {{user}}"
    blind = site.as_("blind", create=rights)
    with site.admin.begin() as conn:
        conn.execute(text(f"GRANT USAGE ON SCHEMA {layout.schema or 'public'} TO PUBLIC"))
    before = contents(site.admin, layout)
    why = "append-only|violates check constraint" if sees else "permission denied"
    for seq in (-1, 30, 70):
        with pytest.raises(DBAPIError, match=why), blind.begin() as conn:
            conn.execute(text(ROW.format(seq=seq, **names)))
    assert contents(site.admin, layout) == before


ROW = (
    "INSERT INTO {event} (log_id, seq, id, type, stream, stream_v, known_at, entry, leaf_hash) "
    "VALUES (1, {seq}, 'x', 'T', 's', 0, now(), '{{}}', '')"
)


def test_tables_of_the_attackers_own_do_not_lead_the_guard_astray(site, layout):
    """Names are looked up among the temporary tables first, unless the guard says otherwise."""
    writer = site.as_("writer")
    record(writer, layout)
    names = site.names()
    log, event = layout.table("log"), layout.table("event")
    before = contents(site.admin, layout)
    with writer.connect() as conn:
        conn.execute(text(f"CREATE TEMP TABLE {log} AS SELECT * FROM {names['log']}"))
        conn.execute(text(f"CREATE TEMP TABLE {event} AS SELECT * FROM {names['event']}"))
        conn.execute(text(f"UPDATE pg_temp.{log} SET size = 99"))
        conn.execute(text(f"UPDATE pg_temp.{event} SET seq = seq + 70"))
        real = f"{layout.schema or 'public'}.{event}"
        with pytest.raises(DBAPIError, match="is append-only"):
            conn.execute(text(ROW.format(seq=73, event=real)))
    assert contents(site.admin, layout) == before


def test_the_sql_may_be_run_again_and_takes_back_what_was_given_meanwhile(site, layout):
    names = site.names()
    with site.admin.begin() as conn:
        conn.execute(text(f'GRANT DELETE, TRIGGER ON {names["event"]} TO "{site.roles.writer}"'))
        conn.execute(text(f"GRANT SELECT ON {names['event']} TO PUBLIC"))
    site.grant()
    with site.admin.connect() as conn:
        given = conn.execute(
            text(
                "SELECT grantee, privilege_type FROM information_schema.table_privileges "
                "WHERE table_name = :name ORDER BY 1, 2"
            ),
            {"name": layout.table("event")},
        ).all()
    rights = {(who, right) for who, right in given if who != site.roles.owner}
    assert rights == {
        (site.roles.reader, "SELECT"),
        (site.roles.writer, "INSERT"),
        (site.roles.writer, "SELECT"),
    }


@pytest.mark.parametrize("name", ["", " ", "x" * 64, "nul\x00"])
def test_a_name_that_no_role_can_have_is_refused(name):
    with pytest.raises(InvalidLayout, match="cannot be the writer's role"):
        Roles(writer=name)


@pytest.mark.parametrize(
    "names", [{"writer": "ledger_owner"}, {"reader": "desk", "writer": "desk"}]
)
def test_roles_of_one_name_are_refused(names):
    with pytest.raises(InvalidLayout, match="Give three names"):
        Roles(**names)
