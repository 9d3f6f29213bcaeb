"""The seed annotation rendered as JSON Lines and as brat stand-off; read from `../shared`."""

from __future__ import annotations

import json
from typing import Any

from tests.acceptance import seed as calls

METONYMS = {"Moscow", "Baku", "Yerevan"}


def surroundings(seed: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of everything that claims are about, which brat has no place for."""
    found: list[dict[str, Any]] = [
        {
            "type": "party",
            "id": party["id"],
            "name": party["name"],
            "kind": calls.KINDS.get(party["kind"], party["kind"]),
            "members": party.get("members"),
        }
        for party in sorted(seed["parties"], key=lambda one: one["kind"] == "joint")
    ]
    for party in seed["parties"]:
        held = [{"organisation": one} for one in [party.get("part_of")] if one]
        held += [
            {"organisation": one["organisation"], "role": one["role"]}
            for one in party.get("memberships", ())
        ]
        found += [{"type": "membership", "member": party["id"], **one} for one in held]
        found += [
            {"type": "name", "party": party["id"], "name": name, "metonym": name in METONYMS}
            for name in party.get("aliases_in_text", ())
        ]
    wanted = {
        c["stance"]["proposition"] for c in seed["claims"] if c["speech_act"] in calls.WANTING
    }
    found += [{"type": "topic", "id": t["id"], "label": t["label"]} for t in seed["topics"]]
    for one in seed["propositions"]:
        kind = "aim" if one["id"] in wanted else "fact"
        proposition = {"id": one["id"], "text": one["text"], "topic": one["topic"], "kind": kind}
        found.append({"type": "proposition", **proposition})
    return found


def document(seed: dict[str, Any]) -> dict[str, Any]:
    """The document's line, without its text."""
    found = seed["document"]
    return {
        "id": found["id"],
        "publisher": found["publisher"],
        "published": found["published"]["edtf"],
        "sha256": found["sha256_of_bytes"],
        "length": found["code_points"],
        "language": found["language"],
    }


def lines(seed: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """All of it as JSON Lines."""
    return [
        *surroundings(seed),
        {"type": "document", **document(seed), "text": text},
        *(_claim(claim) for claim in seed["claims"]),
        *(
            {"type": "relation", "from": one, "relation": relation, "to": other}
            for one, relation, other in calls.relations(seed)
        ),
    ]


def _claim(claim: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "claim",
        "id": claim["id"],
        "chain": _chains(claim),
        "document": claim["document"],
        "quote": {**_quote(claim["content"]), "mode": claim["mode"]},
        **_told(claim),
    }


def _told(claim: dict[str, Any]) -> dict[str, Any]:
    stance = claim["stance"]
    return {
        "proposition": stance["proposition"],
        "act": claim["speech_act"],
        "stance": calls.STANCES.get(stance["polarity"], stance["polarity"]),
        "factuality": calls.FACTUALITY.get(stance["factuality"][:2], "uncommitted"),
        "uttered": claim["uttered"]["edtf"],
        "about": claim["about"]["edtf"],
        "utterance": claim["utterance"],
        "addressees": claim["addressees"],
        "mentions": list(dict.fromkeys(one["party"] for one in claim["mentions"])),
        "basis": claim["uttered"]["basis"],
    }


def _quote(spans: list[dict[str, Any]]) -> dict[str, Any]:
    exact = " ".join(one["exact"] for one in spans)
    return {"exact": exact, "ranges": [[one["start"], one["end"]] for one in spans]}


def _chains(claim: dict[str, Any]) -> list[Any]:
    found = [
        [
            {
                "agent": link.agent,
                "edge": link.kind,
                "role": link.role or None,
                "words": _words(link.words),
                "cue": _words(link.cue),
            }
            for link in chain
        ]
        for chain in calls.chains(claim)
    ]
    return found[0] if len(found) == 1 else found


def _words(quote: Any) -> dict[str, Any] | None:
    if quote is None:
        return None
    return {"exact": quote.exact, "ranges": [list(one) for one in quote.ranges]}


def standoff(seed: dict[str, Any]) -> str:
    """Claims and relations as brat stand-off; what brat has no form for stands in a note."""
    return _Standoff().of(seed)


class _Standoff:
    """Lines of an .ann file, numbered by kind."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._many: dict[str, int] = {}

    def of(self, seed: dict[str, Any]) -> str:
        events = {claim["id"]: self._event(claim) for claim in seed["claims"]}
        for one, relation, other in calls.relations(seed):
            self._add("R", f"{relation} Arg1:{events[one]} Arg2:{events[other]}")
        return "".join(f"{line}\n" for line in self.lines)

    def _add(self, kind: str, rest: str) -> str:
        self._many[kind] = self._many.get(kind, 0) + 1
        id_ = f"{kind}{self._many[kind]}"
        self.lines.append(f"{id_}\t{rest}")
        return id_

    def _span(self, type_: str, spans: list[dict[str, Any]]) -> str:
        places = ";".join(f"{one['start']} {one['end']}" for one in spans)
        return self._add("T", f"{type_} {places}\t{' '.join(one['exact'] for one in spans)}")

    def _event(self, claim: dict[str, Any]) -> str:
        content = self._span("Content", claim["content"])
        trigger = self._span("Attribution", claim["content"][:1])
        roles = [f"Content:{content}"]
        links = claim["chain"]
        whole = all("span" in link for link in links) and not claim.get("alternative_claimant")
        for place, link in enumerate(links if whole else (), 1):
            number = "" if place == 1 else str(place)
            source = self._span("Source", [link["span"]])
            roles += [f"Source{number}:{source}"]
            if "cue" in link:
                roles += [f"Cue{number}:{self._span('Cue', [link['cue']])}"]
            self._add("N", f"Reference {source} Party:{link['agent']}\t{link['agent']}")
            self._add("A", f"Edge {source} {link['edge']}")
            if link.get("role"):
                self._add("A", f"Role {source} {link['role']}")
        event = self._add("E", " ".join([f"Attribution:{trigger}", *roles]))
        told = _told(claim)
        for field in ("act", "stance", "factuality", "uttered", "about", "utterance"):
            if told[field]:
                self._add("A", f"{field.capitalize()} {event} {told.pop(field)}")
        self._add("A", f"Mode {event} {claim['mode']}")
        self._add("N", f"Reference {event} Claim:{claim['id']}\t{claim['id']}")
        if not whole:
            told["chain"] = _chains(claim)
        self._add("#", f"AnnotatorNotes {event}\t{json.dumps(told)}")
        return event
