"""Values of JSON-LD and its like, where one may be a text, an object, or a list of either.

Here lives what several formats ask of such a value: its text, its id, who it names. What the
answers mean is said by each format.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ledger.codec.canonical import jcs
from ledger.errors import CodecError, InvalidImport
from ledger.interchange.elements import Element
from ledger.interchange.items import REFUSALS, Item, refused
from ledger.interchange.shapes import kind_of

_WORDS: Final = re.compile(r"[^\W_]+")
_LONGEST: Final = 60

Object = dict[str, Any]


def object_of(element: Element) -> Object | Item:
    """The object that an element is; or the item that refuses it."""
    try:
        value = element.value()
    except REFUSALS as error:
        return refused(element.line, error)
    if isinstance(value, dict):
        return value
    wrong = InvalidImport(f"an object should stand here, got {kind_of(value)}.", given=value)
    return refused(element.line, wrong, value)


def listed(value: Any) -> list[Any]:
    """A list of what may be one, several or nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def types(value: Any) -> set[str]:
    """The types of an object, without the prefixes of their vocabularies.

    Example:
        >>> types({"@type": ["schema:Claim"]}), types("Claim")
        ({'Claim'}, set())
    """
    if not isinstance(value, dict):
        return set()
    given = [*listed(value.get("@type")), *listed(value.get("type"))]
    return {re.split(r"[:/#]", one)[-1] for one in given if isinstance(one, str)}


def text_of(value: Any, *keys: str) -> str:
    """The text that stands at the first of some keys; of several, the first."""
    for key in keys:
        for one in listed(value.get(key) if isinstance(value, dict) else None):
            found = one.get("@value", one.get("value")) if isinstance(one, dict) else one
            if isinstance(found, str) and found.strip():
                return found
    return ""


def id_of(value: Any) -> str:
    """The id of an object, or the address that is all there is of it."""
    return value if isinstance(value, str) else text_of(value, "@id", "id")


def counted(id_: Any) -> Any:
    """An id as text, where a file has numbers for ids; anything else as it is.

    Example:
        >>> counted(7), counted("7"), counted(None)
        ('7', '7', None)
    """
    return str(id_) if isinstance(id_, int) and not isinstance(id_, bool) else id_


def slug(text: str) -> str:
    """An id made of a text: its words in lower case; a digest where it has none.

    Example:
        >>> slug("Water Board, the"), slug("Ö-Amt")
        ('water-board-the', 'ö-amt')
    """
    words = _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
    whole = "-".join(words)
    if words and len(whole) <= _LONGEST:
        return whole
    return f"{whole[:_LONGEST]}-{digest(text)}".lstrip("-")


def digest(value: object) -> str:
    """The beginning of the digest of a value, for ids made of content."""
    return hashlib.sha256(jcs(value)).hexdigest()[:24]


def kept(value: Any) -> Any:
    r"""A value as `extra` can hold it: fractions as text, nulls left out, keys in ASCII.

    Example:
        >>> kept({"score": 0.5, "größe": None, "länge": 1})
        {'score': '0.5', 'l\\xe4nge': 1}
    """
    match value:
        case dict():
            return {_key(key): kept(one) for key, one in value.items() if one is not None}
        case list():
            return [kept(one) for one in value if one is not None]
        case float():
            return jcs(value).decode()
        case int() if abs(value) > 2**53 - 1:
            return str(value)
        case _:
            return value


def _key(key: str) -> str:
    return key.encode("ascii", "backslashreplace").decode()


def without(value: Mapping[str, Any], *known: str) -> Object:
    """What is left of an object when what is understood is taken away."""
    return {key: one for key, one in value.items() if key not in known}


def faults(found: Iterator[Element]) -> Iterator[Element | InvalidImport | CodecError]:
    """The elements of a document, and at the end why it cannot be cut further, if so."""
    try:
        yield from found
    except (InvalidImport, CodecError) as error:
        yield error
