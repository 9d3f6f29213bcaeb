"""Dictionaries of records that are not all held, and the refusal of what would need all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Unheld(Exception):
    """This question needs records that are not held."""


class Found(dict[str, T]):
    """A dictionary of what is held, in which `__missing__` finds what is not.

    Example:
        >>> Found(a=1).values()
        Traceback (most recent call last):
        ledger.projections.missing.Unheld: not every record is held
    """

    def get(self, id_: str, default: Any = None) -> Any:
        """The record of an id, held or found."""
        try:
            return self[id_]
        except KeyError:
            return default

    def __contains__(self, id_: object) -> bool:
        return self.get(cast("str", id_)) is not None

    def _refuse(self) -> Any:
        raise Unheld("not every record is held")

    __iter__ = keys = values = items = _refuse


class Fetched(Found[T]):
    """One in which what is missed is fetched and put, if it is anywhere."""

    def __init__(self, fetch: Callable[[str], object]) -> None:
        super().__init__()
        self._fetch = fetch

    def __missing__(self, id_: str) -> T:
        self._fetch(id_)
        if dict.__contains__(self, id_):
            return dict.__getitem__(self, id_)
        raise KeyError(id_)
