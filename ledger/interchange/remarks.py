"""What is recorded and yet worth a warning: names like another's, claims that lack something.

Nothing here refuses anything. A remark is a sentence for the person who imports.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

from ledger.interchange.foreign import slug
from ledger.interchange.records import Record
from ledger.model import events as ev
from ledger.model.attribution import claimant_of
from ledger.model.period import ALWAYS, Coverage, Period
from ledger.model.text import INVISIBLE, show, suspicions
from ledger.projections.effective import Facts
from ledger.recording.intake import Intake, Made

LONG_TEXT: Final = 10_000
LONG_CHAIN: Final = 20
_DEVICE: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?\Z")


class Bearers:
    """Which parties bear which names, alike to a reader or not; small enough to keep in memory.

    A copy on top of another one takes the names of an attempt, which may yet be undone.

    Example:
        >>> known = Bearers()
        >>> known.add("az", "Baku")
        >>> known.like("BAKU", ALWAYS, other_than="county")
        ('az', 'Baku')
    """

    def __init__(self, below: Bearers | None = None) -> None:
        self._below = below
        self._names: dict[str, dict[tuple[str, str], Period]] = {}

    @classmethod
    def of(cls, facts: Facts) -> Bearers:
        """The bearers of the names in a ledger."""
        known = cls()
        for _, party in facts.of_type(ev.PartyRegistered):
            known.add(party.key, party.name)
        for _, name in facts.of_type(ev.PartyNamed):
            known.add(facts.public(name.party), name.name, name.period)
        return known

    def add(self, party: str, name: str, period: Period = ALWAYS) -> None:
        """A party bears a name, during the last period that was told of it."""
        self._names.setdefault(_skeleton(name), {})[party, name] = period

    def take(self, above: Bearers) -> None:
        """The names of an attempt that was stored."""
        for key, names in above._names.items():
            self._names.setdefault(key, {}).update(names)

    def bearers(self, key: str) -> Mapping[tuple[str, str], Period]:
        """The parties and names that read alike."""
        return self._names.get(key, {})

    def like(self, name: str, period: Period, *, other_than: str) -> tuple[str, str] | None:
        """Another party and its name that reads like this one and may be borne on a day of it.

        None for a name not new to the party itself.
        """
        key = _skeleton(name)
        found = {**(self._below.bearers(key) if self._below else {}), **self.bearers(key)}
        if (other_than, name) in found:
            return None
        others = (one for one, borne in found.items() if _meet(borne, period) != "no")
        return next((one for one in others if one[0] != other_than), None)


_WITHOUT_ID: Final = (
    *(ev.PartyNamed, ev.MembershipRecorded, ev.PartiesMerged, ev.PropositionsMerged),
    *(ev.ClaimsRelated, ev.DocumentRevised),
)
"""The records that a host gives no id, so that what they say tells whether they are there."""


def changed_since(facts: Facts) -> dict[ev.Event, str]:
    """The records without ids that were struck out or amended, by what they said at first.

    Raises:
        Unheld: these facts do not hold all of them.
    """
    next(facts.of_type(ev.ClaimsRelated), None)  # which whoever holds too few refuses
    return {
        stored.event: id_
        for id_, stored in dict.items(facts.stored)  # of a fold without claims, all others
        if isinstance(stored.event, _WITHOUT_ID) and facts.effective.get(id_) != stored.event
    }


def _skeleton(name: str) -> str:
    """A name without what a reader hardly sees: case, width, accents' form, invisible signs."""
    seen = unicodedata.normalize("NFKC", name).casefold()
    return "".join(s for s in seen if s not in INVISIBLE and unicodedata.category(s) != "Cf")


