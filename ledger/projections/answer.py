"""What every answer can do: be printed, shown in a notebook, and turned into plain data.

Each projection defines its own answers; this is only their common manner.
"""

from __future__ import annotations

import datetime as dt
import html
from typing import Any, ClassVar, cast

import attrs

from ledger.model.bounds import Bounds
from ledger.model.moment import Edtf, Knob
from ledger.model.period import Period


class Answer:
    """A frozen attrs object that an ask returned.

    `str()` is for people, `to_dict()` for programs (JSON values only), notebooks get the text.
    `derived` names what is told beside the fields, though it follows from them.
    """

    __slots__ = ()

    derived: ClassVar[tuple[str, ...]] = ()

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values: texts, whole numbers, lists, objects."""
        return cast("dict[str, Any]", plain(self))

    def _repr_html_(self) -> str:
        """The text of the answer, for notebooks."""
        return f"<pre>{html.escape(str(self))}</pre>"


def plain(value: Any) -> Any:
    """A value as JSON has it; dates, bounds and periods as they are written."""
    match value:
        case None | bool() | int() | str():
            return value
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        case dt.date():
            return value.isoformat()
        case Edtf() | Bounds() | Period() | Knob():
            return str(value)
        case bytes():
            return value.hex()
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
        case tuple() | list() | frozenset() | set():
            return [plain(one) for one in value]
        case _ if attrs.has(type(value)):
            names = [field.name for field in attrs.fields(type(value))]
            return {
                name: plain(getattr(value, name))
                for name in (*names, *getattr(value, "derived", ()))
                if not name.startswith("_")
            }
        case _:
            return str(value)
