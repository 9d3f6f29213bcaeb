"""JSON as bytes: the one way the ledger writes a value, and the strict way it reads one.

Here live `canonical`, for what is hashed, `jcs`, for everything JSON can say, and `parse`. What an
event's fields look like as JSON is in `ledger.codec.converter`, the hashed entry in `entry`.

The ledger's own bytes keep to a profile of RFC 8785 on which no two writers can differ:

```
number   whole, from -(2**53-1) to 2**53-1   fractions and larger numbers are written as text
text     no NUL, no half surrogate pair      PostgreSQL cannot hold the one, UTF-8 the other
key      ASCII, no NUL                       sorted by byte or by UTF-16 unit, the order is the same
nesting  at most 100 levels                  no reader runs out of stack
```
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NoReturn

import msgspec

from ledger.errors import NotCanonical, NotJson

MAX_INTEGER: Final = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly (RFC 7493, 2.2)."""

MAX_DEPTH: Final = 100
"""How many arrays and objects may lie inside one another."""

_LONGEST_INTEGER: Final = len(str(-MAX_INTEGER))
_WHOLE_PLACES: Final = 21  # ECMAScript: larger numbers are written with an exponent,
_LEADING_ZEROS: Final = 5  # and so are fractions with more zeros after the point
_CONSTANTS: Final = {None: "null", False: "false", True: "true"}
_BACKSLASH: Final = ord("\\")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_TEXT_OR_BRACKET: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)

_TOO_LARGE: Final = "it is a whole number beyond 2**53 - 1, which readers round; write it as text"
_TOO_DEEP: Final = f"more than {MAX_DEPTH} lists and dicts lie around it; make the value flatter"

_encode = msgspec.json.Encoder(order="sorted").encode
_quoted = json.JSONEncoder(ensure_ascii=False).encode


def canonical(value: object) -> bytes:
    """Write a value of the ledger's profile as the bytes that are hashed.

    Takes dict, list, tuple, str, int, bool and None, and no subclass of them.

    Raises:
        NotCanonical: the profile cannot hold the value; `path` says which part.

    Example:
        >>> canonical({"stance": "supports", "act": "assert", "via": ("ria-novosti",)})
        b'{"act":"assert","stance":"supports","via":["ria-novosti"]}'
        >>> canonical({"extra": {"score": 0.5}})
        Traceback (most recent call last):
        ...
        ledger.errors.NotCanonical: $.extra.score has no canonical form: 0.5 is a float; \
write it as text

    Follows RFC 8785, on the profile drawn at the top of this file.
    """
    fault = _fault(value, MAX_DEPTH)
    if fault is not None:
        _refuse("$" + fault[0], fault[1])
    try:
        written = _encode(value)
    except UnicodeEncodeError:
        _refuse_texts(value, "$")
        raise
    if may_hold_nul(written):
        _refuse_texts(value, "$")
    return written


def may_hold_nul(written: bytes) -> bool:
    r"""Whether JSON as written here may have NUL in a text; `\\u0000` can also stand for itself.

    Example:
        >>> may_hold_nul(b'"a"'), may_hold_nul(rb'"\u0000"')
        (False, True)
    """
    return _BACKSLASH in written and b"\\u0000" in written  # the first alone is far faster


def jcs(value: object) -> bytes:
    """Write any JSON value, floats and foreign keys included, in its canonical form.

    For exports and for printing; what the ledger hashes goes through `canonical`, which gives the
    same bytes wherever it gives any.

    Raises:
        NotCanonical: a number that is not finite or not exact, half a surrogate pair, a key that
            is no text, a type that JSON does not know; `path` says where.

    Example:
        >>> jcs({"é": 1e21, "a": [0.1, -0.0, None]}).decode()
        '{"a":[0.1,0,null],"é":1e+21}'

    Follows RFC 8785, numbers after ECMA-262, Number::toString.
    """
    return _write(value, "$", MAX_DEPTH).encode()


def parse(data: bytes | str) -> object:
    """Read JSON, refusing what two readers could read in two ways.

    Numbers with a fraction or exponent become floats.

    Raises:
        NotJson: it is no JSON text; `line` and `column` say where reading ended.
        NotCanonical: it is JSON, but with a key twice, a number no reader keeps, NUL or half a
            surrogate pair in a text.

    Example:
        >>> parse('{"act": "assert", "score": 0.5}')
        {'act': 'assert', 'score': 0.5}
        >>> parse('{"act": "assert", "act": "deny"}')
        Traceback (most recent call last):
        ...
        ledger.errors.NotCanonical: The key 'act' stands twice in one object; keep one of the two

    Follows RFC 8259 as narrowed by RFC 7493.
    """
    text = _decoded(data)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_deep(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        _refuse_text(error.msg, text, error.pos, error)
    if "\\u" in text:
        _refuse_texts(value, "$")
    return value


# -- the profile ------------------------------------------------------------------------------


def _fault(value: object, room: int) -> tuple[str, str] | None:
    """Where below this value the profile is left, and why; None when it is kept.

    Types are compared and not asked with isinstance: bool is an int, and msgspec writes subclasses
    in ways of its own. What is inside a text shows in the bytes written, and need not be asked.
    """
    if type(value) is str or type(value) is bool or value is None:
        return None
    if type(value) is dict:
        return _dict_fault(value, room - 1)
    if type(value) is list or type(value) is tuple:
        return _list_fault(value, room - 1)
    if type(value) is int:
        return None if -MAX_INTEGER <= value <= MAX_INTEGER else ("", _TOO_LARGE)
    if type(value) is float:
        return "", f"{value!r} is a float; write it as text"
    return "", f"it is of type {type(value).__name__}, unknown to JSON; write it as text"


def _dict_fault(members: dict[object, object], room: int) -> tuple[str, str] | None:
    if room < 0:
        return "", _TOO_DEEP
    for key, member in members.items():
        if type(key) is not str or not key.isascii():
            return "", f"its key {key!r} is not ASCII text; rename it"
        if type(member) is str:  # most members are, and the calls would cost more than msgspec
            continue
        fault = _fault(member, room)
        if fault is not None:
            return _step(key) + fault[0], fault[1]
    return None


def _list_fault(items: list[object] | tuple[object, ...], room: int) -> tuple[str, str] | None:
    if room < 0:
        return "", _TOO_DEEP
    for index, item in enumerate(items):
        fault = _fault(item, room)
        if fault is not None:
            return f"[{index}]{fault[0]}", fault[1]
    return None


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key)}]"


