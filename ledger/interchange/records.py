"""Objects of a file as the nouns they stand for, ready to be entered.

Here lives what each type of line becomes. Which fields and shapes it may have is in `.shapes`; what
is worth a warning, in `.remarks`; the run itself, in `.importing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from ledger.codec.canonical import jcs
from ledger.errors import (
    AlreadyRecorded,
    InvalidDocument,
    InvalidImport,
    InvalidMerge,
    InvalidQuotation,
)
from ledger.interchange.shapes import FORMS, SET_BY_THE_LEDGER, Fields, Unread, form_of, members
from ledger.model import events as ev
from ledger.model.claim import REFERRING_BACK, Claim, Relation
from ledger.model.document import Document
from ledger.model.party import Membership, Name, Party
from ledger.model.period import Period
from ledger.model.proposition import Occurrence, Proposition, Topic
from ledger.model.quotation import Quotation
from ledger.model.text import did_you_mean, near, show
from ledger.recording import claiming, registering, undoing
from ledger.recording.intake import Intake, Made

Enter = Callable[[Intake], Made]


@attrs.frozen(kw_only=True)
class Record:
    """One line, read: its type, its fields, how it is entered, what was put right on the way."""

    type: str
    fields: Fields
    enter: Enter
    remarks: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether the lines before it must be in the log: it bears on them, or on their time."""
        if self.type == "relation":
            return self.fields["relation"] in REFERRING_BACK
        return self.type in {"withdrawal", "merge"}


def record_of(value: object) -> Record:
    """What an object of a file stands for; nothing is looked up yet.

    Raises:
        InvalidImport: a type, field or shape that is not known.
        Invalid: a noun that cannot be.

    Example:
        >>> record_of({"type": "party", "id": "az", "name": "Azerbaijan", "kind": "state"}).type
        'party'
    """
    type_, given = form_of(value)
    remarks: list[str] = []
    if type_ == "claim":
        given = _with_extra(given, remarks)
    form = FORMS[type_]
    fields = members(given, form.fields, needs=form.needs)
    if type_ in ("claim", "withdrawal") and "id" not in fields:
        fields["id"] = _id_of_content(value)
    return Record(
        type=type_, fields=fields, enter=_MAKERS[type_](dict(fields)), remarks=tuple(remarks)
    )


def once(record: Record) -> Record:
    """The same record, entered only where its id is free: what others register in passing.

    A party that a file names again and again, each time with another spelling, is the one that
    was registered first.
    """
    kind, id_ = record.type, record.fields["id"]

    def enter(intake: Intake) -> Made:
        there = intake.taken(kind, id_) or intake.kept_out(kind, id_)
        return record.enter(intake) if there is None else intake.already(there)

    return attrs.evolve(record, enter=enter)


def in_these_words(record: Record) -> Record:
    """A proposition as `once`, of which the file says what it is: its id may say nothing else.

    Else what somebody says now would be put on what was said there before.
    """
    id_, words = record.fields["id"], record.fields["text"]

    def enter(intake: Intake) -> Made:
        there = intake.taken("proposition", id_)
        found = there or intake.kept_out("proposition", id_)
        first = None if found is None else intake.original(found)
        if not isinstance(first, ev.PropositionDefined):
            return record.enter(intake) if found is None else intake.already(found)
        now = intake.get(found, ev.PropositionDefined) or first
        if words in (first.text, now.text):
            return intake.already(found or "")
        if there is None:
            return record.enter(intake)
        raise AlreadyRecorded(
            f"The proposition {show(id_)} is in the ledger as {show(now.text)}, and the file says "
            f"{show(words)}. Where that is another, give it another id; where the entry was wrong, "
            f"amend it: ledger.amend({there!r}, reason=..., text=...).",
            given=id_,
        )

    return attrs.evolve(record, enter=enter)


def by_another_name(record: Record) -> Record:
    """A party that may have been registered under another name: that of now is added to it."""
    id_, name = record.fields["id"], record.fields["name"]
    kind = record.fields.get("kind", attrs.fields(Party).kind.default)

    def enter(intake: Intake) -> Made:
        try:
            return record.enter(intake)
        except AlreadyRecorded:
            there = intake.taken("party", id_)
            old = None if there is None else intake.original(there)
            if there is None or not isinstance(old, ev.PartyRegistered) or old.name == name:
                raise
            now = intake.get(there, ev.PartyRegistered)
            if now is not None and (now.name, now.kind) == (name, kind):
                return intake.already(there)
            _party({**record.fields, "name": old.name})(intake)  # which nothing else may part from
            return registering.name(intake, there, Name(name))

    return attrs.evolve(record, enter=enter)


def unless_one_already(record: Record, led: Callable[[str], str]) -> Record:
    """A merge of parties that may be one by another that came before.

    `led` gives the id to which the file leads from one, by all its merges.
    """

    def enter(intake: Intake) -> Made:
        try:
            return record.enter(intake)
        except InvalidMerge:
            ids = [intake.find("party", record.fields[key]) for key in ("into", "from")]
            gone = intake.facts.indexed("merge_of", ids[1])
            now = (intake.public(intake.facts.canonical(one)) for one in ids)
            if not gone or len({*map(led, now)}) > 1:
                raise
            return intake.already(gone[0])

    return attrs.evolve(record, enter=enter)


def _id_of_content(value: object) -> str:
    """The id of a line without one: a second run must find what the first has recorded."""
    return f"jsonl-{hashlib.sha256(jcs(value)).hexdigest()[:24]}"


