"""Who can hold a position: parties, the names they bear in time, and who belongs to whom.

Follows Popolo (Person, Organization, `other_names`, Membership) and the PROV Agent. A party here
is what a host hands in; what the log keeps of it are the events of `ledger.model.events`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import attrs

from ledger.errors import InvalidMembership, InvalidParty
from ledger.model.fields import (
    check_flag,
    to_id,
    to_ids,
    to_language,
    to_name,
    to_rank,
    to_role,
)
from ledger.model.moment import Edtf
from ledger.model.period import ALWAYS, Period
from ledger.model.text import bare, check_id, show

KINDS: Final = frozenset(
    {
        "state",
        "organisation",
        "body",
        "office",
        "person",
        "joint",
        "unnamed_group",
        "publisher",
    }
)


def to_period(value: Period | Edtf | str | None) -> Period:
    """A period from an EDTF interval such as "1991-10-18/..", or none for always."""
    if value is None:
        return ALWAYS
    return value if isinstance(value, Period) else Period.of_interval(value)


def check_kind(kind: str) -> str:
    """Refuse a kind of party that is neither ours nor namespaced (`x-host:..`)."""
    if isinstance(kind, str) and ":" in kind:
        return check_id(kind, field="kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InvalidParty(
            f"There is no kind of party {show(kind)}. Take one of {', '.join(sorted(KINDS))}, "
            "or an own one with a namespace, such as 'x-host:tribe'.",
            field="kind",
            given=kind,
        )
    return bare(kind)


def _metonym(value: bool) -> bool:  # noqa: FBT001 - a converter
    return check_flag(value, "metonym")


def _speaks_for(value: bool) -> bool:  # noqa: FBT001 - a converter
    return check_flag(value, "speaks_for")


@attrs.frozen
class Name:
    """A string that denotes a party during a period; "Baku" is a metonym of a state.

    If several parties have a name on a day, the lowest `rank` wins; equal ranks are all given.
    `period` is half-open: the day after the slash is the first that no longer counts.

    Example:
        >>> Name("Baku", metonym=True, period="1991-10-18/..").period.since
        Edtf('1991-10-18')
    """

    text: str = attrs.field(converter=to_name)
    metonym: bool = attrs.field(default=False, converter=_metonym, kw_only=True)
    period: Period = attrs.field(default=ALWAYS, converter=to_period, kw_only=True)
    rank: int = attrs.field(default=0, converter=to_rank, kw_only=True)
    language: str | None = attrs.field(default=None, converter=to_language, kw_only=True)


def _names(values: str | Name | Iterable[str | Name]) -> tuple[Name, ...]:
    given: Iterable[Any] = (values,)  # a Name refuses what is none
    if isinstance(values, Iterable) and not isinstance(values, str):
        given = values
    return tuple(value if isinstance(value, Name) else Name(value) for value in given)


def _metonyms(values: str | Name | Iterable[str | Name]) -> tuple[Name, ...]:
    return tuple(attrs.evolve(name, metonym=True) for name in _names(values))


def check_members(party: str, kind: str, members: tuple[str, ...]) -> None:
    """Refuse members of a party that is not joint."""
    if members and kind != "joint":
        raise InvalidParty(
            f"Party {show(party)} has members but is of kind {kind!r}: write "
            'kind="joint", or use Membership for those who belong to it.',
            field="members",
            given=members,
        )


@attrs.frozen
class Party:
    """A state, organisation, body, office, person, joint party or unnamed group.

    `name` denotes the party on every day, unless `names` has the same text with periods.
    `part_of` adds a membership without dates. `members` makes a joint party, whose claims reach
    its members, never the other way round.

    Raises:
        InvalidParty: an unknown kind, or members for a party that is not joint.

    Example:
        >>> Party("az", name="Azerbaijan", kind="state", metonyms=["Baku"]).metonyms[0].text
        'Baku'
    """

    id: str = attrs.field(converter=to_id)
    name: str = attrs.field(converter=to_name, kw_only=True)
    kind: str = attrs.field(default="organisation", converter=check_kind, kw_only=True)
    names: tuple[Name, ...] = attrs.field(default=(), converter=_names, kw_only=True)
    metonyms: tuple[Name, ...] = attrs.field(default=(), converter=_metonyms, kw_only=True)
    part_of: tuple[str, ...] = attrs.field(default=(), converter=to_ids, kw_only=True)
    members: tuple[str, ...] = attrs.field(default=(), converter=to_ids, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Members and the kind `joint` go together."""
        check_members(self.id, self.kind, self.members)
        if self.id in self.members or self.id in self.part_of:
            raise InvalidParty(
                f"Party {show(self.id)} cannot belong to itself. Name another in part_of=.",
                field="part_of",
                given=self.id,
            )


@attrs.frozen
class Membership:
    """A party's belonging to another, with a role and a period; without a period it holds always.

    A claim of the member reaches the organisation if the membership holds at the utterance.
    `speaks_for=False` is for mere rosters (seats, party lists): they never roll up. `period` is
    half-open: the day after the slash is the first that no longer counts.

    Example:
        >>> Membership("ru-mfa", "ru").speaks_for
        True
    """

    member: str
    organisation: str
    role: str = attrs.field(default="", converter=to_role, kw_only=True)
    period: Period = attrs.field(default=ALWAYS, converter=to_period, kw_only=True)
    speaks_for: bool = attrs.field(default=True, converter=_speaks_for, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """A party cannot belong to itself."""
        if self.member == self.organisation:
            raise InvalidMembership(
                f"Party {show(self.member)} cannot belong to itself. Name what it belongs to.",
                field="organisation",
                given=self.organisation,
            )
