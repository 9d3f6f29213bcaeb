"""Commands that enter acts of saying, and the three ways to undo one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ledger import Ledger
from ledger.cli.entering import read_text
from ledger.cli.names import days_of_act, days_of_claim, in_fields
from ledger.cli.options import DESK, At, Desk, Flag, Id, Many, given, ranges
from ledger.cli.output import answer, warn
from ledger.codec.canonical import parse
from ledger.errors import Invalid, InvalidQuotation, InvalidWithdrawal, NotJson
from ledger.model.quotation import Mode, Quotation
from ledger.model.text import show


def record(
    *,
    proposition: str,
    act: str,
    claimant: Many = (),
    stance: str | None = None,
    uttered: str | None = None,
    about: str | None = None,
    document: str | None = None,
    document_text: Path | None = None,
    quote: str | None = None,
    at: At = (),
    mode: Mode = "direct",
    via: Many = (),
    on_behalf_of: Many = (),
    utterance: str | None = None,
    factuality: str | None = None,
    capacity: str | None = None,
    expires: str | None = None,
    conditions: str | None = None,
    note: str | None = None,
    id_: Id = None,
    where: Desk = DESK,
) -> None:
    """Record a claim.

    Example: `claims record --claimant Baku --act deny --proposition blocked --uttered 2023-01-10`

    Name parties by id, or by their name on the day of the words.

    Args:
        proposition: What it is about.
        act: assert, deny, accuse, demand, offer and others.
        claimant: Who said it; if repeated, these are alternatives.
        stance: supports, opposes, neutral, mixed or undeclared.
        uttered: When it was said, as an EDTF date.
        about: What time it speaks of, as an EDTF date.
        document: The document it is in.
        document_text: A file with the document's text, if the ledger did not store it.
        quote: The words, exactly as in the document.
        at: Their place, as START-END in code points; repeatable.
        mode: The kind of quotation.
        via: A party that passed the words on, outermost first; repeatable.
        on_behalf_of: Whom the claimant speaks for, according to the text; repeatable.
        utterance: The occasion that several claims or reports share.
        factuality: certain, probable, possible or uncommitted.
        capacity: official or personal.
        expires: Until when it holds, as an EDTF date.
        conditions: Conditions that the claimant sets.
        note: A note of yours.
        id_: The id you choose; the ledger makes one if left out.
    """
    fields = given(
        claimant=claimant,
        stance=stance,
        uttered=uttered,
        about=about,
        document=document,
        quote=_quotation(quote, at, mode),
        via=via,
        on_behalf_of=on_behalf_of,
        utterance=utterance,
        factuality=factuality,
        capacity=capacity,
        expires=expires,
        conditions=conditions,
        note=note,
        id=id_,
    )
    text = None if document_text is None else read_text(document_text)
    with where.ledger() as ledger:
        days = days_of_act(ledger, uttered, document)
        found: dict[str, Any] = in_fields(ledger.as_of(), fields, days)
        receipt = ledger.record(proposition=proposition, act=act, document_text=text, **found)
        answer(receipt, json=where.json)
        _tell_unchecked(ledger, fields, text)


def _quotation(quote: str | None, at: tuple[str, ...], mode: Mode) -> Quotation | None:
    if quote is not None:
        return Quotation(exact=quote, ranges=ranges(at), mode=mode)
    if at:
        raise InvalidQuotation(
            "--range says where words stand, and there are none. Type --quote 'the words' as well.",
            field="quote",
            given=at,
        )
    return None


def withdraw(
    *claims: str,
    claimant: Many,
    uttered: str | None = None,
    document: str | None = None,
    document_text: Path | None = None,
    quote: str | None = None,
    at: At = (),
    mode: Mode = "direct",
    via: Many = (),
    on_behalf_of: Many = (),
    utterance: str | None = None,
    capacity: str | None = None,
    note: str | None = None,
    id_: Id = None,
    where: Desk = DESK,
) -> None:
    """Record that a claimant took claims back.

    Example: `claims withdraw C03 --claimant az --uttered 2023-03-01`

    Args:
        claims: The claims that were taken back.
        claimant: Who took them back; if repeated, these are alternatives.
        uttered: When, as an EDTF date.
        document: The document it is in.
        document_text: A file with the document's text, if the ledger did not store it.
        quote: The words, exactly as in the document.
        at: Their place, as START-END in code points; repeatable.
        mode: The kind of quotation.
        via: A party that passed the words on, outermost first; repeatable.
        on_behalf_of: Whom the claimant speaks for; repeatable.
        utterance: The occasion that several claims or reports share.
        capacity: official or personal.
        note: A note of yours.
        id_: The id you choose; the ledger makes one if left out.
    """
    fields = given(
        claimant=claimant,
        uttered=uttered,
        document=document,
        quote=_quotation(quote, at, mode),
        via=via,
        on_behalf_of=on_behalf_of,
        utterance=utterance,
        capacity=capacity,
        note=note,
        id=id_,
    )
    text = None if document_text is None else read_text(document_text)
    if not claims:
        raise InvalidWithdrawal(
            "A withdrawal names what is taken back. Type claims withdraw C03 --claimant az ...",
            field="claims",
            given=claims,
        )
    with where.ledger() as ledger:
        days = days_of_act(ledger, uttered, document)
        found: dict[str, Any] = in_fields(ledger.as_of(), fields, days)
        answer(ledger.withdraw(claims, document_text=text, **found), json=where.json)
        _tell_unchecked(ledger, fields, text)


def _tell_unchecked(ledger: Ledger, fields: dict[str, Any], text: str | None) -> None:
    """Warn of a quotation that nobody compared with its document, as an import does."""
    document = fields.get("document")
    if text is None and document is not None and fields.get("quote") is not None:
        line = ledger.as_of().document(document)
        if not line.has_text:
            warn(
                f"warning: the quotation is unchecked: the text of {show(line.id)} is not stored. "
                f"Type: claims check-quotes {shlex.quote(line.id)} --text-file FILE"
            )


Changes = Annotated[tuple[str, ...], Parameter(name="--set", negative=(), show_default=False)]


def correct(
    claim: str,
    /,
    *,
    document: str,
    changes: Changes = (),
    never_said: Flag = False,
    note: str | None = None,
    where: Desk = DESK,
) -> None:
    """Record that a publisher corrected its report of a claim.

    Example: `claims correct C03 --document ria-2 --set uttered=2023-01-11`

    Args:
        claim: The claim that was misreported.
        document: The document in which the same publisher corrects it.
        changes: FIELD=TEXT or FIELD:=JSON, the corrected fields; repeatable.
        never_said: The words were not said at all.
        note: A note of yours.
    """
    fields = read_changes(changes)
    with where.ledger() as ledger:
        found = in_fields(ledger.as_of(), fields, days_of_claim(ledger, claim))
        receipt = ledger.correct(
            claim, document=document, never_said=never_said, note=note, **found
        )
        answer(receipt, json=where.json)


def amend(
    record: str,
    /,
    *,
    reason: str,
    changes: Changes = (),
    strike_out: Flag = False,
    where: Desk = DESK,
) -> None:
    """Correct your own entry: replace its fields, or strike it out.

    Example: `claims amend C03 --reason "slip of the pen" --set stance=opposes`

    Args:
        record: The id of the record.
        reason: Why.
        changes: FIELD=TEXT or FIELD:=JSON, the new fields; repeatable.
        strike_out: The record counts as never entered.
    """
    fields = read_changes(changes)
    with where.ledger() as ledger:
        found = in_fields(ledger.as_of(), fields, days_of_claim(ledger, record))
        receipt = ledger.amend(record, reason=reason, strike_out=strike_out, **found)
        answer(receipt, json=where.json)


def read_changes(changes: tuple[str, ...]) -> dict[str, Any]:
    """New fields as typed: FIELD=TEXT, or FIELD:=JSON for lists, numbers, null.

    Raises:
        Invalid: it is typed otherwise, or one field twice.

    Example:
        >>> read_changes(("stance=opposes", 'via:=["ria"]', "note:=null"))
        {'stance': 'opposes', 'via': ['ria'], 'note': None}
    """
    found: dict[str, Any] = {}
    for one in changes:
        left, mark, right = one.partition("=")
        field = left.removesuffix(":")
        if not mark or not field.isidentifier() or field in found:
            raise Invalid(
                f"--set {show(one)} sets no field, or sets it twice. Type --set stance=opposes, or "
                "--set 'via:=[\"ria\"]' for what is no text.",
                field="set",
                given=one,
            )
        found[field] = right if field == left else _json(one, right)
    return found


def _json(typed: str, right: str) -> Any:
    try:
        return parse(right)
    except NotJson as error:
        raise Invalid(
            f"--set {show(typed)}: what stands behind := is no JSON. Type a text with = alone, and "
            "JSON as --set 'via:=[\"ria\"]'.",
            field="set",
            given=typed,
        ) from error
