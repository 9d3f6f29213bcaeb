"""Options that several commands share: which ledger, as of when, for whom the output is."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

import attrs
from cyclopts import Group, Parameter, Token
from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from ledger.cli.names import party
from ledger.cli.output import warn
from ledger.errors import Invalid, SchemaMissing, StoreError
from ledger.ledger import Ledger
from ledger.model.events import Recorder
from ledger.model.text import is_number, show
from ledger.projecting import cells, claims
from ledger.store import cursors, read, schema
from ledger.store.engines import engine_for
from ledger.store.layout import Layout
from ledger.store.tables import tables_for
from ledger.store.transaction import reading
from ledger.view import View


def _whole(_type: object, tokens: Sequence[Token]) -> int:
    """A whole number in digits, where cyclopts rounds 1.5 and reads 0x10."""
    typed = tokens[0].value
    if not is_number(typed.removeprefix("-")):
        raise ValueError(f"{show(typed)} is no whole number. Write one in digits, such as 12.")
    return int(typed)


Number = Annotated[int, Parameter(converter=_whole)]
NumberOrNone = Annotated[int | None, Parameter(converter=_whole)]
Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Many = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
At = Annotated[tuple[str, ...], Parameter(name="--range", negative=(), show_default=False)]
Id = Annotated[str | None, Parameter(name="--id")]
NewId = Annotated[str, Parameter(name="ID")]
PartyName = Annotated[str | None, Parameter(name="--party")]

LONG: Final = 10_000
"""From how many events on a log is better not read as a whole."""

_IN_MEMORY: Final = frozenset({"", ":memory:"})
_OF_THE_LEDGER: Final = Group("Ledger", sort_key=1)
ENTER: Final = Group("Enter", sort_key=1)
UNDO: Final = Group("Undo", sort_key=2)
ASK: Final = Group("Ask", sort_key=3)
CHECK: Final = Group("Check and keep", sort_key=4)


@Parameter(name="*", group=_OF_THE_LEDGER)
@attrs.frozen(kw_only=True)
class Where:
    """Which ledger, and whether to print JSON."""

    db: Annotated[str, Parameter(env_var="CLAIMS_DB")] = "claims.db"
    """Path or URL of the ledger."""
    origin: Annotated[str | None, Parameter(env_var="CLAIMS_ORIGIN")] = None
    """The name of the log, if there are several."""
    prefix: Annotated[str, Parameter(env_var="CLAIMS_PREFIX")] = Layout().prefix
    """The prefix of the table names."""
    schema: Annotated[str | None, Parameter(env_var="CLAIMS_SCHEMA")] = None
    """The schema of the tables, on PostgreSQL."""
    json: Flag = False
    """Print JSON."""
    begins: ClassVar[bool] = False
    """Whether a log that is named and not there yet may be begun."""

    @property
    def layout(self) -> Layout:
        """Where its tables are."""
        return Layout(prefix=self.prefix, schema=self.schema)

    @property
    def who(self) -> Recorder:
        """Who enters records: nobody, by a command that asks."""
        return Recorder(tool="claims")

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, which must be there, before and after.

        Raises:
            SchemaMissing: there is no such file.
            Invalid: it holds no such log, or several and none was named.
            StoreError: the file was deleted meanwhile.
        """
        path = self.expect_file()
        engine = engine_for(self.db, layout=self.layout)
        try:
            origin = self._origin(engine)
            ledger = Ledger(engine, layout=self.layout, origin=origin, recorder=self.who)
            served = self._keep_up(ledger, engine)
            yield ledger
            if "cells" not in served:
                _advise(ledger.appender.folded.fold.facts.size)
        finally:
            engine.dispose()
        if path is not None and not path.exists():
            raise StoreError(
                f"{show(str(path), 200)} was deleted or moved while the command ran: what it "
                "entered went with the file. Type the command again once the file is back.",
                stored="unknown",
            )

    def _keep_up(self, ledger: Ledger, engine: Engine) -> frozenset[str]:
        """Let what is entered or erased reach the library's own views; gives those served."""
        with reading(engine) as conn:
            served = cursors.served_names(conn, tables_for(self.layout), ledger.origin)
        for name, view in (("claims", claims), ("cells", cells)):
            if name in served:
                ledger.projections.add(view(self.layout))
        return served

    def expect_file(self) -> Path | None:
        """The ledger's file, if it is one; refused before a driver creates it.

        Raises:
            SchemaMissing: there is no such file, or a ledger in memory was asked for.
        """
        self.refuse_memory()
        place = _file_of(self.db)
        if place is None:
            return None
        if not Path(place).exists():
            raise SchemaMissing(
                f"There is no ledger at {show(place, 200)}. Type: claims init {shlex.quote(place)}"
            )
        if Path(place).is_file() and not Path(place).stat().st_size:  # a driver would write into it
            raise SchemaMissing(
                f"The file {show(place, 200)} is empty, so it holds no ledger. "
                f"Type: claims init {shlex.quote(place)}"
            )
        return Path(place)

    def refuse_memory(self) -> None:
        """Refuse a ledger in memory, which would end with the command."""
        if _file_of(self.db) in _IN_MEMORY:
            raise SchemaMissing(
                "A ledger in memory ends with the command. Type the path of a file, say claims.db"
            )

    def _origin(self, engine: Engine) -> str:
        """The log that was named, or the only one there is."""
        with reading(engine) as conn:
            schema.check(conn, self.layout)
            held = read.origins(conn, tables_for(self.layout))
        named = self.origin if self.origin is not None or len(held) != 1 else held[0]
        if named in held or not held or (named is not None and self.begins):
            return "default" if named is None else named
        what = "several logs" if named is None else f"no log {show(named)}"
        listed = ", ".join(map(show, held))
        raise Invalid(
            f"The database holds {what}: there is {listed}. Type one of them after --origin.",
            field="origin",
            given=named,
        )


