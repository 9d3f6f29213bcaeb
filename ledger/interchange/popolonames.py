"""What a register's persons go by, where the record itself does not say it in one field.

A name may be in parts, and stand among `other_names` alone, each with its days: of those the main
one of now is what the person is registered under.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ledger.interchange.foreign import Object, listed

_OF_A_LORD: Final = ("lordname", "lordofname")
_FAMILY: Final = ("family_name", "surname")
PARTS: Final = ("honorific_prefix", "given_name", "additional_name", *_FAMILY, *_OF_A_LORD)
"""The fields that a name is joined of where there is no `name`."""


def whole(value: Object) -> Any:
    """The `name` of a record, or its parts, joined; None where it has neither.

    Example:
        >>> whole({"honorific_prefix": "Ms", "given_name": "Ada", "surname": "Lind"})
        'Ms Ada Lind'
        >>> whole({"honorific_prefix": "Lord", "lordname": "Ek", "lordofname": "Weir"})
        'Lord Ek of Weir'
    """
    name = value.get("name")
    return " ".join(_parts(value)) or None if name is None else name


def _parts(value: Object) -> Iterator[str]:
    told = {part: one for part in PARTS if isinstance(one := value.get(part), str) and one}
    if told.keys() & {*_OF_A_LORD}:  # who is no longer called by name
        yield from (told[part] for part in ("honorific_prefix", "lordname") if part in told)
        yield from (f"of {told[part]}" for part in ("lordofname",) if part in told)
        return
    if "family_name" in told:
        told.pop("surname", None)
    yield from told.values()


def name_of(value: Object) -> Any:
    """What a person goes by: its own name, or the main one of its `other_names` that held last.

    Example:
        >>> old = {"name": "Ada Ek", "note": "Main", "end_date": "2010-05-01"}
        >>> now = {"given_name": "Ada", "family_name": "Lind", "note": "main"}
        >>> name_of({"other_names": [now, old, {"name": "Addie"}]})
        'Ada Lind'
    """
    own = whole(value)
    if own is not None:
        return own
    told = [one for one in map(as_object, listed(value.get("other_names"))) if _told(one)]
    main = [one for one in told if str(one.get("note")).casefold() == "main"] or told
    return whole(max(reversed(main), key=_held)) if main else None


def as_object(name: Any) -> Object:
    """One of the `other_names` as an object: it may be a text alone."""
    return name if isinstance(name, dict) else {"name": name}


def _told(name: Object) -> bool:
    return isinstance(text := whole(name), str) and bool(text)


def _held(name: Object) -> tuple[str, str]:
    """How long a name held, to compare."""
    return str(name.get("end_date") or "9999-12-31"), str(name.get("start_date") or "")
