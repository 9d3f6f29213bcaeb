"""Earlier versions of the projection "cells", known by their tables alone: to be pruned."""

from __future__ import annotations

from ledger.errors import InvalidProjection
from ledger.projecting.projection import Page, Projection
from ledger.projecting.registry import Factory
from ledger.store import cells as store
from ledger.store.layout import Layout


def former(layout: Layout) -> tuple[Factory, ...]:
    """What the builds of each earlier version are dropped with.

    Example:
        >>> [one(2).tables[0].name for one in former(Layout())]
        ['ledger_v1_cell_2', 'ledger_v2_cell_2', 'ledger_v3_cell_2']
    """

    def of(version: int) -> Factory:
        def build(number: int) -> Projection:
            tables = store.tables_of(layout, number, version)
            return Projection(name=store.NAME, version=version, tables=tables, apply_page=_refuse)

        return build

    return tuple(map(of, range(1, store.VERSION)))


def _refuse(_page: Page) -> None:
    raise InvalidProjection(
        f"Only version {store.VERSION} of {store.NAME} can be built. Type: claims index",
        field="version",
    )
