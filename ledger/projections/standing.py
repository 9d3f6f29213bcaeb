"""A position as it is handed out: where a party stands, on which words, and how that reads.

How it is found is `.positions`; the plain texts it is told in are `.wording`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import attrs

from ledger.model.bounds import Bounds
from ledger.model.moment import Knob
from ledger.projections import wording
from ledger.projections.answer import Answer
from ledger.projections.deciding import Status, distinct
from ledger.projections.erased import Erased
from ledger.projections.runs import Run, Turn
from ledger.projections.wording import marked_up

Certainty = Literal["certain", "possible"]


@attrs.frozen(kw_only=True)
class Evidence(Answer):
    """One claim that bears on a position: what it says, where it stands, how it got here.

    `speaker` is the name of who made it. `opposite` says that its act is about the opposite, which
    was merged into this proposition as its negation: who denied that, supports this.
    """

    claim: str
    claimant: tuple[str, ...]
    speaker: str
    act: str
    opposite: bool = False
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
    erased: tuple[Erased, ...] = ()
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
        gone = "".join(f" [{one}]" for one in self.erased)
        act = f"{self.act} the opposite" if self.opposite else self.act
        return f"{self.claim} {act} ({self.stance}), {self.said}{way}{mark}{only}{quote}{gone}"


@attrs.frozen(kw_only=True)
class Position(Answer):
    """Where one party stands on one proposition, in one view.

    `status` is held, conflicted, withdrawn, possible, undeclared or silent. `because` says why a
    position is conflicted. Evidence and dates are those of the current run; acts, factuality and
    conditions those of its last claim, or of all of them if several last ones differ; `speakers`
    are the names of those who spoke in it. `possible` are claims that may have been said by then,
    `possibly_withdrawn` those that may have been taken back; they decide nothing. `passed_over` are
    those that the policy did not count. `stale_days` is the number of days from the last claim to
    the view's date. `erased` says what was erased of these claims; `incomplete` counts the claims
    of the view that erasure keeps out of every position. `basis` is the number of events from which
    the answer was computed.
    """

    party: str
    proposition: str
    name: str = ""
    text: str = ""
    status: Status
    stance: str | None = None
    because: str | None = None
    acts: tuple[str, ...] = ()
    factuality: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
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
    erased: tuple[Erased, ...] = ()
    incomplete: int = 0
    said: Knob
    basis: int

    derived: ClassVar[tuple[str, ...]] = ("own", "stale_days", "erased_parts", "in_doubt")

    @property
    def own(self) -> bool:
        """Whether any of the evidence is the party's own saying."""
        return any(one.own for one in self.evidence)

    @property
    def erased_parts(self) -> int:
        """How many of the claims that bear on it have erased parts."""
        return len({one.record for one in self.erased})

    @property
    def stale_days(self) -> int | None:
        """The days from the last word of the current run, at its latest, to the view's date."""
        latest = self.last_stated.latest if self.last_stated else None
        if latest is None:
            return None
        day = latest.astimezone(dt.UTC).date() if isinstance(latest, dt.datetime) else latest
        return max(0, ((self.said.day or self.said.end().date()) - day).days)

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """The claims that it rests on and that were possibly taken back."""
        words = self.possible if self.status == "possible" else self._run()
        rests_on = {one.claim for one in words}
        return tuple(one for one in self.possibly_withdrawn if one in rests_on)

    def short(self) -> str:
        """The status in a word or two and what is in doubt, for a table cell."""
        doubts = ", possibly withdrawn" * bool(self.in_doubt)
        return self._status() + doubts + ", contested" * bool(self.contested_by)

    def _status(self) -> str:
        match self.status:
            case "held":
                acts = "/".join(self.acts)
                how = "" if self.own else "*"
                return f"{self.stance}{how} ({acts})" + (" lapsed" if self.lapsed else "")
            case "conflicted":
                return f"conflicted ({self.because})"
            case "possible":
                aside = "undeclared, " * bool(self._surely_aside())
                return f"{aside}possibly {'/'.join(may_stand(self)) or 'withdrawn'}"
            case "undeclared":
                return self.status if self._surely_aside() else "possibly undeclared"
            case _:
                return self.status

    def _surely_aside(self) -> list[Evidence]:
        """The claims that tell no side and were said for certain."""
        return [one for one in self.set_aside if one.certainty == "certain"]

    def sentence(self) -> str:
        """The position as one could print it, and what must be known before one does.

        Example: `Russia supported “The road is closed”: asserted by Russian Defense Ministry on
        2023-02-22.`
        """
        who, what = self.name or self.party, f"“{self.text}”" if self.text else self.proposition
        match self.status:
            case "held":
                took = wording.TOOK.get(self.stance or "", self.stance)
                told = f"{who} {took} {what}{self._stated()}."
            case "conflicted":
                sides = " and ".join(distinct(e.stance for e in self.evidence if not e.withdrawn))
                why = wording.WHY.get(self.because or "")
                told = f"{who} gave conflicting words on {what} ({sides}): {why}."
            case "withdrawn":
                told = f"{who} took back the last word on {what}{self._stated()}."
            case "possible" if aside := self._surely_aside():
                dates = wording.dated(*wording.ends([one.said for one in aside]))
                told = f"{who} told no side on {what} {dates}; {self._perhaps()}."
            case "possible":
                told = f"No certain word of {who} on {what} is known; {self._perhaps()}."
            case "undeclared" if self._surely_aside():
                told = f"{who} told no side on {what}{self._stated()}."
            case "undeclared":
                many = _counted(self.set_aside)
                told = (
                    f"No certain word of {who} on {what} is known; possibly told no side ({many})."
                )
            case _:
                spoke = self.last_word_on_topic
                last = f" (last word on the topic: {wording.when(spoke)})" if spoke else ""
                told = f"No word of {who} on {what} is known{last}."
        return " ".join((told, *self._beside()))

    def _run(self) -> Sequence[Evidence]:
        """The words of the current run, or those that told no side where there are no others."""
        return self.evidence or self.set_aside

    def _words_told(self) -> Sequence[Evidence]:
        """The words that the sentence is about: those taken back only where it tells of that."""
        words, back = self._run(), self.status == "withdrawn"
        return [one for one in words if one.withdrawn == back] or words

    def _stated(self) -> str:
        """How, by whom, when and on which condition the words were said that are told."""
        ways: dict[tuple[object, ...], list[Evidence]] = {}
        told = self._words_told()
        for one in told:
            way = (one.act, one.opposite, one.factuality, one.conditions)
            ways.setdefault(way, []).append(one)
        dates = self._dates(told)
        if len(ways) == 1:
            return ": " + " ".join([*_way(told, self.name), dates, *_condition(told[0])])
        each = (" ".join([*_way(way, self.name), *_condition(way[0])]) for way in ways.values())
        return f" {dates}: {'; '.join(each)}"

    def _dates(self, told: Sequence[Evidence]) -> str:
        first, last = self.first_stated, self.last_stated
        if first is None or last is None or len(told) < len(self._run()):
            first, last = wording.ends([one.said for one in told])
        many = len({one.utterance or one.claim for one in told})
        return wording.dated(first, last) + (f", on {many} occasions" if many > 1 else "")

    def _perhaps(self) -> str:
        """What may have been said as well, told as no more than that."""
        took = [wording.TOOK.get(stance, stance) for stance in may_stand(self)]
        many = _counted(self.possible)
        words = f"{' or '.join(took)} it" if took else "took it back"
        doubted = {one.claim for one in self.possible}.intersection(self.possibly_withdrawn)
        back = ", possibly taken back" if doubted and self.status != "possible" else ""
        return f"possibly {words} ({many}{back})"

    def _beside(self) -> Iterable[str]:
        unsure = len(self.set_aside) - len(self._surely_aside())
        if self.status == "undeclared" and 0 < unsure < len(self.set_aside):
            yield f"Of these words {unsure} only possibly."
        if self.lapsed:
            yield "It was meant for a time that is over."
        if self.contested_by:
            yield "That it was said is contested."
        if self.in_doubt:
            yield "It was possibly taken back."
        yield from self._taken_back()
        if self.possible and self.status != "possible":
            yield f"Beside this {self._perhaps()}."
        if self.passed_over:
            yield f"Passed over by {self.policy}: {len(self.passed_over)}."
        if self.erased_parts:
            yield f"Claims with erased parts: {self.erased_parts}."
        if self.incomplete:
            yield f"Erased claims that may bear on it: {self.incomplete}."

    def _taken_back(self) -> Iterable[str]:
        """Of words that were taken back, where the sentence is not about that."""
        back = {one.utterance or one.claim for one in self._run() if one.withdrawn}
        if not back or self.status in ("withdrawn", "conflicted"):
            return
        others = back - {one.utterance or one.claim for one in self._words_told()}
        if others:
            many = f"{len(others)} other occasion{'' if len(others) == 1 else 's'}"
            yield f"What was said on {many} was taken back."
        else:
            yield "What was said for certain was taken back."

    def __str__(self) -> str:
        lines = [self.sentence()]
        for heading, words in self._words():
            lines += [f"  {heading}{one}" for one in words]
        return "\n".join([*lines, *(f"  {note}" for note in self._notes())])

    def _words(self) -> Iterable[tuple[str, tuple[Evidence, ...]]]:
        yield "", self.evidence
        yield "possible: ", self.possible
        aside = () if self.evidence else self.set_aside
        yield "no stance: ", tuple(one for one in aside if one.certainty == "certain")
        yield "no stance, possible: ", tuple(one for one in aside if one.certainty != "certain")
        yield f"passed over by {self.policy}: ", self.passed_over

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


def _way(alike: Sequence[Evidence], name: str) -> Iterable[str]:
    """What was done, how sure of it and by whom, of claims that agree in that."""
    one = alike[0]
    yield wording.acted(one.act, opposite=one.opposite)
    if one.factuality in wording.HEDGED:
        yield wording.HEDGED[one.factuality]
    speakers = distinct(each.speaker for each in alike if each.speaker)
    if speakers and speakers != (name,):
        by = "through" if one.act in wording.BY_THEMSELVES else "by"
        yield f"{by} {wording.listed(speakers)}"


def _condition(one: Evidence) -> tuple[str, ...]:
    return (f"on the condition “{one.conditions}”",) if one.conditions else ()


def _counted(claims: Sequence[Evidence]) -> str:
    return f"{len(claims)} claim{'' if len(claims) == 1 else 's'}"


def may_stand(position: Position) -> tuple[str, ...]:
    """The stances that were possibly taken and not taken back."""
    return distinct(one.stance for one in position.possible if not one.withdrawn)
