"""Images: what one slot of one event class is in JSON, as a struct that msgspec reads and writes.

Here lives how a field's type is told in JSON, in both directions, and nothing else. What is put
together from slots is `ledger.codec.compiled`; what is refused, and in which words, is said by
`ledger.codec.converter` alone. An image takes less than that allows, never more: whatever it does
not hold exactly raises an error, by which the caller hands the event on.

```
field's type         in the image         field's type            in the image
str, bool, or None   as it is             Edtf, Period            its text
int                  as it is, +-2**53    tuples of str or links  arrays
Mapping              canonical JSON       Quotation, LinkWords    objects
```
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Annotated, Any, Final

import attrs
import msgspec
from msgspec import UNSET

from ledger.codec.canonical import MAX_INTEGER, canonical
from ledger.codec.making import maker
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.model.period import Period
from ledger.model.quotation import MAX_CONTEXT, MAX_QUOTATION, Mode, Quotation
from ledger.model.ranges import MAX_RANGES

_values_of: Final = msgspec.structs.astuple
_KEPT: Final = 10_000
"""How many dates, and how many links, are kept to be shared: the same come again and again."""


CHAINS: Final = tuple[tuple[ev.ChainLink, ...], ...]
"""The type of an event's chains."""


class Unusual(Exception):
    """An image does not hold this value; the converter says what becomes of it."""


@attrs.frozen
class Kind:
    """How a type of field stands in an image; None where the value stands there as it is.

    `write` gives UNSET for what is left out.
    """

    plain: Any
    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None


# -- parts that are structs themselves ----------------------------------------------------------


class _Part(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A JSON object inside a slot; its fields stand in the order of their names."""


class _Link(_Part):
    agent: str
    kind: str
    role: str = ""


_Context = Annotated[str, msgspec.Meta(max_length=MAX_CONTEXT)]
_Offset = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]


_DIRECT: Final[Mode] = "direct"


class _Quote(_Part):
    exact: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_QUOTATION)]
    mode: Mode = _DIRECT
    parts: tuple[str, ...] = ()
    prefix: _Context = ""
    ranges: Annotated[tuple[tuple[_Offset, _Offset], ...], msgspec.Meta(max_length=MAX_RANGES)] = ()
    suffix: _Context = ""


class _LinkWords(_Part, kw_only=True):
    chain: int
    cue: _Quote | None = None
    link: int
    words: _Quote | None = None


# -- writing ------------------------------------------------------------------------------------


def _date_text(value: Edtf | None) -> Any:
    if value is None:
        return UNSET
    if type(value) is not Edtf:
        raise Unusual
    return _text(value.text)


def _period_text(value: Period) -> str:
    if type(value) is not Period:
        raise Unusual
    return _text(value.to_text())


def _text(value: Any) -> str:
    if type(value) is not str:
        raise Unusual
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise Unusual
    return value


_TEXT: Final = frozenset({str})
_CHAIN: Final = frozenset({tuple})


def _texts(value: Any) -> Any:
    if type(value) is not tuple or not _TEXT.issuperset(map(type, value)):
        raise Unusual
    return value


def _chain_images(value: Any) -> Any:
    if type(value) is not tuple or not _CHAIN.issuperset(map(type, value)):
        raise Unusual
    return [[_link_image(link) for link in chain] for chain in value]


def _link_image(link: Any) -> _Link:
    agent, kind, role = link.agent, link.kind, link.role
    if not (type(link) is ev.ChainLink and type(agent) is type(kind) is type(role) is str):
        raise Unusual
    return _Link(agent, kind, role)


_quote_parts: Final = attrgetter(*_Quote.__struct_fields__)


def _quote_image(quote: Any) -> Any:
    if quote is None:
        return UNSET
    if type(quote) is not Quotation or quote.renderings:  # so few have any
        raise Unusual
    exact, mode, parts, prefix, ranges, suffix = _quote_parts(quote)
    _texts((exact, mode, prefix, suffix))
    # What was left out is left out by identity: `mode` may be a text of its own that says direct.
    return _Quote(
        exact, _DIRECT if mode == _DIRECT else mode, _texts(parts), prefix, ranges, suffix
    )


def _words_images(value: Any) -> Any:
    if type(value) is not tuple:
        raise Unusual
    return tuple(map(_words_image, value))


def _words_image(words: Any) -> _LinkWords:
    if type(words) is not ev.LinkWords:
        raise Unusual
    return _LinkWords(
        chain=_whole(words.chain),
        cue=_quote_image(words.cue),
        link=_whole(words.link),
        words=_quote_image(words.words),
    )


_FREE: Final = b'{"extra":'


def _free(value: Any) -> Any:
    """Whatever a host puts beside a claim; it stands one level down, and counts so."""
    if type(value) is not dict:
        raise Unusual
    if not value:
        return UNSET
    written = canonical({"extra": value})[len(_FREE) : -1]
    if msgspec.json.decode(written) != value:  # a tuple would be read as a list
        raise Unusual
    return msgspec.Raw(written)


# -- reading ------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=_KEPT)
def _date(text: str | None) -> Edtf | None:
    return None if text is None else Edtf.parse(text)


_period: Final = functools.lru_cache(maxsize=_KEPT)(Period.from_text)
_link: Final = functools.lru_cache(maxsize=_KEPT)(ev.ChainLink)
_quotation: Final = maker(Quotation, (*_Quote.__struct_fields__, "renderings"))


def _chains(value: Any) -> Any:
    return tuple([tuple([_link(*_values_of(link)) for link in chain]) for chain in value])


def _quote(image: _Quote | None) -> Quotation | None:
    """What the constructor would make; where that has more to look at, it does."""
    if image is None:
        return None
    values = exact, mode, parts, prefix, ranges, suffix = _values_of(image)
    at = 0
    for start, end in ranges:
        if not at <= start < end:
            raise Unusual
        at = end
    if parts or "\0" in exact or "\0" in prefix or "\0" in suffix:
        return Quotation(
            exact=exact, mode=mode, parts=parts, prefix=prefix, ranges=ranges, suffix=suffix
        )
    return _quotation((*values, ()))


def _link_words(value: Any) -> Any:
    return value and tuple(
        [
            ev.LinkWords(
                chain=one.chain, link=one.link, words=_quote(one.words), cue=_quote(one.cue)
            )
            for one in value
        ]
    )


KINDS: Final[Mapping[Any, Kind]] = {
    str: Kind(str),
    str | None: Kind(str | None),
    bool: Kind(bool),
    int: Kind(int, _whole),
    Edtf | None: Kind(str | None, _date_text, _date),
    Period: Kind(str, _period_text, _period),
    tuple[str, ...]: Kind(tuple[str, ...], _texts),
    CHAINS: Kind(tuple[tuple[_Link, ...], ...], _chain_images, _chains),
    tuple[ev.LinkWords, ...]: Kind(tuple[_LinkWords, ...], _words_images, _link_words),
    Quotation | None: Kind(_Quote | None, _quote_image, _quote),
    Mapping[str, Any]: Kind(dict[str, Any], _free),
}
"""Every type that a field of an event may have."""
