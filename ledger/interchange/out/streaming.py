"""One JSON document written piece by piece: a head, lists that need not fit into memory, an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Final

import msgspec

_encode: Final = msgspec.json.Encoder().encode


def write_lists(
    file: BinaryIO, head: Mapping[str, Any], lists: Iterable[tuple[str, Iterable[Any]]]
) -> int:
    r"""Write an object: the members of `head`, then each list, an element a line; gives their sum.

    Example:
        >>> import io
        >>> out = io.BytesIO()
        >>> write_lists(out, {"a": 1}, [("b", [2, 3])])
        2
        >>> out.getvalue()
        b'{"a":1,"b":[\n2,\n3\n]}\n'
    """
    count, between = 0, b"{"
    for key, value in head.items():
        file.write(between + _encode(key) + b":" + _encode(value))
        between = b","
    for key, elements in lists:
        file.write(between + _encode(key) + b":[")
        between, comma = b",", b"\n"
        for one in elements:
            file.write(comma + _encode(one))
            comma = b",\n"
            count += 1
        file.write(b"\n]")
    file.write(b"}\n")
    return count


def filled(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {key: one for key, one in fields.items() if one not in (None, "", [], {})}
