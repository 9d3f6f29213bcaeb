"""How many examples a property draws, where one of them costs as much as all of another's."""

from __future__ import annotations

from typing import Final

from hypothesis import settings

_AT_A_DESK: Final = settings.get_profile("dev").max_examples
_FEWEST: Final = 4


def examples(many: int) -> int:
    """So many at a desk; elsewhere fewer, in the measure of the profile in `conftest`."""
    return max(_FEWEST, many * settings().max_examples // _AT_A_DESK)
