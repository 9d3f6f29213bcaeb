"""What was written by earlier versions, read as today's; stored bytes never change.

Every type is at its first version, so there is nothing to lift yet; what an unknown, later
version gets is an error that says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.codec.converter import VERSIONS, event_class
from ledger.errors import UnknownEventType


def upcast(type_: str, version: int, payloads: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The slots of an event as today's version of its type holds them.

    Raises:
        UnknownEventType: a type or version that this library does not know.
    """
    event_class(type_)
    if version != VERSIONS[type_]:
        raise UnknownEventType(
            f"This version reads {type_} up to version {VERSIONS[type_]}, the log holds version "
            f"{version}. Type: pip install --upgrade claimledger"
        )
    return payloads
