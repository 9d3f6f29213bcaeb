"""The contract once more, as plain lists and loops: what the projections are tested against.

Nothing of the library is used here: all is written anew, by the letter and without any thought of
speed. This file holds the answers; `naive_fold` what they are made of, `naive_days` the days and
instants, `naive_dates` how a date is read.
"""

from __future__ import annotations

import itertools

from tests.projections.naive_dates import ends
from tests.projections.naive_days import before
from tests.projections.naive_fold import Entry, Fold, Op

__all__ = ["Entry", "Op", "World"]

AGREES = {"paraphrases", "elaborates", "supports", "reaffirms"}


class World(Fold):
    """What a list of entries answers."""

    def list_claims(self, said):
        return {
            id_: (
                self.said_by(id_, said),
                self.stance(id_),
                self.about(id_),
                self.claimants(id_),
                self.taken_back(id_, said),
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
        frontier = [  # a circle that an undo left is cut where the list cuts it
            a for n, a in enumerate(order) if not any(self.precedes(a, b) for b in order[n + 1 :])
        ]
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
        ends = frontier if status == "withdrawn" else standing
        last = [id_ for id_ in current if id_ in ends] or current
        return {
            "status": status,
            "stance": stances.pop() if status == "held" else None,
            "because": because,
            "acts": sorted({self.act(id_)["act"] for id_ in last}),
            "evidence": current if status != "undeclared" else [],
            "paths": [found[id_][3] for id_ in current] if status != "undeclared" else [],
            "withdrawn": [id_ for id_ in current if back[id_] == "yes"],
            "utterances": len({self.act(id_)["utterance"] or id_ for id_ in current}),
            "lapsed": bool(stands) and all(self.expired(id_, said) for id_ in stands),
            "contested": sorted(self.contested({*frontier, *current}, said)),
            "possible": self.in_order(possible),
            "possibly_withdrawn": sorted(
                id_ for id_ in (*certain, *possible) if back[id_] == "possible"
            ),
            "aside": self.in_order(aside),
            "runs": [(self.stance(run[0]), run) for run in runs],
            "turns": [self.turn(a, b) for a, b in itertools.pairwise(runs)],
        }

    def why(self, standing):
        if len({self.act(id_)["utterance"] or id_ for id_ in standing}) > 1:
            return "order_unknown"
        told = {(self.act(id_)["document"], self.stance(id_)) for id_ in standing}
        papers = [paper for paper, _ in told if paper]
        return "said_both" if len(papers) > len(set(papers)) else "reports_disagree"

    def runs(self, order):
        runs: list[list[str]] = []
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
        return expires is not None and before(ends(expires)[1], said)

    def contested(self, claims, said):
        return {
            one["claim"]
            for one in self.of("relate").values()
            if one["relation"] == "denies_attribution"
            and one["target"] in claims
            and self.act(one["claim"])
            and self.said_by(one["claim"], said) == "certain"
            and not self.taken_back(one["claim"], said)
        }

    def taken_back(self, claim, said):
        """Whether all who may have made a claim took it back; nobody takes back for nobody."""
        by = self.claimants(claim)
        return bool(by) and all(self.withdrawn(claim, party, said) == "yes" for party in by)

    def contradictions(self, said):
        """Triples: the proposition, who supports and who opposes it by words of their own."""
        parties = {self.shown(p) for p in self.of("party")}
        found = set()
        for what in {self.shown(p) for p in self.of("proposition")}:
            sides: dict[str, set] = {"supports": set(), "opposes": set()}
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
