"""Drafts of single events, with salts of their own or salts that are given."""

from __future__ import annotations

import os
from typing import Any

from ledger.codec.entry import SALT_BYTES, SLOTS, Draft, drafter


def salted(payload: bytes, *, salt: bytes | None = None) -> bytes:
    """The slot column for a payload: 32 random bytes, then the payload."""
    return (os.urandom(SALT_BYTES) if salt is None else salt) + payload


def draft(
    *,
    id: str,  # noqa: A002 - the word of the format
    type: str,  # noqa: A002 - the word of the format
    type_v: int,
    stream: str,
    stream_v: int,
    slots: dict[str, bytes],
    **shared: Any,
) -> Draft:
    """The entry of one event over its salted slots."""
    names = sorted(name for name in SLOTS if name in slots)
    payloads: dict[str, bytes] = {name: slots[name][SALT_BYTES:] for name in names}
    salts = b"".join(slots[name][:SALT_BYTES] for name in names)
    return drafter(**shared)(id, type, type_v, stream, stream_v, payloads, salts)
