"""What is supported, opposed, denied: propositions, their topics, and the occurrences they tell of.

Follows the I-node of the Argument Interchange Format (proposition) and the SKOS Concept (topic).
"""

from __future__ import annotations

from typing import Final

import attrs

from ledger.errors import InvalidOccurrence, InvalidProposition
from ledger.model.fields import to_id, to_ids, to_label
from ledger.model.text import bare, check_text, show

PROPOSITION_KINDS: Final = ("fact", "aim")


def check_proposition_kind(kind: str) -> str:
    """Refuse anything but `fact` (is it so?) and `aim` (is it wanted?)."""
    if kind not in PROPOSITION_KINDS:
        raise InvalidProposition(
            f"A proposition is a fact (is it so?) or an aim (is it wanted?), not {show(kind)}. "
            'Write kind="fact" or kind="aim".',
            field="kind",
            given=kind,
        )
    return bare(kind)


def to_proposition_text(text: str) -> str:
    """The wording of a proposition."""
    return check_text(text, field="text", limit=5_000)


@attrs.frozen
class Topic:
    """A group of propositions; a topic may be part of a wider one.

    Example:
        >>> Topic("lachin", label="The Lachin corridor").part_of is None
        True
    """

    id: str = attrs.field(converter=to_id)
    label: str = attrs.field(converter=to_label, kw_only=True)
    part_of: str | None = attrs.field(default=None, kw_only=True)


@attrs.frozen
class Proposition:
    """What several parties can support or oppose: a `fact` (is it so?) or an `aim` (is it wanted?).

    Offers, demands, calls and commitments need an aim, so that "the road is not open" and "open
    the road" are neither a conflict nor a reversal.

    Raises:
        InvalidProposition: a kind that is neither.

    Example:
        >>> Proposition("road-blocked", text="The road is blocked", topic="lachin").kind
        'fact'
    """

    id: str = attrs.field(converter=to_id)
    text: str = attrs.field(converter=to_proposition_text, kw_only=True)
    topic: tuple[str, ...] = attrs.field(default=(), converter=to_ids, kw_only=True)
    kind: str = attrs.field(default="fact", converter=check_proposition_kind, kw_only=True)


@attrs.frozen
class Occurrence:
    """The thing in the world that several propositions describe, each in its own words.

    Example:
        >>> Occurrence("road", label="The stopped road", propositions=["blocked", "protest"])
        Occurrence(id='road', label='The stopped road', propositions=('blocked', 'protest'))
    """

    id: str = attrs.field(converter=to_id)
    label: str = attrs.field(converter=to_label, kw_only=True)
    propositions: tuple[str, ...] = attrs.field(converter=to_ids, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """One description is no occurrence shared by several."""
        if not self.propositions:
            raise InvalidOccurrence(
                f"Occurrence {show(self.id)} is described by no proposition. Name at least one "
                "in propositions=[...].",
                field="propositions",
                given=self.propositions,
            )
