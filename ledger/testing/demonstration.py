"""The demonstration: a real dispute rebuilt from our own data, in one command.

The script below is what is shown and what is run, line by line, so the two cannot differ. It
writes three small files into a folder and asks nothing of the network. Its data is `.lachin`.
"""

from __future__ import annotations

import datetime as dt
import doctest
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from ledger.errors import LedgerError, StoreError
from ledger.ledger import Ledger
from ledger.model.events import Recorder
from ledger.model.proposition import Proposition
from ledger.reports.table import who_held_what
from ledger.testing import lachin

SCRIPT: Final = """\
Who held what about the Lachin corridor, from one news report of 22 February 2023.
Every line after >>> is run as it stands; its names are those of `ledger`, `ledger.testing` and
`ledger.reports.table`, and `folder` is an empty folder. The clock is set by hand, so that every
run reads alike but for its hashes.

1. On 23 February 2023 the report is taken down: who said what, when, on whose behalf.

>>> clock = Clock("2023-02-23")
>>> desk = Recorder(id="desk")
>>> ledger = Ledger.open(folder / "lachin.db", clock=clock, recorder=desk)
>>> lachin.load(ledger)
>>> print(len(ledger.claims()), "claims,", ledger.checkpoint().size, "events")

2. Who held what on three dates, and the words behind each cell.

>>> dates = [ledger.as_of(said=day) for day in ("2022-12-31", "2023-01-18", "2023-02-22")]
>>> print(who_held_what(dates, topic="lachin"))

3. Two tell one stopped road in two ways, and neither denies the other: a divergence.

>>> print("divergences:", *ledger.divergences())
>>> print("contradictions:", len(ledger.contradictions()))

4. A slip of our own. On the 24th a further claim is entered; suppose that the finger slips and
   types the 12th for the 22nd. On the 25th the entry is amended. What we had believed in
   between can still be asked for.

>>> clock.set("2023-02-24")
>>> _ = ledger.register(Proposition(
...     "aid", text="Relief of over 2.5 tons has reached the region since 12 December 2022"))
>>> _ = ledger.record(
...     id="zakharova-aid", proposition="aid", act="assert", uttered="2023-02-12",
...     claimant="maria-zakharova", on_behalf_of=["ru-mfa"], document="ria-2023-02-22",
...     quote={"exact": "more than 2.5 tons of humanitarian goods have been delivered",
...            "ranges": [(825, 885)], "mode": "indirect"})
>>> clock.set("2023-02-25")
>>> _ = ledger.amend("zakharova-aid", uttered="2023-02-22", reason="we typed 12 for 22")
>>> print(ledger.as_of(said="2023-02-15").position("ru", "aid").short())
>>> print(ledger.as_of(said="2023-02-15", known="2023-02-24").position("ru", "aid").short())

5. Replay: what this ledger showed on a day. On the 22nd it knew nothing yet.

>>> for day in ("2023-02-22", "2023-02-23", "2023-02-24"):
...     print(day, len(ledger.replay(day).claims()), "claims")

6. One claim, back to its words: speaker, quotation, document, log entry, proof.

>>> print(ledger.trace("zakharova-aid"))

7. Every stored byte is checked, against a checkpoint that you keep elsewhere.

>>> kept = ledger.checkpoint()
>>> print(ledger.verify(kept))
>>> ledger.close()

8. What if? Suppose that Moscow had taken its offer back on 28 February. The report says no such
   thing and nobody is known to have said it: it is entered in a copy, and in no other file.

>>> _ = shutil.copy(folder / "lachin.db", folder / "suppose.db")
>>> clock.set("2023-03-01")
>>> supposed = Ledger.open(folder / "suppose.db", clock=clock, recorder=desk)
>>> _ = supposed.withdraw(
...     "moscow-offer", id="suppose-withdrawn", claimant="ru", uttered="2023-02-28",
...     note="Supposed, to show what a withdrawal does. Nobody is known to have said this.")
>>> for day in ("2023-02-27", "2023-02-28"):
...     print(day, supposed.as_of(said=day).position("ru", "checks").short())
>>> supposed.close()

9. Now one byte of another copy is changed behind the ledger's back: 2.5 tons become 3.5.

>>> stored = (folder / "lachin.db").read_bytes()
>>> forged = stored.replace(b"than 2.5 tons", b"than 3.5 tons", 1)
>>> print(sum(a != b for a, b in zip(stored, forged)), "byte of", len(stored), "differs")
>>> _ = (folder / "forged.db").write_bytes(forged)
>>> with Ledger.open(folder / "forged.db") as copy:
...     copy.verify(kept)
"""


@attrs.define
class Clock:
    """A clock that stands at noon, UTC, of the day it was set to.

    Example:
        >>> print(Clock("2023-02-23")())
        2023-02-23 12:00:00+00:00
    """

    _day: str

    def set(self, day: str) -> None:
        """Set it to another day."""
        self._day = day

    def __call__(self) -> dt.datetime:
        """Noon of the day."""
        return dt.datetime.fromisoformat(f"{self._day}T12:00:00+00:00")


def run(out: Callable[[str], None], folder: Path) -> None:
    """Run the demonstration in a folder; `out` is given its transcript, a line a call.

    Raises:
        StoreError: the folder has one of the demonstration's files already.
    """
    for name in ("lachin.db", "suppose.db", "forged.db"):
        if (folder / name).exists():
            raise StoreError(
                f"{folder / name} is there already. Give the demonstration an empty folder."
            )

    folder = folder.absolute()  # one whose name begins as a URL does is a folder all the same

    def show(*values: object) -> None:
        for line in " ".join(map(str, values)).splitlines():
            out(line)

    names = {
        "Clock": Clock,
        "Ledger": Ledger,
        "Proposition": Proposition,
        "Recorder": Recorder,
        "folder": folder,
        "lachin": lachin,
        "print": show,
        "shutil": shutil,
        "who_held_what": who_held_what,
    }
    for step in _steps():
        for line in step.shown:
            out(line)
        try:
            exec(step.code, names)  # noqa: S102 - the script above
        except LedgerError as error:
            show(f"{type(error).__name__}: {error}")


@attrs.frozen
class _Step:
    """Lines to show, prose and typed ones, and what the typed ones do."""

    shown: list[str]
    code: str


def _steps() -> Iterator[_Step]:
    """The statements of the script, each with the prose before it."""
    prose: list[str] = []
    for part in doctest.DocTestParser().parse(SCRIPT, "demonstration"):
        if isinstance(part, str):
            prose += part.splitlines()
            continue
        first, *further = part.source.splitlines()
        typed = [f">>> {first}", *(f"... {line}" for line in further)]
        yield _Step([*prose, *typed], part.source)
        prose = []
