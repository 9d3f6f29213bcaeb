"""The words behind an answer: a claim's quotation, with who said it, when, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ledger.model import events as ev
from ledger.model.bounds import Bounds
from ledger.projections import naming
from ledger.projections.answer import Answer
from ledger.projections.effective import Facts
from ledger.projections.standing import Evidence
from ledger.projections.wording import when


@attrs.frozen(kw_only=True)
class Quoted(Answer):
    """The words of one claim, the claimants by name, and the document that has the words.

    `words` are the pieces of the quotation, joined by an ellipsis; `mode` says whether they are
    the claimant's own (direct) or the document's. `reference` is the document in a line.
    """

    claim: str
    claimant: tuple[str, ...]
    act: str
    said: Bounds
    document: str
    words: str
    mode: str
    reference: str

    def __str__(self) -> str:
        quote = f"“{self.words}”, {self.mode}" if self.words else "(no quotation recorded)"
        who = " or ".join(self.claimant) or "nobody named"
        where = f", in {self.document}" if self.document else ", in no document"
        return f"{quote}\n{self.claim}: {who}, {self.act}, {when(self.said)}{where}"


def quoted(facts: Facts, evidence: Iterable[Evidence]) -> tuple[Quoted, ...]:
    """The words of the claims that bear on a position, as the facts have them."""
    return tuple(_quoted(facts, one) for one in evidence)


def _quoted(facts: Facts, one: Evidence) -> Quoted:
    claim = facts.get(one.ledger_id, ev.ClaimRecorded)
    quotation = claim.quote if claim else None
    return Quoted(
        claim=one.claim,
        claimant=tuple(name_of(facts, party) for party in one.claimant),
        act=one.act,
        said=one.said,
        document=one.document,
        words=" … ".join(quotation.pieces) if quotation else "",
        mode=quotation.mode if quotation else "",
        reference=_reference(facts, one.document),
    )


def _reference(facts: Facts, document: str) -> str:
    event = facts.get(facts.id_of("document", document), ev.DocumentRegistered)
    if event is None:
        return document
    publisher = name_of(facts, facts.public(facts.canonical(event.publisher)))
    told = (event.title, publisher, str(event.published or "no date"))
    return f"{document}: " + ", ".join(one for one in told if one)


def name_of(facts: Facts, party: str) -> str:
    """The name of a party by the id that is shown; the id itself where nothing else is left."""
    return naming.name_of(facts, facts.id_of("party", party) or party)
