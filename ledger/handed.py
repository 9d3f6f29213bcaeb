"""What a host may hand in where an id goes: the id, a receipt of it, or a party to register."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict, TypeVar, cast

import attrs
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import StaticPool

from ledger.appending import Clock, utc_now
from ledger.errors import (
    Invalid,
    InvalidClaim,
    InvalidLayout,
    InvalidView,
    LedgerError,
    StoreError,
)
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.hashing import EMPTY_ROOT
from ledger.model.attribution import Link
from ledger.model.claim import Claim
from ledger.model.document import Document
from ledger.model.moment import Edtf
from ledger.model.party import Membership, Party
from ledger.model.proposition import Occurrence, Proposition, Topic
from ledger.model.quotation import Quotation
from ledger.model.text import did_you_mean, near, show
from ledger.receipt import Receipt
from ledger.recording.intake import Intake, Made
from ledger.recording.registering import Noun
from ledger.store import read, schema
from ledger.store.binds import Host, is_session
from ledger.store.engines import engine_for
from ledger.store.layout import Layout
from ledger.store.tables import tables_for
from ledger.store.transaction import reading

T = TypeVar("T")
Id = str | Receipt
Who = Id | Party | Sequence[Id | Party]
When = str | dt.date | Edtf
Quote = str | Sequence[str] | Quotation

_NAMING: Final[Mapping[type[Any], tuple[str, ...]]] = {
    Party: ("part_of", "members"),
    Membership: ("member", "organisation"),
    Topic: ("part_of",),
    Proposition: ("topic",),
    Occurrence: ("propositions",),
    Document: ("publisher", "revises"),
}
"""The fields of each noun in which ids of others stand."""


NOUNS: Final = (*_NAMING,)
"""What is registered."""


_OF_A_CLAIM: Final = frozenset(field.name for field in attrs.fields(Claim))


class ActFields(TypedDict, total=False):
    """What any act of saying may say of itself: who passed it on, when, where, in which words."""

    id: str | None
    via: Who | None
    on_behalf_of: Who | None
    chain: Sequence[Link] | Sequence[Sequence[Link]] | None
    capacity: str | None
    uttered: When | None
    utterance: str | None
    document: Id | None
    quote: Quote | None
    note: str | None


class ClaimFields(ActFields, total=False):
    """The further fields of a claim; `ledger.Claim` explains them."""

    stance: str | None
    factuality: str | None
    about: When | None
    expires: When | None
    conditions: str | None
    addressees: Who | None
    mentions: Who | None
    language: str | None
    basis: str | None
    extra: Mapping[str, Any] | None


def id_of(value: Id) -> str:
    """The id itself."""
    return value.id if isinstance(value, Receipt) else value


def with_an_axis(*bare: object) -> None:
    """Refuse a date that does not say whether it is one of saying or of knowing.

    Raises:
        InvalidView: there is one.

    Example:
        >>> with_an_axis()
    """
    if bare:
        day = show(str(bare[0]))
        raise InvalidView(
            f"as_of({day}) does not say which date that is. Type as_of(said={day}) for what had "
            f"been said by then, as_of(known={day}) for what the ledger knew by then, or "
            f"replay({day}) for what it showed.",
            field="said",
            given=bare[0],
        )


def ids_of(values: Id | Sequence[Id]) -> tuple[str, ...]:
    """One id or several, as a tuple."""
    if isinstance(values, str | Receipt) or not isinstance(values, Iterable):
        return (id_of(values),)  # what is no id at all is refused where it is looked up
    return tuple(map(id_of, values))


def plain(value: Any, parties: list[Party]) -> Any:
    """A field with ids for receipts and parties; the parties are put aside for registration."""
    match value:
        case Receipt():
            return value.id
        case Party():
            parties.append(value)
            return value.id
        case Link():
            return _evolved(value, ("agent",), parties)
        case list() | tuple():
            return tuple(plain(one, parties) for one in value)
        case _:
            return value


def plain_fields(fields: Mapping[str, Any], parties: list[Party] | None = None) -> dict[str, Any]:
    """The fields of a record with ids for receipts and parties."""
    aside: list[Party] = [] if parties is None else parties
    return {key: plain(value, aside) for key, value in fields.items()}


def claim_of(fields: Mapping[str, Any]) -> Claim:
    """The claim that typed fields make.

    Raises:
        InvalidClaim: a claim has no such field; or what the fields say cannot be.
    """
    if not fields.keys() <= _OF_A_CLAIM:
        known = [field.name for field in attrs.fields(Claim)]
        name = next(one for one in fields if one not in _OF_A_CLAIM)
        raise InvalidClaim(
            f"A claim has no {show(name)}.{did_you_mean(near(name, known))} What it has: "
            f"{', '.join(known)}.",
            field=name,
            given=fields[name],
        )
    return Claim(**fields)


def with_parties(noun: Noun) -> tuple[Noun, ...]:
    """A noun with ids for receipts and parties, behind the parties it was handed in with.

    Raises:
        Invalid: it is nothing that is registered.
    """
    fields = _NAMING.get(type(noun))
    if fields is None:
        raise Invalid(
            f"{show(noun)} is nothing to register. Give a Party, Membership, Topic, Proposition, "
            "Occurrence or Document; a claim goes into ledger.record(claimant=..., act=..., ...), "
            "or Claim(...) into ledger.record_all([...]).",
            field="noun",
            given=noun,
        )
    aside: list[Party] = []
    done = _evolved(noun, fields, aside)
    return (*(one for party in aside for one in with_parties(party)), done)


def _evolved(noun: Any, fields: Sequence[str], parties: list[Party]) -> Any:
    """The same object where ids stand already: a document's text is not hashed twice."""
    given = {field: getattr(noun, field) for field in fields}
    ready = {field: plain(value, parties) for field, value in given.items()}
    return noun if ready == given else attrs.evolve(noun, **ready)


