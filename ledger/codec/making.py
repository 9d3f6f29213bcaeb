"""Frozen values made from parts that are known to be right, without running their constructors.

Here lives only how: by code that is written out field by field, as attrs writes constructors, since
a loop over the fields takes twice the time. Whoever makes a value so has checked what its
constructor checks: it wrote the parts itself, or read them by way of an image
(`ledger.codec.images`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

import attrs

T = TypeVar("T")


def setters(cls: type[Any]) -> dict[str, Callable[[Any, Any], None]]:
    """For each field of a slotted class, what sets it, frozen or not.

    It is how the constructor that attrs writes sets them too, less a look-up by name for each.
    """
    return {field.name: getattr(cls, field.name).__set__ for field in attrs.fields(cls)}


def maker(cls: type[T], names: Iterable[str] = ()) -> Callable[[Iterable[Any]], T]:
    """What makes a frozen class's values from those of all its fields, in this or their own order.

    No default is filled in, no converter or validator runs: a third of the constructor's time.

    Example:
        >>> from ledger.model.events import ChainLink
        >>> maker(ChainLink)(("board", "says", ""))
        ChainLink(agent='board', kind='says', role='')
    """
    put = setters(cls)
    fields = tuple(names) or tuple(put)
    known = {"new": object.__new__, "cls": cls} | {f"put_{name}": put[name] for name in fields}
    return written(
        "make(values)",
        [
            f"{', '.join(fields)}, = values",
            "made = new(cls)",
            *(f"put_{name}(made, {name})" for name in fields),
            "return made",
        ],
        known,
    )


def written(head: str, body: Sequence[str], known: dict[str, Any]) -> Callable[..., Any]:
    """The function with this head and these lines, which may use what is `known`.

    Example:
        >>> written("twice(it)", ["return double * it"], {"double": 2})(4)
        8
    """
    source = "\n    ".join([f"def {head}:", *body])
    exec(compile(source, f"<{__name__}.{head}>", "exec"), known)  # noqa: S102 - of our own words
    return cast("Callable[..., Any]", known[head.partition("(")[0]])