def remarks(intake: Intake, record: Record, made: Made, bearers: Bearers) -> tuple[str, ...]:
    """The warnings about a record that was just entered, its own first."""
    if made.already is not None:
        return (*_changed(intake, made.already), *_another(intake, record, made.already))
    found = [*record.remarks, *_id(record), *_long(record), *_names(intake, record, made, bearers)]
    found += _renamed(intake, record, made)
    match record.type:
        case "claim":
            found += _claim(intake, record, made)
        case "membership":
            found += _membership(intake, made)
        case "withdrawal" if "claimant" not in record.fields and "chain" not in record.fields:
            found.append("no claimant: taken back by whoever made the claim")
        case _:
            pass
    return tuple(found)


def _changed(intake: Intake, id_: str) -> Iterator[str]:
    """What was corrected since is not undone, and somebody may have meant to."""
    event = intake.get(id_, object)
    if event is None and id_ in intake.facts.stored:
        at = intake.facts.stored[id_].sequence
        yield (
            f"what stands at sequence {at} was struck out since and stays so; --bring-back "
            "(bring_back=True) records it again"
        )


def _another(intake: Intake, record: Record, id_: str) -> Iterator[str]:
    """A party whose id is made of its name may be taken for one that has that id by itself."""
    there = intake.original(id_) if record.type == "party" else None
    if not isinstance(there, ev.PartyRegistered) or not _made_of_its_name(record):
        return
    name, kind = record.fields["name"], record.fields.get("kind", there.kind)
    now = intake.get(id_, ev.PartyRegistered) or there
    alike = (slug(name), kind) in ((slug(one.name), one.kind) for one in (there, now))
    if not alike:
        yield (
            f"{show(name)} ({kind}) is taken for the party {show(there.key)} that is there, "
            f"{show(there.name)} ({there.kind}). If it is another, give it an id of its own"
        )


def _made_of_its_name(record: Record) -> bool:
    id_, name = str(record.fields["id"]), str(record.fields["name"])
    return id_ != name and id_ == slug(name)


def _renamed(intake: Intake, record: Record, made: Made) -> Iterator[str]:
    if record.type == "party" and intake.get(made.id, ev.PartyNamed) is not None:
        yield (
            f"{show(record.fields['id'])} was registered under another name: "
            f"{show(record.fields['name'])} is one more. If the first was wrong, amend it"
        )


def _id(record: Record) -> Iterator[str]:
    id_ = record.fields.get("id", "")
    if ("/" in id_ or "\\" in id_) and "://" not in id_:
        yield f"the id {show(id_)} holds a slash; it is never used as a file name"
    if _DEVICE.match(id_):
        yield f"the id {show(id_)} is no file name on Windows; it is never used as one"


def _long(record: Record) -> Iterator[str]:
    for field, value in record.fields.items():
        if isinstance(value, str) and len(value) > LONG_TEXT and field != "text":
            yield f"{field} has {len(value):,} signs"


def _names(intake: Intake, record: Record, made: Made, bearers: Bearers) -> Iterator[str]:
    if record.type not in ("party", "name"):
        return
    for id_ in made.events:
        match intake.get(id_, object):
            case ev.PartyRegistered(key=party, name=name):
                if name not in _named_in(intake, made):
                    yield from _one_name(party, name, ALWAYS, bearers)
            case ev.PartyNamed(party=bearer, name=name, period=period):
                yield from _one_name(intake.public(bearer), name, period, bearers)
            case _:
                pass


def _named_in(intake: Intake, made: Made) -> set[str]:
    """The names that a record gives a period; that with which it is registered is then one."""
    named = (intake.get(id_, ev.PartyNamed) for id_ in made.events)
    return {one.name for one in named if one is not None}


def _one_name(party: str, name: str, period: Period, bearers: Bearers) -> Iterator[str]:
    for what in suspicions(name):
        yield f"name {show(name)}: {what}"
    if (other := bearers.like(name, period, other_than=party)) is not None:
        how = "the same as" if other[1] == name else "easily taken for"
        yield (
            f"name {show(name)} is {how} {show(other[1])}, a name of {show(other[0])}: from now on "
            "ask by id, or give the names periods"
        )
    bearers.add(party, name, period)


