"""Events to slots and back in a fraction of the converter's time, for events of the usual kind.

Here lives how the images of a class's slots are made from its fields, and how an event goes through
them. It is a short cut and decides nothing: whatever an image does not hold exactly, and every
error, comes from `ledger.codec.converter`, whose bytes and objects these are.

```
event --write-----------> image --msgspec--> JSON of one slot
JSON of one slot --msgspec--> image --read, set--> event
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import attrs
import msgspec
from msgspec import UNSET

from ledger.codec import converter
from ledger.codec.canonical import may_hold_nul
from ledger.codec.images import KINDS, Kind, Unusual
from ledger.codec.making import setters, written
from ledger.model import events as ev
from ledger.model.period import Period

_OTHER: Final[Mapping[Any, str]] = {
    str: "type({0}) is not str",
    str | None: "{0} is not None and type({0}) is not str",
    bool: "type({0}) is not bool",
}
"""When a value is not written as it is, by the type of its field."""

_encode: Final = msgspec.json.Encoder().encode


def _slot_writer(
    cls: type[Any], fields: Sequence[attrs.Attribute[Any]], kinds: Mapping[str, Kind]
) -> Callable[[Any], bytes]:
    """What writes a slot from its fields, which stand in the order of their names, as in JSON."""
    image = msgspec.defstruct(
        f"{cls.__name__}_written",
        [(field.name, Any, None if field.default is None else UNSET) for field in fields],
        omit_defaults=True,
        gc=False,
    )
    names: dict[str, Any] = {
        "encode": _encode,
        "image": image,
        "may_hold_nul": may_hold_nul,
        "Unusual": Unusual,
        "UNSET": UNSET,
    }
    body: list[str] = []
    given: list[str] = []
    for field in fields:
        name, kind = field.name, kinds[field.name]
        body.append(f"{name} = event.{name}")
        value = name
        if kind.write is not None:
            names[f"write_{name}"] = kind.write
            value = f"write_{name}({name})"
        else:
            body.append(f"if {_OTHER[kind.plain].format(name)}: raise Unusual")
        given.append(_unless_default(field, value, names))
    body += [
        f"payload = encode(image({', '.join(given)}))",
        "if may_hold_nul(payload): raise Unusual",
        "return payload",
    ]
    return written("write_slot(event)", body, names)


def _unless_default(field: attrs.Attribute[Any], value: str, names: dict[str, Any]) -> str:
    """The expression of a field's value; one that equals its default is left out."""
    default = field.default
    if default is attrs.NOTHING or hasattr(default, "factory"):
        return value
    if default is None:
        return value if value == field.name else f"UNSET if {field.name} is None else {value}"
    names[f"usual_{field.name}"] = default
    return f"UNSET if {field.name} == usual_{field.name} else {value}"


def default_in_json(field: attrs.Attribute[Any]) -> tuple[Any, ...]:
    """What an image holds where its JSON lacks the field; nothing where it may not."""
    factory = getattr(field.default, "factory", None)
    if factory is not None:
        return (msgspec.field(default_factory=factory),)
    match field.default:
        case attrs.NOTHING:
            return ()
        case Period() as period:
            return (period.to_text(),)
        case default:
            return (default,)


def _slot_reader(
    cls: type[Any], name: str, fields: Sequence[attrs.Attribute[Any]], kinds: Mapping[str, Kind]
) -> Callable[[Any, bytes | None], None]:
    """What puts the fields of a slot into an event: from its JSON, or where that is not there."""
    image = msgspec.defstruct(
        f"{cls.__name__}_{name}",
        [(field.name, kinds[field.name].plain, *default_in_json(field)) for field in fields],
        kw_only=True,
        forbid_unknown_fields=True,
        gc=False,
    )
    names: dict[str, Any] = {"absent": image, "decode": msgspec.json.Decoder(image).decode}
    body = ["image = absent() if payload is None else decode(payload)"]
    for field, put in ((field, setters(cls)[field.name]) for field in fields):
        names[f"put_{field.name}"] = put
        value = f"image.{field.name}"
        if (read := kinds[field.name].read) is not None:
            names[f"read_{field.name}"] = read
            value = f"read_{field.name}({value})"
        body.append(f"put_{field.name}(made, {value})")
    return written("read_slot(made, payload)", body, names)


_Slot = tuple[str, Callable[[Any], bytes], Callable[[Any, bytes | None], None]]


def _slots(cls: type[Any]) -> tuple[_Slot, ...]:
    """For each slot of a class its name, what writes it, and what reads it."""
    types = converter.FIELD_TYPES[cls]
    names = dict.fromkeys(field.metadata["slot"] for field in attrs.fields(cls))
    return tuple(_slot(cls, name, types) for name in sorted(names))


def _slot(cls: type[Any], name: str, types: Mapping[str, Any]) -> _Slot:
    fields = [field for field in attrs.fields(cls) if field.metadata["slot"] == name]
    kinds = {field.name: KINDS[types[field.name]] for field in fields}
    ordered = sorted(fields, key=lambda field: field.name)
    return name, _slot_writer(cls, ordered, kinds), _slot_reader(cls, name, fields, kinds)


class _Slots(dict[type[Any], tuple[_Slot, ...]]):
    """The slots of each class, made when an event of it is first met."""

    def __missing__(self, cls: type[Any]) -> tuple[_Slot, ...]:
        # Where fields are those of any record, there are no slots of a kind.
        if cls not in ev.TYPE_NAMES or "changes" in attrs.fields_dict(cls):
            raise Unusual
        made = self[cls] = _slots(cls)
        return made


_SLOTS: Final = _Slots()


def encode_slots(event: ev.Event) -> dict[str, bytes]:
    """The canonical JSON of each slot of an event, unsalted, as `converter.encode_slots` has it.

    Raises:
        NotCanonical: the profile cannot hold a value.
        CodecError: a value that its field would not be read with again.

    Example:
        >>> encode_slots(ev.TopicDefined(key="lachin", label="The corridor"))
        {'what': b'{"key":"lachin","label":"The corridor"}'}
    """
    try:
        return {
            name: payload
            for name, write, _ in _SLOTS[type(event)]
            if (payload := write(event)) != b"{}"
        }
    except Exception:  # noqa: BLE001 - the converter knows what it is, and says it
        return converter.encode_slots(event)


def decode(type_: str, payloads: Mapping[str, bytes]) -> ev.Event:
    """An event from the canonical JSON of its slots, as `converter.decode` reads it.

    Raises:
        UnknownEventType: a type this version does not know.
        CodecError: slots that do not make such an event.
    """
    try:
        return _read(converter.TYPES[type_], payloads)
    except Exception:  # noqa: BLE001 - the converter knows what it is, and says it
        return converter.decode(type_, payloads)


def _read(cls: type[Any], payloads: Mapping[str, bytes]) -> ev.Event:
    made, left = object.__new__(cls), len(payloads)
    for name, _, read in _SLOTS[cls]:
        payload = payloads.get(name)
        left -= payload is not None
        read(made, payload)
    if left:
        raise Unusual
    return cast("ev.Event", made)
