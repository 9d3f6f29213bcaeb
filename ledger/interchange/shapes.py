"""The fields of each type of line, and the shape that each value must have.

Here lives what can be said of a line without asking the ledger: which type it is, which fields it
may and must have, whether a value is text, a list, a whole number. What the values mean is for the
nouns of `ledger.model`, which `ledger.interchange.records` makes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from ledger.codec.canonical import canonical, jcs
from ledger.errors import InvalidImport, NotCanonical
from ledger.model.attribution import Link
from ledger.model.offsets import check_unit, code_points
from ledger.model.quotation import Quotation
from ledger.model.ranges import check_ranges, reads
from ledger.model.text import did_you_mean, near, show

Shape = Callable[[Any, str], Any]
Fields = Mapping[str, Any]

_KINDS: Final[Mapping[type, str]] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def kind_of(value: object) -> str:
    """What JSON calls a value.

    Example:
        >>> kind_of([]), kind_of(None)
        ('a list', 'null')
    """
    return _KINDS[type(value)]


def refused(field: str, value: object, wanted: str) -> InvalidImport:
    """The refusal of a value that has not the shape its field needs."""
    return InvalidImport(
        f"{field} must be {wanted}, got {show(value)} ({kind_of(value)}).", field=field, given=value
    )


def text(value: Any, field: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise refused(field, value, "text")
    return value


def date(value: Any, field: str) -> str:
    """A date, which is text too: 20240304 and 2024 are not taken for one."""
    if not isinstance(value, str):
        raise refused(field, value, 'a date as text, such as "2024-03-04"')
    return value


def texts(value: Any, field: str) -> tuple[str, ...]:
    """A list of texts; a lone text is one of them."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise refused(field, value, "a list of texts")
    return tuple(text(one, f"{field}[{index}]") for index, one in enumerate(value))


