"""Errors travel: to another thread as a copy, to another process pickled."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from ledger import errors

CLASSES = [
    one
    for one in vars(errors).values()
    if isinstance(one, type) and issubclass(one, errors.LedgerError)
]


def made(cls):
    required = [
        one.name
        for one in inspect.signature(cls).parameters.values()
        if one.kind is one.KEYWORD_ONLY and one.default is one.empty
    ]
    return cls("what happened", **dict.fromkeys(required, 7))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("way", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
def test_a_copy_of_an_error_tells_the_same(cls, way):
    error = made(cls)
    found = way(error)
    assert type(found) is cls
    assert (str(found), found.args, vars(found)) == (str(error), error.args, vars(error))
