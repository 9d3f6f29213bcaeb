"""The elements of one large JSON document, one after the other, in constant memory.

Here lives how a document is cut where its lists and objects are; what an element says is read by
the format. An element is the longest piece that is ever held: `MAX_LINE` bytes at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import attrs

from ledger.codec.canonical import parse
from ledger.errors import InvalidImport, NotJson
from ledger.interchange.lines import DAMAGED, MARK, MAX_LINE, UTF16, Line
from ledger.interchange.source import Source

_PIECE: Final = 65_536
_SIGNS: Final = re.compile(rb'["\\{}\[\],:]')
_BLANKS: Final = re.compile(rb"[ \t\r\n]+")
_STRING: Final = re.compile(rb'["\\]')
_MAX_DEPTH: Final = 100

Path = tuple[str | int, ...]
Wanted = Callable[[Path], bool]


@attrs.frozen
class Element:
    """One value of a document: where it stands, and its bytes.

    Example:
        >>> Element(("persons", 0), Line(number=2, raw=b'{"id": "p"}')).value()
        {'id': 'p'}
    """

    path: Path
    line: Line

    def value(self) -> object:
        """What it says.

        Raises:
            InvalidImport: it is no UTF-8, or too long.
            NotJson: it is no JSON.
        """
        return parse(self.line.text())


def written(path: Path) -> str:
    """A path as it stands in a message.

    Example:
        >>> written(("persons", 0)), written(())
        ('persons[0]', '(all of it)')
    """
    shown = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return shown.removeprefix(".") or "(all of it)"


def elements(file: BinaryIO, wanted: Wanted) -> Iterator[Element]:
    r"""The values at the wanted places, outermost first: nothing inside one is looked at again.

    Raises:
        InvalidImport: the document is no JSON where it is cut; what came before stands.

    Example:
        >>> import io
        >>> text = b'{"a": [1, {"b": 2}],\n "c": 3}'
        >>> found = elements(io.BytesIO(text), lambda path: len(path) > 1)
        >>> [(written(one.path), one.line.number, one.line.raw) for one in found]
        [('a[0]', 1, b'1'), ('a[1]', 1, b'{"b": 2}')]
    """
    return _Cutter(file, wanted).elements()


def pieces(source: Source, *lists: tuple[str, ...]) -> Iterator[Element]:
    """The elements of a list, or of lists at certain places; the document itself if it has none.

    Raises:
        InvalidImport: the document is no JSON where it is cut.
    """
    places = {(), *lists}

    def wanted(path: Path) -> bool:
        return bool(path) and isinstance(path[-1], int) and path[:-1] in places

    with source.opened() as file:
        found = next(elements(file, wanted), None)
    with source.opened() as file:
        yield from elements(file, wanted if found else lambda path: not path)


class _Cutter:
    """One pass over a document, sign by sign where they matter."""

    def __init__(self, file: BinaryIO, wanted: Wanted) -> None:
        self._file = file
        self._wanted = wanted
        self._path: list[str | int] = []
        self._at = 0
        self._line = 1
        self._buffer = self._read().removeprefix(MARK)
        if self._buffer.startswith(UTF16):
            raise self._fault("the file is UTF-16, not UTF-8")

    def elements(self) -> Iterator[Element]:
        yield from self._value()
        self._blanks()
        if self._peek():
            raise self._fault("more stands behind the end of the document")

    def _value(self) -> Iterator[Element]:
        """Go over one value: as an element if it is wanted, or into it."""
        self._blanks()
        path, sign = tuple(self._path), self._peek()
        wanted = self._wanted(path)
        if wanted or sign not in (b"{", b"["):
            line, raw = self._line, self._whole()
            if wanted:
                yield Element(path, Line(number=line, raw=raw, at=written(path)))
            return
        if len(path) >= _MAX_DEPTH:
            raise self._fault(f"lists and objects stand more than {_MAX_DEPTH} deep in each other")
        self._take(1)
        yield from self._members() if sign == b"{" else self._places()
        self._path.pop()

    def _members(self) -> Iterator[Element]:
        self._path.append("")
        self._blanks()
        while self._peek() != b"}":
            if self._peek() != b'"':
                raise self._fault("a field name in double quotes should stand here")
            raw = self._whole()
            try:
                self._path[-1] = str(parse(raw.decode()))
            except (UnicodeDecodeError, NotJson) as error:
                raise self._fault(f"the field name {raw[:40]!r} cannot be read") from error
            self._blanks()
            self._expect(b":")
            yield from self._value()
            self._comma(b"}")
        self._take(1)

    def _places(self) -> Iterator[Element]:
        self._path.append(0)
        self._blanks()
        place = 0
        while self._peek() != b"]":
            self._path[-1] = place
            yield from self._value()
            self._comma(b"]")
            place += 1
        self._take(1)

    def _comma(self, closing: bytes) -> None:
        self._blanks()
        if self._peek() == closing:
            return
        self._expect(b",")
        self._blanks()
        if self._peek() == closing:
            raise self._fault("a comma stands before the end")

    def _expect(self, sign: bytes) -> None:
        if self._peek() != sign:
            raise self._fault(f"{sign.decode()!r} should stand here")
        self._take(1)

    # -- bytes ------------------------------------------------------------------------------

    def _fault(self, what: str) -> InvalidImport:
        near = self._buffer[max(0, self._at - 20) : self._at + 20]
        return InvalidImport(
            f"not JSON on line {self._line}: {what}. Mend it there, and import it again.",
            given=near,
        )

    def _more(self) -> bool:
        """Read on; what lies before the place is let go of."""
        piece = self._read()
        self._buffer = self._buffer[self._at :] + piece
        self._at = 0
        return bool(piece)

    def _read(self) -> bytes:
        try:
            return self._file.read(_PIECE)
        except DAMAGED as error:
            raise InvalidImport(
                f"the gzip packing is damaged or cut off behind line {self._line} ({error}). Take "
                "the file from an undamaged copy.",
                field="file",
            ) from error

    def _peek(self) -> bytes:
        if self._at >= len(self._buffer) and not self._more():
            return b""
        return self._buffer[self._at : self._at + 1]

    def _blanks(self) -> None:
        while self._peek():
            found = _BLANKS.match(self._buffer, self._at)
            if found is None:
                return
            self._take(found.end() - found.start())

    def _take(self, many: int) -> bytes:
        taken = self._buffer[self._at : self._at + many]
        self._line += taken.count(b"\n")
        self._at += many
        return taken

    def _whole(self) -> bytes:
        """The bytes of one value, whatever it is."""
        many, depth, inside = 0, 0, False
        while True:
            found = (_STRING if inside else _SIGNS).search(self._buffer, self._at + many)
            if found is None or (inside and found[0] == b"\\" and found.end() == len(self._buffer)):
                many = (len(self._buffer) if found is None else found.start()) - self._at
                self._check(many)
                if self._more():
                    continue
                if depth or inside:
                    raise self._fault("the document ends in the middle; was it cut off?")
                return self._scalar(many)
            many = found.end() - self._at
            match found[0]:
                case b'"' if inside and not depth:
                    return self._take(many)
                case b'"':
                    inside = not inside
                case b"\\":
                    many += inside
                case b"{" | b"[":
                    depth += 1
                case b"}" | b"]" | b"," | b":" if not depth:
                    return self._scalar(many - 1)
                case b"}" | b"]":
                    depth -= 1
                    if not depth:
                        self._check(many)
                        return self._take(many)
                case _:
                    pass

    def _scalar(self, many: int) -> bytes:
        raw = self._take(many).rstrip(b" \t\r\n")
        if not raw:
            raise self._fault("a value should stand here")
        return raw

    def _check(self, many: int) -> None:
        if many > MAX_LINE:
            raise self._fault(
                f"one element is longer than {MAX_LINE:,} bytes, the most that one may have"
            )
