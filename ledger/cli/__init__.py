"""The command `claims`: asks a ledger, or enters into one, and prints. Nothing is computed here.

`main` is the way in; it needs nothing but the library, so that a bare install can say which extra
is missing. The commands stand by theme in `entering`, `acts`, `asking`, `auditing`, `importing`.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
from collections.abc import Sequence

from ledger.errors import LedgerError, MissingExtra
from ledger.store.collector import collector_paused

__all__ = ["main"]

_STATUS_OF_INTERRUPT = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives 0, 1 if it was refused, 2 if it was mistyped, 130 if interrupted.

    Example:
        >>> main(["position"])
        2
    """
    try:
        if not all(map(importlib.util.find_spec, ("cyclopts", "rich"))):
            raise MissingExtra("cli", needs="cyclopts and rich", purpose="The command line")
        with collector_paused():
            from ledger.cli.app import run  # noqa: PLC0415 - needs the extra

            if argv is None:  # a process of our own: what is loaded stays to its end
                gc.freeze()
        return run(sys.argv[1:] if argv is None else list(argv))
    except LedgerError as error:
        print(f"claims: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # while the commands are loaded, too
        print("claims: interrupted. What was recorded until then stays.", file=sys.stderr)
        return _STATUS_OF_INTERRUPT
