"""The view whose questions are awaited; what they mean is in `ledger.view`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import attrs

from ledger.aio.awaiting import awaited, iterated
from ledger.aio.places import Run
from ledger.model.moment import Knob
from ledger.view import View

_P = ParamSpec("_P")
_T = TypeVar("_T")


@attrs.frozen(kw_only=True, eq=False)
class AsyncView:
    """A `View` whose questions are awaited; made by `AsyncLedger.as_of` and `replay`."""

    view: View
    _run: Run = attrs.field(repr=False)

    async def run_sync(
        self, work: Callable[Concatenate[View, _P], _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run a function that takes a `View`, such as a report, and give what it returns."""
        return await self._run(functools.partial(work, self.view, *args, **kwargs))

    @property
    def said(self) -> Knob:
        """By when it had been said."""
        return self.view.said

    @property
    def known(self) -> Knob | int | None:
        """By when it was known, as it was asked for."""
        return self.view.known

    @property
    def basis(self) -> int:
        """The number of events it is computed from."""
        return self.view.basis

    @property
    def settled(self) -> bool:
        """Whether the log has gone past what was asked for as known."""
        return self.view.settled

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.view.origin

    def __str__(self) -> str:
        return str(self.view)

    events = iterated(View.events)
    entries = iterated(View.entries)
    checkpoint = awaited(View.checkpoint)
    position = awaited(View.position)
    positions = awaited(View.positions)
    timeline = awaited(View.timeline)
    columns = awaited(View.columns)
    contradictions = awaited(View.contradictions)
    divergences = awaited(View.divergences)
    explain = awaited(View.explain)
    perspectives = awaited(View.perspectives)
    silences = awaited(View.silences)
    claims = awaited(View.claims)
    trace = awaited(View.trace)
    resting_on = awaited(View.resting_on)
    attributed_to = awaited(View.attributed_to)
    evidence = awaited(View.evidence)
    check_quotes = awaited(View.check_quotes)
    resolve = awaited(View.resolve)
    denoted = awaited(View.denoted)
    memberships = awaited(View.memberships)
    names = awaited(View.names)
    parties = awaited(View.parties)
    topics = awaited(View.topics)
    propositions = awaited(View.propositions)
    document = awaited(View.document)
    documents = awaited(View.documents)
