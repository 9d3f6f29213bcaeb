"""The document: one immutable version of a carrying text, known by the digest of its bytes.

Follows the PROV Entity. Its text may be handed in and kept, or only its digest and length.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import attrs

from ledger.errors import InvalidDocument
from ledger.model.fields import DateLike, check_flag, date_or_none, text_or_none, to_id, to_language
from ledger.model.moment import Edtf
from ledger.model.party import Party
from ledger.model.text import check_name, show

MAX_TEXT: Final = 20_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def digest(text: str) -> str:
    """The hex SHA-256 of a text's UTF-8 bytes, exactly as given.

    Example:
        >>> digest("")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def _published(value: DateLike | None) -> Edtf | None:
    return date_or_none(value, "published")


def _text(value: str | None) -> str | None:
    return text_or_none(value, "text", MAX_TEXT)


def _title(value: str | None) -> str | None:
    return None if value is None else check_name(value, field="title", limit=2_000)


def check_url(value: str | None) -> str | None:
    """Refuse an address that is not http or https: nothing here is ever fetched."""
    if value is None:
        return None
    value = check_name(value, field="url", limit=2_000)
    if not value.startswith(("http://", "https://")):
        raise InvalidDocument(
            f"The address {show(value)} is neither http nor https. Leave url out, or give the "
            "address of the published page.",
            field="url",
            given=value,
        )
    return value


@attrs.frozen
class Document:
    """A document with its text, or with its digest and length only.

    `length` counts Unicode code points of the text exactly as given; `sha256` is the lower-case
    hex digest of its UTF-8 bytes. With `keep_text=False` only digest and length are stored;
    quotations are then checked only if the text is passed as `document_text`. `revises` names the
    version before this one: a corrected article is a document of its own.

    Raises:
        InvalidDocument: a digest or length that does not fit the text, or neither of them given.

    Example:
        >>> Document("d1", publisher="gazette", published="2023-02-22", text="Hello.").length
        6
    """

    id: str = attrs.field(converter=to_id)
    publisher: str | Party = attrs.field(kw_only=True)
    published: Edtf | None = attrs.field(
        default=None,
        converter=_published,
        kw_only=True,
    )
    text: str | None = attrs.field(
        default=None,
        converter=_text,
        kw_only=True,
        repr=False,
    )
    sha256: str = attrs.field(default="", kw_only=True)
    length: int | None = attrs.field(default=None, kw_only=True)
    title: str | None = attrs.field(
        default=None,
        converter=_title,
        kw_only=True,
    )
    url: str | None = attrs.field(default=None, converter=check_url, kw_only=True)
    language: str | None = attrs.field(default=None, converter=to_language, kw_only=True)
    keep_text: bool = attrs.field(default=True, kw_only=True)
    revises: str | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Digest and length must fit the text, or stand in for it."""
        check_flag(self.keep_text, "keep_text")
        if self.text is None:
            fits = isinstance(self.sha256, str) and _SHA256.match(self.sha256)
            if not fits or type(self.length) is not int or self.length < 1:
                given = f"It got {show(self.sha256)} and {show(self.length)}."
                if (self.sha256, self.length) == ("", None):
                    given = "If you have only its address, give as text what else you know of it."
                raise InvalidDocument(
                    f"Document {show(self.id)} has no text. Give text=, or sha256= (64 lower-case "
                    f"hex digits) and length= (code points). {given}",
                    field="sha256",
                    given=self.sha256,
                )
            return
        actual, points = digest(self.text), len(self.text)
        if self.sha256 not in ("", actual):
            raise InvalidDocument(
                f"The digest of document {show(self.id)} does not fit its text: given "
                f"{show(self.sha256)}, its UTF-8 bytes have {actual}. Give the text exactly as "
                "published, or leave sha256 out.",
                field="sha256",
                given=self.sha256,
            )
        if self.length not in (None, points):
            raise InvalidDocument(
                f"Document {show(self.id)} is said to have {self.length} code points, its text "
                f"has {points}. Leave length out, or count code points.",
                field="length",
                given=self.length,
            )
        object.__setattr__(self, "sha256", actual)
        object.__setattr__(self, "length", points)