def _with_extra(given: dict[str, Any], remarks: list[str]) -> dict[str, Any]:
    """A claim's fields, those that are not known under `extra`: nothing is lost."""
    known = FORMS["claim"].fields
    foreign = [key for key in given if key not in known and key not in SET_BY_THE_LEDGER]
    if not foreign:
        return given
    extra = given.get("extra") or {}
    if not isinstance(extra, dict) or extra.keys() & set(foreign):
        raise InvalidImport(
            f"there is no field {show(foreign[0])} here, and extra cannot take it as well. "
            "Write it once, under extra.",
            field=foreign[0],
            given=given[foreign[0]],
        )
    for key in foreign:
        hint = did_you_mean(near(key, known))
        remarks.append(f"there is no field {show(key)}; it was put under extra.{hint}")
    kept = {key: value for key, value in given.items() if key not in foreign}
    return {**kept, "extra": {**extra, **{key: given[key] for key in foreign}}}


# -- makers -----------------------------------------------------------------------------------


def _period(fields: dict[str, Any]) -> Period:
    """The period of a name or membership; until is the first day that no longer counts."""
    since, until = fields.pop("from", None), fields.pop("until", None)
    return Period.parse(since, until, bounds=fields.pop("bounds", "half_open"))


def _name(given: Mapping[str, Any] | str) -> Name:
    if isinstance(given, str):
        return Name(given)
    fields = dict(given)
    return Name(fields.pop("name"), period=_period(fields), **fields)


def _party(fields: dict[str, Any]) -> Enter:
    for key in ("names", "metonyms"):
        fields[key] = tuple(map(_name, fields.get(key, ())))
    noun = Party(fields.pop("id"), **fields)
    return lambda intake: registering.register(intake, noun)


def _named(fields: dict[str, Any]) -> Enter:
    party, one = fields.pop("party"), _name(fields)
    return lambda intake: registering.name(intake, intake.find("party", party), one)


def _membership(fields: dict[str, Any]) -> Enter:
    noun = Membership(
        fields.pop("member"), fields.pop("organisation"), period=_period(fields), **fields
    )
    return lambda intake: registering.register(intake, noun)


def _keyed(cls: type[Topic | Proposition | Occurrence]) -> Callable[..., Enter]:
    def make(fields: dict[str, Any]) -> Enter:
        noun = cls(fields.pop("id"), **fields)
        return lambda intake: registering.register(intake, noun)

    return make


def _document(fields: dict[str, Any]) -> Enter:
    address = fields.pop("address", None)
    if address is not None and "url" in fields:
        raise InvalidDocument(
            "A document has one address: write url or address, not both.",
            field="address",
            given=address,
        )
    noun = Document(fields.pop("id"), url=fields.pop("url", address), **fields)
    return lambda intake: registering.register(intake, noun)


def _claim(fields: dict[str, Any]) -> Enter:
    confidence = fields.pop("confidence", None)
    if confidence is not None:
        fields["extra"] = {"confidence": confidence, **fields.get("extra", {})}
    quote = fields.pop("quote", None)
    noun = Claim(**fields, quote=None if isinstance(quote, Unread) else quote)
    if not isinstance(quote, Unread):
        return lambda intake: claiming.record(intake, noun)
    return lambda intake: claiming.record(
        intake, attrs.evolve(noun, quote=_read_in(intake, quote, noun.document))
    )


def _read_in(intake: Intake, quote: Unread, document: str | None) -> Quotation:
    """A quotation that only the text of its document makes one."""
    found = None if document is None else intake.find("document", document)
    event = intake.get(found, ev.DocumentRegistered)
    if event is None or event.text is None:
        raise InvalidQuotation(
            f"{quote.field} can be read in the document's text only, which the ledger does not "
            "hold. Write exact, and offsets in code points.",
            field=quote.field,
            given=quote.fields.get("ranges"),
        )
    return quote.read_in(event.text)


def _withdrawal(fields: dict[str, Any]) -> Enter:
    claims = fields.pop("claim")
    quote = fields.pop("quote", None)

    def enter(intake: Intake) -> Made:
        read = _read_in(intake, quote, fields.get("document")) if unread else quote
        who = {} if "claimant" in fields or "chain" in fields else _claimants(intake, claims)
        act = undoing.withdrawal({**fields, **who, "quote": read})
        return undoing.withdraw(intake, claims, act)

    unread = isinstance(quote, Unread)
    undoing.withdrawal({**fields, "quote": None if unread else quote})
    return enter


def _claimants(intake: Intake, claims: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Whoever made the claims takes them back, where a line does not say who."""
    found = [intake.get(intake.find("claim", claim), ev.ClaimRecorded) for claim in claims]
    who = [one for claim in found if claim for one in intake.facts.claimants(claim)]
    return {"claimant": tuple(dict.fromkeys(map(intake.public, who)))}


def _relation(fields: dict[str, Any]) -> Enter:
    noun = Relation(fields["from"], fields["relation"], fields["to"], note=fields.get("note"))
    return lambda intake: claiming.relate(intake, noun)


def _merge(fields: dict[str, Any]) -> Enter:
    return lambda intake: registering.merge(
        intake,
        fields["into"],
        fields["from"],
        negated=fields.get("negated", False),
        reason=fields.get("reason", ""),
    )


_MAKERS: Final[Mapping[str, Callable[[dict[str, Any]], Enter]]] = {
    "party": _party,
    "name": _named,
    "membership": _membership,
    "topic": _keyed(Topic),
    "proposition": _keyed(Proposition),
    "occurrence": _keyed(Occurrence),
    "document": _document,
    "claim": _claim,
    "withdrawal": _withdrawal,
    "relation": _relation,
    "merge": _merge,
}
