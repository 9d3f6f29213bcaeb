"""What a view answers, in the words of the reference model: ids, marks and order only."""

from __future__ import annotations

from ledger import View
from ledger.projections.standing import Position
from tests.projections.worlds import PEOPLE, TOLD


def told(position: Position) -> dict[str, object]:
    """A position as `naive.World.position` gives it."""
    shown = position.set_aside if position.status == "undeclared" else position.evidence
    return {
        "status": position.status,
        "stance": position.stance,
        "because": position.because,
        "acts": sorted(position.acts),
        "evidence": [one.claim for one in position.evidence or ()]
        if position.status != "undeclared"
        else [],
        "paths": [one.path for one in position.evidence],
        "withdrawn": [one.claim for one in shown if one.withdrawn],
        "utterances": position.utterances,
        "lapsed": position.lapsed,
        "contested": sorted(position.contested_by),
        "possible": [one.claim for one in position.possible],
        "possibly_withdrawn": sorted(position.possibly_withdrawn),
        "aside": [one.claim for one in position.set_aside],
        "runs": [(run.stance, list(run.claims)) for run in position.runs],
        "turns": [(turn.kind, turn.order_unknown) for turn in position.turns],
    }


def listed(view: View) -> dict[str, object]:
    """The claims of a view as `naive.World.list_claims` gives them."""
    return {
        row.id: (row.certainty, row.stance, row.proposition, set(row.claimant), row.withdrawn)
        for row in view.claims()
    }


def everything(view: View) -> list[object]:
    """All that a view answers about the cast, as plain data."""
    return [
        view.claims().to_dict(),
        *(view.position(who, what).to_dict() for who in PEOPLE for what in TOLD),
        *(one.to_dict() for one in view.contradictions()),
        *(one.to_dict() for one in view.divergences()),
    ]
