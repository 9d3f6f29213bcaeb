"""What threads hand in together is theirs apart: each hears what became of its own entry."""

from __future__ import annotations

import threading

import pytest

from ledger import Ledger, Party
from ledger.errors import AlreadyRecorded, StoreError
from ledger.store import append as log
from tests.waiting import until


def party(id_, name=None):
    return Party(id_, name=name or id_.title())


class Crowd:
    """Threads that hand in while one append is held up, and so are written together."""

    def __init__(self, ledger, monkeypatch):
        self.ledger, self.heard, self._threads = ledger, {}, []
        self._hold, self._held, self._write = threading.Event(), threading.Event(), log.append
        monkeypatch.setattr(log, "append", self._append)
        self.errors = []
        self._enter(party("leader"), "leader")
        self._held.wait(30)

    def _append(self, *args):
        if not self._held.is_set():
            self._held.set()
            self._hold.wait(30)
        elif self.errors:
            raise self.errors.pop(0)
        return self._write(*args)

    def _work(self, noun, key):
        try:
            self.heard[key] = self.ledger.register_all([noun])
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.heard[key] = error

    def _enter(self, noun, key):
        thread = threading.Thread(target=self._work, args=(noun, key), daemon=True)
        thread.start()
        self._threads.append(thread)

    def enter(self, noun, key):
        """One more waits behind the append that is held up."""
        waiting = len(self.ledger.appender._queue)
        self._enter(noun, key)
        until(lambda: len(self.ledger.appender._queue) > waiting, "one more waits in the queue")

    def go(self):
        self._hold.set()
        for thread in self._threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self._threads)


@pytest.fixture
def crowd(database, monkeypatch):
    with Ledger.open(database) as ledger:
        ledger.register(party("first"))
        yield Crowd(ledger.grouped(), monkeypatch)


def ids(ledger):
    return [one.id for one in ledger.as_of().parties()]


@pytest.mark.parametrize("error", [RuntimeError("a fault"), KeyboardInterrupt(), SystemExit()])
def test_nobody_is_told_of_success_where_the_leader_came_to_grief(crowd, error):
    crowd.errors = [error]
    for id_ in "abc":
        crowd.enter(party(id_), id_)
    crowd.go()
    assert type(crowd.heard["a"]) is type(error)
    for id_ in "bc":
        assert isinstance(crowd.heard[id_], StoreError)
        assert crowd.heard[id_].stored == "unknown"
    crowd.ledger.register(party("after"))
    assert ids(crowd.ledger) == ["after", "first", "leader"]


def test_what_was_refused_for_an_entry_that_was_not_stored_is_tried_again(crowd):
    crowd.errors = [AlreadyRecorded("refused as it was written")] * 2
    crowd.enter(party("a"), "refused")
    crowd.enter(party("a", "Another"), "behind it")
    crowd.enter(party("b"), "b")
    crowd.go()
    assert isinstance(crowd.heard["refused"], AlreadyRecorded)
    assert [one.stored for one in crowd.heard["behind it"]] == ["stored"]
    assert [one.stored for one in crowd.heard["b"]] == ["stored"]
    assert ids(crowd.ledger) == ["a", "b", "first", "leader"]


def test_a_database_that_refuses_is_asked_once_for_all(crowd):
    crowd.errors = [StoreError("locked"), StoreError("locked again")]
    for id_ in "abc":
        crowd.enter(party(id_), id_)
    crowd.enter(party("a", "Another"), "behind")
    crowd.go()
    assert {id_: str(crowd.heard[id_]) for id_ in ("a", "b", "c", "behind")} == dict.fromkeys(
        ("a", "b", "c", "behind"), "locked"
    )
    assert len(crowd.errors) == 1
    assert ids(crowd.ledger) == ["first", "leader"]


def test_a_thread_that_is_interrupted_while_it_waits_holds_up_nobody(crowd, monkeypatch):
    wait = threading.Event.wait
    main = threading.current_thread()

    def interrupted(event, timeout=None):
        if threading.current_thread() is main:
            raise KeyboardInterrupt
        return wait(event, timeout)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            crowd.ledger.register(party("interrupted"))
    crowd.enter(party("b"), "b")
    crowd.go()
    assert [one.stored for one in crowd.heard["b"]] == ["stored"]
    assert ids(crowd.ledger) == ["b", "first", "leader"]


def test_the_number_of_a_log_that_was_rolled_back_is_not_taken_for_its_own(tmp_path, monkeypatch):
    with Ledger.open(tmp_path / "claims.db", origin="one") as one:
        write = log.append
        monkeypatch.setattr(log, "append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            one.register(party("lost"))
        monkeypatch.setattr(log, "append", write)
        two = Ledger(one._folded.host, origin="two")
        two.appender.put([])
        one.register(party("a"))
        assert (ids(one), ids(two)) == (["a"], [])
        assert one.verify().size == 1
