"""Policies: which of the claims that reach a party count towards its position.

`latest` lets all of them count, so that the last word decides whoever spoke it. A policy of a
host's own is a function from the candidates to those that count; it never sees what was set aside
for having no stance (model.md, 5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import attrs

from ledger.errors import InvalidView
from ledger.model.text import did_you_mean, near, show


@attrs.frozen(kw_only=True)
class Candidate:
    """A claim with a stance that reaches the party: what a policy may go by.

    `path` leads from the claimant to the party. `certain` says whether saying, attribution and
    path all are.
    """

    claim: str
    path: tuple[str, ...]
    how: tuple[str, ...]
    act: str
    stance: str
    certain: bool
    withdrawn: bool

    @property
    def own(self) -> bool:
        """Whether the party made the claim itself."""
        return len(self.path) == 1


Policy = Callable[[Sequence[Candidate]], Iterable[Candidate]]


def latest(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """All of them: the last word decides, whoever spoke it for the party."""
    return candidates


def own_level_first(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The party's own claims alone, if any of them is certain; else all."""
    if any(one.own and one.certain for one in candidates):
        return [one for one in candidates if one.own]
    return candidates


def highest_authority_first(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The claims of those nearest to the party: only the shortest of the certain paths.

    A claim that is only possible stays where its path is no longer than that.
    """
    nearest = min((len(one.path) for one in candidates if one.certain), default=None)
    return [one for one in candidates if nearest is None or len(one.path) <= nearest]


POLICIES: Final[Mapping[str, Policy]] = {
    "latest": latest,
    "own_level_first": own_level_first,
    "highest_authority_first": highest_authority_first,
}


def policy_of(given: str | Policy) -> tuple[str, Policy]:
    """A policy and its name, by its name or as a function of a host's own.

    Raises:
        InvalidView: there is no policy of that name.

    Example:
        >>> policy_of("own_level_first")[0]
        'own_level_first'
    """
    if callable(given):
        return getattr(given, "__name__", type(given).__name__), given
    if isinstance(given, str) and given in POLICIES:
        return given, POLICIES[given]
    close = near(given, tuple(POLICIES)) if isinstance(given, str) else ()
    raise InvalidView(
        f"There is no policy {show(given)}. Type one of {', '.join(POLICIES)}, or hand over a "
        f"function of candidates.{did_you_mean(close)}",
        field="policy",
        given=given,
    )


def named_again(policy: str) -> str:
    """The name of the policy that decided a position; a host's own is not found by its name.

    Raises:
        InvalidView: it was a host's own.
    """
    if policy not in POLICIES:
        raise InvalidView(
            f"That position was decided by a policy of your own, {show(policy)}. Hand it over: "
            "explain(position, policy=...).",
            field="policy",
            given=policy,
        )
    return policy


def kept_by(name: str, policy: Policy, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that a policy lets count, each once.

    Raises:
        InvalidView: it gave back something that was no candidate.
    """
    given = policy(candidates)
    if not isinstance(given, Iterable):
        raise InvalidView(
            f"The policy {show(name)} gave back {show(given)}. Return those of the candidates that "
            "are to count, in a list.",
            field="policy",
            given=given,
        )
    told = tuple(given)
    strange = [one for one in told if one not in candidates]
    if strange:
        raise InvalidView(
            f"The policy {show(name)} gave back {show(strange[0])}, which was no candidate. Return "
            "some of the candidates it was given.",
            field="policy",
            given=strange[0],
        )
    return tuple(dict.fromkeys(told))
