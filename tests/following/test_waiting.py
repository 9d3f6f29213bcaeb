"""Waiting for one event: reading what was just written, where it may come late."""

from __future__ import annotations

import threading

import pytest

from ledger import Ledger
from ledger.errors import Invalid, LedgerError, TimedOut
from ledger.store import follow


def test_what_is_there_is_not_waited_for(ledger, register):
    register(ledger, 2)
    assert ledger.wait_for(1, timeout=0) is True


def test_an_event_that_comes_ends_the_waiting(shared_database, register):
    with Ledger.open(shared_database) as reader, Ledger.open(shared_database) as writer:
        register(writer)
        came: list[bool] = []
        waiting = threading.Thread(
            target=lambda: came.append(reader.wait_for(2, timeout=60, poll=600))
        )
        waiting.start()
        register(writer, 2)
        waiting.join(30)
        assert came == [True]


def test_a_commit_is_heard_and_not_only_looked_for(shared_database, register, monkeypatch):
    monkeypatch.setattr(follow, "UNHEARD", 60)
    with Ledger.open(shared_database) as reader, Ledger.open(shared_database) as writer:
        register(writer)
        writing = threading.Timer(0.2, register, (writer,))
        writing.start()
        assert reader.wait_for(1, timeout=20, poll=60)
        writing.join()


def test_the_first_event_of_a_log_can_be_waited_for(ledger, register):
    waiting = threading.Timer(0.05, register, (ledger,))
    waiting.start()
    assert ledger.wait_for(0, timeout=30)
    waiting.join()


@pytest.mark.parametrize("held, told", [(0, "the log is empty"), (2, "the last one is 1")])
def test_an_event_that_does_not_come_is_an_error_that_says_where_the_log_is(
    ledger, register, held, told
):
    register(ledger, held)
    with pytest.raises(TimedOut, match=told) as caught:
        ledger.wait_for(7, timeout=0.05, poll=0.01)
    assert caught.value.head == held - 1
    assert caught.value.sequence == 7
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, LedgerError)


@pytest.mark.parametrize(
    "given, told",
    [
        ({"sequence": -1}, "0 or more, not -1"),
        ({"sequence": "7"}, "whole number"),
        ({"sequence": 7, "timeout": -1}, "timeout is a number of seconds, 0 or more, not -1"),
        ({"sequence": 7, "timeout": float("nan")}, "not nan"),
        ({"sequence": 7, "poll": "1"}, "poll is a number of seconds"),
    ],
)
def test_what_cannot_be_waited_for_is_refused(ledger, given, told):
    with pytest.raises(Invalid, match=told):
        ledger.wait_for(**given)
