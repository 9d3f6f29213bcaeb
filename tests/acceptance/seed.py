"""The seed annotation turned into the calls a host would make; every span is checked on the way.

Nothing of the annotation or its article is kept here: both are read from `../shared`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ledger import (
    Document,
    Ledger,
    Link,
    Membership,
    Party,
    Proposition,
    Quotation,
    Topic,
)

STANCES = {"not_stated": "undeclared"}
FACTUALITY = {"CT": "certain", "PR": "probable", "PS": "possible", "Uu": "uncommitted"}
KINDS = {"unnamed-group": "unnamed_group"}
WANTING = {"call_for", "commit", "offer"}
KEPT = {
    "paraphrases",
    "supports",
    "elaborates",
    "presupposes",
    "cites_as_authority",
    "divergent_characterisation",
}
INVERSE = {"elaborated_by": "elaborates"}
OWN = {"caused_by", "justifies", "compatible_with", "within", "reports"}


def load(ledger: Ledger, folder: Path) -> dict[str, Any]:
    """Register and record everything of the annotation; returns it as read."""
    text = (folder / "article.txt").read_text(encoding="utf-8")
    seed = json.loads((folder / "claims.json").read_text(encoding="utf-8"))
    _parties(ledger, seed)
    _propositions(ledger, seed)
    found = seed["document"]
    ledger.register(
        Document(
            found["id"],
            publisher=found["publisher"],
            published=found["published"]["edtf"],
            text=text,
            sha256=found["sha256_of_bytes"],
            length=found["code_points"],
            language=found["language"],
        )
    )
    for claim in seed["claims"]:
        _record(ledger, claim)
    for claim, relation, target in relations(seed):
        ledger.relate(claim, relation, target)
    return seed


def _parties(ledger: Ledger, seed: dict[str, Any]) -> None:
    for joint in (False, True):
        for party in seed["parties"]:
            if (party["kind"] == "joint") == joint:
                ledger.register(
                    Party(
                        party["id"],
                        name=party["name"],
                        kind=KINDS.get(party["kind"], party["kind"]),
                        members=party.get("members", ()),
                    )
                )
    for party in seed["parties"]:
        if party.get("part_of"):
            ledger.register(Membership(party["id"], party["part_of"]))
        for held in party.get("memberships", ()):
            ledger.register(Membership(party["id"], held["organisation"], role=held["role"]))
        for alias in party.get("aliases_in_text", ()):
            ledger.name(party["id"], alias, metonym=alias in {"Moscow", "Baku", "Yerevan"})


def _propositions(ledger: Ledger, seed: dict[str, Any]) -> None:
    wanted = {c["stance"]["proposition"] for c in seed["claims"] if c["speech_act"] in WANTING}
    for topic in seed["topics"]:
        ledger.register(Topic(topic["id"], label=topic["label"]))
    for one in seed["propositions"]:
        kind = "aim" if one["id"] in wanted else "fact"
        ledger.register(Proposition(one["id"], text=one["text"], topic=one["topic"], kind=kind))


def quotation(spans: list[dict[str, Any]], mode: Any = "direct") -> Quotation:
    """Spans of the annotation as one quotation."""
    return Quotation(
        exact=" ".join(span["exact"] for span in spans),
        ranges=tuple((span["start"], span["end"]) for span in spans),
        mode=mode,
    )


def _chain(claim: dict[str, Any]) -> list[Link]:
    return [
        Link(
            link["agent"],
            link["edge"],
            role=link.get("role", ""),
            words=quotation([link["span"]]) if "span" in link else None,
            cue=quotation([link["cue"]]) if "cue" in link else None,
        )
        for link in claim["chain"]
    ]


def chains(claim: dict[str, Any]) -> list[list[Link]]:
    """The chain of a claim, with its alternative where the annotation gives one."""
    chain = _chain(claim)
    other = claim.get("alternative_claimant")
    if other is None:
        return [chain]
    if chain[-1].agent == other:
        return [chain[:-1], chain]
    return [chain, [Link(other, "says")]]


def _record(ledger: Ledger, claim: dict[str, Any]) -> None:
    stance = claim["stance"]
    ledger.record(
        id=claim["id"],
        chain=chains(claim),
        proposition=stance["proposition"],
        act=claim["speech_act"],
        stance=STANCES.get(stance["polarity"], stance["polarity"]),
        factuality=FACTUALITY.get(stance["factuality"][:2], "uncommitted"),
        uttered=claim["uttered"]["edtf"],
        about=claim["about"]["edtf"],
        utterance=claim["utterance"],
        document=claim["document"],
        quote=quotation(claim["content"], claim["mode"]),
        addressees=claim["addressees"],
        mentions=list(dict.fromkeys(one["party"] for one in claim["mentions"])),
        basis=claim["uttered"]["basis"],
    )


def relations(seed: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The relations of the annotation, one direction of each."""
    kept = set()
    for claim in seed["claims"]:
        for relation in claim["relations"]:
            name, pair = relation["type"], (claim["id"], relation["target"])
            if name in INVERSE:
                name, pair = INVERSE[name], pair[::-1]
            edge = (name, frozenset(pair))
            if edge in kept or name not in KEPT | OWN:
                continue
            kept.add(edge)
            yield pair[0], name if name in KEPT else f"x-seed:{name}", pair[1]


def spans(seed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every span of the annotation: anything with a start, an end and a text."""
    queue: list[Any] = [seed]
    while queue:
        here = queue.pop()
        if isinstance(here, dict):
            if {"start", "end", "exact"} <= here.keys():
                yield here
            queue.extend(here.values())
        elif isinstance(here, list):
            queue.extend(here)
