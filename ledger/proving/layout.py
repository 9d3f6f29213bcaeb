"""The form of a bundle: which files there are, as a folder or in a zip, and what is in them.

Here live names and texts, and how they are read from somebody not to be trusted. What is put in is
decided in `writing`, what it must add up to in `bundle`.

```
bundle.json              format, log, size, what it is about; of some entries, which
checkpoint               what every proof leads to, as a signed note or bare
growth.proof             that it continues an older checkpoint, if asked for

of some entries          of a whole log: a C2SP tlog-tiles directory, and what it commits to
entries/12.json          tile/entries/000      the exact bytes that are hashed
proofs/12.tlog-proof     tile/0/000 ..         the tree
slots/12.json            slots/000.json        salts and payloads, as far as they are disclosed
```
"""

from __future__ import annotations

import json
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import attrs

from ledger.codec.canonical import parse
from ledger.codec.entry import SALT_BYTES, SLOTS
from ledger.errors import CodecError, InvalidBundle
from ledger.merkle.hashing import SIZE_LIMIT
from ledger.model.text import show

FORMAT: Final = "claimledger-bundle/1"
MOST_ENTRIES: Final = 1_000_000
"""How many single entries a bundle may list; a whole log may hold more."""

KEYED: Final = {
    "claim": ("what", ("claim_recorded", "claim_withdrawn")),
    "party": ("who", ("party_registered",)),
}
"""What a bundle can be about: the slot with the host's id of it, and the types of its entry."""

_MOST_BYTES: Final = 1 << 28
"""A file of a bundle that is larger is not read: 256 MiB."""


