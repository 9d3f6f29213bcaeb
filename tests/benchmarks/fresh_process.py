"""One job in a process of its own: `python fresh_process.py JOB URL [PARTY PROPOSITION DAY]`.

Prints seconds and memory as JSON; `run.py` starts it. Imports stand inside, since they are what is
measured first.
"""

from __future__ import annotations

import json
import sys
import time

from harness import peak_mib


def main(job: str, url: str, *cell: str) -> None:
    """Import, do the job, say what it took."""
    start = time.perf_counter()
    if job.startswith("raw"):
        if url.startswith("sqlite"):
            import sqlite3  # noqa: F401, PLC0415
        else:
            import psycopg  # noqa: F401, PLC0415
        imported = time.perf_counter()
        from raw import raw_for  # noqa: PLC0415
    else:
        from ledger import Ledger  # noqa: PLC0415

        imported = time.perf_counter()
    before, began = peak_mib(), time.perf_counter()
    if job == "raw position":
        raw_for(url).cell(*cell)
    elif job == "raw replay":
        for _ in raw_for(url).rows("event"):
            pass
    elif job == "position":
        Ledger.open(url).position(*cell[:2])
    else:
        for _ in Ledger.open(url).events():
            pass
    took = time.perf_counter() - began
    memory = max(peak_mib() - before, 0.1)
    print(json.dumps({"import": imported - start, "seconds": took, "memory": memory}))


if __name__ == "__main__":
    main(*sys.argv[1:])
