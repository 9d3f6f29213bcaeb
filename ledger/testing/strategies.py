"""Hypothesis strategies: parties, propositions, documents, claims, whole worlds of them, events.

What they draw is what a careful user would hand in: a ledger takes all of it. For a host's property
tests, and for stores of others. Hypothesis comes with the extra `testing`.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from typing import Final

import attrs

from ledger.errors import MissingExtra
from ledger.ledger import Ledger
from ledger.model.claim import ACTS, FACTUALITIES, FIXED_STANCE, NEEDS_AIM, STANCES, Claim
from ledger.model.document import Document
from ledger.model.events import NewEvent, PartyNamed, PartyRegistered, PropositionDefined
from ledger.model.party import Party
from ledger.model.proposition import Proposition

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as error:
    raise MissingExtra(
        "testing", needs="hypothesis", purpose="ledger.testing.strategies"
    ) from error

KINDS: Final = ("person", "state", "body", "organisation", "publisher")
_FIRST: Final = dt.date(1990, 1, 1)
_LAST: Final = dt.date(2019, 12, 31)
_FEW: Final = st.integers(1, 3)
_DAY: Final = st.dates(min_value=_FIRST, max_value=_LAST).map(str)
_PRINTED: Final = st.sampled_from(("2021", "2021-06", "2021-06-15"))  # nothing is said later
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
DIGITS: Final = "0123456789"
SCRIPTS: Final = "abcxyzÅåéßñŁőЖдЯԱբאבجد中日"


def ids() -> SearchStrategy[str]:
    """Ids as hosts choose them: a small letter, then small letters and digits."""
    return st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LETTERS + DIGITS, max_size=6))


def names() -> SearchStrategy[str]:
    """Names in several scripts, of one word or two."""
    word = st.text(SCRIPTS, min_size=1, max_size=8)
    return st.lists(word, min_size=1, max_size=2).map(" ".join)


def dates() -> SearchStrategy[str]:
    """Dates as sources give them: days, months, years, between two days, about, unknown ends."""
    day = _DAY
    between = st.tuples(day, day).map(lambda two: f"[{min(two)}..{max(two)}]")
    span = st.tuples(day, day).map("/".join).filter(lambda one: one[:10] <= one[11:])
    unsure = day.flatmap(lambda one: st.sampled_from((f"{one}?", f"{one}~", one[:7], one[:4])))
    open_ended = day.flatmap(lambda one: st.sampled_from((f"[..{one}]", f"{one}/..", f"/{one}")))
    return st.one_of(day, day, unsure, between, span, open_ended)


def parties(*, id: SearchStrategy[str] | None = None) -> SearchStrategy[Party]:  # noqa: A002 - the field's name
    """Parties that belong to nobody, so that each can be registered by itself."""
    key = ids() if id is None else id
    return st.builds(Party, key, name=names(), kind=st.sampled_from(KINDS))


def propositions(*, id: SearchStrategy[str] | None = None) -> SearchStrategy[Proposition]:  # noqa: A002 - as above
    """Facts and aims."""
    key = ids() if id is None else id
    return st.builds(Proposition, key, text=names(), kind=st.sampled_from(("fact", "aim")))


@st.composite
def claims(
    draw: DrawFn,
    *,
    parties: Sequence[Party],
    propositions: Sequence[Proposition],
    documents: Sequence[Document] = (),
    id: SearchStrategy[str | None] | None = None,  # noqa: A002 - the field's name
) -> Claim:
    """A claim of one of these parties on one of these propositions, perhaps in a document."""
    on = draw(st.sampled_from(propositions))
    allowed = ACTS if on.kind == "aim" else ACTS - NEEDS_AIM
    act = draw(st.sampled_from(sorted(allowed)))
    stance = FIXED_STANCE.get(act) or draw(st.sampled_from(STANCES))
    by = draw(st.sampled_from(parties))
    return Claim(
        id=draw(st.none() if id is None else id),
        claimant=by.id,
        proposition=on.id,
        act=act,
        stance=stance,
        factuality=draw(st.sampled_from(FACTUALITIES)),
        uttered=draw(st.none() | dates()),
        document=draw(st.sampled_from([None, *(one.id for one in documents)])),
        note=draw(st.none() | names()),
    )


@attrs.frozen(kw_only=True)
class World:
    """Who there is, what is spoken of, where it was printed, what was said; a ledger takes it."""

    parties: tuple[Party, ...]
    propositions: tuple[Proposition, ...]
    documents: tuple[Document, ...]
    claims: tuple[Claim, ...]

    def tell(self, ledger: Ledger) -> None:
        """Hand everything in: the nouns in one append, the claims in another."""
        ledger.register_all([*self.parties, *self.propositions, *self.documents])
        ledger.record_all(self.claims)


@st.composite
def worlds(draw: DrawFn, *, most_claims: int = 12) -> World:
    """A whole world; its ids differ from each other whatever they name.

    Example:
        >>> from hypothesis import given, settings
        >>> @settings(max_examples=5)
        ... @given(worlds(most_claims=3))
        ... def test_a_ledger_takes_it(world):
        ...     with Ledger.open(":memory:") as ledger:
        ...         world.tell(ledger)
        ...         assert len(ledger.claims()) == len(world.claims)
        >>> test_a_ledger_takes_it()
    """
    keys = (f"{draw(ids())}-{number}" for number in itertools.count())
    people = [draw(parties(id=st.just(next(keys)))) for _ in range(draw(st.integers(1, 3)))]
    spoken_of = [draw(propositions(id=st.just(next(keys)))) for _ in range(draw(_FEW))]
    paper = people[0].id
    printed = [
        Document(
            next(keys), publisher=paper, text=draw(names()), published=draw(st.none() | _PRINTED)
        )
        for _ in range(draw(st.integers(0, 1)))
    ]
    said = [
        draw(
            claims(
                parties=people,
                propositions=spoken_of,
                documents=printed,
                id=st.just(next(keys)),
            )
        )
        for _ in range(draw(st.integers(0, most_claims)))
    ]
    return World(
        parties=tuple(people),
        propositions=tuple(spoken_of),
        documents=tuple(printed),
        claims=tuple(said),
    )


@st.composite
def events(draw: DrawFn, *, taken: Collection[str] = (), most: int = 8) -> list[NewEvent]:
    """Typed events for `ledger.appender.put`: they open streams, and go on in those.

    No id of `taken` is drawn, so that one log can be given several such lists.
    """
    found: list[NewEvent] = []
    versions: dict[str, int] = {}
    fresh = st.lists(ids().filter(lambda one: one not in taken), max_size=most, unique=True)
    for id_ in draw(fresh):
        known = [one for one in versions if draw(st.booleans())]
        if known:
            of = known[0]
            versions[of] += 1
            named = PartyNamed(party=of, name=draw(names()))
            found.append(NewEvent(id=id_, stream=of, stream_v=versions[of], event=named))
        elif draw(st.booleans()):
            defined = PropositionDefined(key=id_, text=draw(names()))
            found.append(NewEvent(id=id_, stream=id_, stream_v=0, event=defined))
        else:
            versions[id_] = 0
            registered = PartyRegistered(key=id_, name=draw(names()), kind="person")
            found.append(NewEvent(id=id_, stream=id_, stream_v=0, event=registered))
    return found