@attrs.frozen(kw_only=True)
class Manifest:
    """What a bundle says that it is: a whole log, or the entries at these sequences."""

    origin: str
    size: int
    about: Mapping[str, str]
    sequences: tuple[int, ...] | None

    def written(self) -> str:
        """As the text of bundle.json."""
        told: dict[str, Any] = {
            "format": FORMAT,
            "origin": self.origin,
            "size": self.size,
            "about": dict(self.about),
        }
        if self.sequences is not None:
            told["sequences"] = list(self.sequences)
        return json.dumps(told, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def parse(cls, text: bytes) -> Manifest:
        """Read bundle.json.

        Raises:
            InvalidBundle: it is none, or says what cannot be.
        """
        told = parsed(text, "bundle.json")
        match told:
            case {"format": str(given), **_others} if given != FORMAT:
                raise InvalidBundle(
                    f"The bundle has the format {given[:60]!r}, this version reads {FORMAT!r}. "
                    "Type: pip install --upgrade claimledger",
                    field="format",
                    given=given[:60],
                )
            case {"format": _, "origin": str(origin), "size": int(size), "about": dict(about)}:
                sequences = told.get("sequences")
                if about and sequences == []:
                    raise InvalidBundle(
                        f"The bundle holds no entry, and says that it is about {show(about)}: "
                        "nothing of that is in it. Ask for a bundle of the whole log.",
                        field="about",
                        given=about,
                    )
                if _possible(size, sequences) and _is_about(about):
                    return cls(
                        origin=origin,
                        size=size,
                        about=about,
                        sequences=None if sequences is None else tuple(sequences),
                    )
            case _:
                pass
        raise InvalidBundle(
            "bundle.json does not say which entries of which log the bundle holds. Ask for the "
            "bundle again.",
            field="bundle.json",
        )


def _possible(size: int, sequences: object) -> bool:
    if isinstance(size, bool) or not 0 <= size < SIZE_LIMIT:
        return False
    if sequences is None:
        return True
    if not isinstance(sequences, list) or len(sequences) > MOST_ENTRIES:
        return False
    last = -1
    for one in sequences:
        if type(one) is not int or not last < one < size:
            return False
        last = one
    return True


def _is_about(about: dict[Any, Any]) -> bool:
    texts = all(isinstance(named, str) for named in about.values())
    return texts and about.keys() <= KEYED.keys()


def write_slots(slots: Mapping[str, bytes]) -> dict[str, Any]:
    """Salted slots as JSON: the salt in base64, the payload as the text that it is."""
    return {
        name: {
            "salt": b64encode(slot[:SALT_BYTES]).decode(),
            "payload": slot[SALT_BYTES:].decode(),
        }
        for name, slot in slots.items()
    }


def read_slots(told: object, sequence: int) -> Mapping[str, bytes]:
    """The salted slots in such JSON.

    Raises:
        InvalidBundle: it is none.
    """
    if isinstance(told, dict) and set(told) <= set(SLOTS):
        try:
            return {name: _slot(one) for name, one in told.items()}
        except ValueError:
            pass
    raise InvalidBundle(
        f"What is disclosed of the entry at sequence {sequence} cannot be read. Ask for the bundle "
        "again.",
        field="slots",
        given=sequence,
    )


def _slot(told: Any) -> bytes:
    """One slot; where the salt ends and the payload begins is not for the file to say.

    Raises:
        ValueError: it has no salt of the one length and a payload, or something else beside.
    """
    match told:
        case {"salt": str(salt), "payload": str(payload), **others} if not others:
            found = b64decode(salt, validate=True)
            if len(found) == SALT_BYTES:
                return found + payload.encode()
        case _:
            pass
    raise ValueError


def parsed(text: bytes, name: str) -> Any:
    """A file's JSON, in which no two tools can read two things.

    Raises:
        InvalidBundle: it is none.
    """
    try:
        return parse(text)
    except CodecError as error:
        raise InvalidBundle(
            f"{name} of the bundle cannot be read: {error}. Ask for the bundle again.", field=name
        ) from error


# -- files --------------------------------------------------------------------------------------


class Source(Protocol):
    """The files of a bundle, by name."""

    def find(self, name: str) -> bytes | None:
        """The bytes of a file, None where there is none.

        Raises:
            InvalidBundle: it is larger than any, or damaged.
        """


def read_of(source: Source, name: str) -> bytes:
    """The bytes of a file that must be there.

    Raises:
        InvalidBundle: it is not.
    """
    found = source.find(name)
    if found is None:
        raise InvalidBundle(
            f"The bundle lacks {name}: it was not copied as a whole. Ask for it again.", field=name
        )
    return found


def text_of(source: Source, name: str) -> str:
    """The text of a file that must be there.

    Raises:
        InvalidBundle: it is not, or holds no text.
    """
    try:
        return read_of(source, name).decode()
    except UnicodeDecodeError as error:
        raise InvalidBundle(
            f"{name} of the bundle is no text. Ask for the bundle again.", field=name
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The files of a folder or zip.

    Raises:
        InvalidBundle: there is no such folder, or the file is no zip.
    """
    found = _unpacked(path)
    if found is None:
        yield _Folder(path)
        return
    with found as held:
        names = held.namelist()
        if len(set(names)) != len(names):
            raise InvalidBundle(
                f"{str(path)!r} holds two files of one name, of which each tool may read "
                "another. Ask for the bundle again.",
                field="path",
                given=str(path),
            )
        yield _Zip(held)


def _unpacked(path: Path) -> zipfile.ZipFile | None:
    """The zip; None where it is a folder."""
    try:
        if path.is_dir():
            return None
        if path.is_file():  # a device or a pipe may never end
            return zipfile.ZipFile(path)
        why = None
    except Exception as error:  # noqa: BLE001 - a damaged zip fails in ways without number
        why = error
    raise InvalidBundle(
        f"{str(path)!r} is no bundle that can be read. Give the folder or the zip that claims "
        "bundle made.",
        field="path",
        given=str(path),
    ) from why


@attrs.frozen
class _Folder:
    path: Path

    def find(self, name: str) -> bytes | None:
        place = self.path / name
        try:
            if not place.is_file() and place.exists():
                raise _damaged(name, "it is no file")
            with place.open("rb") as file:
                found = file.read(_MOST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _damaged(name, error.strerror) from error
        return _limited(found, name)


@attrs.frozen
class _Zip:
    held: zipfile.ZipFile

    def find(self, name: str) -> bytes | None:
        try:
            with self.held.open(name) as file:
                found = file.read(_MOST_BYTES + 1)
        except KeyError:
            return None
        except Exception as error:  # each way of packing has errors of its own
            raise _damaged(name, error) from error
        return _limited(found, name)


def _damaged(name: str, why: object) -> InvalidBundle:
    return InvalidBundle(
        f"{name} cannot be read in the bundle: {why}. Ask for it again.", field=name
    )


def _limited(found: bytes, name: str) -> bytes:
    if len(found) > _MOST_BYTES:
        raise InvalidBundle(
            f"{name} of the bundle is larger than {_MOST_BYTES:,} bytes, and is not read.",
            field=name,
        )
    return found
