"""Small worlds for the property tests, and how they are told to a ledger.

`worlds()` draws what somebody might hand in, one thing after the other; `tell` hands it in and
gives back what was accepted: those entries are what the reference model of `naive` folds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from ledger import (
    Ledger,
    LedgerError,
)
from ledger.model.claim import FIXED_STANCE, NEEDS_AIM
from ledger.receipt import Receipt
from tests.projections.handing import as_handed_in, linked, noun_of
from tests.projections.naive import Entry, Op

START = dt.datetime(2022, 12, 1, 12, tzinfo=dt.UTC)
FIRST = dt.datetime(2023, 1, 9, 12, tzinfo=dt.UTC)

PEOPLE = ("envoy", "minister", "ministry", "state", "twin", "rival", "both")
OFTEN = ("envoy", "envoy", "envoy", "ministry", "ministry", "both", "both", *PEOPLE)
PAPERS = ("gazette", "herald")
TOLD = ("open", "blocked", "protest", "reopen")
DOCUMENTS = {"g1": "2023-01-12", "g2": "2023-01", "h1": None, "h2": "2023-01-08/2023-01-10"}
DATES = (
    None,
    "2023-01-03",
    "2023-01-05",
    "2023-01-07~",
    "2023-01-09",
    "2023-01-11?",
    "2023-01",
    "2023-01-XX",
    "202X",
    "2023-01-04/2023-01-08",
    "[2023-01-03..2023-01-09]",
    "[2023-01-05,2023-01-11]",
    "../2023-01-06",
    "/2023-01-08",
    "2023-01-05/..",
    "[2023-01-07..]",
    "2023-01-08T23:30:00-05:00",
    "2023-01-09T10:00:00Z",
)
LATE = (None, "2023-01-09", "2023-01-11", "[2023-01-07..2023-01-13]", "2023-01-XX", "2023-01-13")
PERIODS = (
    None,
    "../2023-01-06",
    "2023-01-06/..",
    "2023-01-02/2023-01-08",
    "2022/2023-01",
    "2023-01/2024",
    "/2023-01-07",
    "2023-01-04/",
)
SAID = (
    *(dt.date(2023, 1, day) for day in (2, 4, 6, 8, 9, 10, 12, 20)),
    dt.date(2023, 3, 1),
    dt.datetime(2023, 1, 9, 4, 30, tzinfo=dt.UTC),
    dt.datetime(2023, 1, 10, 11, 59, tzinfo=dt.UTC),
    dt.datetime(2023, 1, 13, 12, tzinfo=dt.UTC),
)
STEPS = (dt.timedelta(), dt.timedelta(hours=7), dt.timedelta(days=1), dt.timedelta(days=5))
RELATIONS = (
    "reverses",
    "reaffirms",
    "updates",
    "replies_to",
    "denies_attribution",
    "divergent_characterisation",
    "paraphrases",
    "disputes",
)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: dt.datetime = START):
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now


def scene() -> list[Op]:
    """The cast of every world: who there is, what is spoken of, and the papers."""

    def party(id_, members=()):
        return Op("party", id_, {"members": members})

    def proposition(id_, fact_or_aim="fact"):
        return Op("proposition", id_, {"fact_or_aim": fact_or_aim})

    return [
        *map(party, (*PAPERS, *PEOPLE[:-1])),
        party("both", ("state", "rival")),
        *map(proposition, TOLD[:-1]),
        proposition("reopen", "aim"),
        Op("occurrence", "the-road", {"propositions": ("blocked", "protest")}),
        *(
            Op("document", id_, {"publisher": PAPERS[id_[0] == "h"], "published": published})
            for id_, published in DOCUMENTS.items()
        ),
    ]


# -- drawing --------------------------------------------------------------------------------


def chains():
    """Attributions: mostly one claimant, at times with others it speaks for, several, nobody."""
    people = st.sampled_from(OFTEN)
    says = people.map(lambda who: ((who, "says"),))
    cited = people.map(lambda who: ((who, "cited"),))
    behalf = st.tuples(people, st.lists(people, min_size=1, max_size=2)).map(
        lambda pair: ((pair[0], "says"), *((one, "on_behalf_of") for one in pair[1]))
    )
    nested = st.tuples(people, people).map(
        lambda pair: (("herald", "reports"), (pair[0], "says"), (pair[1], "says"))
    )
    nobody = st.just((("herald", "reports"),))
    one = st.one_of(says, says, says, behalf, behalf, nested, cited, nobody)
    return st.one_of(
        one.map(lambda chain: (chain,)),
        one.map(lambda chain: (chain,)),
        one.map(lambda chain: (chain,)),
        st.lists(one, min_size=2, max_size=2, unique=True).map(tuple),
    )


def usually(value: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from((value,) * 2 + others)


@st.composite
def claim_fields(draw, *, dates=DATES, documents=(None, *DOCUMENTS)):
    act = draw(
        st.sampled_from(("assert", "assert", "deny", "predict", "demand", "avoid", "reject"))
    )
    fixed = FIXED_STANCE.get(act)
    return {
        "chains": draw(chains()),
        "capacity": draw(usually("official", "official", "personal")),
        "proposition": "reopen" if act in NEEDS_AIM else draw(usually("open", *TOLD)),
        "act": act,
        "stance": fixed
        or draw(st.sampled_from(("supports", "opposes", "opposes", "neutral", "mixed"))),
        "uttered": draw(st.sampled_from(dates)),
        "utterance": draw(usually(None, "u1", "u1", "u2")),
        "document": draw(st.sampled_from(documents)),
        "expires": draw(usually(None, "2023-01-08")),
    }


def memberships():
    steps = (("envoy", "ministry"), ("ministry", "state"), ("minister", "ministry"))
    anywhere = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
    return st.one_of(st.sampled_from(steps), anywhere).flatmap(
        lambda pair: st.fixed_dictionaries(
            {
                "member": st.just(pair[0]),
                "organisation": st.just(pair[1]),
                "period": st.sampled_from(PERIODS),
                "speaks_for": st.sampled_from((True, True, True, False)),
            }
        )
    )


@st.composite
def crowded(draw) -> list[tuple[Op, dt.timedelta]]:
    """Many words of one speaker and her ministry on one question: order is all that matters."""
    kinds = (*("claim",) * 3, *("relate",) * 4, "withdraw", "amend")
    link = Op(
        "membership",
        "m",
        {"member": "envoy", "organisation": "ministry", "period": None, "speaks_for": True},
    )
    found = [(link, STEPS[-1])]
    for op, _ in draw(worlds(kinds=kinds, size=24)):
        kept = op.fields
        if op.kind in ("claim", "withdraw"):
            chains = (((draw(usually("envoy", "ministry")), "says"),),)
            kept = kept | {"chains": chains, "capacity": "official"}
        if op.kind == "claim" and kept["act"] in ("assert", "deny", "predict"):
            kept = kept | {"proposition": "open"}
        found.append((Op(op.kind, op.id, kept), STEPS[0]))
    return found


@st.composite
def disputed(draw) -> list[tuple[Op, dt.timedelta]]:
    """Single speakers who said yes or no; some take it back, some turn out to be one."""
    kinds = (*("claim",) * 8, "membership", "withdraw", "amend", "relate", "merge_parties")
    found = []
    for op, step in draw(worlds(kinds=(*kinds, "merge_propositions"), size=24)):
        kept = op.fields
        if op.kind == "claim":
            kept = kept | {
                "chains": (((draw(st.sampled_from(PEOPLE)), "says"),),),
                "proposition": draw(st.sampled_from(TOLD[:3])),
                "act": draw(st.sampled_from(("assert", "deny"))),
                "uttered": draw(st.sampled_from(("2023-01-03", "2023-01-05"))),
                "utterance": None,
            }
            kept["stance"] = FIXED_STANCE.get(kept["act"]) or draw(
                st.sampled_from(("supports", "opposes"))
            )
        found.append((Op(op.kind, op.id, kept), step))
    return found


@st.composite
def _one(draw, number: int, told: dict[str, list[str]], ops: dict[str, Op], kinds):
    """One thing to hand in, on what was told before it."""
    kind = draw(st.sampled_from(kinds))
    claims, ids = told["claim"], [id_ for group in told.values() for id_ in group]
    name = f"{kind[0]}{number}"
    match kind:
        case "claim":
            return Op(kind, name, draw(claim_fields()))
        case "membership":
            return Op(kind, name, draw(memberships()))
        case "merge_parties":
            kept, merged = draw(st.permutations(PEOPLE[:-1]))[:2]
            return Op(kind, name, {"kept": kept, "merged": merged})
        case "merge_propositions":
            kept, merged = draw(st.permutations(TOLD))[:2]
            negated = draw(st.booleans())
            return Op(kind, name, {"kept": kept, "merged": merged, "negated": negated})
        case "relate" if len(claims) > 1:
            claim, target = draw(st.permutations(claims))[:2]
            relation = draw(st.sampled_from(RELATIONS))
            return Op(kind, name, {"claim": claim, "relation": relation, "target": target})
        case "withdraw" if claims:
            fields = draw(claim_fields())
            kept = ("capacity", "uttered", "utterance", "document")
            targets = draw(st.lists(st.sampled_from(claims), min_size=1, max_size=2, unique=True))
            theirs = ops[targets[0]].fields["chains"]
            chain = draw(st.one_of(st.just(theirs), st.just(theirs), chains()))
            fields["uttered"] = draw(st.sampled_from(LATE))
            return Op(
                kind, name, {"claims": targets, "chains": chain, **{k: fields[k] for k in kept}}
            )
        case "correct" if claims:
            target = draw(st.sampled_from(claims + told["withdraw"]))
            changes = draw(_changes("claim"))
            never = draw(st.booleans())
            paper = ops[target].fields["document"] or "g1"
            told_now = {"never_said": True, "changes": {}} if never else {"changes": changes}
            return Op(kind, name, {"target": target, "document": paper, **told_now})
        case "amend" if ids:
            latest = told["amend"][-2:] + told["correct"][-1:]
            target = draw(st.sampled_from(ids + latest * 3))
            # Half of them strike out: so an undo is soon undone in turn.
            of = next(kind for kind, group in told.items() if target in group)
            of = "claim" if of == "amend" else of
            strike = draw(st.booleans()) or of not in ("claim", "membership", "withdraw")
            changes = {} if strike else draw(_changes(of))
            return Op(kind, name, {"target": target, "strike_out": strike, "changes": changes})
    return Op("claim", f"c{number}", draw(claim_fields()))


def _changes(kind: str):
    """New values for one or two fields of a record."""
    whole: dict[str, st.SearchStrategy[Any]] = {
        "claim": {
            "stance": st.sampled_from(("supports", "opposes", "mixed")),
            "uttered": st.sampled_from(DATES),
            "proposition": st.sampled_from(TOLD),
            "chains": chains(),
            "utterance": st.sampled_from((None, "u1", "u2")),
        },
        "withdraw": {"uttered": st.sampled_from(DATES), "chains": chains()},
        "membership": {
            "period": st.sampled_from(PERIODS[1:]),
            "organisation": st.sampled_from(PEOPLE),
            "speaks_for": st.booleans(),
        },
    }[kind]
    return st.sampled_from(sorted(whole)).flatmap(
        lambda field: st.fixed_dictionaries({field: whole[field]})
    )


KINDS = (
    *("claim",) * 5,
    *("membership",) * 2,
    *("relate",) * 3,
    *("withdraw",) * 3,
    *("amend",) * 4,
    "correct",
    "merge_parties",
    "merge_propositions",
)


@st.composite
def worlds(draw, *, size: int = 18, kinds=KINDS) -> list[tuple[Op, dt.timedelta]]:
    """What is handed in, each with the time since the last."""
    told: dict[str, list[str]] = {kind: [] for kind in dict.fromkeys(KINDS)}
    found = []
    ops: dict[str, Op] = {}
    for number in range(draw(st.integers(6, size))):
        op = draw(_one(number, told, ops, kinds))
        ops[op.id] = op
        told[op.kind].append(op.id)
        found.append((op, draw(st.sampled_from(STEPS))))
    return found


# -- telling --------------------------------------------------------------------------------


class Teller:
    """Hands ops to a ledger; keeps what was accepted, and under which ids."""

    def __init__(self, ledger: Ledger, clock: Clock):
        self.ledger, self.clock = ledger, clock
        self.entries: list[Entry] = []
        self.ids: dict[str, str] = {}
        self.first: dict[str, str] = {}
        everybody = scene()
        nouns = [noun_of(op, dict(op.fields)) for op in everybody]
        for op, receipt in zip(everybody, ledger.register_all(nouns), strict=True):
            assert self._told(op, receipt), "everybody is allowed in"
        clock.now = FIRST

    def tell(self, op: Op, step: dt.timedelta = dt.timedelta()) -> bool:
        """Hand one in; False where the ledger refuses it, or has it already."""
        self.clock.now += step
        try:
            receipt = self._hand_in(op, dict(op.fields))
        except LedgerError:
            return False
        return self._told(op, receipt)

    def _told(self, op: Op, receipt: Receipt) -> bool:
        self.ids[op.id] = receipt.ledger_id
        if receipt.stored == "already_stored":
            return False
        assert len(receipt.sequences) == 1
        self.first[receipt.ledger_id] = op.id
        self.entries.append(Entry(self._as_first_told(op), receipt.recorded))
        return True

    def _as_first_told(self, op: Op) -> Op:
        """What names a record that was there already names the first that said the same."""
        target = op.fields.get("target")
        if target not in self.ids:
            return op
        return Op(op.kind, op.id, {**op.fields, "target": self.first[self.ids[target]]})

    def _hand_in(self, op: Op, fields: dict[str, Any]):
        ledger, ids = self.ledger, self.ids
        match op.kind:
            case "name":
                return ledger.name(fields.pop("party"), fields.pop("name"), **fields)
            case "party" | "membership" | "proposition" | "occurrence" | "document":
                return ledger.register(noun_of(op, fields))
            case "merge_parties" | "merge_propositions":
                return ledger.merge(fields.pop("kept"), fields.pop("merged"), **fields)
            case "claim":
                return ledger.record(id=op.id, chain=linked(fields.pop("chains")), **fields)
            case "relate":
                return ledger.relate(*fields.values())
            case "withdraw":
                return ledger.withdraw(
                    fields.pop("claims"), id=op.id, chain=linked(fields.pop("chains")), **fields
                )
            case "correct":
                return ledger.correct(
                    ids.get(fields["target"], "?"),
                    document=fields["document"],
                    never_said=fields.get("never_said", False),
                    **as_handed_in(fields["changes"]),
                )
            case _:
                return ledger.amend(
                    ids.get(fields["target"], "?"),
                    reason="a slip of the pen",
                    strike_out=fields["strike_out"],
                    **as_handed_in(fields["changes"]),
                )


def told_to(ledger: Ledger, clock: Clock, world: Iterable[tuple[Op, dt.timedelta]]) -> Teller:
    """A ledger that was told a whole world."""
    teller = Teller(ledger, clock)
    for op, step in world:
        teller.tell(op, step)
    return teller
