"""The world of the positions' benchmark: who there is, and a great many claims with dates.

Here lives what is told to the ledger, and the same as bare numbers for its opponents.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs

from ledger import Claim, Document, Ledger, Membership, Party, Proposition, Topic
from ledger.recording import undoing

SAID = "2020-01-01"
_FIRST = dt.date(2014, 1, 1)
_DAYS = 3_650
_STATES = 5
_MINISTRIES = 95
_PARTIES = 2_000
_PROPOSITIONS = 500
_CHUNK = 5_000
_UNDONE = 2_000
_BENEATH = 10_000
_ROLLED = 500


@attrs.define
class World:
    """2,000 parties in three levels, 500 propositions; 2 % of the claims amended, 1 % withdrawn.

    Beside them a state with 10,000 members, of whom some speak on one proposition, and a party that
    says as much by itself.
    """

    claims: int
    seed: int = 3

    def tell(self, path: Path) -> float:
        """Tell it to a ledger in a file; the seconds that took."""
        start, chance = time.perf_counter(), random.Random(self.seed)
        clock = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]
        with Ledger.open(path, clock=lambda: clock[0]) as ledger:
            for part in _chunks(self._nouns()):
                ledger.register_all(part)
            speakers: list[str] = []
            for part in _chunks(self._told(chance, speakers)):
                clock[0] += dt.timedelta(minutes=1)
                ledger.record_all(part)
            for part in _chunks(self._rolled_up(), _CHUNK):
                ledger.record_all(part)
            for part in _chunks(self._undone(chance, speakers), _UNDONE):
                clock[0] += dt.timedelta(minutes=1)
                ledger.appender.append(functools.partial(_each, part))
        return time.perf_counter() - start

    def _nouns(self) -> Iterator[Any]:
        for one in range(_PARTIES):
            kind = "person" if one >= _STATES + _MINISTRIES else "organisation"
            yield Party(f"p{one}", name=f"Party {one}", kind=kind)
        for one in range(_STATES, _STATES + _MINISTRIES):
            yield Membership(f"p{one}", f"p{one % _STATES}")
        for one in range(_STATES + _MINISTRIES, _PARTIES):
            yield Membership(f"p{one}", f"p{_STATES + one % _MINISTRIES}")
        for one in range(_PROPOSITIONS):
            yield Topic(f"t{one}", label=f"Topic {one}")
            yield Proposition(f"q{one}", text=f"Proposition {one}", topic=f"t{one}")
        yield Proposition("rolled", text="What many say")
        yield Party("wide", name="A state with many members", kind="organisation")
        yield Party("single", name="A party with many words", kind="organisation")
        for one in range(_BENEATH):
            yield Party(f"m{one}", name=f"Member {one}", kind="person")
            yield Membership(f"m{one}", "wide")
        for one in range(max(10, self.claims // 10)):
            yield Document(f"d{one}", publisher="p5", published="2024", text=f"Text {one}")

    def _told(self, chance: random.Random, speakers: list[str]) -> Iterator[Claim]:
        documents = max(10, self.claims // 10)
        for number in range(self.claims):
            speakers.append(f"p{chance.randrange(_PARTIES)}")
            yield Claim(
                id=f"c{number}",
                claimant=speakers[-1],
                act="assert",
                proposition=f"q{chance.randrange(_PROPOSITIONS)}",
                stance=chance.choice(["supports", "supports", "opposes", "neutral"]),
                uttered=_day(chance),
                document=f"d{chance.randrange(documents)}",
            )

    def _rolled_up(self) -> Iterator[Claim]:
        chance = random.Random(self.seed + 1)
        for number in range(_ROLLED):
            uttered = _day(chance)
            member = f"m{chance.randrange(_BENEATH)}"
            for id_, who in ((f"w{number}", member), (f"s{number}", "single")):
                yield Claim(
                    id=id_, claimant=who, act="assert", proposition="rolled", uttered=uttered
                )

    def _undone(self, chance: random.Random, speakers: list[str]) -> Iterator[Any]:
        for number in chance.sample(range(self.claims), self.claims // 100):
            act = undoing.withdrawal({"claimant": (speakers[number],), "uttered": "2023-12-31"})
            yield lambda intake, id_=f"c{number}", act=act: undoing.withdraw(
                intake, (id_,), act, document_text=None
            )
        for number in chance.sample(range(self.claims), self.claims // 50):
            yield lambda intake, id_=f"c{number}": undoing.amend(
                intake, id_, reason="typo", strike_out=False, fields={"stance": "mixed"}
            )

    # -- what is asked ----------------------------------------------------------------------

    def spoken(self, many: int) -> list[tuple[str, str]]:
        """Cells of persons in which somebody spoke, each as likely as it has claims."""
        speakers: list[str] = []
        on = [str(one.proposition) for one in self._told(random.Random(self.seed), speakers)]
        persons = {f"p{one}" for one in range(_STATES + _MINISTRIES, _PARTIES)}
        cells = [cell for cell in zip(speakers, on, strict=True) if cell[0] in persons]
        return random.Random(1).sample(cells, many)

    def cells(self, many: int) -> list[tuple[str, str]]:
        """Cells of persons at random: in a small world nearly all are silent."""
        chance = random.Random(1)
        first = _STATES + _MINISTRIES
        return [
            (f"p{chance.randrange(first, _PARTIES)}", f"q{chance.randrange(_PROPOSITIONS)}")
            for _ in range(many)
        ]

    def parties(self, many: int) -> list[tuple[str]]:
        """Persons."""
        return [(party,) for party, _ in self.cells(many)]

    def rolled(self) -> tuple[str, str, str]:
        """The state with its members, the party that says as much itself, and on what."""
        return "wide", "single", "rolled"

    # -- the same as numbers ----------------------------------------------------------------

    def day(self, text: str) -> int:
        """A day as a number."""
        return dt.date.fromisoformat(text).toordinal()

    def plain(self, path: Path) -> list[tuple[int, int, int, int]]:
        """Party, proposition, day and sequence of every claim, as it was told."""
        chance = random.Random(self.seed)
        speakers: list[str] = []
        told = list(self._told(chance, speakers))
        parties, propositions = self.party_numbers(path), self.proposition_numbers(path)
        return [
            (parties[who], propositions[str(claim.proposition)], self.day(str(claim.uttered)), at)
            for at, (who, claim) in enumerate(zip(speakers, told, strict=True))
        ]

    def party_numbers(self, path: Path) -> dict[str, int]:
        """The sequence of each party."""
        keys = [f"p{one}" for one in range(_PARTIES)]
        return dict(zip(keys, _sequences(path, "party_registered"), strict=False))

    def proposition_numbers(self, path: Path) -> dict[str, int]:
        """The sequence of each proposition."""
        keys = [f"q{one}" for one in range(_PROPOSITIONS)]
        return dict(zip(keys, _sequences(path, "proposition_defined"), strict=False))


def _each(part: list[Any], intake: Any) -> list[Any]:
    return [one(intake) for one in part]


def _day(chance: random.Random) -> str:
    return (_FIRST + dt.timedelta(days=chance.randrange(_DAYS))).isoformat()


def _chunks(given: Iterable[Any], many: int = _CHUNK) -> Iterator[list[Any]]:
    left = iter(given)
    while part := list(itertools.islice(left, many)):
        yield part


def _sequences(path: Path, type_: str) -> list[int]:
    with sqlite3.connect(path) as db:
        query = "SELECT seq FROM ledger_event WHERE type = ? ORDER BY seq"
        return [row[0] for row in db.execute(query, (type_,))]
