"""Whom an act of saying reaches: its claimant, and up from there; never down.

```
maria-zakharova --on behalf of--> ru-mfa --membership at the utterance--> ru
leaders-ru-az-am --joint--> ru, az, am --membership--> ..
```

Links that report, cite, or say further out never carry. Links that state whom the claimant spoke
for replace its other memberships. A membership carries where it holds at the utterance: on all
days of the bounds for certain, on some of them possibly (model.md, 5, step 2).
"""

from __future__ import annotations

import datetime as dt
import functools
import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import attrs

from ledger.model import events as ev
from ledger.model.attribution import Linked, claimant_of, spoken_for
from ledger.model.bounds import Bounds
from ledger.model.period import ALWAYS, Period, cover
from ledger.projections.effective import Facts
from ledger.projections.saying import bounds

Days = tuple[dt.date | None, dt.date | None]
"""The first and the last day on which an act can have happened; None is open."""


@attrs.frozen(order=True)
class Path:
    """How a claim reaches a party: the parties on the way, claimant first, and how surely.

    `how` says what carried it at each step: `on_behalf_of`, `membership` or `joint`.
    """

    parties: tuple[str, ...]
    how: tuple[Literal["on_behalf_of", "membership", "joint"], ...] = ()
    certain: bool = True

    @property
    def own(self) -> bool:
        """Whether the party made the claim itself."""
        return len(self.parties) == 1


def _rank(facts: Facts, path: Path) -> tuple[bool, int, tuple[str, ...]]:
    """The order of several paths: the surest, then the shortest, then the least by shown id."""
    return (not path.certain, len(path.parties), tuple(map(facts.public, path.parties)))


def reach(facts: Facts, id_: str) -> Mapping[str, Path]:
    """Every party that an act reaches, by its shown ledger id, with the best path.

    With several alternative claimants a party is reached for certain only if each alternative
    does so.
    """
    return facts.memo("reach", id_, lambda: _reach(facts, id_))


def _reach(facts: Facts, id_: str) -> Mapping[str, Path]:
    act = facts.act(id_)
    if act is None:
        return {}
    when = bounds(facts, id_)
    each = [ways_up(facts, chain, when, act.capacity) for chain in act.chains]
    best: dict[str, Path] = {}
    for found in each:
        for party, path in found.items():
            if party not in best or _rank(facts, path) < _rank(facts, best[party]):
                best[party] = path
    if len(each) == 1:
        return best
    return {  # a party is certain where every alternative certainly reaches it
        party: attrs.evolve(
            path, certain=all(party in found and found[party].certain for found in each)
        )
        for party, path in best.items()
    }


def ways_up(
    facts: Facts, chain: Sequence[Linked], when: Bounds, capacity: str
) -> Mapping[str, Path]:
    """Every party that an act of one chain reaches, with the best path.

    It is kept for a claimant whose ways up are the same on every day.
    """
    claimant = claimant_of(chain)
    if claimant is not None and capacity != "personal" and not spoken_for(chain):
        start, always = facts.canonical(claimant), (None, None)
        if steady(facts, start):
            return facts.memo("ways_up", start, lambda: from_chain(facts, chain, always, capacity))
    return from_chain(facts, chain, (when.first_day(), when.last_day()), capacity)


def from_chain(facts: Facts, chain: Sequence[Linked], days: Days, capacity: str) -> dict[str, Path]:
    """Every party that one chain reaches, with the best path."""
    claimant = claimant_of(chain)
    if claimant is None:
        return {}
    start = facts.canonical(claimant)
    stated = tuple(facts.canonical(party) for party in spoken_for(chain))
    best: dict[str, Path] = {}
    seen: set[tuple[str, bool]] = set()  # further up a shorter doubtful way may be the better one
    queue = [(_rank(facts, Path((start,))), Path((start,)))]
    while queue:
        _, path = heapq.heappop(queue)
        here = path.parties[-1]
        if (here, path.certain) in seen:
            continue
        seen.add((here, path.certain))
        best.setdefault(here, path)
        if capacity == "personal":
            steps: Iterator[tuple[str, str, bool]] = _joint(facts, here)
        elif here == start and stated:
            behind = (("on_behalf_of", party, True) for party in stated)
            own = _up(facts, here, days) if here in stated else _joint(facts, here)
            steps = itertools.chain(own, behind)
        else:
            steps = _up(facts, here, days)
        for how, party, certain in steps:
            if party not in path.parties:
                longer = Path(
                    (*path.parties, party),
                    (*path.how, how),  # type: ignore[arg-type]  # the words of Path.how
                    path.certain and certain,
                )
                heapq.heappush(queue, (_rank(facts, longer), longer))
    return best


