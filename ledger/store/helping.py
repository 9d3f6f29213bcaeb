"""The helper of `spread`: a process that looks at stretches of the log, as it is asked.

It is started with nothing but this module, and ends with its input.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from typing import Any

from ledger import errors
from ledger.store.audit import stretch
from ledger.store.engines import engine_for
from ledger.store.layout import Layout
from ledger.store.spread import Part
from ledger.store.tables import tables_for
from ledger.store.transaction import reading


def serve() -> None:
    """Answer about stretches of a log until nobody asks any more."""
    begin = json.loads(sys.stdin.readline())
    layout = Layout(prefix=begin["prefix"], schema=begin["schema"])
    engine = engine_for(begin["url"], layout=layout)
    for line in sys.stdin:
        start, stop = map(int, line.split())
        try:
            with reading(engine) as conn:
                tables = tables_for(layout)
                part = stretch(conn, tables, begin["origin"], (begin["log"], start, stop))
            told = _told(part)
        except errors.LedgerError as error:
            told = {
                "error": type(error).__name__,
                "message": error.message,
                "sequence": getattr(error, "sequence", None),
            }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _told(part: Part) -> dict[str, Any]:
    return {
        "tiles": b64encode(b"".join(part.tiles)).decode(),
        "leaves": b64encode(b"".join(part.leaves)).decode(),
        "known_at": None if part.known_at is None else part.known_at.isoformat(),
        "holes": part.holes,
    }
