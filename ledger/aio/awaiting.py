"""How a synchronous method becomes an awaited one, with its signature and its docstring kept."""

from __future__ import annotations

import functools
import itertools
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

_P = ParamSpec("_P")
_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_S = TypeVar("_S")
_S_co = TypeVar("_S_co", covariant=True)

_AT_ONCE: Final = 1_000
"""How many events are fetched at one crossing: the store's page."""


class Door(Protocol[_S_co]):
    """What has a synchronous twin, and runs its methods."""

    async def run_sync(
        self, work: Callable[Concatenate[_S_co, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a function that takes the twin."""
        ...


class Method(Protocol[_P, _T_co]):
    """A method made by a call; type checkers bind it as they bind one that is written out."""

    def __get__(self, instance: object, owner: type, /) -> Callable[_P, _T_co]: ...


def awaited(
    method: Callable[Concatenate[_S, _P], _T],
) -> Method[_P, Coroutine[Any, Any, _T]]:
    """The same method, awaited."""

    @functools.wraps(method)
    async def call(self: Door[_S], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await self.run_sync(method, *args, **kwargs)

    return cast("Method[_P, Coroutine[Any, Any, _T]]", call)


def iterated(
    method: Callable[Concatenate[_S, _P], Iterator[_T]],
) -> Method[_P, AsyncGenerator[_T]]:
    """The same iterator, for `async for`; a page of it is fetched at a time."""

    @functools.wraps(method)
    async def call(self: Door[_S], /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncGenerator[_T]:
        events = await self.run_sync(method, *args, **kwargs)
        while page := await self.run_sync(lambda _: list(itertools.islice(events, _AT_ONCE))):
            for one in page:
                yield one

    return cast("Method[_P, AsyncGenerator[_T]]", call)
