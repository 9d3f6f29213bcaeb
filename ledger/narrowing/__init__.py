"""Questions narrowed: the few events that bear on a cell are read instead of the whole log.

Where the projection "cells" is served and has read its whole log, its tables say which acts to
read; they are laid on the frame of the records that are no acts, and the question is asked of that
as it is asked of the folded log. Everywhere else the log is folded (`ledger.folding`).

```
cells of the party and all beneath it       ->  claims
touched by, utterances, what they name      ->  until nothing is new
```

All of it is `seq < basis`, so a known-date costs what now costs.

```
asked     the questions         acts      which acts bear on one
plain     the common case      records   what is kept of a log that is no act
driver    SQLite's own words   heading   where the log stands, and stood
columns   everybody's positions    entering  what an entry is checked against
```
"""

from ledger.narrowing.acts import narrowed, of_claim
from ledger.narrowing.asked import Asked, ask, asked_of
from ledger.narrowing.entering import thrifty

__all__ = ["Asked", "ask", "asked_of", "narrowed", "of_claim", "thrifty"]
