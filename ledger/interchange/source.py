"""A file or folder to import from: opened as often as a reader needs, unpacked on the way.

Here lives what can be said of a file before its format is known. How it is cut into records is in
one file per format.
"""

from __future__ import annotations

import contextlib
import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, cast

import attrs

from ledger.errors import InvalidImport
from ledger.interchange.lines import DAMAGED
from ledger.model.text import show
from ledger.store.engines import first_bytes

_GZIP: Final = b"\x1f\x8b"
_SQLITE: Final = b"SQLite format 3\x00"
_KEY: Final = b"PRIVATE+KEY+"
_NO_TEXT: Final = {
    b"PK\x03\x04": "a zip archive",
    _SQLITE: "an SQLite database",
    b"\xfd7zXZ\x00": "packed with xz",
    b"BZh91AY&SY": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"PAR1": "a Parquet file",
    b"%PDF-": "a PDF",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
}
_SHEETS: Final = (".xlsx", ".xlsm", ".ods")
_PIECE: Final = 4_096
_START: Final = 65_536
MAX_TEXT_BYTES: Final = 80_000_000
"""The most bytes of a file that is read as a whole."""


@attrs.define
class Source:
    """What is imported: a file, plain or gzip, or a folder of files.

    Example:
        >>> Path("parties.jsonl").write_text("{}") and Source(Path("parties.jsonl")).size
        2
    """

    path: Path
    _file: BinaryIO | None = attrs.field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """The name without its folder."""
        return self.path.name or self.path.resolve().name

    @property
    def size(self) -> int | None:
        """How many bytes there are, packed; None for a folder or a pipe."""
        return self.path.stat().st_size if self.path.is_file() else None

    @property
    def read(self) -> int:
        """How many of these bytes were read."""
        if self._file is None:
            return 0
        return (self.size or 0) if self._file.closed else self._file.tell()

    @contextlib.contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file, unpacked on the way where it is gzip, whatever its name says.

        Raises:
            InvalidImport: there is no such file, or it is an archive or a database.
        """
        try:
            if self.path.is_file():
                self._refuse(first_bytes(self.path, 16))
            file = self.path.open("rb")
        except OSError as error:
            raise unreadable(self.path, error) from error
        with file:
            head = file.peek(16)[:16]  # a pipe cannot be wound back
            self._refuse(head)
            self._file = file if file.seekable() else None
            if head.startswith(_GZIP):
                with gzip.open(file) as unpacked:
                    yield cast("BinaryIO", unpacked)
            else:
                yield file

    def _refuse(self, head: bytes) -> None:
        for start, kind in _NO_TEXT.items():
            if head.startswith(start):
                what, do = self._instead(kind)
                raise InvalidImport(
                    f"{show(self.name, 200)} is {what}: it cannot be read. {do}",
                    field="file",
                    given=self.name,
                )

    def _instead(self, kind: str) -> tuple[str, str]:
        """What a file is that is no text, and what to do with it."""
        if self.name.lower().endswith(_SHEETS):
            return "a spreadsheet", "Save its sheets as CSV, and import those."
        if "archive" in kind:
            return kind, "Take the files out of it and import them one by one."
        if kind.startswith("packed"):
            return kind, "Unpack it first, or pack it with gzip."
        return kind, "Export from it in a format that is imported: claims import --help."

    def start(self) -> bytes:
        """The first bytes, to see what they are; none of a folder or a pipe.

        Raises:
            InvalidImport: not even these can be unpacked.
        """
        found = b""
        if self.path.is_file():
            try:
                with self.opened() as file:
                    while len(found) < _START and (piece := file.read(_PIECE)):
                        found += piece
            except DAMAGED as error:
                if not found:  # else the reader tells how far it is sound
                    raise self._damaged(error) from error
        return found[:_START]

    def _damaged(self, error: Exception) -> InvalidImport:
        return InvalidImport(
            f"{show(self.name, 200)} is a gzip packing that is damaged or cut off ({error}). Take "
            "the file from an undamaged copy.",
            field="file",
            given=self.name,
        )

    def text(self, what: str) -> str:
        """All of it, as UTF-8, with every line end as it is.

        Raises:
            InvalidImport: it cannot be read or unpacked, is too long, or no UTF-8.
        """
        try:
            with self.opened() as file:
                raw = file.read(MAX_TEXT_BYTES + 1)
        except DAMAGED as error:
            raise self._damaged(error) from error
        if len(raw) > MAX_TEXT_BYTES:
            raise InvalidImport(
                f"{show(self.name, 200)} has more than {MAX_TEXT_BYTES:,} bytes, the most that "
                f"{what} may have. Cut it into several.",
                field="file",
                given=self.name,
            )
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise InvalidImport(
                f"{show(self.name, 200)} is not UTF-8 at byte {error.start + 1}. Convert it first.",
                field="file",
                given=raw[max(0, error.start - 20) : error.start + 4],
            ) from error


def is_irreplaceable(path: Path) -> bool:
    """Whether a path is of an SQLite database, of what SQLite keeps beside one, or a signing key.

    Raises:
        OSError: it cannot be read.
    """
    place = Path(os.path.realpath(path))
    for suffix in ("", "-wal", "-shm", "-journal"):
        database = place.with_name(place.name.removesuffix(suffix))
        ours = place.name.endswith(suffix) and database.is_file()
        if ours and first_bytes(database, len(_SQLITE)) == _SQLITE:
            return True
    return place.is_file() and first_bytes(place, len(_KEY)) == _KEY


def unreadable(path: Path, error: OSError, *, field: str = "file") -> InvalidImport:
    """The refusal of a file that the system does not open."""
    return InvalidImport(
        f"{show(str(path), 200)} cannot be read: {error.strerror}. Give the path of a file that "
        "is there.",
        field=field,
        given=str(path),
    )