def flag(value: Any, field: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise refused(field, value, "true or false")
    return value


def whole(value: Any, field: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise refused(field, value, "a whole number")
    return value


def quote(value: Any, field: str) -> Quotation:
    """The words themselves, a list of pieces, or an object with the fields of a quotation."""
    return Quotation.of(value, field=field)


@attrs.frozen
class Unread:
    """A quotation that cannot be read without the text: its offsets, in whichever unit."""

    fields: Mapping[str, Any]
    field: str

    def read_in(self, text: str) -> Quotation:
        """The quotation, its offsets as code points, its words as the text has them."""
        left = dict(self.fields)
        given = code_points(text, left.pop("ranges", ()), unit=left.pop("unit", "code_points"))
        exact = left.pop("exact", None) or reads(text, given)
        return Quotation.of({**left, "exact": exact or "", "ranges": given}, field=self.field)


def quote_in_text(value: Any, field: str) -> Quotation | Unread:
    """A quotation; without its words, or with a `unit` of its offsets, one that is read later."""
    if not isinstance(value, dict) or ("exact" in value and "unit" not in value):
        return quote(value, field)
    if "unit" in value:
        check_unit(text(value["unit"], f"{field}.unit"))
    plain = {key: one for key, one in value.items() if key != "unit"}
    quote({**plain, "exact": value.get("exact") or "-", "ranges": ()}, field)
    check_ranges(value.get("ranges") or ())
    return Unread(value, field)


def free(value: Any, field: str) -> Mapping[str, Any]:
    """An object of the writer's own; what the log's canonical form cannot hold is refused."""
    if not isinstance(value, dict):
        raise refused(field, value, "an object")
    try:
        canonical(value)
    except NotCanonical as error:
        path = field + error.path.removeprefix("$")
        what = error.message.partition(": ")[2]
        raise InvalidImport(f"{path} cannot be kept: {what}.", field=path, given=value) from error
    return value


def number(value: Any, field: str) -> str:
    """A number, kept as the text that RFC 8785 gives it: 0.10 is "0.1", -0 is "0"."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise refused(field, value, "a number")
    return value if isinstance(value, str) else jcs(value).decode()


def chains(value: Any, field: str) -> tuple[Any, ...]:
    """A chain, outermost link first; or a list of chains, which are alternatives."""
    if not isinstance(value, list):
        raise refused(field, value, "a list of links")
    if value and all(isinstance(one, list) for one in value):
        return tuple(chains(one, f"{field}[{index}]") for index, one in enumerate(value))
    return tuple(_link(one, f"{field}[{index}]") for index, one in enumerate(value))


_LINK: Final[Mapping[str, Shape]] = {
    "agent": text,
    "edge": text,
    "kind": text,
    "role": text,
    "words": quote,
    "cue": quote,
}


def _link(value: Any, field: str) -> Link:
    given = dict(members(value, _LINK, f"{field}.", needs=("agent",)))
    edge = given.pop("edge", None) or given.pop("kind", None) or "says"
    return Link(given.pop("agent"), edge, **given)


def names(value: Any, field: str) -> tuple[Fields | str, ...]:
    """Names, each a text or an object with a period."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise refused(field, value, "a list of names")
    return tuple(
        one if isinstance(one, str) else members(one, NAME, f"{field}[{index}].", needs=("name",))
        for index, one in enumerate(value)
    )


_PERIOD: Final[Mapping[str, Shape]] = {"from": date, "until": date, "bounds": text}
NAME: Final[Mapping[str, Shape]] = {
    "name": text,
    "metonym": flag,
    "rank": whole,
    "language": text,
    **_PERIOD,
}
_ACT: Final[Mapping[str, Shape]] = {
    "id": text,
    "claimant": texts,
    "via": texts,
    "on_behalf_of": texts,
    "chain": chains,
    "capacity": text,
    "uttered": date,
    "utterance": text,
    "document": text,
    "quote": quote_in_text,
    "note": text,
}


@attrs.frozen
class Form:
    """What a type of line may hold, and what it must."""

    fields: Mapping[str, Shape]
    needs: tuple[str, ...]


FORMS: Final[Mapping[str, Form]] = {
    "party": Form(
        {
            "id": text,
            "name": text,
            "kind": text,
            "names": names,
            "metonyms": names,
            "part_of": texts,
            "members": texts,
        },
        ("id", "name"),
    ),
    "name": Form({"party": text, **NAME}, ("party", "name")),
    "membership": Form(
        {"member": text, "organisation": text, "role": text, "speaks_for": flag, **_PERIOD},
        ("member", "organisation"),
    ),
    "topic": Form({"id": text, "label": text, "part_of": text}, ("id", "label")),
    "proposition": Form({"id": text, "text": text, "topic": texts, "kind": text}, ("id", "text")),
    "occurrence": Form(
        {"id": text, "label": text, "propositions": texts}, ("id", "label", "propositions")
    ),
    "document": Form(
        {
            "id": text,
            "publisher": text,
            "published": date,
            "text": text,
            "sha256": text,
            "length": whole,
            "title": text,
            "address": text,
            "url": text,
            "language": text,
            "keep_text": flag,
            "revises": text,
        },
        ("id", "publisher"),
    ),
    "claim": Form(
        {
            **_ACT,
            "proposition": text,
            "act": text,
            "stance": text,
            "factuality": text,
            "about": date,
            "expires": date,
            "conditions": text,
            "addressees": texts,
            "mentions": texts,
            "language": text,
            "basis": text,
            "confidence": number,
            "extra": free,
        },
        ("proposition", "act"),
    ),
    "withdrawal": Form({"claim": texts, **_ACT}, ("claim",)),
    "relation": Form(
        {"from": text, "relation": text, "to": text, "note": text}, ("from", "relation", "to")
    ),
    "merge": Form({"into": text, "from": text, "negated": flag, "reason": text}, ("into", "from")),
}
"""Every type of line."""

SET_BY_THE_LEDGER: Final = frozenset(
    {"recorded", "recorded_at", "known", "known_at", "sequence", "seq", "recorder", "leaf_hash"}
)


def form_of(value: object) -> tuple[str, dict[str, Any]]:
    """The type of a line and the object without it.

    Raises:
        InvalidImport: it is no object, or has no type that is known.
    """
    if not isinstance(value, dict):
        raise InvalidImport(
            f'the line must hold one object, got {kind_of(value)}. Write {{"type": "claim", ...}}.',
            given=value,
        )
    known = ", ".join(FORMS)
    if "type" not in value:
        raise InvalidImport(f"field type is missing. Write one of {known}.", field="type")
    type_ = text(value["type"], "type")
    if type_ not in FORMS:
        raise InvalidImport(
            f"there is no type {show(type_)}.{did_you_mean(near(type_, FORMS))} "
            f"Write one of {known}.",
            field="type",
            given=type_,
        )
    return type_, {key: one for key, one in value.items() if key != "type"}


def members(
    value: Any, fields: Mapping[str, Shape], path: str = "", needs: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The members of an object in their shapes; null is as good as left out.

    Raises:
        InvalidImport: a field that is not known, is missing, or has another shape.
    """
    if not isinstance(value, dict):
        raise refused(path.rstrip("."), value, "an object")
    for key, one in value.items():
        if key in SET_BY_THE_LEDGER and key not in fields:
            raise InvalidImport(
                f"{path}{key} is set by the ledger only. Leave it out.", field=path + key, given=one
            )
        if key not in fields:
            raise unknown(path + key, one, fields)
    for key in needs:
        if value.get(key) is None:
            raise InvalidImport(
                f"field {path}{key} is missing. Write it.", field=path + key, given=None
            )
    return {key: fields[key](one, path + key) for key, one in value.items() if one is not None}


def unknown(field: str, value: object, fields: Iterable[str]) -> InvalidImport:
    """The refusal of a field that would be lost."""
    hint = did_you_mean(near(field.rpartition(".")[2], fields))
    return InvalidImport(
        f"there is no field {show(field)} here.{hint} Leave it out, or write one of "
        f"{', '.join(fields)}.",
        field=field,
        given=value,
    )
