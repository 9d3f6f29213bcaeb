"""What is measured with: synthetic parties, propositions, documents and claims, from a seed.

Here lives only what is handed to the ledger's public interface. Nobody in it exists.

```
10 states  <- part of -  40 organisations  <- part of -  150 persons
```
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterator
from typing import Any, Final

from ledger import Document, Party, Proposition, Topic

PARTIES: Final = 200
STATES: Final = 10
ORGANISATIONS: Final = 40
PROPOSITIONS: Final = 100
TOPICS: Final = 10
DOCUMENTS: Final = 20
FIRST_DAY: Final = dt.date(2015, 1, 1)
DAYS: Final = 3_000
LAST_DAY: Final = FIRST_DAY + dt.timedelta(days=DAYS)
TEXT: Final = (
    "the council would not accept any further delay in the reporting of figures and asked that "
    "every party to the agreement keep the road open until the next meeting in the autumn"
)

Fields = dict[str, Any]
Noun = Party | Topic | Proposition | Document


def party(index: int) -> str:
    """The id of a party."""
    return f"party-{index:03d}"


def proposition(index: int) -> str:
    """The id of a proposition."""
    return f"proposition-{index:03d}"


def above(index: int) -> list[int]:
    """The parties that a party's claims reach: itself, its organisation, its state."""
    if index < STATES:
        return [index]
    if index < STATES + ORGANISATIONS:
        return [index, index % STATES]
    return [index, *above(STATES + index % ORGANISATIONS)]


def nouns() -> list[Noun]:
    """Everything that claims name, in an order in which it can be registered."""
    found: list[Noun] = []
    for index in range(PARTIES):
        kind = "state" if index < STATES else "organisation"
        if index >= STATES + ORGANISATIONS:
            kind = "person"
        wider = above(index)[1:2]
        found.append(
            Party(party(index), name=f"Party {index}", kind=kind, part_of=map(party, wider))
        )
    found += [Party("press", name="The press", kind="publisher")]
    found += [Topic(f"topic-{index}", label=f"Topic {index}") for index in range(TOPICS)]
    found += [
        Proposition(
            proposition(index), text=f"Proposition {index} is so", topic=f"topic-{index % TOPICS}"
        )
        for index in range(PROPOSITIONS)
    ]
    found += [
        Document(
            f"document-{index}",
            publisher="press",
            published=LAST_DAY + dt.timedelta(days=index),
            sha256=hashlib.sha256(str(index).encode()).hexdigest(),
            length=100_000,
        )
        for index in range(DOCUMENTS)
    ]
    return found


def claims(count: int, *, seed: int = 7, prefix: str = "claim") -> list[Fields]:
    """The fields of claims: two in three from a document, one in ten on an unsure day."""
    chance = random.Random(seed)
    return [_claim(f"{prefix}-{number:07d}", chance) for number in range(count)]


def _claim(id_: str, chance: random.Random) -> Fields:
    said = FIRST_DAY + dt.timedelta(days=chance.randrange(DAYS - 30))
    uttered = said.isoformat()
    if not chance.randrange(10):
        uttered = f"[{said}..{said + dt.timedelta(days=chance.randrange(1, 30))}]"
    supports = chance.random() < 0.8
    fields: Fields = {
        "id": id_,
        "claimant": party(chance.randrange(PARTIES)),
        "proposition": proposition(chance.randrange(PROPOSITIONS)),
        "act": "assert" if supports else "deny",
        "uttered": uttered,
        "quote": " ".join(chance.choices(TEXT.split(), k=30)),
        "language": "en",
    }
    if chance.randrange(3):
        fields["document"] = f"document-{chance.randrange(DOCUMENTS)}"
    return fields


def reached(given: list[Fields], first: int) -> Iterator[tuple[str, str, str, int, str]]:
    """Whom the claims reach, on what, by which day at the latest, at which sequence, how."""
    for sequence, fields in enumerate(given, first):
        latest = fields["uttered"].strip("[]")[-len("2015-01-01") :]
        stance = "supports" if fields["act"] == "assert" else "opposes"
        for one in above(int(fields["claimant"].removeprefix("party-"))):
            yield party(one), fields["proposition"], latest, sequence, stance


def cells(count: int, *, seed: int = 3) -> list[tuple[str, str]]:
    """Parties and propositions to ask about."""
    chance = random.Random(seed)
    return [
        (party(chance.randrange(PARTIES)), proposition(chance.randrange(PROPOSITIONS)))
        for _ in range(count)
    ]
