"""Whom and what a question is about: a party, a topic, a proposition, or everything.

Here lives how what a user names becomes the shown propositions that an answer is narrowed to.
"""

from __future__ import annotations

from typing import Any, Self

import attrs

from ledger.projections import naming
from ledger.projections.effective import Facts
from ledger.projections.positions import topics_within


def propositions_of(facts: Facts, topic: str) -> tuple[str, ...]:
    """The shown propositions of a topic and of the topics inside it."""
    inside = (facts.indexed("propositions_in", one) for one in topics_within(facts, topic))
    return tuple(dict.fromkeys(facts.canonical(one) for ids in inside for one in ids))


@attrs.frozen(kw_only=True)
class Scope:
    """What an answer is narrowed to; None is everybody, or everything."""

    party: str | None = None
    topic: str | None = None
    proposition: str | None = None

    @property
    def narrow(self) -> bool:
        """Whether whom or what is named, so that not all claims need be looked at."""
        return any(one is not None for one in (self.party, self.topic, self.proposition))

    def found(self, facts: Facts) -> Self:
        """The same by the ledger's ids, where they were a host's.

        Raises:
            NotFound: there is no such party, topic or proposition.
        """
        given = {kind: getattr(self, kind) for kind in ("party", "topic", "proposition")}
        named: dict[str, Any] = {
            kind: naming.find(facts, kind, one) for kind, one in given.items() if one is not None
        }
        return attrs.evolve(self, **named)

    def propositions(self, facts: Facts) -> tuple[str, ...] | None:
        """The shown propositions that it leaves, None where it leaves all; of a found scope."""
        on = None if self.topic is None else propositions_of(facts, self.topic)
        if self.proposition is None:
            return on
        shown = facts.canonical(self.proposition)
        return (shown,) if on is None or shown in on else ()

    def shown_party(self, facts: Facts) -> str | None:
        """The shown party that it leaves, None where it leaves all; of a found scope."""
        return None if self.party is None else facts.canonical(self.party)


EVERYTHING = Scope()
