"""The garbage collector, kept off while much is made that stays.

Here lives that alone, for whoever reads many rows or loads many modules at once.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the collector from going through all that is read, again and again.

    An event is a few dozen objects, which stay in a fold or on a page; none lies in a circle.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
