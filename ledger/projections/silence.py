"""Who is silent on a topic where others speak, and what was said of them meanwhile.

Silence is no stance (model.md, 5): a party that refused to comment, or may have spoken, is not
listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.positions import last_word, topics_within
from ledger.projections.rollup import reach
from ledger.projections.saying import bounds
from ledger.projections.scope import propositions_of
from ledger.projections.wording import listed, lost, when


@attrs.frozen(kw_only=True)
class Silence(Answer):
    """A party, the propositions it is silent on while others speak, its last word on the topic.

    `last_word` is None where it never spoke on the topic. `addressed_in` and `named_in` are claims
    on these propositions that were said to the party, and that name it.
    """

    party: str
    name: str
    propositions: tuple[str, ...]
    last_word: Bounds | None
    addressed_in: tuple[str, ...] = ()
    named_in: tuple[str, ...] = ()

    def __str__(self) -> str:
        last = (
            f"last word on the topic: {when(self.last_word)}" if self.last_word else "no word yet"
        )
        told = [f"{self.party} on {listed(self.propositions)}", last]
        told += [f"spoken to in {', '.join(self.addressed_in)}"] if self.addressed_in else []
        told += [f"named in {', '.join(self.named_in)}"] if self.named_in else []
        return "; ".join(told)


@attrs.frozen(kw_only=True)
class Silences(Answer):
    """The silences on a topic: first those who were spoken to or of, then the others, by id.

    `incomplete` counts the claims of the view that were erased so far that they break no silence.
    """

    topic: str
    rows: tuple[Silence, ...]
    incomplete: int = 0
    said: Knob
    basis: int

    def __iter__(self) -> Iterator[Silence]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        lines = [str(row) for row in self.rows] or [f"(nobody is silent on {self.topic})"]
        return "\n".join([*lines, *lost(self.incomplete)])


@attrs.define
class _Heard:
    """What was said on a topic by a date: whom it reaches, and whom it speaks to and of.

    `broken` are the propositions on which somebody surely spoke: nobody else breaks a silence.
    """

    broken: set[str] = attrs.field(factory=set)

    spoken: dict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))
    to: dict[str, list[tuple[str, str]]] = attrs.field(factory=lambda: defaultdict(list))
    of: dict[str, list[tuple[str, str]]] = attrs.field(factory=lambda: defaultdict(list))


def silences(facts: Facts, topic: str, said: Knob) -> Silences:
    """The parties that are silent on some proposition of a topic on which others spoke."""
    heard = _heard(facts, topic, said)
    topics = set(topics_within(facts, topic))
    rows = []
    for id_, party in facts.of_type(ev.PartyRegistered):
        on = [one for one in heard.spoken if one in heard.broken and id_ not in heard.spoken[one]]
        if facts.canonical(id_) == id_ and on:
            rows.append(
                Silence(
                    party=facts.public(id_),
                    name=party.name,
                    propositions=tuple(sorted(map(facts.public, on))),
                    last_word=last_word(facts, id_, topics, said),
                    addressed_in=_shown(facts, heard.to[id_], on),
                    named_in=_shown(facts, heard.of[id_], on),
                )
            )
    rows.sort(key=lambda row: (not (row.addressed_in or row.named_in), row.party))
    return Silences(
        topic=facts.public(topic),
        rows=tuple(rows),
        incomplete=facts.lost_claims,
        said=said,
        basis=facts.size,
    )


def _shown(facts: Facts, claims: list[tuple[str, str]], on: list[str]) -> tuple[str, ...]:
    return tuple(sorted({facts.public(claim) for claim, about in claims if about in on}))


def _heard(facts: Facts, topic: str, said: Knob) -> _Heard:
    heard = _Heard()
    for proposition in propositions_of(facts, topic):
        for id_ in facts.claims_on(proposition):
            claim = facts.get(id_, ev.ClaimRecorded)
            state = bounds(facts, id_).said_by(said)
            if claim is None or facts.act(id_) is None or state == "not_yet":
                continue
            # A claim that is only possible breaks no silence for sure: its party is not listed.
            heard.spoken[proposition].update(reach(facts, id_))
            if state == "certain":
                heard.broken.add(proposition)
            for party in claim.addressees:
                heard.to[facts.canonical(party)].append((id_, proposition))
            for party in claim.mentions:
                heard.of[facts.canonical(party)].append((id_, proposition))
    return heard
