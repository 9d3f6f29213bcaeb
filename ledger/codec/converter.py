"""Events to slots and back: the registry of stored types, and the rules for each field (cattrs).

An event's fields are grouped by slot; each slot is one canonical JSON object, in which fields
that hold their default are left out. What a slot is hashed and salted with is
`ledger.codec.entry`; what happens to older versions is `ledger.codec.upcasts`.

Most events never get here (`ledger.codec.compiled`), so cattrs is imported, and taught each class,
when it is first asked.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, cast, get_args, get_origin

import attrs
import msgspec

from ledger.codec.canonical import canonical
from ledger.codec.images import CHAINS
from ledger.errors import CodecError, UnknownEventType
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.model.period import Period
from ledger.model.quotation import Quotation
from ledger.model.rendering import Rendering
from ledger.model.text import show

if TYPE_CHECKING:
    import cattrs

TYPES: Final[Mapping[str, type[Any]]] = {name: cls for cls, name in ev.TYPE_NAMES.items()}
"""The class of every stored name."""

VERSIONS: Final[Mapping[str, int]] = dict.fromkeys(TYPES, 1)
"""The version of each type that this library writes."""

_CHANGES: Final = (ev.ClaimCorrected, ev.RecordAmended)
_PARTS: Final[frozenset[type[Any]]] = frozenset((Rendering, Quotation, ev.ChainLink, ev.LinkWords))
_WRONG: Final = (TypeError, ValueError, KeyError, AttributeError, RecursionError)
"""What comes of values that are not of their fields' types, besides what cattrs says of them."""


def type_name(event: ev.Event) -> str:
    """The stored type name of an event."""
    return ev.TYPE_NAMES[type(event)]


def is_event(value: object) -> bool:
    """Whether a value is of a class that is stored, and of no subclass of one."""
    return type(value) in ev.TYPE_NAMES


