"""Which party a name denotes on a day, and what to say when an id or name is not known.

A name is asked for a day, past or future, inside a prefix: "Baku" may have been three parties in
three years (model.md, 1 and 3).
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from ledger import errors
from ledger.model import events as ev
from ledger.model.erasing import NAMELESS
from ledger.model.text import did_you_mean, near, show
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.erased import erased

_UNKNOWN: Final = {
    "party": errors.UnknownParty,
    "topic": errors.UnknownTopic,
    "proposition": errors.UnknownProposition,
    "occurrence": errors.UnknownOccurrence,
    "document": errors.UnknownDocument,
    "claim": errors.UnknownClaim,
}
_KIND_OF_EVENT: Final = {
    "party": ev.PartyRegistered,
    "topic": ev.TopicDefined,
    "proposition": ev.PropositionDefined,
    "occurrence": ev.OccurrenceDescribed,
    "document": ev.DocumentRegistered,
}


@attrs.frozen(kw_only=True)
class Denoted(Answer):
    """A party that a name denotes on a day; `certain` is False where the period is not sure."""

    party: str
    name: str
    metonym: bool
    certain: bool

    def __str__(self) -> str:
        sure = "" if self.certain else " (possibly)"
        return f"{self.name} is {self.party}{sure}"


def check(kind: str, given: object) -> None:
    """Refuse what is no id of anything."""
    if not isinstance(given, str):
        article = "An" if kind[0] in "aeiou" else "A"
        own = getattr(given, "id", None)
        hint = f" Register it, and write its id: {show(own)}." if isinstance(own, str) else ""
        raise errors.Invalid(
            f"{article} {kind} is named by its id, a text, not by {show(given)} "
            f"({type(given).__name__}).{hint}",
            field=kind,
            given=given,
        )


def find(facts: Facts, kind: str, given: str) -> str:
    """The ledger id of a live record, by the host's id or the ledger's own.

    Raises:
        NotFound: nothing of that kind has the id in this prefix; near matches are named.
    """
    check(kind, given)
    id_ = facts.id_of(kind, given) or given
    event = facts.effective.get(id_)
    wanted = _KIND_OF_EVENT.get(kind)
    claimed = kind == "claim" and isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn)
    if claimed or (wanted is not None and isinstance(event, wanted)):
        return id_
    if id_ in facts.stored and (gone := erased(facts, id_)):
        raise _UNKNOWN[kind](f"What the {kind} said is gone. {gone[0]}.", given=given)
    if event is not None:  # live, and another thing
        raise _UNKNOWN[kind](
            f"{show(given)} is no {kind}: it is the id of a {facts.stored[id_].type} event.",
            given=given,
        )
    raise unknown(facts, kind, given, struck_out=id_ in facts.stored)


def find_act(facts: Facts, given: str) -> str:
    """A claim or withdrawal as `find`, and one of which an erasure left no more than its entry.

    Raises:
        UnknownClaim: there is none; near matches are named.
    """
    check("claim", given)
    known = facts.id_of("claim", given) or given
    stored = facts.stored.get(known)
    if facts.is_lost(known) or (
        stored is not None
        and isinstance(stored.event, ev.Remains)
        and stored.type in ("claim_recorded", "claim_withdrawn")
    ):
        return known
    return find(facts, "claim", given)


def cell(facts: Facts, party: str, proposition: str) -> tuple[str, str]:
    """The ledger ids of a party and a proposition.

    Raises:
        InvalidView: the proposition is a topic.
        NotFound: there is no such party or proposition; near matches are named.
    """
    topic = facts.id_of("topic", proposition) if isinstance(proposition, str) else None
    if topic is not None and facts.id_of("proposition", proposition) is None:
        raise errors.InvalidView(
            f"{show(proposition)} is a topic: ask positions(topic={proposition!r}).",
            field="proposition",
            given=proposition,
        )
    return find(facts, "party", party), find(facts, "proposition", proposition)


def unknown(facts: Facts, kind: str, given: str, *, struck_out: bool = False) -> errors.NotFound:
    """The error for an id that nothing has here."""
    if struck_out:
        return _UNKNOWN[kind](
            f"The {kind} {show(given)} was struck out. `claims log` tells at which sequence; a "
            "view of before still has it: ledger.as_of(known=SEQUENCE).",
            given=given,
            struck_out=True,
        )
    close = near(given, facts.keys(kind))
    hint = did_you_mean(close)
    others = [
        other
        for other in _UNKNOWN
        if other != kind and facts.id_of(other, given) in facts.effective
    ]
    if not hint and others:
        hint = f" It is the id of a {others[0]}."
    if not hint and kind == "party":
        bearers = sorted({d.party for d in denoted(facts, given, None)})
        if bearers:
            close, hint = tuple(bearers), f" It is a name of {', '.join(bearers)}: use that id."
    if not hint:
        hint = f" {_how_to_add(kind)}"
    return _UNKNOWN[kind](
        f"No {kind} {show(given)} is in this view.{hint}", given=given, near=close
    )


def _how_to_add(kind: str) -> str:
    if kind == "claim":
        return "Record it with ledger.record(...)."
    return f"Register it with ledger.register({kind.capitalize()}(...))."


def sought(facts: Facts, error: errors.NotFound) -> errors.NotFound:
    """What these facts say of an id that was not found in some that hold less."""
    if kind := _kind_of(error):
        try:
            find(facts, kind, error.given)
        except errors.NotFound as told:
            return told
    return error


def _kind_of(error: errors.NotFound) -> str:
    return next((kind for kind, cls in _UNKNOWN.items() if type(error) is cls), "")


def later(facts: Facts, error: errors.NotFound, basis: int) -> errors.NotFound:
    """What to say of what a view of `basis` events does not know, and these later facts may."""
    kind = "party" if isinstance(error, errors.UnknownName) else _kind_of(error)
    if kind in ("claim", "document"):  # which not all facts hold
        told = error.message.removesuffix(f" {_how_to_add(kind)}")
        return error if told == error.message else type(error)(told, given=error.given)
    known = _recorded(facts, kind, error.given) if not error.struck_out else None
    if known is None or known.sequence < basis:
        return error
    return type(error)(
        f"No {kind} {show(error.given)} is in this view: it is known since "
        f"{known.recorded:%Y-%m-%d %H:%M:%S} UTC, from sequence {known.sequence} on. Ask as of a "
        "later date.",
        given=error.given,
    )


def _recorded(facts: Facts, kind: str, given: str) -> ev.StoredEvent | None:
    """What first told of an id, or of the name of a party."""
    id_ = facts.id_of(kind, given)
    told: list[str] = [] if id_ is None else [id_]
    for one in denoted(facts, given, None) if kind == "party" and not told else ():
        party = facts.id_of("party", one.party) or one.party
        for id_ in (party, *facts.indexed("names_of", party)):
            event = facts.get(id_, ev.PartyRegistered) or facts.get(id_, ev.PartyNamed)
            if event is not None and _loosely(event.name) == _loosely(given):
                told.append(id_)
    found = (facts.stored[id_] for id_ in told if id_ in facts.effective)
    return min(found, key=lambda one: one.sequence, default=None)


def denoted(facts: Facts, name: str, on: dt.date | None) -> tuple[Denoted, ...]:
    """The parties that a name denotes on a day, down to the best sure rank; on any day without one.

    Exact writing first; where nothing bears exactly this name, the letters' case and the Unicode
    form are overlooked.
    """
    check("party", name)
    like = facts.memo("borne", "", lambda: _borne(facts)).get(_loosely(name), ())
    for bearings in ([one for one in like if one[1].name == name], like):
        found = list(_bearers(bearings, on))
        if found:
            # A name that fits only possibly hides no surer one of a higher rank.
            sure = [rank for rank, one in found if one.certain]
            best = min(sure, default=None) if on is not None else None
            kept = [one for rank, one in found if best is None or rank <= best]
            surest = {one.party: one for one in sorted(kept, key=lambda one: one.certain)}
            return tuple(sorted(surest.values(), key=lambda one: one.party))
    return ()


def _loosely(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def name_of(facts: Facts, party: str) -> str:
    """The name of a party by its ledger id; the id that is shown where nothing else is left."""
    event = facts.get(facts.canonical(party), ev.PartyRegistered)
    return (event.name if event else NAMELESS) or facts.public(facts.canonical(party))


def names_of(facts: Facts, party: str) -> Iterator[ev.PartyNamed]:
    """The names of a registered party, by its ledger id, as they were told.

    What it was registered under it bears always, unless a period is told of that name.
    """
    told = [facts.get(one, ev.PartyNamed) for one in facts.indexed("names_of", party)]
    registered = facts.get(party, ev.PartyRegistered)
    dated = {one.name for one in told if one is not None}
    if registered is not None and registered.name not in (*dated, NAMELESS):
        yield ev.PartyNamed(party=party, name=registered.name)
    yield from (one for one in told if one is not None)


_Bearing = tuple[str, ev.PartyNamed]
"""The party that is shown, and a name of it."""


def _borne(facts: Facts) -> dict[str, list[_Bearing]]:
    """All names, by how they are written without regard to case and Unicode form."""
    found: dict[str, list[_Bearing]] = {}
    for id_, _ in facts.of_type(ev.PartyRegistered):
        shown = facts.public(facts.canonical(id_))
        for name in names_of(facts, id_):
            found.setdefault(_loosely(name.name), []).append((shown, name))
    return found


def _bearers(bearings: Iterable[_Bearing], on: dt.date | None) -> Iterator[tuple[int, Denoted]]:
    """Those of the bearings that hold on a day, with their ranks."""
    for party, one in bearings:
        held = "certain" if on is None else one.period.covers(on, on)
        if held != "no":
            yield (
                one.rank,
                Denoted(
                    party=party,
                    name=one.name,
                    metonym=one.metonym,
                    certain=held == "certain",
                ),
            )


def resolve(facts: Facts, given: str, on: dt.date | None) -> str:
    """The host id of the one party that an id or name denotes on a day.

    Raises:
        UnknownName: nothing bears it then; near matches are named.
        AmbiguousName: several parties bear it then, or one does perhaps.
    """
    check("party", given)
    if (id_ := facts.id_of("party", given)) is not None and id_ in facts.effective:
        return facts.public(facts.canonical(id_))
    found = denoted(facts, given, on)
    day = f" on {on}" if on else ""
    bearers = tuple(one.party for one in found)
    if len(found) == 1 and found[0].certain:
        return bearers[0]
    if len(found) == 1:
        raise errors.AmbiguousName(
            f"{show(given)} denotes {bearers[0]} only possibly{day}: the day on which that began "
            "or ended is not known so well. Use the id.",
            given=given,
            near=bearers,
        )
    if found:
        raise errors.AmbiguousName(
            f"{show(given)} denotes several parties{day}: {', '.join(bearers)}. Use the id.",
            given=given,
            near=bearers,
        )
    ever = denoted(facts, given, None)
    if ever:
        bearers = tuple(one.party for one in ever)
        raise errors.UnknownName(
            f"{show(given)} denotes no party{day}; on other days it denotes "
            f"{', '.join(bearers)}. Use the id.",
            given=given,
            near=bearers,
        )
    borne = facts.memo("borne", "", lambda: _borne(facts)).values()
    known = (
        *facts.keys("party"),
        *(one.name for same in borne for _, one in _bearers(same, on)),
    )
    close = near(given, known)
    hint = did_you_mean(close) or f" {_how_to_add('party')}"
    raise errors.UnknownName(
        f"No party is called {show(given)}{day}.{hint}",
        given=given,
        near=close,
    )