def _claim(intake: Intake, record: Record, made: Made) -> Iterator[str]:
    claim = intake.get(made.id, ev.ClaimRecorded)
    if claim is None:
        return
    given = record.fields
    if "confidence" in given:
        yield f'confidence is kept as the text "{given["confidence"]}" under extra'
    who = {claimant_of(chain) for chain in claim.chains}
    if who == {None}:
        yield "no claimant: the text names nobody, and the claim is in nobody's position"
    elif len(who) > 1:
        yield f"{len(who)} claimants are alternatives: the claim is possible for each of them"
    longest = max(map(len, claim.chains), default=0)
    if longest > LONG_CHAIN:
        yield f"the chain has {longest} links"
    if not given.get("via") and not given.get("chain"):
        yield from _no_reporter(intake, claim, who)
    document = intake.get(claim.document, ev.DocumentRegistered)
    if claim.quote is not None and document is not None and document.text is None:
        yield f"the quotation is unchecked: the text of {show(document.key)} is not stored"
    if claim.uttered is None:
        by = "the day of publication" if claim.document else "the day it was recorded"
        yield f"no uttered: at any time, {by} at the latest"


def _no_reporter(intake: Intake, claim: ev.ClaimRecorded, who: set[str | None]) -> Iterator[str]:
    document = intake.get(claim.document, ev.DocumentRegistered)
    if document is None:
        yield "neither via nor document: nobody is named who reports it"
    elif document.publisher not in who:
        publisher = show(intake.public(document.publisher))
        yield f"no via: the publisher of the document, {publisher}, is taken to report it"


def _membership(intake: Intake, made: Made) -> Iterator[str]:
    own = intake.get(made.id, ev.MembershipRecorded)
    if own is None:
        return
    for id_, other in _memberships_of(intake, own.member, but=made.id):
        alike = (other.organisation, other.role) == (own.organisation, own.role)
        if alike and _surely_meet(own.period, other.period):
            yield (
                f"overlaps the membership in the same role that holds {other.period}. If it is the "
                f"same one, amend the period of that, or strike it out: {id_}"
            )
            break
    ring = _way(intake, own.organisation, own.member)
    if ring:
        shown = ", ".join(map(intake.public, (own.member, *ring)))
        yield f"closes a ring: {shown}; roll-up passes each party once"


def _memberships_of(
    intake: Intake, member: str, but: str = ""
) -> Iterator[tuple[str, ev.MembershipRecorded]]:
    stored = intake.facts.indexed("memberships_of", member)
    new = (one.id for one in intake.new if isinstance(one.event, ev.MembershipRecorded))
    for id_ in (*stored, *new):
        found = intake.get(id_, ev.MembershipRecorded)
        if found is not None and id_ != but and found.member == member:
            yield id_, found


def _surely_meet(*both: Period) -> bool:
    """Whether some day is surely in both: each surely holds once both have begun."""
    firsts = [one.since.latest for one in both if one.since and one.since.latest]
    day = max(firsts, default=None)
    return all(one.covers(day, day) == "certain" for one in both)


def _meet(*both: Period) -> Coverage:
    """Whether some day is in both, surely or possibly: each holds on the other's first day."""
    firsts = [one.since.earliest for one in both if one.since and one.since.earliest]
    day = max(firsts, default=None)
    told = {one.covers(day, day) for one in both}
    return "no" if "no" in told else "possible" if "possible" in told else "certain"


def _way(intake: Intake, start: str, goal: str) -> tuple[str, ...]:
    """The shortest way up the memberships from one party to another; () where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == goal:
            return way
        for _, above in _memberships_of(intake, way[-1]):
            if above.organisation not in seen:
                seen.add(above.organisation)
                ways.append((*way, above.organisation))
    return ()
