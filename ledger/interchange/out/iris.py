"""What a record is called outside: an IRI made of a base of yours, its kind and its id.

```
https://claims.example/   claim/   C12            base, kind, id (what is no letter, escaped)
urn:x-claimledger:default:claim/C12               without a base: the log's name
urn:x-claimledger:terms:stance                    our own words, where no vocabulary has one
```
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import attrs

from ledger.errors import Invalid
from ledger.model.text import show

TERMS: Final = "urn:x-claimledger:terms:"
"""The namespace of our own words."""

_BASE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]*[/#:]")


@attrs.frozen
class Iris:
    """The names of a view's records under one base.

    Raises:
        Invalid: the base is no absolute IRI that ends with a slash, a colon or a hash.

    Example:
        >>> Iris.of("https://claims.example/", "default")("claim", "C 12")
        'https://claims.example/claim/C%2012'
    """

    base: str

    def __attrs_post_init__(self) -> None:
        if not _BASE.fullmatch(self.base):
            raise Invalid(
                f"base={show(self.base)} is no absolute address that ends with / or # or a colon. "
                "Give one that is yours, such as https://claims.example/, or leave it out.",
                field="base",
                given=self.base,
            )

    @classmethod
    def of(cls, base: str | None, origin: str) -> Iris:
        """Under a base that was given, or under the name of the log."""
        return cls(f"urn:x-claimledger:{quote(origin, safe='')}:" if base is None else base)

    def local(self, kind: str, id_: str) -> str:
        """The name without its base."""
        return f"{kind}/{quote(id_, safe='')}"

    def __call__(self, kind: str, id_: str) -> str:
        """The IRI of a record."""
        return self.base + self.local(kind, id_)
