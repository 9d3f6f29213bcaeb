"""What the writers write, and what must be answered: both worked out from a step's name alone.

A step is one append. Its name says who wrote it, how, and as the how-manieth, and everything else
follows from that; so a writer that comes back after a fault says the same again, and a check knows
what must stand in the log without having asked the writer. Nothing of `ledger.projections` or
`ledger.recording` is used for the answers.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from ledger import Claim, Ledger, Party, Proposition, Receipt
from ledger.errors import StoreError
from ledger.interchange import importing

SETUP: Final = "setup"
PARTIES: Final = tuple(f"party-{n}" for n in range(6))
PROPOSITIONS: Final = tuple(f"proposition-{n}" for n in range(4))
MODES: Final = ("single", "batch", "mixed", "import")
IMPORTED: Final = 620
OTHER: Final = {"supports": "opposes", "opposes": "supports"}

Pair = tuple[str, str]
Standing = tuple[str, str | None]

_YEAR_1000: Final = dt.datetime(1000, 1, 1, tzinfo=dt.UTC)


def set_up(ledger: Ledger) -> None:
    """Register whom and what the claims are about."""
    with ledger.tagged(correlation=SETUP):
        ledger.register_all(
            [
                *(Party(one, name=one) for one in PARTIES),
                *(Proposition(one, text=one) for one in PROPOSITIONS),
            ]
        )


@attrs.frozen(order=True)
class Said:
    """A claim: its id, and what follows from that."""

    writer: int
    number: int
    place: int
    mode: str

    @property
    def id(self) -> str:
        return f"{self.mode}-{self.writer}-{self.number}-{self.place}"

    @functools.cached_property
    def chance(self) -> int:
        return zlib.crc32(self.id.encode())

    @property
    def party(self) -> str:
        return PARTIES[self.chance % len(PARTIES)]

    @property
    def proposition(self) -> str:
        return PROPOSITIONS[self.chance // 7 % len(PROPOSITIONS)]

    @property
    def stance(self) -> str:
        return "supports" if self.chance // 31 % 2 else "opposes"

    @property
    def second(self) -> int:
        """When it was uttered; no two claims share a second."""
        return (self.number * 2048 + self.place) * 16 + self.writer

    @property
    def uttered(self) -> str:
        return f"{_YEAR_1000 + dt.timedelta(seconds=self.second):%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")

    def fields(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "claimant": self.party,
            "act": "assert",
            "stance": self.stance,
            "proposition": self.proposition,
            "uttered": self.uttered,
        }


@attrs.frozen(order=True)
class Step:
    """One append of one writer; `mode` is one of `MODES`."""

    mode: str
    writer: int
    number: int

    @classmethod
    def named(cls, name: str) -> Step:
        mode, writer, number = name.split("-")
        return cls(mode, int(writer), int(number))

    @property
    def name(self) -> str:
        return f"{self.mode}-{self.writer}-{self.number}"

    def said(self, place: int = 0) -> Said:
        return Said(self.writer, self.number, place, self.mode)

    @property
    def before(self) -> Said:
        """The claim of the step before, which a mixed step changes."""
        return Said(self.writer, self.number - 1, 0, self.mode)

    @property
    def kind(self) -> str:
        """What the step does: a mixed one takes turns."""
        if self.mode != "mixed":
            return self.mode
        return ("guest", "amend", "single", "withdraw")[self.number % 4]

    @property
    def claims(self) -> list[Said]:
        match self.kind:
            case "single" | "guest":
                return [self.said()]
            case "batch":
                return [self.said(place) for place in range(1 + self.said().chance % 20)]
            case "import":
                return [self.said(place) for place in range(IMPORTED)]
            case _:
                return []

    @property
    def appends(self) -> list[int]:
        """How many events each append of the step has."""
        match self.kind:
            case "guest":
                return [2]
            case "amend" | "withdraw":
                return [1]
            case "import":
                whole, rest = divmod(IMPORTED, importing.BATCH_LINES)
                return [importing.BATCH_LINES] * whole + [rest] * bool(rest)
            case _:
                return [len(self.claims)]

    def enter(self, ledger: Ledger) -> tuple[list[int], bool]:
        """Do it, or find that it was done: the sequences in the receipts, and whether it was.

        An import gives no receipts.
        """
        with ledger.tagged(correlation=self.name):
            if self.kind == "import":
                return [], self._import(ledger)
            receipts = self._record(ledger)
        sequences = {sequence for receipt in receipts for sequence in receipt.sequences}
        return sorted(sequences), all(one.stored == "already_stored" for one in receipts)

    def _record(self, ledger: Ledger) -> list[Receipt]:
        match self.kind:
            case "guest":
                guest = Party(f"guest-{self.writer}-{self.number}", name="A guest")
                return [ledger.record(**self.said().fields(), via=[guest])]
            case "amend":
                changed = OTHER[self.before.stance]
                return [ledger.amend(self.before.id, reason="a slip", stance=changed)]
            case "withdraw":
                said, uttered = self.before, self.said().uttered
                act = ledger.withdraw(said.id, claimant=said.party, uttered=uttered, id=self.name)
                return [act]
            case "single":
                return [ledger.record(**self.said().fields())]
            case _:
                return ledger.record_all([Claim(**one.fields()) for one in self.claims])

    def _import(self, ledger: Ledger) -> bool:
        with tempfile.TemporaryDirectory(prefix="claimledger-") as folder:
            file = Path(folder, "claims.jsonl")
            lines = (msgspec.json.encode({"type": "claim", **one.fields()}) for one in self.claims)
            file.write_bytes(b"\n".join(lines))
            account = importing.import_file(ledger, file)
        assert account.refused == 0, account
        return account.accepted == 0


def shortly(error: StoreError) -> str:
    """The beginning of what an error says."""
    return re.split("[.:,]", error.message)[0]


def answer(survived: Mapping[str, int]) -> dict[Pair, Standing]:
    """Where each party stands on each proposition: by its latest claim, as amended, if it stands.

    `survived` has the steps by name, and how many events of each are there: a part of an import
    may be.
    """
    latest: dict[Pair, Said] = {}
    done = {}
    for step, many in ((Step.named(name), many) for name, many in survived.items()):
        done[step.mode, step.writer, step.number] = step.kind
        for said in step.claims[:many]:
            pair = said.party, said.proposition
            if pair not in latest or latest[pair].second < said.second:
                latest[pair] = said
    answers: dict[Pair, Standing] = {}
    for pair, said in latest.items():
        match done.get((said.mode, said.writer, said.number + 1)):
            case "withdraw":
                answers[pair] = "withdrawn", None
            case "amend":
                answers[pair] = "held", OTHER[said.stance]
            case _:
                answers[pair] = "held", said.stance
    return answers
