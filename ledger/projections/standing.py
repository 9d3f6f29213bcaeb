"""A position as it is handed out: where a party stands, on which words, and how that reads.

How it is found is `.positions`; the plain texts it is told in are `.wording`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs

from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.projections.answer import Answer
from ledger.projections.deciding import Status, distinct
from ledger.projections.runs import Run, Turn
from ledger.projections.wording import VERBS, WHY, listed, marked_up, when

Certainty = Literal["certain", "possible"]


@attrs.frozen(kw_only=True)
class Evidence(Answer):
    """One claim that bears on a position: what it says, where it stands, how it got here."""

    claim: str
    claimant: tuple[str, ...]
    act: str
    stance: str
    factuality: str
    said: Bounds
    certainty: Certainty
    withdrawn: bool
    document: str
    utterance: str
    path: tuple[str, ...]
    quote: str
    conditions: str | None
    ledger_id: str = attrs.field(repr=False)

    @property
    def own(self) -> bool:
        """Whether the party made the claim itself."""
        return len(self.path) == 1

    def __str__(self) -> str:
        mark = ", withdrawn" if self.withdrawn else ""
        way = "" if self.own else f", via {' > '.join(self.path)}"
        only = f", on condition: {self.conditions}" if self.conditions else ""
        quote = f" “{self.quote}”" if self.quote else ""
        return f"{self.claim} {self.act} ({self.stance}), {self.said}{way}{mark}{only}{quote}"


@attrs.frozen(kw_only=True)
class Position(Answer):
    """Where one party stands on one proposition, in one view.

    `status` is held, conflicted, withdrawn, possible, undeclared or silent. `because` says why a
    position is conflicted. Acts, factuality, conditions, evidence and dates are those of the
    current run; `possible` are claims that may have been said by then, never decisive.
    `passed_over` are those that the policy did not count. `basis` is the number of events the
    answer was computed from.
    """

    party: str
    proposition: str
    status: Status
    stance: str | None = None
    because: str | None = None
    acts: tuple[str, ...] = ()
    factuality: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    utterances: int = 0
    first_stated: Bounds | None = None
    last_stated: Bounds | None = None
    lapsed: bool = False
    contested_by: tuple[str, ...] = ()
    possible: tuple[Evidence, ...] = ()
    possibly_withdrawn: tuple[str, ...] = ()
    set_aside: tuple[Evidence, ...] = ()
    runs: tuple[Run, ...] = ()
    turns: tuple[Turn, ...] = ()
    last_word_on_topic: Bounds | None = None
    policy: str = "latest"
    passed_over: tuple[Evidence, ...] = ()
    incomplete: int = 0
    said: Knob
    basis: int

    @property
    def own(self) -> bool:
        """Whether any of the evidence is the party's own saying."""
        return any(one.own for one in self.evidence)

    def short(self) -> str:
        """The status in a word or two, for a table cell."""
        match self.status:
            case "held":
                acts = "/".join(self.acts)
                how = "" if self.own else "*"
                return f"{self.stance}{how} ({acts})" + (" lapsed" if self.lapsed else "")
            case "conflicted":
                return f"conflicted ({self.because})"
            case "possible":
                return f"possibly {'/'.join(dict.fromkeys(e.stance for e in self.possible))}"
            case _:
                return self.status

    def sentence(self) -> str:
        """The position in one sentence; what is only possible, or silence, is told as that.

        Example: `ru supports blocked (assert), in the words of ru-mod, last stated 2023-02-22.`
        """
        last = f", last stated {when(self.last_stated)}" if self.last_stated else ""
        head = f"{self.party} {{}} {self.proposition}"
        match self.status:
            case "held":
                only = "; only if: " + "; ".join(self.conditions) if self.conditions else ""
                told = VERBS.get(self.stance or "", self.stance or "")
                told = f"{head.format(told)} ({'/'.join(self.acts)})" + self._by() + last + only
            case "conflicted":
                told = f"{head.format('is in conflict on')}: {WHY.get(self.because or '')}{last}"
            case "withdrawn":
                told = head.format("has taken back its words on") + last
            case "possible":
                told = f"{head.format('may have spoken on')} by {self.said}; nothing is certain"
            case "undeclared":
                told = head.format("spoke without taking a side on") + self._by() + last
            case _:
                spoke = self.last_word_on_topic
                word = f"; its last word on the topic: {when(spoke)}" if spoke else ""
                told = f"{head.format('is silent on')}{word}"
        marks = [("lapsed", self.lapsed), ("contested", bool(self.contested_by))]
        return told + "".join(f"; {mark}" for mark, on in marks if on) + "."

    def _by(self) -> str:
        """Whose words these are, where none of them are the party's own."""
        words = self.evidence or self.set_aside
        if not words or any(one.own for one in words):
            return ""
        return f", in the words of {listed(distinct(one.path[0] for one in words))}"

    def __str__(self) -> str:
        lines = [self.sentence()]
        for heading, words in self._words():
            lines += [f"  {heading}{one}" for one in words]
        return "\n".join([*lines, *(f"  {note}" for note in self._notes())])

    def _words(self) -> Iterable[tuple[str, tuple[Evidence, ...]]]:
        yield "", self.evidence
        yield "possible: ", self.possible
        yield "no stance: ", () if self.evidence else self.set_aside

    def _notes(self) -> list[str]:
        notes = [f"contested by {claim}" for claim in self.contested_by]
        notes += [f"{claim} is possibly withdrawn" for claim in self.possibly_withdrawn]
        return [*notes, *map(str, self.turns)]

    def _repr_html_(self) -> str:
        """The sentence, the claims it rests on with their quotations, and what else is to know."""
        told = [
            (heading, [(str(attrs.evolve(one, quote="")), one.quote) for one in words])
            for heading, words in self._words()
        ]
        return marked_up(self.sentence(), [*told, ("", [(note, "") for note in self._notes()])])
