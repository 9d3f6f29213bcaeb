"""The fold of the reference model: what is live, when it was said, whom it reaches.

Every entry is a name, a kind and a dictionary of fields; every question folds all of them again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from tests.projections.naive_dates import ends
from tests.projections.naive_days import (
    any_covers,
    before,
    begins,
    is_day,
    is_over,
    maybe_by,
    surely_by,
    tightest,
)

REFERS_BACK = {"reverses", "reaffirms", "updates", "replies_to", "denies_attribution"}


@attrs.frozen
class Op:
    """Something handed in: `id` is the name by which later entries speak of it."""

    kind: str
    id: str
    fields: dict[str, Any]

    def _repr_pretty_(self, printer, _cycle):
        told = ", ".join(f"{k}={v!r}" for k, v in self.fields.items() if v is not None)
        printer.text(f"{self.kind} {self.id}({told})")


@attrs.frozen
class Entry:
    """Something that was accepted, and when."""

    op: Op
    recorded: dt.datetime


class Fold:
    """What a list of entries says, with every amendment, correction and merge applied."""

    def __init__(self, entries: Iterable[Entry]):
        self.entries = list(entries)
        self.recorded = {entry.op.id: entry.recorded for entry in self.entries}
        self.kind = {entry.op.id: entry.op.kind for entry in self.entries}
        self.records = {
            entry.op.id: self.content(entry.op.id)
            for entry in self.entries
            if self.live(entry.op.id)
        }
        self.kept = self.merges("merge_parties") | self.merges("merge_propositions")

    # -- the fold ---------------------------------------------------------------------------

    def changes_to(self, id_):
        return [
            entry.op
            for entry in self.entries
            if entry.op.kind in ("amend", "correct") and entry.op.fields["target"] == id_
        ]

    def live(self, id_):
        return not any(
            op.kind == "amend" and op.fields["strike_out"] and self.live(op.id)
            for op in self.changes_to(id_)
        )

    def content(self, id_):
        op = next(entry.op for entry in self.entries if entry.op.id == id_)
        fields = dict(op.fields)
        for change in self.changes_to(id_):
            if not self.live(change.id):
                continue
            told = self.content(change.id)
            if op.kind == "amend":
                fields["changes"] = fields["changes"] | told["changes"]
            else:
                fields |= told["changes"]
            if change.kind == "correct":
                fields["never_said"] = told.get("never_said", False)
        return fields

    def of(self, *kinds):
        return {id_: one for id_, one in self.records.items() if self.kind[id_] in kinds}

    def merges(self, kind):
        """Who is one with whom: in the order of the log, what contradicts it is ignored."""
        kept: dict[str, tuple[str, bool]] = {}
        for one in self.of(kind).values():
            gone, keep = one["merged"], one["kept"]
            dead = not {gone, keep} <= self.records.keys()
            if dead or gone in kept or follow(kept, keep)[0] == gone:
                continue
            if self.records[gone].get("fact_or_aim") == self.records[keep].get("fact_or_aim"):
                kept[gone] = (keep, one.get("negated", False))
        return kept

    def shown(self, id_):
        return follow(self.kept, id_)[0]

    def act(self, id_):
        """A live act of saying: a withdrawal falls with all that it withdraws."""
        one = self.records.get(id_)
        if one is None or self.kind[id_] not in ("claim", "withdraw") or one.get("never_said"):
            return None
        if self.kind[id_] == "withdraw" and not any(map(self.act, one["claims"])):
            return None
        return one

    def acts(self):
        return [id_ for id_ in self.of("claim", "withdraw") if self.act(id_)]

    def claims(self):
        return [id_ for id_ in self.of("claim") if self.act(id_)]

    def stance(self, claim):
        one = self.act(claim)
        if follow(self.kept, one["proposition"])[1]:
            swapped = {"supports": "opposes", "opposes": "supports"}
            return swapped.get(one["stance"], one["stance"])
        return one["stance"]

    def about(self, claim):
        return self.shown(self.act(claim)["proposition"])

    # -- time -------------------------------------------------------------------------------

    def own_bounds(self, id_):
        one = self.act(id_)
        earliest, latest = ends(one["uttered"]) if one["uttered"] else (None, None)
        document = self.records.get(one["document"])
        published = document and document["published"] and ends(document["published"])[1]
        if earliest and published and before(published, earliest):
            published = None  # what an undo left contradictory
        return {earliest} - {None}, {latest, published, self.recorded[id_]} - {None}

    def mates(self, id_):
        said_at = self.act(id_)["utterance"]
        if said_at is None:
            return [id_]
        return [one for one in self.acts() if self.act(one)["utterance"] == said_at]

    def occasion(self, id_):
        """The bounds that an utterance's acts share, and who shares them: if they clash, nobody."""
        mates = self.mates(id_)
        lows = set().union(*(self.own_bounds(one)[0] for one in mates))
        highs = set().union(*(self.own_bounds(one)[1] for one in mates))
        if any(before(high, low) for high in highs for low in lows):
            return *self.own_bounds(id_), [id_]
        return lows, highs, mates

    def refers_back(self):
        """Pairs of acts: the later one names the earlier one."""
        withdrawals = self.of("withdraw").items()
        pairs = [(id_, claim) for id_, one in withdrawals for claim in one["claims"]]
        pairs += [
            (one["claim"], one["target"])
            for one in self.of("relate").values()
            if one["relation"] in REFERS_BACK
        ]
        return {(a, b) for a, b in pairs if self.act(a) and self.act(b)}

    def bounds(self, id_):
        lows, highs, _ = self.occasion(id_)
        reached, lent, edges = [id_], set(), self.refers_back()
        for here in reached:
            for mate in self.occasion(here)[2]:
                for later in (a for a, b in edges if b == mate and a not in reached):
                    reached.append(later)
                    lent |= self.occasion(later)[1]
        return lows, highs | {h for h in lent if not any(before(h, low) for low in lows)}

    def said_by(self, id_, said):
        lows, highs = self.bounds(id_)
        if any(surely_by(high, said) for high in highs):
            return "certain"
        return "possible" if all(maybe_by(low, said) for low in lows) else "not_yet"

    def days(self, id_):
        lows, highs = self.bounds(id_)
        west, east = dt.timedelta(hours=-12), dt.timedelta(hours=14)
        first = max((x if is_day(x) else (x + west).date() for x in lows), default=None)
        return first, min(x if is_day(x) else (x + east).date() for x in highs)

    def precedes(self, a, b):
        if a == b or b in self.mates(a):
            return False
        edges = self.refers_back()
        if any((b, mate) in edges for mate in self.mates(a)):
            return True
        if any((a, mate) in edges for mate in self.mates(b)):
            return False
        return any(before(high, low) for high in self.bounds(a)[1] for low in self.bounds(b)[0])

    def place(self, id_):
        """The key of a list: latest bound, earliest bound, id; a recording behind what is told."""
        lows, highs = self.bounds(id_)
        high, low = tightest(highs, lows, before), tightest(lows, highs, lambda a, b: before(b, a))
        return (
            is_over(high) if is_day(high) else high,
            dt.datetime.min.replace(tzinfo=dt.UTC)
            if low is None
            else (begins(low) if is_day(low) else low),
            id_,
        )

    def in_order(self, ids):
        left, found = sorted(ids, key=self.place), []
        while left:
            ready = [
                one for one in left if not any(self.precedes(x, one) for x in left if x != one)
            ]
            found.append((ready or left)[0])
            left.remove(found[-1])
        return found

    # -- roll-up ----------------------------------------------------------------------------

    def claimants(self, id_):
        found = (claimant_of(chain)[0] for chain in self.act(id_)["chains"])
        return {self.shown(party) for party in found if party}

    def reach(self, id_):
        """Whom an act reaches: party -> (not certain, length, path), the best way there."""
        each = [self.ways(id_, chain) for chain in self.act(id_)["chains"]]
        found = {}
        for party in set().union(*each):
            _, length, path = min(ways[party] for ways in each if party in ways)
            sure = all(party in ways and not ways[party][0] for ways in each)
            found[party] = (not sure, length, path)
        return found

    def ways(self, id_, chain):
        claimant, stated = claimant_of(chain)
        best: dict[str, tuple] = {}
        if claimant is None:
            return best
        first, last = self.days(id_)
        personal = self.act(id_)["capacity"] == "personal"

        def walk(path, doubtful):
            here = path[-1]
            way = (doubtful, len(path), path)
            best[here] = min(best.get(here, way), way)
            one_with = [p for p in self.of("party") if self.shown(p) == here]
            steps = [(m, False) for p in one_with for m in self.records[p]["members"]]
            if not personal and len(path) == 1 and stated:
                steps += [(party, False) for party in stated]
            if not personal and (len(path) > 1 or not stated or here in map(self.shown, stated)):
                terms: dict[str, list] = {}
                for one in self.of("membership").values():
                    joint = self.records[one["organisation"]]["members"]
                    if one["member"] in one_with and one["speaks_for"] and not joint:
                        above = self.shown(one["organisation"])
                        terms.setdefault(above, []).append(one["period"])
                for above, periods in terms.items():
                    held = any_covers(periods, first, last)
                    if held != "no":
                        steps.append((above, held == "possible"))
            for party, unsure in steps:
                if self.shown(party) not in path:
                    walk((*path, self.shown(party)), doubtful or unsure)

        walk((self.shown(claimant),), doubtful=False)
        return best

    def withdrawn(self, claim, party, said):
        """Whether a claim was taken back for a party: yes, possibly, no."""
        twins = [
            one
            for one in self.mates(claim)
            if self.kind[one] == "claim"
            and (self.about(one), self.stance(one)) == (self.about(claim), self.stance(claim))
        ]
        states = set()
        for id_, one in self.of("withdraw").items():
            if self.act(id_) and set(one["claims"]) & set(twins) and party in self.reach(id_):
                state = self.said_by(id_, said)
                doubtful = self.reach(id_)[party][0]
                states.add("possible" if state == "certain" and doubtful else state)
        return "yes" if "certain" in states else "possible" if "possible" in states else "no"


def follow(kept, id_):
    """The id at the end of the merges, and whether an odd number of them negate."""
    negated = False
    while id_ in kept:
        id_, swaps = kept[id_]
        negated ^= swaps
    return id_, negated


def claimant_of(chain):
    """The party of the innermost says or cited link, and whom that link speaks for."""
    claimant = None
    stated: list[str] = []
    for party, kind in chain:
        if kind in ("says", "cited"):
            claimant, stated = party, []
        elif kind == "on_behalf_of":
            stated.append(party)
    return claimant, stated
