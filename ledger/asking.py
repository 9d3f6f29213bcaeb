"""The questions that are asked of now: each is that of the view of this moment."""

from __future__ import annotations

import abc
from typing import Any

from ledger.handed import Id, id_of, plain_fields
from ledger.projections import listing, perspectives, positions, provenance, timeline
from ledger.view import View


class Asking(abc.ABC):
    """What a ledger answers of now; `as_of` gives the same questions for other dates."""

    @abc.abstractmethod
    def as_of(self) -> View:
        """The view of this moment."""

    def position(self, party: Id, proposition: Id) -> positions.Position:
        """Where a party stands on a proposition now; `View.position` for another date."""
        return self.as_of().position(id_of(party), id_of(proposition))

    def positions(
        self, *, topic: Id | None = None, party: Id | None = None
    ) -> perspectives.Positions:
        """Every position on a topic or of a party now."""
        return self.as_of().positions(**plain_fields({"topic": topic, "party": party}))

    def claims(self, /, **filters: Any) -> listing.Claims:
        """The claims of now; the filters are those of `View.claims`."""
        return self.as_of().claims(**plain_fields(filters))

    def timeline(self, party: Id, topic: Id) -> timeline.Timeline:
        """A party's words on a topic over time."""
        return self.as_of().timeline(id_of(party), id_of(topic))

    def contradictions(self) -> tuple[perspectives.Contradiction, ...]:
        """Pairs of parties that hold against each other now."""
        return self.as_of().contradictions()

    def divergences(self) -> tuple[perspectives.Divergence, ...]:
        """Pairs of claims that tell one occurrence in different ways."""
        return self.as_of().divergences()

    def trace(self, claim: Id) -> provenance.Trace:
        """A claim back to its words, its document, its log entry and the proof of that entry."""
        return self.as_of().trace(id_of(claim))