@Parameter(name="*", group=_OF_THE_LEDGER)
@attrs.frozen(kw_only=True)
class Desk(Where):
    """Into which ledger, and who enters."""

    recorder: Annotated[str, Parameter(env_var="CLAIMS_RECORDER")] = Recorder().id
    """Who records, as a pseudonym: it stays in the log for ever."""
    begins: ClassVar[bool] = True

    @property
    def who(self) -> Recorder:
        """Who enters records."""
        return Recorder(id=self.recorder, tool="claims")


def _advise(folded: int) -> None:
    """Say how a long log is read no more as a whole."""
    if folded >= LONG:
        warn(
            f"claims: The whole log was held in memory, {folded:,} events. With tables made for "
            "that, most commands read a few of them. Type: claims index"
        )


def _file_of(db: str) -> str | None:
    """The path of an SQLite database; None for a URL that is none."""
    if "://" not in db:
        return db
    try:
        url = make_url(db)
        path = url.database or ""
    except (ArgumentError, ValueError):  # told by the store
        return None
    return None if url.get_backend_name() != "sqlite" or path.startswith("file:") else path


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class When:
    """As of which dates to ask; both are a day or an instant."""

    said: str | None = None
    """What had been said by this date; now if left out."""
    known: str | None = None
    """What this ledger knew by this date or sequence number; everything if left out."""

    def view(self, ledger: Ledger) -> View:
        """The ledger as of these dates."""
        return ledger.as_of(said=self.said, known=number_or_day(self.known))


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Scope:
    """Whom and what an answer is narrowed to; everything if left out."""

    who: PartyName = None
    """Only of this party, by id or by its name on that day."""
    topic: str | None = None
    """Only on this topic and the topics inside it."""
    proposition: str | None = None
    """Only on this proposition."""

    def of(self, view: View) -> dict[str, str | None]:
        """The same with the party's id, in a view."""
        return {
            "party": party(view, self.who),
            "topic": self.topic,
            "proposition": self.proposition,
        }


HERE: Final = Where()
DESK: Final = Desk()
NOW: Final = When()
ALL: Final = Scope()


def number_or_day(known: str | None) -> str | int | None:
    """What --known says: the number of an event, or a date."""
    return known if known is None else number_or_id(known)


def number_or_id(typed: str) -> int | str:
    """A number as one, anything else as it was typed: more digits than a number has are an id.

    Example:
        >>> number_or_id("12"), number_or_id("C1")
        (12, 'C1')
    """
    return int(typed) if is_number(typed) else typed


def ranges(given: tuple[str, ...]) -> list[tuple[int, int]]:
    """Ranges typed as START-END, in code points from 0, the end not included.

    Raises:
        Invalid: it is typed otherwise.

    Example:
        >>> ranges(("32-39",))
        [(32, 39)]
    """
    found = []
    for one in given:
        start, _, end = one.partition("-")
        if not (is_number(start) and is_number(end)):
            raise Invalid(
                f"--range {show(one)} is no range. Type START-END, such as 32-39.",
                field="range",
                given=one,
            )
        found.append((int(start), int(end)))
    return found


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given: what is None or empty is left out."""
    return {key: value for key, value in fields.items() if value is not None and value != ()}
