"""Two views side by side: what the second shows otherwise than the first, of all or of a scope.

Here lives what is asked of which view. What a difference is, is in `ledger.projections.difference`.
"""

from __future__ import annotations

from ledger.errors import InvalidView, NotFound
from ledger.model.text import show
from ledger.projections import difference
from ledger.projections.scope import Scope
from ledger.view import View, ask_of


def check_view(given: object, typed: str) -> None:
    """Refuse what is no view, such as the ledger itself; `typed` is what to write instead.

    Raises:
        InvalidView: it is none.
    """
    if not isinstance(given, View):
        raise InvalidView(f"{show(given)} is no view. Write {typed}.", field="view", given=given)


def diff(before: View, after: View, scope: Scope) -> difference.Difference:
    """What a second view shows otherwise than a first; what only one of them knows is new, or gone.

    Raises:
        NotFound: neither view knows the scope's party, topic or proposition.
    """
    for view in (before, after):
        check_view(view, "diff(ledger.as_of(said=...), ledger.as_of(said=...)), or known=, or both")
    old, new = _shown(before, scope), _shown(after, scope)
    if isinstance(old, NotFound) and isinstance(new, NotFound):
        raise new
    first, second = _or_nothing(before, old), _or_nothing(after, new)
    # What comes into a scope between two known-dates was perhaps there all the time, and whom one
    # of them does not know, or knows under another id, was not silent.
    if before.basis != after.basis:
        first = _beside(before, scope, first, second)
        second = _beside(after, scope, second, first)
    return difference.diff(first, second)


def _shown(view: View, scope: Scope) -> difference.Shown | NotFound:
    try:
        if scope.narrow:
            return ask_of(view, lambda asked: asked.shown(scope))
        with view.facts() as facts:  # one at a time: a host's pool may hold one connection
            return difference.shown(facts, view.said)
    except NotFound as error:
        return error


def _or_nothing(view: View, found: difference.Shown | NotFound) -> difference.Shown:
    if isinstance(found, NotFound):
        return difference.Shown(said=view.said, basis=view.basis)
    return found


def _beside(
    view: View, scope: Scope, own: difference.Shown, other: difference.Shown
) -> difference.Shown:
    """What a view shows of a scope, and of what another shows of it."""
    lacking = own.lacks(other)
    if not lacking:
        return own
    if scope.narrow:
        return own.with_these(ask_of(view, lambda asked: asked.looked_up(lacking)))
    with view.facts() as facts:
        return own.with_these(difference.looked_up(facts, view.said, lacking))
