"""The contract once more, as plain lists and loops: what the projections are tested against.

Nothing of `ledger.projections` or `ledger.recording` is used here: dates are read by `Edtf`, the
rest is written anew, by the letter and without any thought of speed. Every entry is a name, a kind
and a dictionary of fields; every question folds all of them again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import attrs

from ledger.model.moment import Edtf

REFERS_BACK = {"reverses", "reaffirms", "updates", "replies_to", "denies_attribution"}
AGREES = {"paraphrases", "elaborates", "supports", "reaffirms"}
EVER, FAR = -(10**7), 10**7


@attrs.frozen
class Op:
    """Something handed in: `id` is the name by which later entries speak of it."""

    kind: str
    id: str
    fields: dict[str, Any]


@attrs.frozen
class Entry:
    """Something that was accepted, and when."""

    op: Op
    recorded: dt.datetime


# -- days and instants ----------------------------------------------------------------------


def is_day(bound):
    return not isinstance(bound, dt.datetime)


def begins(day):
    """The instant at which a day begins where it begins first: at UTC+14."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) - dt.timedelta(hours=14)


def is_over(day):
    """The instant at which a day is over where it is over last: at UTC-12."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC) + dt.timedelta(hours=24 + 12)


def before(a, b):
    if is_day(a) == is_day(b):
        return a < b
    return is_over(a) <= b if is_day(a) else a < begins(b)


def end_of(said):
    """The first instant that is no longer in, for a cut at a day in UTC."""
    return dt.datetime.combine(said, dt.time(), tzinfo=dt.UTC) + dt.timedelta(days=1)


def surely_by(bound, said):
    if is_day(said):
        return bound <= said if is_day(bound) else bound < end_of(said)
    return is_over(bound) <= said if is_day(bound) else bound <= said


def maybe_by(bound, said):
    return begins(bound) <= said if is_day(bound) and not is_day(said) else surely_by(bound, said)


def ends_of(text, *, of):
    """The first and last day that an end of a period can be; `of` says what no end means."""
    if text == "..":
        return (of, of)
    if text == "":
        return (EVER, FAR + 1)
    date = Edtf.parse(text)
    return (date.earliest.toordinal(), date.latest.toordinal())


def covers(period, first, last):
    """Whether a half-open period holds on all days of a range, possibly on some, or on none."""
    if period is None:
        return "certain"
    since, _, until = period.partition("/")
    (s1, s2), (u1, u2) = ends_of(since, of=EVER), ends_of(until, of=FAR + 1)
    begin = EVER if first is None else first.toordinal()
    end = FAR if last is None else last.toordinal()
    choices = [
        (s, u)
        for s in (s1, s2, min(s2, u2 - 1))
        for u in (u1, u2, max(u1, s1 + 1))
        if s < u  # it lasts a day at least
    ]
    if all(s <= begin and end < u for s, u in choices):
        return "certain"
    return "possible" if any(s <= end and begin < u for s, u in choices) else "no"


class World:
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
            if told.get("never_said"):
                fields["never_said"] = True
        return fields

    def of(self, *kinds):
        return {id_: one for id_, one in self.records.items() if self.kind[id_] in kinds}

    def merges(self, kind):
        """Who is one with whom: in the order of the log, what contradicts it is ignored."""
        kept = {}
        for one in self.of(kind).values():
            gone, keep = one["merged"], one["kept"]
            kinds = {self.records[p].get("fact_or_aim") for p in (gone, keep)}
            if gone not in kept and follow(kept, keep)[0] != gone and len(kinds) == 1:
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
        date = Edtf.parse(one["uttered"]) if one["uttered"] else None
        document = self.records.get(one["document"])
        published = document and document["published"] and Edtf.parse(document["published"]).latest
        lows = {date.earliest} if date else set()
        highs = {date.latest if date else None, published, self.recorded[id_]}
        return lows - {None}, highs - {None}

    def mates(self, id_):
        said_at = self.act(id_)["utterance"]
        if said_at is None:
            return [id_]
        return [one for one in self.acts() if self.act(one)["utterance"] == said_at]

    def occasion(self, id_):
        """The bounds that an utterance's acts share and who shares them; one alone if they clash."""
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
        best = {}
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
            elif not personal:
                for one in self.of("membership").values():
                    if one["member"] in one_with and one["speaks_for"]:
                        held = covers(one["period"], first, last)
                        joint = self.records[one["organisation"]]["members"]
                        if held != "no" and not joint:
                            steps.append((one["organisation"], held == "possible"))
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

    # -- answers ----------------------------------------------------------------------------

    def list_claims(self, said):
        return {
            id_: (
                self.said_by(id_, said),
                self.stance(id_),
                self.about(id_),
                self.claimants(id_),
                any(self.withdrawn(id_, p, said) == "yes" for p in self.claimants(id_)),
            )
            for id_ in self.claims()
            if self.said_by(id_, said) != "not_yet"
        }

    def position(self, party, proposition, said):
        who, what = self.shown(party), self.shown(proposition)
        found = {
            id_: (self.said_by(id_, said), *self.reach(id_)[who])
            for id_ in self.claims()
            if self.about(id_) == what
            and who in self.reach(id_)
            and self.said_by(id_, said) != "not_yet"
        }
        aside = [id_ for id_ in found if self.stance(id_) == "undeclared"]
        certain = [
            id_
            for id_, (state, doubtful, *_) in found.items()
            if state == "certain" and not doubtful and id_ not in aside
        ]
        possible = [id_ for id_ in found if id_ not in (*certain, *aside)]
        order = self.in_order(certain)
        after = self.after(order)
        frontier = [a for a in order if not any(a not in after[b] for b in after[a])]
        back = {id_: self.withdrawn(id_, who, said) for id_ in found}
        standing = [id_ for id_ in frontier if back[id_] != "yes"]
        stances = {self.stance(id_) for id_ in standing}
        runs = self.runs(order)
        because, current = None, []
        if frontier and not standing:
            status, current = "withdrawn", runs[-1]
        elif len(stances) == 1:
            status = "held"
            current = [run for run in runs if self.stance(run[0]) in stances][-1]
        elif stances:
            status, because, current = "conflicted", self.why(standing), standing
        elif possible:
            status = "possible"
        else:
            status, current = ("undeclared", self.in_order(aside)) if aside else ("silent", [])
        stands = [id_ for id_ in current if back[id_] != "yes"]
        return {
            "status": status,
            "stance": stances.pop() if status == "held" else None,
            "because": because,
            "evidence": current if status != "undeclared" else [],
            "paths": [found[id_][3] for id_ in current] if status != "undeclared" else [],
            "withdrawn": [id_ for id_ in current if back[id_] == "yes"],
            "utterances": len({self.act(id_)["utterance"] or id_ for id_ in current}),
            "lapsed": bool(stands) and all(self.expired(id_, said) for id_ in stands),
            "contested": sorted(self.contested({*frontier, *current}, said)),
            "possible": self.in_order(possible),
            "possibly_withdrawn": sorted(id_ for id_ in certain if back[id_] == "possible"),
            "aside": self.in_order(aside),
            "runs": [(self.stance(run[0]), run) for run in runs],
            "turns": [self.turn(a, b) for a, b in zip(runs, runs[1:], strict=False)],
        }

    def after(self, ids):
        """What surely comes after each act, by however many steps."""
        after = {a: {b for b in ids if self.precedes(a, b)} for a in ids}
        for _ in ids:
            after = {a: bs.union(*(after[b] for b in bs)) for a, bs in after.items()}
        return after

    def why(self, standing):
        if len({self.act(id_)["utterance"] or id_ for id_ in standing}) > 1:
            return "order_unknown"
        told = {(self.act(id_)["document"], self.stance(id_)) for id_ in standing}
        papers = [paper for paper, _ in told if paper]
        return "said_both" if len(papers) > len(set(papers)) else "reports_disagree"

    def runs(self, order):
        runs = []
        for id_ in order:
            if runs and self.stance(runs[-1][-1]) == self.stance(id_):
                runs[-1].append(id_)
            else:
                runs.append([id_])
        return runs

    def turn(self, one, other):
        stances = {self.stance(one[0]), self.stance(other[0])}
        kind = "reversal" if stances == {"supports", "opposes"} else "shift"
        a, b = one[-1], other[-1]
        return kind, not (self.precedes(a, b) or self.precedes(b, a))

    def expired(self, claim, said):
        expires = self.act(claim)["expires"]
        return expires is not None and before(Edtf.parse(expires).latest, said)

    def contested(self, claims, said):
        return {
            one["claim"]
            for one in self.of("relate").values()
            if one["relation"] == "denies_attribution"
            and one["target"] in claims
            and self.act(one["claim"])
            and self.said_by(one["claim"], said) == "certain"
        }

    def contradictions(self, said):
        """Triples: the proposition, who supports and who opposes it by words of their own."""
        parties = {self.shown(p) for p in self.of("party")}
        found = set()
        for what in {self.shown(p) for p in self.of("proposition")}:
            sides = {"supports": set(), "opposes": set()}
            for who in parties:
                stand = self.position(who, what, said)
                words = zip(stand["evidence"], stand["paths"], strict=True)
                own = [id_ for id_, path in words if len(path) == 1]
                if stand["stance"] in sides and set(own) - set(stand["withdrawn"]):
                    sides[stand["stance"]].add(who)
            found |= {(what, a, b) for a in sides["supports"] for b in sides["opposes"]}
        return found

    def divergences(self, said):
        """Pairs of claims that tell one occurrence in two ways."""
        edges = list(self.of("relate").values())
        pairs = {
            frozenset({one["claim"], one["target"]})
            for one in edges
            if one["relation"] == "divergent_characterisation"
        }
        agreed = {
            frozenset({one["claim"], one["target"]}) for one in edges if one["relation"] in AGREES
        }
        for one in self.of("occurrence").values():
            told = {self.shown(p) for p in one["propositions"]}
            for a in self.claims():
                for b in self.claims():
                    facts = [self.records[self.about(x)]["fact_or_aim"] for x in (a, b)]
                    if (
                        {self.about(a), self.about(b)} <= told
                        and self.about(a) != self.about(b)
                        and self.stance(a) == self.stance(b) == "supports"
                        and facts == ["fact", "fact"]
                        and frozenset({a, b}) not in agreed
                    ):
                        pairs.add(frozenset({a, b}))
        return {
            tuple(sorted(pair))
            for pair in pairs
            if all(self.stands(one, said) for one in pair)
            and not set.intersection(*map(self.claimants, pair))
        }

    def stands(self, claim, said):
        return (
            self.kind[claim] == "claim"
            and self.act(claim) is not None
            and self.said_by(claim, said) == "certain"
            and any(self.withdrawn(claim, p, said) != "yes" for p in self.claimants(claim))
        )


def follow(kept, id_):
    """The id at the end of the merges, and whether an odd number of them negate."""
    negated = False
    while id_ in kept:
        id_, swaps = kept[id_]
        negated ^= swaps
    return id_, negated


def claimant_of(chain):
    """The party of the innermost says or cited link, and whom that link speaks for."""
    claimant, stated = None, []
    for party, kind in chain:
        if kind in ("says", "cited"):
            claimant, stated = party, []
        elif kind == "on_behalf_of":
            stated.append(party)
    return claimant, stated


def tightest(ends, opposite, sooner):
    """The end that decides; among a day and an instant without order, what the text tells."""
    kept = [end for end in ends if not any(sooner(other, end) for other in ends)]
    if len({is_day(end) for end in kept}) == 2:
        told = [end for end in kept if not is_day(end) and end in opposite]
        kept = told or [end for end in kept if is_day(end)]
    return kept[0] if kept else None
