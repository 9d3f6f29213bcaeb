"""Options that several commands share: which ledger, as of when, for whom the output is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
from cyclopts import Parameter

from ledger.errors import Invalid, SchemaMissing
from ledger.ledger import Ledger
from ledger.model.events import Recorder
from ledger.model.text import show
from ledger.view import View

Flag = Annotated[bool, Parameter(negative=(), show_default=False)]
Many = Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)]
At = Annotated[tuple[str, ...], Parameter(name="--range", negative=(), show_default=False)]
Id = Annotated[str | None, Parameter(name="--id")]
NewId = Annotated[str, Parameter(name="ID")]
PartyName = Annotated[str | None, Parameter(name="--party")]

_SQLITE = "sqlite:///"


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Where:
    """Which ledger, and whether to print JSON."""

    db: Annotated[str, Parameter(env_var="CLAIMS_DB")] = "claims.db"
    """Path or URL of the ledger."""
    json: Flag = False
    """Print JSON."""

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, which must be there.

        Raises:
            SchemaMissing: there is no such file.
        """
        self.expect_file()
        with Ledger(self.db, recorder=Recorder(tool="claims")) as ledger:
            yield ledger

    def expect_file(self) -> None:
        """Refuse a file that is not there, before a driver creates it."""
        path = self.db.removeprefix(_SQLITE)
        if "://" not in path and not Path(path).exists():
            raise SchemaMissing(
                f"There is no ledger at {show(path, 200)}. Type: claims init {path}"
            )


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class When:
    """As of which dates to ask; both are a day or an instant."""

    said: str | None = None
    """What had been said by then; today if left out."""
    known: str | None = None
    """What this ledger knew by then (or by its event of that number)."""

    def view(self, ledger: Ledger) -> View:
        """The ledger as of these dates."""
        return ledger.as_of(said=self.said, known=number_or_day(self.known))


HERE: Final = Where()
NOW: Final = When()


def number_or_day(known: str | None) -> str | int | None:
    """What --known says: the number of an event, or a date."""
    return int(known) if known is not None and known.isascii() and known.isdigit() else known


def ranges(given: tuple[str, ...]) -> list[tuple[int, int]]:
    """Ranges typed as START-END, in code points from 0, the end not included.

    Raises:
        Invalid: it is typed otherwise.

    Example:
        >>> ranges(("32-39",))
        [(32, 39)]
    """
    found = []
    for one in given:
        start, _, end = one.partition("-")
        if not all(part.isascii() and part.isdigit() for part in (start, end)):
            raise Invalid(
                f"--range {show(one)} is no range. Type START-END, such as 32-39.",
                field="range",
                given=one,
            )
        found.append((int(start), int(end)))
    return found


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given: what is None or empty is left out."""
    return {key: value for key, value in fields.items() if value is not None and value != ()}
