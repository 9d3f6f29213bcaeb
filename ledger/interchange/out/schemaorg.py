"""A view as schema.org JSON-LD: claims, quotations, the works they stand in, and who said them.

schema.org has Claim, Quotation, CreativeWork, Person, Organization and roles; it has no words for
speech acts, stances, chains or relations between claims, so these stand under terms of our own
beside its own. Its dates are those of ISO 8601: a vaguer one stands under a term of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from ledger.interchange.out.iris import TERMS, Iris
from ledger.interchange.out.leaving import Leaving, leaving
from ledger.interchange.out.plainly import last_day, plain_date
from ledger.interchange.out.streaming import filled, write_lists
from ledger.model import events as ev
from ledger.model.attribution import claimants_of
from ledger.model.moment import Edtf
from ledger.projections.answer import plain
from ledger.view import View

CONTEXT: Final = {"@vocab": "https://schema.org/", "ledger": TERMS}


def write(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write one JSON-LD document; gives the number of its objects."""
    return write_lists(file, {"@context": CONTEXT}, [("@graph", objects(view, iris=iris))])


def objects(view: View, *, iris: Iris) -> Iterator[dict[str, Any]]:
    """The objects of the graph; several may speak of one thing, as JSON-LD allows.

    Example:
        >>> from ledger import Ledger, Party
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Party("az", name="Azerbaijan", kind="state"))
        ...     [one] = objects(ledger.as_of(), iris=Iris.of(None, "default"))
        >>> one["@type"], one["name"]
        ('Organization', 'Azerbaijan')
    """
    for record in leaving(view):
        found = _object(record, iris)
        if found:
            yield found


def _object(record: Leaving, iris: Iris) -> dict[str, Any]:
    event = record.event
    match event:
        case ev.PartyRegistered():
            return {
                "@id": iris("party", record.id),
                "@type": "Person" if event.kind == "person" else "Organization",
                "ledger:kind": event.kind,
                **filled(
                    name="" if record.gone else event.name,
                    member=[{"@id": iris("party", one)} for one in event.members],
                ),
            }
        case ev.PartyNamed():
            name: Any = event.name
            if event.language is not None:
                name = {"@value": event.name, "@language": event.language}
            return {"@id": iris("party", event.party), "alternateName": name}
        case ev.MembershipRecorded():
            period = event.period
            role = filled(
                roleName=event.role,
                startDate=plain_date(period.since),
                endDate=last_day(period.until),
            )
            above: dict[str, Any] = {"@id": iris("party", event.organisation)}
            if role:
                above = {"@type": "OrganizationRole", "memberOf": above, **role}
            return {"@id": iris("party", event.member), "memberOf": above}
        case ev.PartiesMerged():
            return {
                "@id": iris("party", event.merged),
                "sameAs": {"@id": iris("party", event.kept)},
            }
        case ev.TopicDefined():
            return {
                "@id": iris("topic", record.id),
                "@type": "DefinedTerm",
                "name": event.label,
                **filled(inDefinedTermSet=_ref(iris, "topic", event.part_of)),
            }
        case ev.PropositionDefined():
            return {
                "@id": iris("proposition", record.id),
                "@type": "Thing",
                "description": event.text,
                "ledger:kind": event.kind,
                **filled(subjectOf=[_ref(iris, "topic", one) for one in event.topics]),
            }
        case ev.OccurrenceDescribed():
            return {
                "@id": iris("occurrence", record.id),
                "@type": "Event",
                "name": event.label,
                "about": [_ref(iris, "proposition", one) for one in event.propositions],
            }
        case ev.DocumentRegistered():
            return _work(record, event, iris)
        case ev.ClaimRecorded():
            return _claim(record, event, iris)
        case _:
            return {}


def _ref(iris: Iris, kind: str, id_: str | None) -> dict[str, str] | None:
    return None if id_ is None else {"@id": iris(kind, id_)}


def _work(record: Leaving, event: ev.DocumentRegistered, iris: Iris) -> dict[str, Any]:
    return {
        "@id": iris("document", record.id),
        "@type": "CreativeWork",
        "publisher": _ref(iris, "party", event.publisher),
        "sha256": event.sha256,
        **_dated("datePublished", "ledger:published", event.published),
        **filled(name=event.title, url=event.url, inLanguage=event.language, text=event.text),
    }


def _claim(record: Leaving, event: ev.ClaimRecorded, iris: Iris) -> dict[str, Any]:
    told = record.told
    assert told is not None  # noqa: S101 - claims are told
    authors = [_ref(iris, "party", one) for one in claimants_of(event.chains)]
    work = _ref(iris, "document", event.document)
    return {
        "@id": iris("claim", record.id),
        "@type": "Claim",
        "about": _ref(iris, "proposition", event.proposition),
        "ledger:act": event.act,
        "ledger:stance": event.stance,
        "ledger:factuality": event.factuality,
        "ledger:capacity": event.capacity,
        "ledger:recorded": plain(record.entered.recorded),
        "ledger:withdrawn": told.withdrawn,
        **_dated("dateCreated", "ledger:uttered", event.uttered),
        **_dated("temporalCoverage", "ledger:about", event.about),
        **_dated("expires", "ledger:expires", event.expires),
        **filled(
            author=authors,
            appearance=work,
            inLanguage=event.language,
            mentions=[_ref(iris, "party", one) for one in event.mentions],
            audience=[_ref(iris, "party", one) for one in event.addressees],
            comment=None if event.note is None else {"@type": "Comment", "text": event.note},
            hasPart=_quotation(event, authors, work),
        ),
        **({"ledger:conditions": event.conditions} if event.conditions else {}),
    }


def _quotation(event: ev.ClaimRecorded, authors: Any, work: Any) -> dict[str, Any] | None:
    if event.quote is None:
        return None
    return {
        "@type": "Quotation",
        "text": event.quote.exact,
        "ledger:mode": event.quote.mode,
        **filled(creator=authors, isPartOf=work),
    }


def _dated(word: str, ours: str, date: Edtf | None) -> dict[str, str]:
    """A date under schema.org's word where it is one of ISO 8601, under ours where it is not."""
    if date is None:
        return {}
    exact = plain_date(date)
    return {word: exact} if exact is not None else {ours: date.text}
