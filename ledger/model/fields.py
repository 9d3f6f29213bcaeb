"""The converters that several nouns share: what a field takes, and what it is kept as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledger.errors import Invalid
from ledger.model.edtf import Edtf
from ledger.model.text import bare, check_id, check_name, check_text, show

DateLike = str | dt.date | Edtf

MAX_LANGUAGE: Final = 100
MAX_RANK: Final = 1_000_000


def to_id(value: str) -> str:
    """An id that a host chose."""
    return check_id(value, field="id")


def to_id_or_none(value: str | None) -> str | None:
    """An id that a host may choose."""
    return None if value is None else check_id(value, field="id")


def to_name(value: str) -> str:
    """A name: one line."""
    return check_name(value, field="name")


def to_role(value: str) -> str:
    """A role, one line, that may be left out."""
    return "" if value == "" else check_name(value, field="role")


def to_label(value: str) -> str:
    """A label: one line."""
    return check_name(value, field="label")


def to_ids(values: str | Iterable[str] | None) -> tuple[str, ...]:
    """One id, several or none as a tuple: a lone string is one id, never its letters.

    What is no id is told where ids are looked up.
    """
    if values is None:
        return ()
    if isinstance(values, str) or not isinstance(values, Iterable):
        return (values,)
    return tuple(values)


def to_language(value: str | None) -> str | None:
    """A language tag (BCP 47) that may be left out: one short line, not looked into."""
    return None if value is None else check_name(value, field="language", limit=MAX_LANGUAGE)


def to_rank(value: int) -> int:
    """A whole number by which names are chosen; the lowest wins."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_RANK:
        raise Invalid(
            f"rank is a whole number up to {MAX_RANK:,}, not {show(value)}. The lowest wins; "
            "leave it out for 0.",
            field="rank",
            given=value,
        )
    return value


def check_flag(value: bool, field: str) -> bool:  # noqa: FBT001 - it is what is checked
    """Refuse what only looks like yes or no: to Python the text "no" is true."""
    if not isinstance(value, bool):
        raise Invalid(f"{field} is True or False, not {show(value)}.", field=field, given=value)
    return value


def check_seconds(given: object, field: str) -> None:
    """Refuse what is no time to wait."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        raise Invalid(
            f"{field} is a number of seconds, 0 or more, not {given!r}.", field=field, given=given
        )


def check_told(told: object, field: str, such_as: str = "print") -> None:
    """Refuse what cannot be called where a function goes that is told something, or waits."""
    if told is not None and not callable(told):
        raise Invalid(
            f"{field} takes a function, such as {field}={such_as}, not {show(told)}. Leave it out "
            "if you need none.",
            field=field,
            given=told,
        )


def to_extra(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Named values of any kind, in a copy with lists for tuples: what a log gives back."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Invalid(
            f"extra holds named values, not {show(value)} ({type(value).__name__}). Write "
            'extra={"name": value}, or leave it out.',
            field="extra",
            given=value,
        )
    return {_listed(key): _listed(one) for key, one in value.items()}


def _listed(value: Any) -> Any:
    match value:
        case str():
            return bare(value)
        case dict():
            return {_listed(key): _listed(one) for key, one in value.items()}
        case list() | tuple():
            return [_listed(one) for one in value]
        case _:
            return value


def to_note(value: str | None) -> str | None:
    """Free text that may be left out."""
    return None if value is None else check_text(value, field="note")


def date_or_none(value: DateLike | None, field: str) -> Edtf | None:
    """An EDTF date that may be left out; errors name the field."""
    return None if value is None else Edtf.parse(value, field=field)


def text_or_none(value: str | None, field: str, limit: int = 5_000) -> str | None:
    """A text that may be left out; errors name the field."""
    return None if value is None else check_text(value, field=field, limit=limit)