def _refuse(path: str, why: str) -> NoReturn:
    raise NotCanonical(f"{path} has no canonical form: {why}", path=path)


# -- texts ------------------------------------------------------------------------------------


def _refuse_texts(value: object, path: str) -> None:
    """Look into every text, keys too, for NUL and half surrogate pairs."""
    match value:
        case str():
            nul = value.find("\0")
            if nul >= 0:
                _refuse(path, f"its text holds NUL at character {nul}; take it out")
            _refuse_half_pair(value, path)
        case dict():
            for key, member in value.items():
                _refuse_texts(key, path)
                _refuse_texts(member, path + _step(key))
        case list() | tuple():
            for index, item in enumerate(value):
                _refuse_texts(item, f"{path}[{index}]")
        case _:
            pass


def _refuse_half_pair(text: str, path: str) -> None:
    half = None if text.isascii() else _SURROGATE.search(text)
    if half is not None:
        _refuse(
            path,
            f"its text holds half of a surrogate pair (U+{ord(half[0]):04X}) at character "
            f"{half.start()}; decode the source again",
        )


# -- RFC 8785 in full -------------------------------------------------------------------------


def _write(value: object, path: str, room: int) -> str:
    match value:
        case None | bool():
            return _CONSTANTS[value]
        case str():
            return _write_text(value, path)
        case int():
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                _refuse(path, _TOO_LARGE)
            return int.__repr__(value)
        case float():
            return _write_float(value, path)
        case Mapping() | list() | tuple() if room == 0:
            _refuse(path, _TOO_DEEP)
        case Mapping():
            members = (
                f"{_write_text(key, path)}:{_write(value[key], path + _step(key), room - 1)}"
                for key in sorted(value, key=lambda key: _utf16(key, path))
            )
            return "{" + ",".join(members) + "}"
        case list() | tuple():
            items = (_write(item, f"{path}[{i}]", room - 1) for i, item in enumerate(value))
            return "[" + ",".join(items) + "]"
        case _:
            _refuse(path, f"it is of type {type(value).__name__}, unknown to JSON")


def _write_text(text: str, path: str) -> str:
    _refuse_half_pair(text, path)
    return _quoted(text)


def _write_float(number: float, path: str) -> str:
    """Python's shortest digits, with the point where ECMAScript puts it."""
    if not math.isfinite(number):
        _refuse(path, f"{number!r} is no number to JSON; write it as text, or null")
    if number == 0:
        return "0"
    negative, places, exponent = Decimal(float.__repr__(number)).as_tuple()
    point = len(places) + int(exponent)
    digits = "".join(map(str, places)).rstrip("0")
    sign = "-" if negative else ""
    if len(digits) <= point <= _WHOLE_PLACES:
        return f"{sign}{digits:0<{point}}"
    if 0 < point <= _WHOLE_PLACES:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -_LEADING_ZEROS <= point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _utf16(key: object, path: str) -> bytes:
    if not isinstance(key, str):
        _refuse(path, f"its key {key!r} is no text; write it as text")
    return key.encode("utf-16-be", "surrogatepass")


# -- reading ----------------------------------------------------------------------------------


def _decoded(data: bytes | str) -> str:
    if isinstance(data, str):
        _refuse_half_pair(data, "$")
        return data
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        readable = data[: error.start].decode()
        _refuse_text(f"byte 0x{data[error.start]:02x} is not UTF-8", readable, len(readable), error)


def _refuse_deep(text: str) -> None:
    """Count the levels before the stack has to; it runs only where there are brackets enough."""
    room = MAX_DEPTH
    for token in _TEXT_OR_BRACKET.finditer(text):
        match token[0]:
            case "[" | "{" if room == 0:
                _refuse_text(f"more than {MAX_DEPTH} levels of nesting", text, token.start())
            case "[" | "{":
                room -= 1
            case "]" | "}":
                room += 1
            case _:  # a text, whose brackets do not count
                pass


def _refuse_text(why: str, text: str, at: int, cause: Exception | None = None) -> NoReturn:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    raise NotJson(
        f"Line {line}, column {column} cannot be read as JSON: {why}", line=line, column=column
    ) from cause


def _object(members: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(members)
    if len(value) < len(members):
        ((twice, _),) = Counter(key for key, _ in members).most_common(1)
        raise NotCanonical(f"The key {twice!r} stands twice in one object; keep one of the two")
    return value


def _integer(digits: str) -> int:
    if len(digits) <= _LONGEST_INTEGER and abs(number := int(digits)) <= MAX_INTEGER:
        return number
    raise NotCanonical(
        f"The number {digits[:40]} is beyond 2**53 - 1, where readers of JSON begin to round; "
        "write it as text"
    )


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotCanonical(f"The number {digits[:40]} is too large for a float; write it as text")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise NotCanonical(f"{name} is no number to JSON; write it as text, or null")