def type_called(wanted: str | type[Any]) -> str:
    """The stored name of an event type that is asked for by name or by class.

    Raises:
        UnknownEventType: There is none; near names are told.

    Example:
        >>> type_called(ev.TopicDefined)
        'topic_defined'
    """
    cls = wanted if isinstance(wanted, type) else None
    name = wanted if cls is None else ev.TYPE_NAMES.get(cls, cls.__name__)
    if isinstance(name, str) and name in TYPES:
        return name
    near = difflib.get_close_matches(str(name), TYPES, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else f" There are {', '.join(TYPES)}."
    raise UnknownEventType(f"No event type is called {show(name)}.{hint}")


def event_class(type_: str) -> type[Any]:
    """The class of a stored type name.

    Raises:
        UnknownEventType: a name this version does not know.
    """
    try:
        return TYPES[type_]
    except KeyError:
        raise UnknownEventType(
            f"This version does not know events of type {type_!r}: the log was written by a "
            "newer one. Type: pip install --upgrade claimledger"
        ) from None


def _errors() -> tuple[type[Exception], ...]:
    from cattrs import errors  # noqa: PLC0415 - it is imported by now, or nowhere at fault

    # They have a base class of their own since 26.2 only.
    return (
        errors.BaseValidationError,
        errors.ForbiddenExtraKeysError,
        errors.StructureHandlerNotFoundError,
        *_WRONG,
    )


@functools.cache
def converter() -> cattrs.Converter:
    """The rules for each field."""
    import cattrs  # noqa: PLC0415 - costs 30 ms, and is asked about unusual events alone
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override  # noqa: PLC0415

    made = cattrs.Converter(detailed_validation=False, forbid_extra_keys=True)
    for text_like in (Edtf, Period):
        made.register_unstructure_hook(text_like, _written)
    made.register_structure_hook(Edtf, lambda text, _: Edtf.parse(text))
    made.register_structure_hook(Period, lambda text, _: Period.from_text(text))
    for plain in (str, int, bool):
        made.register_structure_hook(plain, _exactly)
    made.register_structure_hook_func(_is_one_of, _one_of)
    made.register_structure_hook_func(lambda cls: cls is Any, lambda value, _: value)
    # What most events hold; cattrs would look up again for each value how its type is read.
    made.register_structure_hook(str | None, _text_or_none)
    made.register_structure_hook(Edtf | None, _date_or_none)
    made.register_structure_hook_func(lambda cls: cls == CHAINS, _chains)
    made.register_unstructure_hook_func(lambda cls: cls is Any, lambda value: value)

    def skipped(cls: type[Any]) -> dict[str, Any]:
        return {"changes": override(omit=True)} if cls in _CHANGES else {}

    def writes(cls: type[Any]) -> Callable[[Any], Any]:
        return make_dict_unstructure_fn(cls, made, _cattrs_omit_if_default=True, **skipped(cls))

    def reads(cls: type[Any]) -> Callable[[Any, Any], Any]:
        return make_dict_structure_fn(cls, made, **skipped(cls))

    made.register_unstructure_hook_factory(_PARTS.union(ev.TYPE_NAMES).__contains__, writes)
    made.register_structure_hook_factory(ev.TYPE_NAMES.__contains__, reads)
    return made


def _exactly(value: Any, cls: type[Any]) -> Any:
    """No number is read as a text, and no text as yes."""
    if type(value) is not cls:
        raise TypeError(f"{show(value)} stands where {cls.__name__} should")
    return value


def _is_one_of(cls: object) -> bool:
    origin: object = get_origin(cls)
    return origin is Literal


def _one_of(value: Any, cls: Any) -> Any:
    """As cattrs reads it, which told of it in no class of its own before 26.2."""
    if value not in get_args(cls):
        raise ValueError(f"{show(value)} stands where one of {', '.join(get_args(cls))} should")
    return value


def _written(value: Edtf | Period) -> str:
    return value.to_text() if isinstance(value, Period) else value.text


def _text_or_none(value: Any, _: object) -> str | None:
    return None if value is None else cast("str", _exactly(value, str))


def _date_or_none(value: Any, _: object) -> Edtf | None:
    return None if value is None else Edtf.parse(value)


def _chains(value: Any, _: object) -> tuple[tuple[ev.ChainLink, ...], ...]:
    return tuple(tuple(ev.ChainLink(**link) for link in chain) for chain in value)


class _FieldTypes(dict[type[Any], Mapping[str, Any]]):
    """The types of a class's fields by name, read when they are first asked for."""

    def __missing__(self, cls: type[Any]) -> Mapping[str, Any]:
        fields = attrs.fields(attrs.resolve_types(cls))
        found = self[cls] = {field.name: field.type for field in fields}
        return found


FIELD_TYPES: Final = _FieldTypes()
_FIELD_SLOTS: Final[Mapping[type[Any], Mapping[str, str]]] = {
    cls: {field.name: field.metadata["slot"] for field in attrs.fields(cls)}
    for cls in TYPES.values()
}


def unstructure(event: ev.Event) -> dict[str, dict[str, Any]]:
    """An event as plain values, by slot; empty slots are left out.

    Example:
        >>> unstructure(ev.TopicDefined(key="lachin", label="The corridor"))
        {'what': {'key': 'lachin', 'label': 'The corridor'}}
    """
    slots: dict[str, dict[str, Any]] = {}
    where = _FIELD_SLOTS[type(event)]
    for name, value in converter().unstructure(event).items():
        slots.setdefault(where[name], {})[name] = value
    if isinstance(event, ev.ClaimCorrected | ev.RecordAmended) and event.changes:
        target = event_class(event.record_type)
        for name, value in event.changes.items():
            plain = converter().unstructure(value, FIELD_TYPES[target][name])
            changes = slots.setdefault(_FIELD_SLOTS[target][name], {}).setdefault("changes", {})
            changes[name] = plain
    return slots


def encode_slots(event: ev.Event) -> dict[str, bytes]:
    """The canonical JSON of each slot of an event, unsalted.

    Raises:
        NotCanonical: the profile cannot hold a value.
        CodecError: a value that its field would not be read with again: no log may hold it.
    """
    type_ = type_name(event)
    try:
        slots = {slot: canonical(fields) for slot, fields in unstructure(event).items()}
    except _errors() as error:
        raise CodecError(f"This {type_} cannot be written: {error}.") from error
    read = decode(type_, slots)
    if read != event:
        _refuse_change(type_, event, read)
    return slots


def _refuse_change(type_: str, event: ev.Event, read: ev.Event) -> NoReturn:
    for field in attrs.fields(type(event)):
        given, back = getattr(event, field.name), getattr(read, field.name)
        if given != back:
            raise CodecError(
                f"{field.name} of this {type_} is {show(given)}, but would be read again as "
                f"{show(back)}. Write it so."
            )
    raise CodecError(f"This {type_} would be read again as another: {show(read)}.")


def decode(type_: str, slots: Mapping[str, bytes | str]) -> ev.Event:
    """An event from the canonical JSON of its slots.

    Raises:
        UnknownEventType: a type this version does not know.
        CodecError: slots that do not make such an event.
    """
    cls = event_class(type_)
    fields: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    try:
        for payload in slots.values():
            read = cast("dict[str, Any]", msgspec.json.decode(payload))
            changes.update(read.pop("changes", {}))
            fields.update(read)
        event = converter().structure(fields, cls)
        if changes:
            event = attrs.evolve(event, changes=_structure_changes(event.record_type, changes))
    except CodecError:
        raise
    except _errors() as error:
        raise CodecError(f"The slots of this {type_} do not make one: {error}") from error
    return cast("ev.Event", event)


def _structure_changes(record_type: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    types = FIELD_TYPES[event_class(record_type)]
    return {name: converter().structure(value, types[name]) for name, value in changes.items()}
