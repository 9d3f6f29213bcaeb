"""Lines of a file that may be anything: cut at LF, counted from 1, never more of one than allowed.

Here lives what a line is, whichever bytes it holds, and how those bytes become text. What the text
says is in `ledger.interchange.records`. Nothing is unpacked as a whole and nothing is guessed: a
file that is no UTF-8 is refused with the reason.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

import attrs

from ledger.errors import InvalidImport

MAX_LINE: Final = 5_000_000
"""The most bytes that one line may have, unpacked, its line end included."""

_PIECE: Final = 65_536
MARK: Final = b"\xef\xbb\xbf"
UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error)
"""What Python says of a gzip packing that cannot be undone."""


@attrs.frozen(kw_only=True)
class Line:
    r"""One line as it stands in the file, with its line end.

    `raw` is all of it, unless `fault` says that it could not be read on: then `rest` gives the
    bytes behind `raw`, in pieces and once. `marked` is a first line whose byte order mark was
    taken off. In a file that is not one record a line, `at` is the place of this piece of it,
    such as `memberships[3]`, and `number` the line in which it begins, 0 where that is not known.

    Example:
        >>> Line(number=1, raw=b"{}\r\n").blank
        False
    """

    number: int
    raw: bytes
    fault: str = ""
    marked: bool = False
    at: str = ""
    rest: Iterator[bytes] = attrs.field(factory=lambda: iter(()), repr=False, eq=False)

    @property
    def blank(self) -> bool:
        """Whether there is nothing in the line but white space."""
        return not self.fault and not self.raw.strip(b" \t\r\n")

    def text(self) -> str:
        """The line as text.

        Raises:
            InvalidImport: it is no UTF-8, holds NUL, or is longer than is read.
        """
        if self.fault:
            raise InvalidImport(self.fault, given=self.raw[:40])
        raw = self.raw.removeprefix(MARK) if self.marked else self.raw
        nul = raw.find(b"\0")
        if nul >= 0:
            what = (
                "nothing but NUL bytes, as a crash leaves behind"
                if not raw.strip(b"\0\r\n")
                else f"a raw NUL at byte {nul + 1} of the line"
            )
            raise InvalidImport(
                f"{what}. Take the line from an undamaged copy.",
                given=raw[max(0, nul - 20) : nul + 4],
            )
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            around = raw[max(0, error.start - 20) : error.start + 4]
            raise InvalidImport(_not_utf8(raw, error.start), given=around) from error


def lines(file: BinaryIO, *, limit: int = MAX_LINE) -> Iterator[Line]:
    r"""The lines of a binary file, in constant memory; a last line without LF is one, too.

    Example:
        >>> import io
        >>> [(line.number, line.raw) for line in lines(io.BytesIO(b"{}\r\n\n[]"))]
        [(1, b'{}\r\n'), (2, b'\n'), (3, b'[]')]
    """
    number = 0
    while True:
        number += 1
        raw, damage = _read(file, limit + 1)
        if not raw and not damage:
            return
        line = Line(number=number, raw=raw, marked=number == 1 and raw.startswith(MARK))
        if damage:
            yield attrs.evolve(line, fault=damage)
            return
        if number == 1 and raw.startswith(UTF16):
            rest = _whole(file)
            fault = "the file is UTF-16, not UTF-8, and nothing of it was read. Convert it first."
            yield attrs.evolve(line, fault=fault, rest=rest)
        elif len(raw) > limit:
            rest = _to_line_end(file, raw)
            fault = (
                f"the line is longer than {limit:,} bytes, the most that one may have. Keep long "
                "texts out of the file: a document may come with sha256 and length alone."
            )
            yield attrs.evolve(line, fault=fault, rest=rest)
        else:
            yield line
            continue
        for _ in rest:  # what the reader of the line left over
            pass


def _read(file: BinaryIO, most: int) -> tuple[bytes, str]:
    """One line or as much as may be of it, and what was wrong with the packing."""
    try:
        return file.readline(most), ""
    except DAMAGED as error:
        return b"", (
            f"the gzip packing is damaged or cut off here ({error}); the lines before this one "
            "are sound. Take the file from an undamaged copy."
        )


def _to_line_end(file: BinaryIO, last: bytes) -> Iterator[bytes]:
    while not last.endswith(b"\n"):
        last, _ = _read(file, _PIECE)
        if not last:
            return
        yield last


def _whole(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _not_utf8(raw: bytes, at: int) -> str:
    """Why the byte at an offset cannot be there, and what to do."""
    first, second = raw[at], raw[at + 1] if at + 1 < len(raw) else 0
    follows = 0x80 <= second <= 0xBF  # noqa: PLR2004 - a byte that goes on with a sign
    match first:
        case 0xC0 | 0xC1 | 0xE0 | 0xF0 if follows:
            why = "an overlong form"
        case 0xED if follows:
            why = "half of a surrogate pair (CESU-8)"
        case _ if 0xC2 <= first <= 0xF4 and follows:  # noqa: PLR2004 - a byte that begins a sign
            why = "a sign cut short"
        case _ if 0xA0 <= first <= 0xF7:  # noqa: PLR2004 - letters of Latin-1
            why = "it looks like Latin-1"
        case _:
            why = f"the byte 0x{first:02X} stands nowhere in UTF-8"
    return f"not UTF-8 at byte {at + 1} of the line: {why}. Convert the file to UTF-8 first."
