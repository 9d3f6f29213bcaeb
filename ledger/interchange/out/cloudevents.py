"""Events of a log as CloudEvents, for a host's bus: one JSON object each.

`id` is the event's, `source` the log, `type` the stored name with its version, `subject` the
stream, `time` when the log came to know it. The extension `sequence` orders them. `data` holds the
slots that are there, by their names; what was erased is not among them.

Follows CloudEvents 1.0, JSON format, and its sequence extension.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

from ledger.codec.converter import unstructure
from ledger.interchange.out.iris import Iris
from ledger.interchange.out.streaming import filled
from ledger.model import events as ev
from ledger.projections.answer import plain
from ledger.view import View

TYPE: Final = "claimledger"
_WIDTH: Final = 19

_encode: Final = msgspec.json.Encoder().encode


def write(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write the events that a view knows, a line each; gives their number."""
    count = 0
    for one in cloud_events(view.events(), iris=iris):
        file.write(_encode(one) + b"\n")
        count += 1
    return count


def cloud_events(events: Iterable[ev.StoredEvent], *, iris: Iris) -> Iterator[dict[str, Any]]:
    """Events as CloudEvents, as they come: `ledger.follow()` never ends, nor does this.

    Example:
        >>> from ledger import Ledger, Topic
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Topic("dam", label="The dam"))
        ...     [one] = cloud_events(ledger.events(), iris=Iris.of(None, "default"))
        >>> one["type"], one["data"]
        ('claimledger.topic_defined.v1', {'what': {'key': 'dam', 'label': 'The dam'}})
    """
    for stored in events:
        yield {
            "specversion": "1.0",
            "id": stored.id,
            "source": iris.base.rstrip("/#:"),
            "type": f"{TYPE}.{stored.type}.v{stored.type_v}",
            "subject": stored.stream,
            "time": plain(stored.recorded),
            "datacontenttype": "application/json",
            "sequence": f"{stored.sequence:0{_WIDTH}}",
            "streamversion": stored.stream_v,
            "recorder": stored.recorder.id,
            **filled(
                correlation=stored.correlation,
                causation=stored.causation,
                erased=" ".join(stored.erased),
            ),
            "data": _data(stored),
        }


def _data(stored: ev.StoredEvent) -> dict[str, Any]:
    by = filled(name=stored.recorder.name, tool=stored.recorder.tool)
    told = {} if isinstance(stored.event, ev.Remains) else dict(unstructure(stored.event))
    return {**told, "by": by} if by else told
