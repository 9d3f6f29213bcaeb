"""Commands that ask for reasons and for several at once: explain, perspectives, silences."""

from __future__ import annotations

from ledger.cli.names import party
from ledger.cli.options import HERE, NOW, When, Where
from ledger.cli.output import answer


def explain(
    who: str,
    proposition: str,
    /,
    *,
    policy: str = "latest",
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """Explain a position step by step: every claim, kept or dropped, and why.

    Example: `claims explain Baku protest --said 2023-01-18`

    Args:
        who: The party, by id or by its name on that day.
        proposition: The proposition.
        policy: Which claims count: latest, own_level_first or highest_authority_first.
    """
    with where.ledger() as ledger:
        view = when.view(ledger)
        found = view.explain(party(view, who) or "", proposition, policy=policy)
        answer(found, json=where.json)


def perspectives(occurrence: str, /, *, when: When = NOW, where: Where = HERE) -> None:
    """Show side by side how the parties describe an occurrence.

    Example: `claims perspectives stopped-road`

    Args:
        occurrence: The occurrence.
    """
    with where.ledger() as ledger:
        answer(when.view(ledger).perspectives(occurrence), json=where.json)


def silences(topic: str, /, *, when: When = NOW, where: Where = HERE) -> None:
    """List who said nothing on propositions of a topic on which others spoke.

    Example: `claims silences lachin --said 2023-02-22`

    Args:
        topic: The topic.
    """
    with where.ledger() as ledger:
        answer(when.view(ledger).silences(topic), json=where.json)