def _joint(facts: Facts, party: str) -> Iterator[tuple[str, str, bool]]:
    for member in facts.memo("members", party, lambda: _members(facts, party)):
        yield "joint", member, True


def _members(facts: Facts, party: str) -> tuple[str, ...]:
    """The shown ids of those who make up a joint party."""
    parties = (facts.get(one, ev.PartyRegistered) for one in facts.merged_group(party))
    return tuple(facts.canonical(member) for one in parties if one for member in one.members)


def _up(facts: Facts, party: str, days: Days) -> Iterator[tuple[str, str, bool]]:
    yield from _joint(facts, party)
    for above, periods in facts.memo("spoken_for", party, lambda: _spoken_for(facts, party)):
        held = cover(periods, *days)
        if held != "no":
            yield "membership", above, held == "certain"


def _spoken_for(facts: Facts, party: str) -> tuple[tuple[str, tuple[Period, ...]], ...]:
    """The shown ids of those a party belongs to and speaks for, and during which periods."""
    found: dict[str, list[Period]] = {}
    for one in facts.merged_group(party):
        for id_ in facts.indexed("memberships_of", one):
            membership = facts.effective[id_]
            if isinstance(membership, ev.MembershipRecorded) and membership.speaks_for:
                above = facts.canonical(membership.organisation)
                found.setdefault(above, []).append(membership.period)
    # What a member of a joint party says never reaches that.
    return tuple((one, (*found[one],)) for one in found if not _members(facts, one))


def steady(facts: Facts, party: str) -> bool:
    """Whether what a party speaks for, and that in turn, does not depend on the day."""

    def found() -> bool:
        seen, queue = {party}, [party]
        while queue:
            here = queue.pop()
            ways = facts.memo("spoken_for", here, functools.partial(_spoken_for, facts, here))
            if any(ALWAYS not in periods for _, periods in ways):
                return False
            above = {one for one, _ in ways} | set(_members(facts, here))
            queue += above - seen
            seen |= above
        return True

    return facts.memo("steady", party, found)


def beneath(facts: Facts, party: str) -> frozenset[str]:
    """Every party whose claims might reach this one, itself included, on whatever day."""
    return facts.memo("beneath", party, lambda: _beneath(facts, party))


def _beneath(facts: Facts, party: str) -> frozenset[str]:
    found: set[str] = set()
    queue = [party]
    while queue:
        here = queue.pop()
        joint = _members(facts, facts.canonical(here))
        for one in facts.merged_group(here):
            if one not in found:
                found.add(one)
                queue.extend(facts.indexed("joint_of", one))
                if joint:
                    continue  # what a member of a joint party says never reaches that
                for id_ in facts.indexed("members_of", one):
                    membership = facts.effective[id_]
                    if isinstance(membership, ev.MembershipRecorded) and membership.speaks_for:
                        queue.append(membership.member)
    return frozenset(found)


def may_reach(facts: Facts, party: str) -> Mapping[str, None]:
    """The acts that name a party or one beneath it: all that reach it, and a few that do not.

    Finding the way of an act costs many times what a look into this does.
    """

    def named() -> dict[str, None]:
        acts = (facts.indexed("acts_naming", one) for one in beneath(facts, party))
        return dict.fromkeys(itertools.chain.from_iterable(acts))

    return facts.memo("may_reach", party, named)


def claims_reaching(facts: Facts, party: str) -> tuple[str, ...]:
    """The live claims that reach a party, by whatever path."""
    shown = facts.canonical(party)
    return tuple(
        id_
        for id_ in may_reach(facts, shown)
        if isinstance(facts.act(id_), ev.ClaimRecorded) and shown in reach(facts, id_)
    )
