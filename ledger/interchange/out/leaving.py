"""What leaves: the records of a view, in the form they have there, by the ids that are shown.

Here lives what every format has in common: which records a view lets out, in an order in which
each stands behind what it names, a page in memory at a time. What a record says once its ids are
those that are shown is in `.showing`; how a format writes it, in the file of that format.

What was struck out, or said later than the view's date, does not leave; what was erased has left
the log already. A party that is gone while others still name it leaves as an id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal, TypeVar

import attrs

from ledger.comparing import check_view
from ledger.interchange.out.showing import shown
from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.erasing import KINDLESS, NAMELESS
from ledger.projections.effective import Facts
from ledger.projections.positions import certainty, withdrawals
from ledger.projections.reporters import chains_of
from ledger.projections.saying import bounds
from ledger.projections.versions import earlier
from ledger.view import View

T = TypeVar("T")

PAGE: Final = 500
"""How many records are made at once, and held in memory."""

GONE: Final = KINDLESS
"""The kind of a party of which the ledger has only the id left."""

Kind = Literal[
    "party",
    "name",
    "membership",
    "topic",
    "proposition",
    "merge",
    "occurrence",
    "document",
    "claim",
    "withdrawal",
    "relation",
]


@attrs.frozen(kw_only=True)
class Entered:
    """Where a record stands in the log: its own id there, its sequence, when, by whom."""

    ledger_id: str
    sequence: int
    recorded: dt.datetime
    recorder: ev.Recorder


@attrs.frozen(kw_only=True)
class Told:
    """What a view makes of a claim or a withdrawal.

    `claimants`, `proposition` and `stance` are those that are shown: merges followed, and turned
    where one negates.
    """

    claimants: tuple[str, ...]
    said: Bounds
    certainty: Literal["certain", "possible"]
    proposition: str = ""
    stance: str = ""
    withdrawn: bool = False
    corrected: bool = False


@attrs.frozen(kw_only=True)
class Leaving:
    """One record on its way out: its id, its event with the ids that are shown, its place.

    `versions` are the sequences of its own event and of those that changed it, or the wording of
    what it is about. `told` is there for claims and withdrawals. `shown` is the id under which a
    merged party or proposition is shown. `gone` marks a party of which only the id is left,
    `revises` names the version before a document.
    """

    kind: Kind
    id: str
    event: ev.Event
    entered: Entered
    versions: tuple[int, ...]
    shown: str
    told: Told | None = None
    gone: bool = False
    revises: str | None = None


def leaving(view: View, *kinds: Kind) -> Iterator[Leaving]:
    """The records of a view of some kinds (all, if none are named), those that are named first.

    The log may grow meanwhile: the view's basis says what leaves. No lock is held while the caller
    looks at a record.
    """
    check_view(view, "ledger.as_of(), or ledger.as_of(said=...)")
    with view.facts() as facts:
        chosen = [(kind, id_) for kind in kinds or KINDS for id_ in _LISTS[kind](facts)]
    for at in range(0, len(chosen), PAGE):
        with view.facts() as facts:
            page = [_made(facts, view, kind, id_) for kind, id_ in chosen[at : at + PAGE]]
        yield from (one for one in page if one is not None)


# -- which, and in which order ------------------------------------------------------------------


def _live(cls: type[object]) -> Callable[[Facts], Iterable[str]]:
    return lambda facts: (id_ for id_, _ in facts.of_type(cls))


def _parties(facts: Facts) -> Iterable[str]:
    """The parties, members before those they make up; then the ids of those that are gone."""
    live = dict(facts.of_type(ev.PartyRegistered))
    ordered = _behind(live, lambda one: one.members)
    gone = [
        id_
        for id_, stored in facts.stored.items()
        if stored.type == "party_registered" and id_ not in live and _is_named(facts, id_)
    ]
    return [*gone, *ordered]


def _is_named(facts: Facts, party: str) -> bool:
    """Whether what leaves still names a party that is not there any more."""
    relations = ("acts_naming", "memberships_of", "members_of", "documents_of", "joint_of")
    if any(facts.indexed(relation, party) for relation in relations):
        return True
    return any(
        party in (*claim.addressees, *claim.mentions)
        for _, claim in facts.of_type(ev.ClaimRecorded)
    )


def _topics(facts: Facts) -> Iterable[str]:
    live = dict(facts.of_type(ev.TopicDefined))
    return _behind(live, lambda one: (one.part_of,))


def _documents(facts: Facts) -> Iterable[str]:
    """The documents, each behind the version before it."""
    live = {id_: id_ for id_, _ in facts.of_type(ev.DocumentRegistered)}
    return _behind(live, lambda id_: earlier(facts, id_)[-1:])


def _merges(facts: Facts) -> Iterable[str]:
    """The merges that are in force: the first of those that take an id away."""
    taken: dict[str, str] = {}
    merges: list[tuple[str, ev.PartiesMerged | ev.PropositionsMerged]]
    merges = [*facts.of_type(ev.PartiesMerged), *facts.of_type(ev.PropositionsMerged)]
    for id_, merge in merges:
        if facts.canonical(merge.merged) != merge.merged:
            taken.setdefault(merge.merged, id_)
    return taken.values()


def _behind(live: Mapping[str, T], needs: Callable[[T], Iterable[str | None]]) -> Iterable[str]:
    """The ids, each behind those it needs; an amendment may have turned their order round."""
    ordered: dict[str, None] = {}
    for id_ in live:
        way = [id_]
        while way:
            here = way[-1]
            open_ = [one for one in needs(live[here]) if one in live and one not in ordered]
            ahead = next((one for one in open_ if one is not None and one not in way), None)
            if ahead is None:
                ordered[way.pop()] = None
            else:
                way.append(ahead)
    return ordered


_LISTS: Final[Mapping[Kind, Callable[[Facts], Iterable[str]]]] = {
    "party": _parties,
    "name": _live(ev.PartyNamed),
    "membership": _live(ev.MembershipRecorded),
    "topic": _topics,
    "proposition": _live(ev.PropositionDefined),
    "merge": _merges,
    "occurrence": _live(ev.OccurrenceDescribed),
    "document": _documents,
    "claim": _live(ev.ClaimRecorded),
    "withdrawal": _live(ev.ClaimWithdrawn),
    "relation": _live(ev.ClaimsRelated),
}
KINDS: Final[tuple[Kind, ...]] = tuple(_LISTS)
"""Every kind of record that leaves, those that others name first."""


# -- what a record says -------------------------------------------------------------------------


def _made(facts: Facts, view: View, kind: Kind, id_: str) -> Leaving | None:
    """A record as it leaves; None where it does not."""
    event = facts.effective.get(id_)
    told = None
    if isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn):
        told = _told(facts, view, id_)
        if told is None:
            return None
    gone = event is None
    if event is None and kind == "party":
        event = ev.PartyRegistered(key=facts.public(id_), name=facts.public(id_), kind=GONE)
    if isinstance(event, ev.PartyRegistered) and event.name == NAMELESS:
        event, gone = attrs.evolve(event, name=event.key), True
    if isinstance(event, ev.ClaimRecorded | ev.ClaimWithdrawn):
        event = attrs.evolve(event, chains=chains_of(facts, event))
    said = None if event is None else shown(facts, event, lambda one: _said(facts, view, one))
    if said is None:
        return None
    return Leaving(
        kind=kind,
        id=facts.public(id_),
        event=said,
        entered=_entered(facts, id_),
        versions=_versions(facts, id_),
        shown=facts.public(facts.canonical(id_)),
        told=told,
        gone=gone,
        revises=next(map(facts.public, earlier(facts, id_)[-1:]), None),
    )


def _entered(facts: Facts, id_: str) -> Entered:
    stored = facts.stored[id_]
    return Entered(
        ledger_id=id_,
        sequence=stored.sequence,
        recorded=stored.recorded,
        recorder=stored.recorder,
    )


def _versions(facts: Facts, id_: str) -> tuple[int, ...]:
    """The sequences at which a record came to read otherwise, its own first."""
    own, queue, found = facts.stored[id_].sequence, [id_], {facts.stored[id_].sequence}
    claim = facts.get(id_, ev.ClaimRecorded)
    if claim is not None:
        queue.append(claim.proposition)
    while queue:
        changes = facts.changes_of(queue.pop())
        found.update(facts.stored[one].sequence for one in changes)
        queue += changes
    return tuple(sorted(one for one in found if one >= own))


def _said(facts: Facts, view: View, id_: str) -> bool:
    """Whether an act of saying is one that the view holds."""
    return facts.act(id_) is not None and certainty(facts, id_, view.said) != "not_yet"


def _told(facts: Facts, view: View, id_: str) -> Told | None:
    act = facts.act(id_)
    state = "not_yet" if act is None else certainty(facts, id_, view.said)
    if act is None or state == "not_yet":
        return None
    who = facts.claimants(act)
    told = Told(
        claimants=tuple(map(facts.public, who)),
        said=bounds(facts, id_),
        certainty=state,
        corrected=id_ in facts.corrected_by,
    )
    if isinstance(act, ev.ClaimWithdrawn):
        return told
    return attrs.evolve(
        told,
        proposition=facts.public(facts.canonical(act.proposition)),
        stance=facts.stance(act),
        withdrawn=any(withdrawals(facts, id_, party, view.said) == "yes" for party in who),
    )
