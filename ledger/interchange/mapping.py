"""Mapping files: what a format of many dialects means in the words of the ledger.

Here lives how a mapping is read and checked, and how the templates in it are filled. What a format
lets one map is said by a class in the file of that format.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import attrs
import cattrs
from cattrs import transform_error
from cattrs.errors import ForbiddenExtraKeysError

from ledger.errors import InvalidImport
from ledger.interchange.foreign import digest
from ledger.interchange.source import unreadable
from ledger.model.text import did_you_mean, near, show

T = TypeVar("T")
Cells = Mapping[str, str]

_HOLE: Final = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


def mapped(cls: type[T], given: Mapping[str, Any] | str | Path | None) -> T:
    """The mapping of a format from a TOML file, from a dict, or with nothing but its defaults.

    Raises:
        InvalidImport: it cannot be read, or holds what the format does not know; all faults at
            once, each with its path.

    Example:
        >>> @attrs.frozen
        ... class Mapped:
        ...     delimiter: str = ","
        >>> mapped(Mapped, {"delimiter": ";"})
        Mapped(delimiter=';')
    """
    if given is None:
        return cls()
    path = None if isinstance(given, Mapping) else Path(given)
    name = "mapping" if path is None else path.name
    try:
        return _converter.structure(given if path is None else _read(path), cls)
    except cattrs.BaseValidationError as error:
        faults = "; ".join(transform_error(error, path=name, format_exception=_fault))
        raise InvalidImport(f"{faults}.", field="mapping", given=name) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise unreadable(path, error, field="mapping") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidImport(
            f"{show(path.name, 200)} is no TOML file: {error}. Mend it there.",
            field="mapping",
            given=path.name,
        ) from error


def _fault(error: BaseException, wanted: type | None) -> str:
    match error:
        case ForbiddenExtraKeysError():
            known = [field.name for field in attrs.fields(error.cl)]
            odd = sorted(error.extra_fields)
            hint = did_you_mean(near(odd[0], known)) or f" Write one of {', '.join(known)}."
            return f"there is no {', '.join(map(show, odd))} here.{hint}".removesuffix(".")
        case KeyError():
            return f"{error.args[0]} is missing: write it"
        case AttributeError():
            return "a table should stand here"
        case TypeError() if "not iterable" in str(error):
            return "a list should stand here"
        case _:
            what = getattr(wanted, "__name__", str(wanted))
            return str(error).removesuffix(".") or f"not a valid {what}"


def _exactly(value: Any, cls: type[Any]) -> Any:
    if type(value) is not cls:
        raise TypeError(f"{show(value)} stands where {cls.__name__} should")
    return value


def _made() -> cattrs.Converter:
    made = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for plain in (str, int, bool):
        made.register_structure_hook(plain, _exactly)
    made.register_structure_hook_func(lambda cls: cls is Any, lambda value, _: value)
    return made


_converter: Final = _made()


# -- templates --------------------------------------------------------------------------------


def filled(template: Any, cells: Cells, path: str = "") -> Any:
    """A template with the cells of one row in its holes; None where all its holes are empty.

    A text may have holes, `{Column}`; a table with `column` is one cell, or those of several
    columns joined by blanks, looked up in its `map`, cut at `split`, read as a date by `date`, made
    an id by `digest`; other tables and lists are filled member by member.

    Raises:
        InvalidImport: a column that is not there, or a cell that the map or date does not know.

    Example:
        >>> filled({"id": "{No}", "act": {"column": "Said", "map": {"yes": "accept"}}},
        ...        {"No": "7", "Said": "yes"})
        {'id': '7', 'act': 'accept'}
    """
    match template:
        case str():
            return _text(template, cells, path)
        case {"column": str() | list() as column, **rules}:
            return _cell(_listed(column), cast("Cells", rules), cells, path)
        case dict():
            inside = ((key, filled(one, cells, f"{path}{key}.")) for key, one in template.items())
            found = {key: one for key, one in inside if one is not None}
            return found or (None if template else {})
        case list():
            return [
                one for part in template if (one := filled(part, cells, path)) is not None
            ] or None
        case dt.date():
            return template.isoformat()
        case _:
            return template


def holes(template: Any) -> Iterator[str]:
    """The columns that a template names.

    Raises:
        InvalidImport: a brace without its fellow, or a rule that cannot be followed.
    """
    match template:
        case str():
            if re.search(r"[{}]", _HOLE.sub("", template)):
                raise InvalidImport(
                    f"{show(template)} holds a brace without its fellow. Write {{Column}} for a "
                    "cell, and {{ for a brace itself.",
                    field="mapping",
                    given=template,
                )
            yield from (found[1] for found in _HOLE.finditer(template) if found[1])
        case {"column": str() | list() as column, **rules}:
            columns = _listed(column)
            if not columns or not all(isinstance(one, str) for one in columns):
                raise InvalidImport(
                    f"column = {show(column)} names no column. Write its name, or a list of names.",
                    field="mapping",
                    given=column,
                )
            for rule in _SHAPES:
                if rule in rules and not _sound(rule, rules[rule]):
                    raise InvalidImport(
                        f"{rule} = {show(rules[rule])} is no rule for column "
                        f"{show(', '.join(columns))}. Write {_EXAMPLES[rule]}.",
                        field="mapping",
                        given=rules[rule],
                    )
            yield from columns
            yield from holes(rules.get("default"))
        case dict():
            for one in template.values():
                yield from holes(one)
        case list():
            for one in template:
                yield from holes(one)
        case _:
            return


def _text(template: str, cells: Cells, path: str) -> str | None:
    used: list[str] = []

    def put(hole: re.Match[str]) -> str:
        if hole[1] is None:
            return hole[0][0]
        used.append(_of(hole[1], cells, path))
        return used[-1]

    text = _HOLE.sub(put, template)
    return None if used and not any(used) else text


def _of(column: str, cells: Cells, path: str) -> str:
    if column not in cells:
        close = did_you_mean(near(column, cells))
        told = f"there is no column {show(column)}.{close} The mapping names it"
        told += f" for {path[:-1]}." if path else "."
        if not close:
            told += f" The columns are {show(', '.join(filter(None, cells)), 200)}."
            told += " Where a title stands above the header, delete it."
        raise InvalidImport(told, field=column, given=column)
    return cells[column].strip()


def _cell(columns: list[str], rules: Mapping[str, Any], cells: Cells, path: str) -> Any:
    odd = [key for key in rules if key not in _RULES]
    if odd:
        raise InvalidImport(
            f"there is no rule {show(odd[0])} for a column.{did_you_mean(near(odd[0], _RULES))} "
            f"Write one of {', '.join(_RULES)}.",
            field="mapping",
            given=odd[0],
        )
    column = ", ".join(columns)
    cell = " ".join(filter(None, (_of(one, cells, path) for one in columns)))
    if isinstance(rules.get("default"), str):
        rules = {**rules, "default": _text(rules["default"], cells, path)}
    if "split" in rules:
        parts = (part.strip() for part in cell.split(rules["split"]))
        return [_one(column, part, rules) for part in parts if part] or rules.get("default")
    if cell or "" in rules.get("map", {}):
        return _one(column, cell, rules)
    return rules.get("default")


def _one(column: str, cell: str, rules: Mapping[str, Any]) -> Any:
    if "date" in rules and "map" in rules:  # the map tells what may stand in place of a date
        if cell in rules["map"]:
            return rules["map"][cell]
        rules = {rule: one for rule, one in rules.items() if rule != "map"}
    for rule, apply in _RULES.items():
        if rule in rules:
            cell = apply(column, cell, rules)
    return cell


def _looked_up(column: str, cell: str, rules: Mapping[str, Any]) -> Any:
    known = rules["map"]
    if cell in known:
        return known[cell]
    if "default" in rules:
        return rules["default"]
    raise InvalidImport(
        f"the mapping of column {show(column)} does not know {show(cell)}."
        f"{did_you_mean(near(cell, known))} Write it into the map, or give a default.",
        field=column,
        given=cell,
    )


def _sound(rule: str, given: Any) -> bool:
    """Whether a rule can be followed; the formats of a date tell a year at least."""
    if not given or not isinstance(given, _SHAPES[rule]):
        return False
    return rule != "date" or all(isinstance(one, str) and _told(one) for one in _listed(given))


def _listed(given: str | list[str]) -> list[str]:
    return [given] if isinstance(given, str) else given


def _told(form: str) -> int:
    """How many signs of a day as 2011-05-03 a format tells: 4, 7, 10, or 0 without a year."""
    year, month, day = (_DAY.strftime(form) != other.strftime(form) for other in _OTHERS)
    return 0 if not year else 4 if not month else 7 if not day else 10


def _as_date(column: str, cell: str, rules: Mapping[str, Any]) -> str:
    forms = _listed(rules["date"])
    for form in forms:
        with suppress(ValueError):
            day = dt.datetime.strptime(cell, form).date()  # noqa: DTZ007 - a day
            return day.isoformat()[: _told(form)]
    raise InvalidImport(
        f"column {show(column)} holds {show(cell)}, which is no date written "
        f"{' or '.join(forms)}. Mend the cell, or the mapping.",
        field=column,
        given=cell,
    )


def _as_id(_: str, cell: str, rules: Mapping[str, Any]) -> str:
    return f"{rules['digest']}-{digest(cell)}"


def _as_is(_: str, cell: str, __: Mapping[str, Any]) -> str:
    return cell


_DAY: Final = dt.date(2001, 2, 3)
_OTHERS: Final = (dt.date(2007, 2, 3), dt.date(2001, 3, 3), dt.date(2001, 2, 10))
"""Of another year, of another month, and another day: all on the weekday of the first."""

_SHAPES: Final[Mapping[str, Any]] = {"date": (str, list), "digest": str, "map": dict, "split": str}
_EXAMPLES: Final = {
    "date": 'date = "%d/%m/%Y"',
    "digest": 'digest = "words"',
    "map": 'map = { Yes = "supports", No = "opposes" }',
    "split": 'split = ";"',
}

_RULES: Final[Mapping[str, Callable[[str, str, Mapping[str, Any]], Any]]] = {
    "date": _as_date,
    "map": _looked_up,
    "digest": _as_id,
    "split": _as_is,
    "default": _as_is,
}
