"""The same words in another language: what a quotation was translated from, or into.

Follows schema.org `translationOfWork` and `workTranslation`. The words that stand in the document
are those of the quotation itself; a rendering stands beside them and is never looked for there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

import attrs

from ledger.errors import InvalidQuotation
from ledger.model.fields import check_flag, to_language
from ledger.model.text import check_name, check_text, did_you_mean, near, show

MAX_RENDERING = 100_000


def _text(value: str) -> str:
    return check_text(value, field="renderings.text", limit=MAX_RENDERING)


def _original(value: bool) -> bool:  # noqa: FBT001 - a converter
    return check_flag(value, "original")


def _by(value: str) -> str:
    return "" if value == "" else check_name(value, field="renderings.by")


@attrs.frozen(kw_only=True)
class Rendering:
    """The words of a quotation in another language.

    `original=True` marks what was said, if the document has a translation of it. Otherwise it is a
    translation of the document's words, and `by` says who made it.

    Example:
        >>> Rendering(text="The weir is shut", language="en", by="our desk").original
        False
    """

    text: str = attrs.field(converter=_text)
    language: str | None = attrs.field(default=None, converter=to_language)
    original: bool = attrs.field(default=False, converter=_original)
    by: str = attrs.field(default="", converter=_by)

    def __str__(self) -> str:
        told = [one for one in (self.language, self.by and f"by {self.by}") if one]
        kind = "original" if self.original else "translation"
        return f"{kind} ({', '.join(told)}): “{self.text}”" if told else f"{kind}: “{self.text}”"


def to_renderings(
    values: Rendering | Mapping[str, Any] | Iterable[Rendering | Mapping[str, Any]],
) -> tuple[Rendering, ...]:
    """Renderings as they are, or as mappings of their fields; one or several.

    Raises:
        InvalidQuotation: a field that is not known, or no text.
    """
    single = isinstance(values, (Rendering, Mapping))
    if not single and not isinstance(values, Iterable):
        raise InvalidQuotation(
            f"renderings must be a list, got {show(values)}. Write "
            '[{"text": "...", "language": "en"}].',
            field="renderings",
            given=values,
        )
    given = cast("Iterable[Any]", (values,) if single else values)
    return tuple(one if isinstance(one, Rendering) else _read(one) for one in given)


def _read(value: Mapping[str, Any]) -> Rendering:
    known = [field.name for field in attrs.fields(Rendering)]
    if not isinstance(value, Mapping) or not value.get("text"):
        raise InvalidQuotation(
            f"A rendering needs its text, got {show(value)}. Write "
            '{"text": "...", "language": "en"}.',
            field="renderings",
            given=value,
        )
    for key in value:
        if key not in known:
            raise InvalidQuotation(
                f"A rendering has no field {show(key)}.{did_you_mean(near(str(key), known))} "
                f"Its fields are {', '.join(known)}.",
                field="renderings",
                given=key,
            )
    return Rendering(**{key: one for key, one in value.items() if one is not None})
