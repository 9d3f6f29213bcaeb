"""Entries that a test makes first and enters later, and what a refusal of one must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger import (
    Document,
    Ledger,
    Link,
)
from ledger import errors as er

Entry = Callable[[Ledger], object]
NUL, HALF, MEGABYTE = "a\0b", "a\ud800b", "x" * 1_000_000


def record(**fields: Any) -> Entry:
    """An entry of a claim that is good but for the fields given."""
    good = {"claimant": "board", "act": "assert", "proposition": "bridge-open"}
    return lambda ledger: ledger.record(**{**good, **fields})


def register(cls: type[Any], *args: Any, **fields: Any) -> Entry:
    return lambda ledger: ledger.register(cls(*args, **fields))


def named(ledger: Ledger, **fields: Any) -> Any:
    return ledger.name("board", "WB", **fields)


def linked(*args: Any, **fields: Any) -> Entry:
    """An entry of a claim whose one link is made, and perhaps refused, when it is entered."""

    def enter(ledger: Ledger) -> object:
        return record(claimant=None, chain=[Link("board", *args, **fields)])(ledger)

    return enter


def withdraw(claims: Any = "c1", **fields: Any) -> Entry:
    good = {"claimant": "board", "uttered": "2023-02-27"}
    return lambda ledger: ledger.withdraw(claims, **{**good, **fields})


def amend(record: str = "c1", **fields: Any) -> Entry:
    return lambda ledger: ledger.amend(record, **{"reason": "read again", **fields})


def correct(claim: str = "c1", **fields: Any) -> Entry:
    return lambda ledger: ledger.correct(claim, **fields)


def refused(standing: Ledger, unchanged: Any, entry: Entry, error: type[Exception]) -> Any:
    """The error of an entry, with the log compared before and after."""
    with unchanged(standing), pytest.raises(error) as caught:
        entry(standing)
    assert type(caught.value) is error
    assert isinstance(caught.value, er.LedgerError)
    assert caught.value.message == str(caught.value)
    assert caught.value.message.rstrip().endswith((".", "?")), caught.value.message
    return caught.value


def gazette(**fields: Any) -> Entry:
    good = {"id": "d", "publisher": "gazette", "text": "t", "published": "2023-02-22"}
    given = {**good, **fields}
    return register(Document, given.pop("id"), **given)
