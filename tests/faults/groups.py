"""Threads that share a commit, and a line that is cut under it: each is told what became of it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from ledger import Ledger
from ledger.errors import StoreError
from tests.faults.checks import Notes, check, rows
from tests.faults.proxy import Cut, at, proxied
from tests.faults.seen import Place, Seen
from tests.faults.world import Step

_THREADS: Final = 6
_MESSAGES: Final = 8
"""A group takes fewer messages than that."""


def cut_in_groups(place: Place, *, times: int) -> Seen:
    """Several threads' entries are in one append whose line is cut at a random message."""
    url = place.database()
    told: Counter[str] = Counter()
    done: dict[str, list[int]] = {}
    already = cuts = number = 0
    with (
        proxied(url, place.folder) as proxy,
        Ledger.open(proxy.url) as ledger,
        ThreadPoolExecutor(_THREADS) as pool,
    ):
        shared = ledger.grouped()

        def say(step: Step) -> tuple[list[int], bool] | StoreError:
            try:
                return step.enter(shared)
            except StoreError as error:
                return error

        while proxy.cuts < times:
            steps = [Step("mixed", writer, number) for writer in range(_THREADS)]
            when: Cut = "before" if place.chance.random() < 0.5 else "after"
            proxy.cut(when, at(place.chance.randrange(_MESSAGES)))
            outcomes = [*pool.map(say, steps)]
            proxy.stop()
            stored = _stored(url)
            for step, outcome in zip(steps, outcomes, strict=True):
                if isinstance(outcome, StoreError):
                    told[f"StoreError, stored: {outcome.stored}"] += 1
                    assert outcome.stored == "unknown" or step.name not in stored
                    done[step.name], again = step.enter(shared)
                    assert again == (step.name in stored)
                    already += again
                else:
                    done[step.name], again = outcome
                    assert not again
            number += 1
        cuts = proxy.cuts
    notes = Notes(acknowledged=done, began=1, told=told, already=already, lied=())
    check(url, notes)
    fault = f"connection cut under a commit that {_THREADS} threads share"
    return Seen.of(fault, place.engine, cuts, [notes])


def _stored(url: str) -> set[str]:
    with rows(url) as ask:
        return {
            msgspec.json.decode(entry)["correlation"]
            for (entry,) in ask("SELECT entry FROM ledger_event")
        }
