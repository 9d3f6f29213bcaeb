"""The attribution chain: ordered links from the document's publisher inward to the claimant.

```
ria-novosti  reports                     passes words on, takes no position
  maria-zakharova  says                  an outer says: takes no position either
    ru-mfa  on_behalf_of                 who the link before it speaks for
      ru  says                           the innermost says (or cited): the claimant
```

Follows nested attribution as in PARC3, PROV `wasQuotedFrom` (reports) and `actedOnBehalfOf`.
Whom a claim reaches beyond its claimant is `ledger.projections.rollup`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol, get_args

import attrs

from ledger.errors import InvalidAttribution
from ledger.model.fields import to_role
from ledger.model.quotation import Quotation
from ledger.model.text import show

LinkKind = Literal["reports", "says", "on_behalf_of", "cited"]
LINK_KINDS: Final[tuple[LinkKind, ...]] = get_args(LinkKind)
MAX_LINKS: Final = 100


def _link_kind(value: str) -> LinkKind:
    for kind in LINK_KINDS:
        if value == kind:
            return kind
    raise InvalidAttribution(
        f"There is no kind of link {show(value)}: a link reports, says, speaks on_behalf_of, or "
        f"is cited. Write one of {', '.join(LINK_KINDS)}.",
        field="chain",
        given=value,
    )


def _quotation(value: Quotation | str | None) -> Quotation | None:
    return None if value is None else Quotation.of(value, field="words")


@attrs.frozen
class Link:
    """One link of a chain: a party, what it does, in which role, by which words.

    `words` are the document's words that name the party, `cue` those that show the act ("said").

    Raises:
        InvalidAttribution: an unknown kind of link.

    Example:
        >>> Link("ru-mod", "says", cue="reported").kind
        'says'
    """

    agent: str
    kind: LinkKind = attrs.field(default="says", converter=_link_kind)
    role: str = attrs.field(default="", converter=to_role, kw_only=True)
    words: Quotation | None = attrs.field(default=None, converter=_quotation, kw_only=True)
    cue: Quotation | None = attrs.field(default=None, converter=_quotation, kw_only=True)


Chain = tuple[Link, ...]


class Linked(Protocol):
    """Any link: one handed in, or one inside an event."""

    @property
    def agent(self) -> str:
        """The party of the link."""

    @property
    def kind(self) -> str:
        """What it does."""


def innermost(chain: Sequence[Linked]) -> int:
    """The index of the innermost says or cited link, -1 where the chain names no claimant."""
    for index in range(len(chain) - 1, -1, -1):
        if chain[index].kind in ("says", "cited"):
            return index
    return -1


def claimant_of(chain: Sequence[Linked]) -> str | None:
    """The party of the innermost says or cited link; None where nobody is named.

    Example:
        >>> claimant_of((Link("gazette", "reports"), Link("board", "says")))
        'board'
    """
    inner = innermost(chain)
    return None if inner < 0 else chain[inner].agent


def claimants_of(chains: Iterable[Sequence[Linked]]) -> tuple[str, ...]:
    """The claimants of an act: one, several alternatives, or nobody."""
    return tuple(dict.fromkeys(filter(None, map(claimant_of, chains))))


def spoken_for(chain: Sequence[Linked]) -> tuple[str, ...]:
    """The parties that the claimant's own link speaks for, as the text states them.

    Example:
        >>> spoken_for((Link("zakharova", "says"), Link("ru-mfa", "on_behalf_of")))
        ('ru-mfa',)
    """
    inner = innermost(chain)
    if inner < 0:
        return ()
    return tuple(link.agent for link in chain[inner + 1 :] if link.kind == "on_behalf_of")


def check_chain(given: object) -> Chain:
    """Refuse a chain that is none, hangs in the air or is too long."""
    chain = (
        [link for link in given if isinstance(link, Link)] if isinstance(given, Sequence) else []
    )
    if not isinstance(given, Sequence) or len(chain) < len(given):
        raise InvalidAttribution(
            f"A chain is a list of links, not {show(given)}. Write Link(party, kind) for each, or "
            "leave it out and say claimant, via and on_behalf_of.",
            field="chain",
            given=given,
        )
    if len(chain) > MAX_LINKS:
        raise InvalidAttribution(
            f"A chain of {len(chain)} links; {MAX_LINKS} are allowed. Leave out links that repeat.",
            field="chain",
            given=len(chain),
        )
    for before, link in zip((None, *chain), chain, strict=False):
        if link.kind == "on_behalf_of" and (
            before is None or before.kind not in ("says", "on_behalf_of")
        ):
            raise InvalidAttribution(
                f"{show(link.agent)} is spoken for by nobody: an on_behalf_of link stands right "
                "after the says link of the party that speaks for it.",
                field="chain",
                given=link.agent,
            )
    return tuple(chain)


def with_publisher(chain: Chain, publisher: str | None) -> Chain:
    """The chain with the publisher's reports link in front, where it was left out."""
    if publisher is None or (chain and chain[0].agent == publisher):
        return chain
    return (Link(publisher, "reports"), *chain)


def chain_of(
    *, claimant: str | None, via: Sequence[str] = (), on_behalf_of: Sequence[str] = ()
) -> Chain:
    """The plain chain: reporters outermost first, then the claimant and whom it speaks for.

    Example:
        >>> [link.kind for link in chain_of(claimant="board", via=["gazette"])]
        ['reports', 'says']
    """
    reporters = tuple(Link(agent, "reports") for agent in via)
    if claimant is None:
        return reporters
    behind = tuple(Link(agent, "on_behalf_of") for agent in on_behalf_of)
    return check_chain((*reporters, Link(claimant, "says"), *behind))
