"""How fast a file comes in beside bulk appends of the same claims, and what memory that takes.

    python tests/benchmarks/imports.py [--claims 100000] [--folder FOLDER]

Each way runs in a process of its own, on a new SQLite file. Figures are told, never asserted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from ledger import Claim, Edtf, Ledger, Quotation
from ledger.interchange import import_file
from ledger.model.events import ChainLink, ClaimRecorded, NewEvent
from tests.benchmarks import workload
from tests.benchmarks.harness import figure, machine, markdown

BATCH: Final = 500
CHUNK: Final = 5_000
_MEMORY: Final = ("MiB before", "MiB half way", "MiB at the end")
Told = Callable[[int], None]


def main(arguments: list[str]) -> None:
    """Measure each way in turn, or one way where a name is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--way", choices=tuple(WAYS), help="this one alone, in this process")
    parser.add_argument("--nouns", action="store_true", help="only what the claims are about")
    parser.add_argument("--leave-out", choices=tuple(WAYS), action="append", default=[])
    asked = parser.parse_args(arguments)
    if asked.nouns:
        with Ledger.open(_database(asked.folder, asked.way)) as ledger:
            ledger.register_all(workload.nouns())
        return
    if asked.way:
        print(json.dumps(_measured(asked.way, asked.folder, asked.claims)))
        return
    with tempfile.TemporaryDirectory(prefix="claimledger-", dir=asked.folder) as made:
        folder = Path(made)
        _write(folder / "claims.jsonl", asked.claims)
        print(markdown(("machine", ""), machine(folder).items()), flush=True)
        ways = [way for way in WAYS if way not in asked.leave_out]
        rows = [_child(way, folder, asked.claims) for way in ways]
    base = rows[0]["busy"]
    print(f"\n## {asked.claims:,} claims\n")
    print(
        markdown(
            ("way", "claims/s", "claims per CPU second", "of the first", *_MEMORY),
            [
                (
                    row["way"],
                    figure(row["rate"]),
                    figure(row["busy"]),
                    figure(row["busy"] / base),
                    *(f"{one:,.0f}" for one in row["mib"]),
                )
                for row in rows
            ],
        )
    )


def _child(way: str, folder: Path, claims: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    # By another process: the most that this one ever held is to be that of the way alone.
    subprocess.run([*command, "--nouns"], check=True)
    command += ["--claims", str(claims)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _database(folder: Path, way: str) -> Path:
    return folder / f"{way.replace(' ', '-')}.db"


def _measured(way: str, folder: Path, claims: int) -> dict[str, Any]:
    with Ledger.open(_database(folder, way)) as ledger:
        mib = [_mib()]

        def told(many: int) -> None:
            if many * 2 >= claims and len(mib) == 1:
                mib.append(_mib())

        start, busy = time.perf_counter(), time.process_time()
        WAYS[way](ledger, folder / "claims.jsonl", told)
        took, used = time.perf_counter() - start, time.process_time() - busy
        size = ledger.checkpoint().size
    assert size > claims
    return {"way": way, "rate": claims / took, "busy": claims / used, "mib": [*mib, _mib()]}


def _mib() -> float:
    """The most that this process held; what `getrusage` gives begins with that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _write(path: Path, claims: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for fields in workload.claims(claims):
            file.write(json.dumps({"type": "claim", **fields}) + "\n")


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            fields = json.loads(line)
            del fields["type"]
            yield fields


def _recorded(ledger: Ledger, path: Path, told: Told) -> None:
    given = (Claim(**fields) for fields in _read(path))
    many = 0
    while batch := list(islice(given, BATCH)):
        ledger.record_all(batch)
        many += len(batch)
        told(many)


def _imported(ledger: Ledger, path: Path, told: Told) -> None:
    many = [0]

    def count(_: object) -> None:
        many[0] += 1
        told(many[0])

    account = import_file(ledger, path, tell=count)
    assert account.refused == 0


def _loaded(ledger: Ledger, path: Path, told: Told) -> None:
    ledger.appender.load(
        _events(ledger, path), chunk=CHUNK, progress=lambda loaded: told(loaded.stored)
    )


def _events(ledger: Ledger, path: Path) -> Iterator[NewEvent]:
    with ledger.as_of().facts() as facts:
        known = {
            key: facts.id_of(kind, key) or ""
            for kind in ("party", "proposition", "document")
            for key in facts.keys(kind)
        }
    for number, fields in enumerate(_read(path)):
        id_ = f"imported-{number:012d}"
        document = fields.get("document")
        event = ClaimRecorded(
            chains=((ChainLink(known[fields["claimant"]], "says"),),),
            key=fields["id"],
            proposition=known[fields["proposition"]],
            act=fields["act"],
            stance="opposes" if fields["act"] == "deny" else "supports",
            uttered=Edtf.parse(fields["uttered"]),
            document=None if document is None else known[document],
            language=fields["language"],
            quote=Quotation(exact=fields["quote"]),
        )
        yield NewEvent(id=id_, stream=id_, stream_v=0, event=event)


WAYS: Final[dict[str, Callable[[Ledger, Path, Told], None]]] = {
    "record_all, 500 claims an append": _recorded,
    "import of JSON Lines": _imported,
    "load of typed events, 5,000 an append": _loaded,
}

if __name__ == "__main__":
    main(sys.argv[1:])
