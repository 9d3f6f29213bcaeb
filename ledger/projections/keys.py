"""What a host calls the records: which id of its own each of its ids stands for, newest last.

Here lives the dictionary alone, which forgets its last entries again, and knows which of a host's
ids were given more than once. Which record bears an id where several do is told by `.effective`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

Entry = tuple[str, str]
"""A kind of record, and a host's id."""


class Keys(dict[Entry, str]):
    """The ledger's ids by what a host calls them; so many of the last can be taken back.

    `again` holds what was given again, and may have been to another record: of anything else there
    is one record at most.

    Example:
        >>> keys = Keys(10)
        >>> keys.put(("claim", "c1"), "1", event="1")
        >>> keys.put(("claim", "c1"), "2", event="2")
        >>> keys.take_back({"2"})
        >>> keys, ("claim", "c1") in keys.again
        ({('claim', 'c1'): '1'}, True)
    """

    def __init__(self, many: int) -> None:
        super().__init__()
        self.again: set[Entry] = set()
        self.journal: deque[tuple[str, Entry, str | None]] = deque(maxlen=many)

    def put(self, entry: Entry, id_: str, *, event: str) -> None:
        """Let a host's id stand for a record from an event on."""
        former = self.get(entry)
        if former is not None:
            self.again.add(entry)
        self.journal.append((event, entry, former))
        self[entry] = id_

    def take_back(self, events: Collection[str]) -> None:
        """Forget what was put at the last events, whatever their order."""
        while self.journal and self.journal[-1][0] in events:
            _, entry, former = self.journal.pop()
            if former is None:
                del self[entry]
            else:
                self[entry] = former