def host_of(target: str | os.PathLike[str] | Host, layout: Layout) -> Host:
    """What a ledger is bound to: what a host handed in, or an engine for a path or URL.

    Raises:
        Invalid: it is none of them, or an empty path; what asyncio uses is told where to go.
    """
    if isinstance(target, Engine | Connection) or is_session(target):
        return target
    if not isinstance(target, str) and not hasattr(target, "__fspath__"):
        name, hint = type(target).__name__, ""
        if name.startswith(("Async", "async")):
            hint = " Write AsyncLedger(...) for it."
        elif name == "URL":
            hint = " Write it as text: url.render_as_string(hide_password=False)."
        raise Invalid(
            "A ledger is bound to a path, the text of a URL, an Engine, a Connection or a "
            f"Session, not to {name}.{hint}",
            field="bind",
            given=target,
        )
    path = cast("str | os.PathLike[str]", target)
    if not os.fspath(path).strip():
        raise Invalid(
            "The path is empty. Type the path of a file; a ledger that is not kept is ':memory:'.",
            field="bind",
            given=target,
        )
    return engine_for(path, layout=layout)


def let_go(engine: Engine) -> None:
    """Close the connections of an engine; a database in memory is not made anew, and empty."""
    engine.dispose()
    if isinstance(engine.pool, StaticPool) and not event.contains(engine, "do_connect", _gone):
        event.listen(engine, "do_connect", _gone)


def _gone(*_: object) -> None:
    raise StoreError(
        "The ledger was in memory and has been closed: what it held is gone. Open another one; to "
        "keep what is recorded, open a path."
    )


def layout_of(layout: object) -> Layout:
    """The layout that was handed in, or the usual one.

    Raises:
        InvalidLayout: it is something else, such as the prefix by itself.
    """
    if layout is None or isinstance(layout, Layout):
        return layout or Layout()
    typed = f"prefix={layout!r}" if isinstance(layout, str) else 'prefix="ledger_"'
    raise InvalidLayout(
        f"{show(layout)} is no layout. Write layout=Layout({typed}).", field="layout", given=layout
    )


def origin_of(origin: str) -> str:
    """The name of a log.

    Raises:
        Invalid: it is no text.
        InvalidCheckpoint: it is empty, or more than a line.
    """
    if not isinstance(origin, str):
        raise Invalid(
            f"{show(origin)} cannot name a log. Write one line of text, such as "
            "origin='claims.example/ledger'.",
            field="origin",
            given=origin,
        )
    return Checkpoint(origin, 0, EMPTY_ROOT).origin


def ready(bind: Engine | Connection, layout: Layout, origin: str | None) -> None:
    """Make the tables where there are none; and see that a log which was not named is there.

    Raises:
        Invalid: no origin was given, and the database holds only logs of other names than the
            usual one: it was forgotten, and an empty log would be taken for one of these.
    """
    if not schema.ensure(bind, layout) or origin is not None:
        return
    with reading(bind) as conn:
        held = read.origins(conn, tables_for(layout))
    if held and "default" not in held:
        raise Invalid(
            f"The database holds no log 'default', but {', '.join(map(show, held))}. Write "
            f"origin={show(held[0])} to open one that is there, or origin='default' to begin one.",
            field="origin",
            given=None,
        )


def clock_of(clock: Clock) -> Clock:
    """A function that tells the time; what it tells is looked at each time.

    Raises:
        Invalid: it cannot be called, or tells something else.
    """
    if not callable(clock):
        raise Invalid(
            f"{show(clock)} is no clock. Give a function that returns an aware instant, such as "
            "clock=lambda: datetime.now(UTC), or leave it out.",
            field="clock",
            given=clock,
        )
    if clock is utc_now:
        return clock

    def now() -> dt.datetime:
        told: object = clock()
        if not isinstance(told, dt.datetime):
            raise Invalid(
                f"The clock tells {show(told)}, which is no instant. Give a function that returns "
                "an aware one, such as clock=lambda: datetime.now(UTC).",
                field="clock",
                given=told,
            )
        return told

    return now


def several(given: Iterable[Any], *, of: tuple[type[Any], ...], one: str) -> list[Any]:
    """What was handed in for several, in a list; `one` is what to type for a single one.

    Raises:
        Invalid: it is a single one, or nothing that can be gone through.
    """
    if isinstance(given, (*of, str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise Invalid(
            f"{show(given)} is not several. Write {one}, or hand in a list.",
            field="given",
            given=given,
        )
    return list(given)


def claims_of(given: Iterable[Claim]) -> list[Claim]:
    """The claims that were handed in.

    Raises:
        Invalid: it is a single one, or one of them is no claim.
    """
    found = several(given, of=(Claim,), one="ledger.record_all([claim])")
    for place, claim in enumerate(found):
        if not isinstance(claim, Claim):
            typed = "Claim(**fields)" if isinstance(claim, Mapping) else "Claim(...)"
            raise Invalid(
                f"{show(claim)}, at place {place}, is no claim. Write {typed}; a Party and its "
                "like go into ledger.register_all([...]).",
                field="claims",
                given=claim,
            )
    return found


def each(
    given: Iterable[tuple[int, T]], enter: Callable[[Intake, T], Made], intake: Intake
) -> list[Made]:
    """What becomes of each of several; a refusal has a note of which one it was, and where."""
    made: list[Made] = []
    for place, one in given:
        try:
            made.append(enter(intake, one))
        except LedgerError as error:
            error.add_note(
                f"It is at place {place} of the list, from 0: "
                f"{show(getattr(one, 'id', None) or one)}. Nothing of the list was stored."
            )
            raise
    return made
