"""A few fields of many events, straight from their slots, for views that are built of nothing else.

Here lives reading without making events. A peek trusts what is stored: keys it does not ask for
are passed over, and words are not looked at again. Who wants to be told of damage, or wants the
event, takes `ledger.codec.envelope.opened`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import attrs
import msgspec

from ledger.codec import converter
from ledger.codec.compiled import default_in_json
from ledger.codec.entry import SALT_BYTES, ending
from ledger.codec.images import CHAINS, KINDS, Kind
from ledger.errors import CodecError


@attrs.frozen(kw_only=True)
class Peek:
    """What reads some fields of one type of event; made by `peek`."""

    type: str
    fields: tuple[str, ...]
    slots: tuple[str, ...]
    _ending: str = attrs.field(repr=False)
    _readers: Sequence[Callable[[bytes | None], tuple[Any, ...]]] = attrs.field(repr=False)
    _reads: Sequence[tuple[int, Callable[[Any], Any]]] = attrs.field(repr=False)
    _order: Callable[[Sequence[Any]], tuple[Any, ...]] = attrs.field(repr=False)

    def fits(self, entry: str) -> bool:
        """Whether an entry is of this type, and of the version that this library writes."""
        return entry.endswith(self._ending)

    def read(self, *columns: bytes | None) -> tuple[Any, ...] | None:
        """The fields from the salted slots of one row, which are given in the order of `slots`.

        None where a slot was erased that the event cannot be without.

        Raises:
            CodecError: the slots are not of this format.
        """
        values: list[Any] = []
        try:
            for read, column in zip(self._readers, columns, strict=True):
                values += read(column)
            for index, convert in self._reads:
                values[index] = convert(values[index])
        except _Gone:
            return None
        except (ValueError, TypeError, RecursionError) as error:
            raise CodecError(f"The slots of this {self.type} do not make one: {error}") from error
        return self._order(values)


class _Gone(Exception):
    """A slot is not there that holds what has no default."""


def peek(type_: str, *fields: str) -> Peek:
    """What reads these fields of a type of event, as `opened` would give them, in this order.

    `slots` of the answer names the columns that it needs. Links of chains come as they are read,
    with `agent`, `kind` and `role`: what `claimant_of` takes, but no `ChainLink`.

    Raises:
        UnknownEventType: a type this version does not know.
        CodecError: a field that the type does not have, or whose form depends on the record.

    Example:
        >>> topic = peek("topic_defined", "part_of", "key")
        >>> topic.slots, topic.read(bytes(32) + b'{"key":"lachin","label":"The corridor"}')
        (('what',), (None, 'lachin'))
    """
    cls = converter.event_class(type_)
    known = attrs.fields_dict(attrs.resolve_types(cls))
    for name in fields:
        if name not in known or known[name].metadata["slot"] not in ("who", "what", "words"):
            raise CodecError(f"{type_} has no field {name!r} to peek at.")
    wanted = sorted(dict.fromkeys(fields), key=lambda name: str(known[name].metadata["slot"]))
    kinds = [KINDS[known[name].type] for name in wanted]
    slots = tuple(dict.fromkeys(str(known[name].metadata["slot"]) for name in wanted))
    places = [wanted.index(name) for name in fields]
    return Peek(
        type=type_,
        fields=fields,
        slots=slots,
        ending=ending(type_, converter.VERSIONS[type_]),
        readers=[
            _reader(
                slot,
                [
                    (known[name], kind)
                    for name, kind in zip(wanted, kinds, strict=True)
                    if known[name].metadata["slot"] == slot
                ],
            )
            for slot in slots
        ],
        reads=[
            (at, kind.read)
            for at, kind in enumerate(kinds)
            if kind.read is not None and kind is not KINDS[CHAINS]
        ],
        order=itemgetter(*places) if len(places) > 1 else tuple,
    )


def _reader(
    slot: str, fields: Sequence[tuple[attrs.Attribute[Any], Kind]]
) -> Callable[[bytes | None], tuple[Any, ...]]:
    image = msgspec.defstruct(
        f"Peek_{slot}",
        [(field.name, kind.plain, *default_in_json(field)) for field, kind in fields],
        kw_only=True,
        gc=False,
    )
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(image).decode
    values = msgspec.structs.astuple

    def read(column: bytes | None) -> tuple[Any, ...]:
        if column is not None:
            return values(decode(column[SALT_BYTES:]))
        try:
            return values(image())
        except TypeError:
            raise _Gone from None

    return read
