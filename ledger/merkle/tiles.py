"""Tiles: a tree cut into pieces of 256 hashes, as files that anybody can serve and check.

Here live the names of the files and the form of those that hold entries (C2SP tlog-tiles); the
hashes in them are made in `tree`.

```
tile/0/000          256 leaf hashes, 32 bytes each
tile/0/001.p/44     the 44 that follow them, so far
tile/1/000.p/1      the roots of the whole tiles below
tile/entries/000    the 256 entries themselves, each behind its length in two bytes
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ledger.errors import InvalidBundle

HEIGHT: Final = 8
"""How many levels of the tree one tile spans."""

WIDTH: Final = 1 << HEIGHT
"""How many hashes a whole tile holds."""

STRIDE: Final = WIDTH * WIDTH
"""Each time that a log grows past a multiple of it, its tree is kept without being asked for."""

_LENGTH_BYTES: Final = 2


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """The path of a tile: its level (or `entries`), its index in that level, how much it holds.

    Example:
        >>> tile_path(0, 1234067), tile_path("entries", 2, 88)
        ('tile/0/x001/x234/067', 'tile/entries/002.p/88')
    """
    return f"tile/{level}/{place(index, width)}"


def place(index: int, width: int = WIDTH) -> str:
    """The end of a tile's path, from its index and how much it holds."""
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return path if width == WIDTH else f"{path}.p/{width}"


def widths(size: int, level: int = 0) -> Iterator[tuple[int, int]]:
    """Index and width of each tile of one level in a tree of so many leaves.

    Example:
        >>> list(widths(600)), list(widths(600, 1)), list(widths(600, 2))
        ([(0, 256), (1, 256), (2, 88)], [(0, 2)], [])
    """
    whole, left = divmod(size >> HEIGHT * level, WIDTH)
    yield from ((index, WIDTH) for index in range(whole))
    if left:
        yield whole, left


def bundled(entries: Iterable[bytes]) -> bytes:
    r"""The entries of one tile as a file.

    Example:
        >>> bundled([b"one", b"two"])
        b'\x00\x03one\x00\x03two'
    """
    return b"".join(len(one).to_bytes(_LENGTH_BYTES, "big") + one for one in entries)


def unbundled(data: bytes) -> list[bytes]:
    """The entries in such a file.

    Raises:
        InvalidBundle: an entry ends beyond the file, or there are more than a tile holds.
    """
    found: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or start > len(data) or len(found) == WIDTH:
            raise InvalidBundle(
                f"A file of entries holds up to {WIDTH}, each behind its length in two bytes; this "
                f"one does not fit after {len(found)}. Ask for the bundle again.",
                field="entries",
                given=len(found),
            )
        found.append(data[start:at])
    return found
