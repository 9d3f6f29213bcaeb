"""The statements of a PROV-JSON document, and what cannot be true of two of them.

Here lives the shape of the format; what its statements mean to a ledger is in `.provjson`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from ledger.codec.canonical import jcs
from ledger.errors import InvalidImport
from ledger.interchange.foreign import Object, listed
from ledger.interchange.lines import Line
from ledger.interchange.shapes import kind_of
from ledger.model.text import show

FORMAL: Final[Mapping[str, tuple[str, ...]]] = {
    "entity": (),
    "activity": ("prov:startTime", "prov:endTime"),
    "agent": (),
    "wasGeneratedBy": ("prov:entity", "prov:activity", "prov:time"),
    "used": ("prov:activity", "prov:entity", "prov:time"),
    "wasInformedBy": ("prov:informed", "prov:informant"),
    "wasStartedBy": ("prov:activity", "prov:trigger", "prov:starter", "prov:time"),
    "wasEndedBy": ("prov:activity", "prov:trigger", "prov:ender", "prov:time"),
    "wasInvalidatedBy": ("prov:entity", "prov:activity", "prov:time"),
    "wasDerivedFrom": ("prov:generatedEntity", "prov:usedEntity", "prov:activity"),
    "wasAttributedTo": ("prov:entity", "prov:agent"),
    "wasAssociatedWith": ("prov:activity", "prov:agent", "prov:plan"),
    "actedOnBehalfOf": ("prov:delegate", "prov:responsible", "prov:activity"),
    "wasInfluencedBy": ("prov:influencee", "prov:influencer"),
    "specializationOf": ("prov:specificEntity", "prov:generalEntity"),
    "alternateOf": ("prov:alternate1", "prov:alternate2"),
    "hadMember": ("prov:collection", "prov:entity"),
    "mentionOf": ("prov:specificEntity", "prov:generalEntity", "prov:bundle"),
}
"""Every kind of statement, and the members that PROV-DM gives it."""

_ONCE: Final[Mapping[str, tuple[str, ...]]] = {
    "activity": ("prov:startTime", "prov:endTime"),
    "wasGeneratedBy": ("prov:entity",),
}
"""The members that have one value, however often their statement is made."""


@attrs.frozen
class Statement:
    """One statement: its kind and id as written, its attributes, the prefixes and bundle there."""

    kind: str
    id: str
    given: Object
    line: Line
    prefixes: Mapping[str, str]
    bundle: str = ""


def statements_of(
    value: Any, inside: str = "", above: Mapping[str, str] | None = None
) -> Iterator[Statement]:
    """The statements of a document or bundle.

    Raises:
        InvalidImport: a shape or kind of statement that PROV-JSON does not have.
    """
    document = _object(value, inside or "the document")
    prefixes = {**(above or {}), **_prefixes(document.get("prefix", {}), inside)}
    for kind, records in document.items():
        at = f"{inside}{kind}"
        if kind == "prefix":
            continue
        if kind == "bundle":
            if inside:
                raise InvalidImport("a bundle holds no bundles.", field=at)
            for name, bundle in _object(records, at).items():
                yield from statements_of(bundle, f"bundle[{name}].", prefixes)
            continue
        if kind not in FORMAL:
            raise InvalidImport(
                f"there is no kind of statement {show(kind)}. Write one of {', '.join(FORMAL)}.",
                field=at,
                given=kind,
            )
        for id_, given in _object(records, at).items():
            for many, one in enumerate(given if isinstance(given, list) else [given]):
                place = f"{at}[{id_}]" + (f"[{many}]" if isinstance(given, list) else "")
                for told in _split(kind, id_, _attributes(one, place), place, prefixes):
                    yield attrs.evolve(told, bundle=inside)


def _split(
    kind: str, id_: str, given: Object, place: str, prefixes: Mapping[str, str]
) -> Iterator[Statement]:
    """A membership of several entities is several statements."""
    members = given.get("prov:entity") if kind == "hadMember" else None
    parts = [{**given, "prov:entity": one} for one in members] if isinstance(members, list) else []
    for one in parts or [given]:
        raw = jcs({kind: {id_: one}})
        yield Statement(kind, id_, one, Line(number=0, raw=raw, at=place), prefixes)


def _object(value: Any, at: str) -> Object:
    if not isinstance(value, dict):
        raise InvalidImport(f"{at} must be an object, got {kind_of(value)}.", field=at, given=value)
    return value


def _prefixes(value: Any, inside: str) -> dict[str, str]:
    given = _object(value, f"{inside}prefix")
    for name, long in given.items():
        if not isinstance(long, str):
            raise InvalidImport(
                f"prefix {show(name)} must be text, got {kind_of(long)}.",
                field=f"{inside}prefix",
                given=long,
            )
    return given


def _attributes(value: Any, place: str) -> Object:
    given = _object(value, place)
    for name, one in given.items():
        for part in listed(one):
            if isinstance(part, dict) and "$" not in part:
                raise InvalidImport(
                    f"{place}: {show(name)} is a typed value without $. Write its value there.",
                    field=place,
                    given=part,
                )
            if isinstance(part, list):
                raise InvalidImport(
                    f"{place}: {show(name)} holds a list in a list.", field=place, given=part
                )
    return given


def text_of(value: Any) -> str:
    """The first text of an attribute, without its type."""
    for one in listed(value):
        found = one.get("$") if isinstance(one, dict) else one
        if isinstance(found, str) and found.strip():
            return found
    return ""


def long_name(one: Statement, name: str) -> str:
    """A qualified name with the prefix written out."""
    prefix, colon, rest = name.partition(":")
    if colon and prefix in one.prefixes:
        return one.prefixes[prefix] + rest
    return one.prefixes.get("default", "") + name if not colon else name


def clashes(statements: list[Statement]) -> dict[str, InvalidImport]:
    """Statements that cannot be true beside an earlier one (PROV-CONSTRAINTS 22, 23, 53, 55).

    Two times of one generation or end stand side by side, as in the submission's own files. Each
    bundle is true or not by itself (PROV-CONSTRAINTS 7.2), and counts its blank ids anew.
    """
    found: dict[str, InvalidImport] = {}
    kinds: dict[tuple[str, str], str] = {}
    told: dict[tuple[tuple[str, str], str], str] = {}
    for one in statements:
        id_ = one.bundle, long_name(one, one.id)
        first = kinds.setdefault(id_, one.kind)
        if first != one.kind and "agent" not in (first, one.kind):  # an agent may be either, too
            found[one.line.at] = InvalidImport(
                f"{show(one.id)} is {first} already, not {one.kind}. Give it another id.",
                field=one.line.at,
                given=one.id,
            )
        for member in _ONCE.get(one.kind, ()):
            value = text_of(one.given.get(member))
            before = told.setdefault((id_, member), value) if value else value
            if before != value:
                found[one.line.at] = InvalidImport(
                    f"{member} of {show(one.id)} is {show(value)} here and {show(before)} before. "
                    "Mend one of the two.",
                    field=member,
                    given=value,
                )
    return found
