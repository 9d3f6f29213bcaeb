"""What a ledger can be bound to, and the Engine or Connection that this comes to at a moment.

Here lives that alone. Who begins and ends a transaction is in `transaction`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InvalidRequestError, UnboundExecutionError

from ledger.errors import Invalid, InvalidLayout, StoreError
from ledger.store.layout import Layout

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, scoped_session

Bind: TypeAlias = Engine | Connection
AnySession: TypeAlias = "Session | scoped_session[Any]"
Host: TypeAlias = "Bind | AnySession"


def is_session(host: object) -> TypeGuard[AnySession]:
    """Whether a host hands in an ORM Session, or a registry of them; the ORM is not imported."""
    orm = sys.modules.get("sqlalchemy.orm")
    return orm is not None and isinstance(host, orm.Session | orm.scoped_session)


def session_of(host: AnySession) -> Session:
    """The Session itself: of a registry, that of this thread or task."""
    return cast("Session", host() if callable(host) else host)


def engine_or_connection(host: Host) -> Bind:
    """What to work with now: of a Session, the Connection of its transaction.

    Raises:
        Invalid: The Session has several engines, and none for what no class of the host's maps.
        StoreError: Its transaction can take no statement now, as it failed or is prepared.
    """
    if not is_session(host):
        return cast("Bind", host)
    try:
        return session_of(host).connection()
    except UnboundExecutionError as error:
        raise Invalid(
            "The Session has no engine of its own, so nobody can tell where the ledger is. Write "
            'Ledger(session.connection(bind_arguments={"mapper": ...})) with a class that is '
            "stored beside it, or give the Session a bind=.",
            field="bind",
            given=host,
        ) from error
    except InvalidRequestError as error:
        why = str(error.args[0]).partition("\n")[0]
        raise StoreError(
            f"The Session's transaction takes no statement now: {why} Nothing was written; end it "
            "with session.rollback() or, where it is prepared, session.commit()."
        ) from error


def refuse_options(bind: Bind, layout: Layout) -> None:
    """Refuse a bind whose options have a ledger's statements carried out otherwise than written.

    A schema_translate_map would have what goes to the driver itself in one schema, and the rest in
    another. A cursor of the server's is for one SELECT: it takes no other statement, and SQLAlchemy
    has fetched its first row by the time the driver is asked for all of them.

    Raises:
        InvalidLayout: Its `schema_translate_map` names the layout's schema.
        Invalid: It has `stream_results` or `yield_per`, and such cursors.
    """
    options = bind.get_execution_options()
    translated = options.get("schema_translate_map") or {}
    if layout.schema in translated:
        there = translated[layout.schema]
        raise InvalidLayout(
            f"The {type(bind).__name__} has a schema_translate_map that puts {there!r} for the "
            f"ledger's schema, {layout.schema!r}; a ledger does not follow it. Give it the schema "
            "itself, layout=Layout(schema=...), or an engine without the map.",
            field="schema",
            given=there,
        )
    streams = [one for one in ("stream_results", "yield_per") if options.get(one)]
    if streams and (bind.dialect.name == "postgresql" or bind.dialect.is_async):
        raise Invalid(
            f"The {type(bind).__name__} has the option {streams[0]}, by which every statement on "
            "it goes through a cursor of the server's; a ledger's do not. Set it where you stream, "
            f"on the statement: conn.execute(query, execution_options={{{streams[0]!r}: ...}}).",
            field=streams[0],
            given=options.get(streams[0]),
        )
