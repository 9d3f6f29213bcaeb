"""A turn: one owner at a time among threads and the tasks of one event loop or of several."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from ledger.store.turns import Turn, lock_for


class Room:
    """A place where at most one may be at a time."""

    def __init__(self):
        self.turn = Turn()
        self.inside = 0
        self.crowd = 0
        self.order = []

    def visit(self, name, again=3):
        """Go in and let others try: a task waits inside, as it would for the database."""
        with self.turn, self.turn:
            self.inside += 1
            self.crowd = max(self.crowd, self.inside)
            for _ in range(again):
                try:
                    asyncio.get_running_loop()
                except RuntimeError:
                    threading.Event().wait(0.001)
                else:
                    await_only(asyncio.sleep(0))
            self.inside -= 1
            self.order.append(name)

    async def visited(self, name):
        await greenlet_spawn(self.visit, name)


def test_tasks_go_in_one_at_a_time_in_the_order_of_their_asking():
    room = Room()

    async def main():
        await asyncio.gather(*(room.visited(number) for number in range(20)))

    asyncio.run(main())
    assert room.crowd == 1
    assert room.order == list(range(20))


def test_threads_and_the_tasks_of_several_loops_share_one_turn():
    room = Room()

    def loop(number):
        async def main():
            await asyncio.gather(*(room.visited((number, task)) for task in range(10)))

        asyncio.run(main())

    with ThreadPoolExecutor(4) as threads:
        for done in [
            *(threads.submit(loop, number) for number in range(2)),
            *(threads.submit(room.visit, number) for number in range(10)),
        ]:
            done.result()
    assert room.crowd == 1
    assert len(room.order) == 30


def test_the_loop_goes_on_while_a_task_waits_for_a_thread():
    room = Room()
    went_on = threading.Event()

    async def main():
        waiting = asyncio.create_task(room.visited("task"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        went_on.set()
        await waiting

    with ThreadPoolExecutor(1) as other:
        with room.turn:
            loop = other.submit(asyncio.run, main())
            assert went_on.wait(10)
        loop.result()
    assert room.order == ["task"]


def test_a_cancelled_task_leaves_the_queue():
    room = Room()

    async def main():
        first, second, third = (asyncio.create_task(room.visited(n)) for n in range(3))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(first, second, third, return_exceptions=True)
        assert second.cancelled()
        await room.visited("later")

    asyncio.run(main())
    assert room.order == [0, 2, "later"]


@pytest.mark.parametrize("moments", range(8))
def test_a_task_that_is_cancelled_when_its_turn_comes_hands_it_on(moments):
    room = Room()

    async def main():
        first, second, third = (asyncio.create_task(room.visited(n)) for n in range(3))
        for _ in range(moments):
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(first, second, third, return_exceptions=True)
        await room.visited("later")

    asyncio.run(main())
    assert [name for name in room.order if name != 1] == [0, 2, "later"]


def test_an_error_inside_lets_the_next_one_in():
    room = Room()

    def fail():
        with room.turn:
            raise RuntimeError

    async def main():
        await asyncio.gather(
            greenlet_spawn(fail), room.visited("next"), greenlet_spawn(fail), return_exceptions=True
        )

    asyncio.run(main())
    assert room.order == ["next"]


def test_whoever_would_hold_up_a_loop_is_refused():
    turn = Turn()

    async def hold():
        await greenlet_spawn(turn.__enter__)

    async def main():
        await asyncio.create_task(hold())
        with pytest.raises(MissingGreenlet), turn:
            pass

    asyncio.run(main())


def test_synchronous_engines_keep_the_locks_of_threads():
    assert isinstance(lock_for(sa.create_engine("sqlite://")), type(threading.RLock()))
    pytest.importorskip("aiosqlite")
    engine = create_async_engine("sqlite+aiosqlite://")
    assert isinstance(lock_for(engine.sync_engine), Turn)
