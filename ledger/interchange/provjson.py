"""PROV-JSON (W3C member submission): who is responsible for what, as parties and claims.

```
agent                              party
entity that an agent is attributed claim of this agent; the entity is what it says
actedOnBehalfOf                    membership; with an activity, whom the agent spoke for in it
wasQuotedFrom, wasDerivedFrom      who said it first is the claimant, who quotes it a reporter
specializationOf, alternateOf, hadPrimarySource   relation between two claims
activity, used, wasGeneratedBy ..  lend claims their time; themselves they have no place here
```

Each statement is one record of the file; those of a bundle as well, its name in front. A document
is read as a whole, because a statement may name what stands anywhere in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from ledger.codec.canonical import parse
from ledger.errors import CodecError, InvalidImport
from ledger.interchange.foreign import Object, digest, kept, listed, without
from ledger.interchange.items import Item, Items, Options, made, refused, skipped, told_of
from ledger.interchange.lines import Line
from ledger.interchange.mapping import mapped
from ledger.interchange.provstatements import (
    FORMAL,
    Statement,
    clashes,
    long_name,
    statements_of,
    text_of,
)
from ledger.interchange.source import Source
from ledger.model.text import show

_KINDS: Final = {"prov:Person": "person", "prov:Organization": "organisation"}


@attrs.frozen
class ProvMapping:
    """What the mapping file may say: ids of parties for agents, and the act of a claim."""

    parties: Mapping[str, str] = attrs.field(factory=dict)
    act: str = "assert"


def read(source: Source, options: Options) -> Items:
    """The items of a PROV-JSON document; one that is malformed is refused as a whole."""
    with told_of(source.name):
        mapping = mapped(ProvMapping, options.mapping)
    whole = Line(number=1, raw=b"", at="(all of it)")
    try:
        text = source.text("a PROV-JSON document")
        whole = attrs.evolve(whole, raw=text.encode())
        statements = list(statements_of(parse(text)))
    except (InvalidImport, CodecError) as error:
        yield refused(whole, error)
        return
    graph = _Graph(statements, mapping)
    yield from map(graph.item, sorted(statements, key=_turn))


def _turn(one: Statement) -> int:
    """Who there is comes first, then whom they speak for, then what they said."""
    return _BEFORE.index(one.kind) if one.kind in _BEFORE else len(_BEFORE)


_BEFORE: Final = ("agent", "actedOnBehalfOf", "wasAttributedTo")
_ABOUT: Final = {
    "wasGeneratedBy": "prov:entity",
    "wasDerivedFrom": "prov:generatedEntity",
    "wasAttributedTo": "prov:entity",
    "actedOnBehalfOf": "prov:delegate",
}
"""By which of its members a statement is looked for."""


class _Graph:
    """What a document says about a statement elsewhere."""

    def __init__(self, statements: list[Statement], mapping: ProvMapping) -> None:
        self._mapping = mapping
        self._about: defaultdict[tuple[str, str], list[Statement]] = defaultdict(list)
        self._agents: dict[str, Object] = {}
        self._entities: dict[str, Object] = {}
        self._claims: dict[str, str] = {}
        for one in statements:
            if about := self._named_or_none(one, _ABOUT.get(one.kind, "")):
                self._about[one.kind, about].append(one)
            if one.kind == "agent":
                self._agents.setdefault(long_name(one, one.id), {}).update(one.given)
            if one.kind == "entity":
                self._entities.setdefault(long_name(one, one.id), {}).update(one.given)
            entity = self._named_or_none(one, "prov:entity")
            if one.kind == "wasAttributedTo" and entity:
                self._claims.setdefault(entity, self._claim_id(one))
        self._clashes = clashes(statements)

    def item(self, one: Statement) -> Item:
        """What a statement becomes."""
        passing: list[Object] = []
        own: list[Object] = []
        remarks: list[str] = []
        try:
            if (clash := self._clashes.get(one.line.at)) is not None:
                raise clash
            objects = list(self._objects(one, passing, remarks))
            if one.kind == "wasAttributedTo":
                said = self._proposition(one)
                (passing if said["text"] == said["id"] else own).append(said)
        except InvalidImport as error:
            return refused(one.line, error, one.given)
        if objects or passing:
            return made(one.line, objects, one.given, passing=passing, own=own, remarks=remarks)
        return skipped(one.line, _why_not(one.kind))

    def _objects(
        self, one: Statement, passing: list[Object], remarks: list[str]
    ) -> Iterator[Object]:
        match one.kind:
            case "agent":
                passing.append(self._party(long_name(one, one.id), remarks))
            case "actedOnBehalfOf":
                yield from self._membership(one, passing, remarks)
            case "wasAttributedTo":
                yield self._claim(one, passing, remarks)
            case "specializationOf" | "alternateOf" | "wasDerivedFrom":
                yield from self._relation(one)
            case _:
                return

    # -- parties ----------------------------------------------------------------------------

    def _party(self, agent: str, remarks: list[str]) -> Object:
        if agent not in self._agents:
            remarks.append(f"agent {show(agent)} is described nowhere: it was registered by its id")
        given = self._agents.get(agent, {})
        name = next(
            (
                found
                for key, one in given.items()
                if key.endswith(("label", ":name")) and (found := text_of(one))
            ),
            "",
        )
        kinds = [text_of([one]) for one in listed(given.get("prov:type"))]
        kind = next((_KINDS[one] for one in kinds if one in _KINDS), "organisation")
        id_ = self._mapping.parties.get(agent, agent)
        return {"type": "party", "id": id_, "name": name.strip() or id_, "kind": kind}

    def _id_of_party(self, agent: str, passing: list[Object], remarks: list[str]) -> str:
        passing.append(self._party(agent, remarks))
        return str(passing[-1]["id"])

    def _membership(
        self, one: Statement, passing: list[Object], remarks: list[str]
    ) -> Iterator[Object]:
        ends = [self._named_or_none(one, key) for key in ("prov:delegate", "prov:responsible")]
        parties = [self._id_of_party(end, passing, remarks) for end in ends if end is not None]
        if len(parties) != len(ends):
            remarks.append("it does not say who acts for whom: the party it names is registered")
            return
        delegate, responsible = parties
        if "prov:activity" not in one.given:
            yield {"type": "membership", "member": delegate, "organisation": responsible}
        else:
            remarks.append("it holds for one activity: claims made in that activity say so")

    # -- claims -----------------------------------------------------------------------------

    def _claim_id(self, one: Statement) -> str:
        if not one.id.startswith("_:"):
            return long_name(one, one.id)
        agent = self._named_or_none(one, "prov:agent") or ""
        return f"prov-{digest([self._named(one, 'prov:entity'), agent])}"

    def _claim(self, one: Statement, passing: list[Object], remarks: list[str]) -> Object:
        entity, agent = self._named(one, "prov:entity"), self._named_or_none(one, "prov:agent")
        given = self._entities.get(entity, {})
        if entity not in self._entities:
            remarks.append(f"entity {show(entity)} is described nowhere: its id is what it says")
        first = self._quoted_from(entity)
        claimant = agent if first is None else first
        via = [agent] if agent and first is not None else []
        activities = [
            self._named_or_none(made, "prov:activity")
            for made in self._about["wasGeneratedBy", entity]
            if made.given.get("prov:activity")
        ]
        left = {**without(one.given, "prov:entity", "prov:agent"), **given}
        return {
            "type": "claim",
            "id": self._claim_id(one),
            "claimant": self._id_of_party(claimant, passing, remarks) if claimant else None,
            "via": [self._id_of_party(party, passing, remarks) for party in via] or None,
            "on_behalf_of": [
                self._id_of_party(party, passing, remarks)
                for party in self._spoken_for(claimant, activities)
            ]
            or None,
            "proposition": entity,
            "act": self._mapping.act,
            "uttered": self._time(entity),
            "extra": {"prov": kept(left)} if left else {},
        }

    def _proposition(self, one: Statement) -> Object:
        entity = self._named(one, "prov:entity")
        given = self._entities.get(entity, {})
        said = text_of(given.get("prov:value")) or text_of(given.get("prov:label")) or entity
        return {"type": "proposition", "id": entity, "text": said.strip()}

    def _quoted_from(self, entity: str) -> str | None:
        """Who said first what an entity quotes."""
        for one in self._about["wasDerivedFrom", entity]:
            kinds = {text_of([kind]) for kind in listed(one.given.get("prov:type"))}
            used = self._named_or_none(one, "prov:usedEntity")
            if "prov:Quotation" in kinds and used:
                for other in self._about["wasAttributedTo", used]:
                    return self._named_or_none(other, "prov:agent")
        return None

    def _spoken_for(self, agent: str | None, activities: list[str | None]) -> list[str]:
        return [
            self._named(one, "prov:responsible")
            for one in (self._about["actedOnBehalfOf", agent] if agent else ())
            if one.given.get("prov:activity")
            and self._named_or_none(one, "prov:activity") in activities
        ]

    def _time(self, entity: str) -> str | None:
        """When an entity was made, if it is told once."""
        told = {
            text_of(one.given.get("prov:time"))
            for one in self._about["wasGeneratedBy", entity]
            if one.given.get("prov:time")
        }
        return told.pop() if len(told) == 1 else None

    def _relation(self, one: Statement) -> Iterator[Object]:
        later, earlier = FORMAL[one.kind][:2]
        if earlier not in one.given or later not in one.given:
            return
        claim = self._claims.get(self._named(one, later))
        target = self._claims.get(self._named(one, earlier))
        if claim and target and claim != target:
            relation = "elaborates" if one.kind == "specializationOf" else f"prov:{one.kind}"
            yield {"type": "relation", "from": claim, "relation": relation, "to": target}

    # -- names ------------------------------------------------------------------------------

    def _named(self, one: Statement, member: str) -> str:
        found = self._named_or_none(one, member)
        if found is None:
            raise InvalidImport(
                f"{member} is missing. Write whom or what the statement is about.", field=member
            )
        return found

    def _named_or_none(self, one: Statement, member: str) -> str | None:
        found = text_of(one.given.get(member))
        return long_name(one, found) if found else None


def _why_not(kind: str) -> str:
    if kind == "entity":
        return "an entity is recorded with whom it is attributed to"
    if kind == "activity":
        return "an activity has no place in the ledger; it lends claims its time"
    return f"{kind} joins nothing that the ledger holds"
