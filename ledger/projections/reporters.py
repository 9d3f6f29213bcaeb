"""Who reports what a document carries: its publisher, as the view has it.

The publisher's link is implied, and was noted in the chain when an act was entered. Whoever is
amended to be the publisher stands in its place; what the text itself names stays as it is.
"""

from __future__ import annotations

from ledger.model import events as ev
from ledger.projections.effective import Facts


def chains_of(facts: Facts, act: ev.Act) -> tuple[tuple[ev.ChainLink, ...], ...]:
    """The chains of an act, with the publisher of its document in front where one was implied."""
    document = facts.get(act.document, ev.DocumentRegistered)
    if document is None or act.document is None:
        return act.chains
    implied = {ev.ChainLink(one, "reports") for one in _publishers(facts, act.document)}
    now = ev.ChainLink(document.publisher, "reports")
    if implied == {now}:
        return act.chains
    return tuple((now, *chain[1:]) if implied & {*chain[:1]} else chain for chain in act.chains)


def _publishers(facts: Facts, document: str) -> set[str]:
    """Whoever was ever told to be the publisher of a document."""
    told = [facts.stored[one].event for one in (document, *facts.changes_of(document))]
    ever = {one.publisher for one in told if isinstance(one, ev.DocumentRegistered)}
    changes = [one.changes for one in told if isinstance(one, ev.RecordAmended)]
    return ever | {one["publisher"] for one in changes if "publisher" in one}
