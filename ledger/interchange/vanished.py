"""What a later version of a file does not hold any more, struck out where that is wanted.

Here live the rows of one version by the ledger's ids, and the amendments. Parties, topics,
propositions, occurrences and documents stay, since others may name them.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import attrs

from ledger.appending import Appender
from ledger.interchange.importing import Imported
from ledger.receipt import Receipt
from ledger.recording import undoing
from ledger.recording.intake import Intake, Made

_AT_ONCE: Final = 500
_STAYING: Final = frozenset({"party", "topic", "proposition", "occurrence", "document"})


@attrs.define
class Rows:
    """The records that a version of a file holds."""

    ids: set[str] = attrs.field(factory=set)

    def take(self, receipts: Sequence[Receipt]) -> None:
        """Add what was entered, or was there already."""
        self.ids.update(one.ledger_id for one in receipts)


def is_whole(account: Imported) -> bool:
    """Whether a version was taken in as far as it can be: all that was refused would have stayed.

    Such as a party that goes by another name now, whose record is there already.
    """
    told = {one.type for one in account.refusals}
    return account.refused == len(account.refusals) and told <= _STAYING


def strike_out(appender: Appender, gone: Collection[str], *, reason: str) -> int:
    """Strike out those of some records that still stand and that nothing names; how many."""
    many = 0
    left = iter(sorted(gone))
    while ids := list(itertools.islice(left, _AT_ONCE)):

        def entry(intake: Intake, ids: Sequence[str] = ids) -> list[Made]:
            return list(_struck_out(intake, ids, reason))

        many += len(appender.append(entry))
    return many


def _struck_out(intake: Intake, ids: Sequence[str], reason: str) -> Iterator[Made]:
    for id_ in ids:
        event = intake.get(id_, object)
        if event is not None and not isinstance(event, undoing.NAMED):
            yield undoing.amend(intake, id_, reason=reason, strike_out=True, fields={})
