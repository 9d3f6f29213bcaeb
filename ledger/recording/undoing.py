"""The three ways to undo: withdrawn by the claimant, corrected by the publisher, amended by us.

Each refusal names the other two, because a newcomer tries `correct` on a slip of the pen
(model.md, section 4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import attrs

from ledger.errors import (
    AlreadyRecorded,
    InvalidAmendment,
    InvalidCorrection,
    InvalidQuotation,
    InvalidWithdrawal,
    StillNamed,
)
from ledger.model import events as ev
from ledger.model.claim import Claim
from ledger.model.erasing import SLOTS
from ledger.model.fields import check_flag
from ledger.model.text import check_text, show
from ledger.projections.changing import hides
from ledger.projections.indexing import KEYED
from ledger.projections.rollup import reach, ways_up
from ledger.recording.changing import check_record, read_changes
from ledger.recording.claiming import Words, attribution
from ledger.recording.intake import Intake, Made
from ledger.recording.named import any_record, naming
from ledger.recording.occasions import check_order, check_times, times_of

_OF_AN_ACT: Final = frozenset(
    {
        "claimant",
        "via",
        "on_behalf_of",
        "chain",
        "capacity",
        "uttered",
        "utterance",
        "document",
        "quote",
        "note",
        "id",
    }
)


def withdrawal(fields: Mapping[str, Any]) -> Claim:
    """The fields of an act of saying, read as those of a claim are."""
    extra = fields.keys() - _OF_AN_ACT
    if extra:
        raise InvalidWithdrawal(
            f"A withdrawal has no {', '.join(sorted(extra))}. What it has: "
            f"{', '.join(sorted(_OF_AN_ACT))}.",
            field=min(extra),
            given=fields[min(extra)],
        )
    return Claim(proposition="-", act="assert", **fields)


def withdraw(
    intake: Intake, claims: Sequence[str], act: Claim, *, document_text: str | None = None
) -> Made:
    """A claimant takes claims back, in an act of saying of its own.

    Raises:
        InvalidWithdrawal: nobody withdraws, neither time nor document is known, or the claimant
            has no part in a claim.
        InvalidRelation: it is surely earlier than what it withdraws.
    """
    targets = tuple(dict.fromkeys(_claim(intake, one) for one in claims))
    if not (act.claimant or act.chain) or (act.uttered is None and act.document is None):
        raise InvalidWithdrawal(
            "A withdrawal is an act of saying: it needs claimant= and uttered= or document=. "
            "Where the document misreported, use correct(); where the entry was wrong, amend().",
            field="uttered" if act.claimant or act.chain else "claimant",
            given=None,
        )
    document = None if act.document is None else intake.find("document", act.document)
    words = Words(intake, document, document_text)
    chains, link_words = attribution(intake, words, act)
    event = ev.ClaimWithdrawn(
        chains=chains,
        capacity=act.capacity,
        key=act.id,
        claims=targets,
        uttered=act.uttered,
        utterance=intake.utterance(act.utterance),
        utterance_key=act.utterance,
        document=document,
        quote=words.checked(act.quote, "quote"),
        link_words=link_words,
        note=act.note,
    )
    taken = intake.taken("claim", act.id, event)
    if taken is not None and act.id is not None:
        return intake.same_or_refuse("claim", act.id, taken, same=intake.original(taken) == event)
    check_times(intake, act.uttered, document)
    _check_part(intake, event)
    check_order(intake, None, event, times_of(intake, event, intake.now))
    return intake.made(intake.add(event))


def _claim(intake: Intake, given: str) -> str:
    id_ = intake.find("claim", given)
    if intake.get(id_, ev.ClaimRecorded) is None:
        raise InvalidWithdrawal(
            f"{show(given)} is a withdrawal itself: taking it back is saying the words again, a "
            "new claim. Where the entry was wrong, use amend(id, strike_out=True, reason=...).",
            field="claims",
            given=given,
        )
    return id_


def _check_changed(intake: Intake, event: ev.Event) -> None:
    """A withdrawal still has to be one when it is changed."""
    if isinstance(event, ev.ClaimWithdrawn):
        for target in event.claims:
            _claim(intake, target)
        if event.uttered is None and event.document is None:
            raise InvalidWithdrawal(
                "A withdrawal is an act of saying: it keeps uttered= or document=. Where there "
                "was none, strike it out: amend(id, strike_out=True, reason=...).",
                field="uttered",
                given=None,
            )
        _check_part(intake, event)


def _check_part(intake: Intake, event: ev.ClaimWithdrawn) -> None:
    """There is something to take back, and it reaches somebody whom the withdrawal reaches, too."""
    if not event.claims:
        raise InvalidWithdrawal(
            "A withdrawal takes back one claim or more. Name them: withdraw([id, ...], ...).",
            field="claims",
            given=event.claims,
        )
    facts = intake.facts
    who = facts.claimants(event)
    when = times_of(intake, event, intake.now)
    for_whom = {up for chain in event.chains for up in ways_up(facts, chain, when, event.capacity)}
    for target in event.claims:
        reached = _reached(intake, target)
        if who and for_whom.isdisjoint(reached):
            names = " or ".join(map(intake.public, who))
            if target in facts.never_said:
                raise InvalidWithdrawal(
                    f"{show(intake.public(target))} was never said, as its publisher corrected it: "
                    "there is nothing to take back. If that was wrong, correct() the claim again.",
                    field="claims",
                    given=target,
                )
            raise InvalidWithdrawal(
                f"{names} has no part in {show(intake.public(target))}, which is attributed to "
                f"{', '.join(sorted(map(intake.public, reached))) or 'nobody'}: only they, and "
                "whoever speaks for one of them, can take it back. Where the document misreported, "
                "use correct(); where the entry was wrong, amend().",
                field="claimant",
                given=names,
            )


def _reached(intake: Intake, target: str) -> Collection[str]:
    """The parties that a claim reaches, be it of this append or of the log."""
    new = intake.new_act(target)
    if new is None:
        return reach(intake.facts, target)
    when = times_of(intake, new, intake.now)
    ways = (ways_up(intake.facts, chain, when, new.capacity) for chain in new.chains)
    return {party for way in ways for party in way}


def correct(
    intake: Intake,
    target: str,
    *,
    document: str | None,
    never_said: bool,
    note: str | None,
    fields: Mapping[str, Any],
    expected: int | None = None,
) -> Made:
    """The publisher of a document corrects its report of a claim or withdrawal.

    Raises:
        InvalidCorrection: no correcting document, another publisher's, or nothing corrected.
    """
    check_flag(never_said, "never_said")
    id_ = intake.find("claim", target)
    act = intake.get(id_, object)
    assert isinstance(act, ev.ClaimRecorded | ev.ClaimWithdrawn)  # noqa: S101 - found as a claim
    if document is not None and act.document is None:
        raise InvalidCorrection(
            f"{show(target)} is in no document, so no publisher can correct its report. Where the "
            "claimant took the words back, use withdraw(); where the entry was wrong, amend().",
            field="document",
            given=document,
        )
    if document is None or not (fields or never_said):
        raise InvalidCorrection(
            f"A correction of {show(target)} needs document=, in which its publisher corrects the "
            "report, and the new fields or never_said=True. Where the claimant took the words "
            "back, use withdraw(); where the entry was wrong, amend().",
            field="document",
            given=document,
        )
    where = intake.find("document", document)
    publishers = [
        intake.facts.canonical(found.publisher)
        for one in (act.document, where)
        if (found := intake.get(one, ev.DocumentRegistered)) is not None
    ]
    if len(set(publishers)) > 1:
        raise InvalidCorrection(
            f"{show(document)} is published by {intake.public(publishers[1])}, the report of "
            f"{show(target)} by {intake.public(publishers[0])}: a document is corrected by its own "
            "publisher. Another paper's word is a claim of its own; where the claimant took the "
            "words back, use withdraw(); where the entry was wrong, amend().",
            field="document",
            given=document,
        )
    if never_said and fields:
        raise InvalidCorrection(
            f"{show(target)} was never said, or said otherwise: leave {min(fields)}= out, or "
            "never_said=True.",
            field=min(fields),
            given=fields[min(fields)],
        )
    try:
        changes = read_changes(intake, act, fields, InvalidCorrection)
    except InvalidQuotation as error:
        raise InvalidQuotation(
            f"{error.message} A corrected quotation stands in the document of {show(target)} too. "
            f"Words that only {show(document)} has are a report of its own: write "
            "never_said=True, and record them as a claim in that document.",
            field=error.field,
            given=error.given,
        ) from None
    changed = attrs.evolve(act, **changes)
    check_record(intake, id_, changed)
    _check_changed(intake, changed)
    event = ev.ClaimCorrected(
        target=id_,
        document=where,
        never_said=never_said,
        changes=changes,
        record_type=ev.TYPE_NAMES[type(act)],
        note=note,
    )
    intake.expect(id_, expected)
    return intake.made(intake.add(event, stream=intake.stream_of(id_)))


def amend(
    intake: Intake,
    record: str,
    *,
    reason: str,
    strike_out: bool,
    fields: Mapping[str, Any],
    expected: int | None = None,
) -> Made:
    """The ledger's user corrects an entry: new fields, or the record struck out.

    Raises:
        InvalidAmendment: no reason, nothing amended, or a field that cannot be.
        StillNamed: striking out what live records name.
    """
    check_flag(strike_out, "strike_out")
    if not str(reason).strip() or bool(fields) == strike_out:
        raise InvalidAmendment(
            f"An amendment of {show(record)} needs reason= and either new fields or "
            "strike_out=True. Where the claimant took the words back, use withdraw(); where the "
            "document misreported, correct().",
            field="reason" if fields or strike_out else "fields",
            given=reason,
        )
    reason = check_text(reason, field="reason")
    id_ = any_record(intake, record)
    root, event = _root(intake, id_)
    if isinstance(event, ev.ContentErased):
        raise InvalidAmendment(
            f"{show(record)} is an erasure: it is never amended.", field="record", given=record
        )
    if isinstance(event, ev.Remains):
        raise InvalidAmendment(
            f"What {show(record)} said was erased: there is nothing left of it to amend.",
            field="record",
            given=record,
        )
    changes: Mapping[str, Any] = {}
    if strike_out and isinstance(intake.original(id_), ev.ClaimCorrected | ev.RecordAmended):
        _refuse_gone(intake, record, id_)
    if strike_out:
        named_by = [intake.public(one) for one in naming(intake, id_)]
        if named_by:
            raise StillNamed(
                f"{show(record)} cannot be struck out: {len(named_by)} live records name it "
                f"({', '.join(named_by[:10])}). Amend or strike those out first.",
                given=record,
                named_by=tuple(named_by),
            )
        _check_key_free(intake, root, event)
    elif not intake.facts.live(id_):
        raise InvalidAmendment(
            f"{show(record)} was struck out: new fields would show nowhere. Strike out the "
            "striking out first, by its own id, which `claims log` tells.",
            field="record",
            given=record,
        )
    else:
        changes = read_changes(intake, event, fields)
        changed = attrs.evolve(event, **changes)
        check_record(intake, root, changed)
        _check_changed(intake, changed)
    amendment = ev.RecordAmended(
        target=id_,
        strike_out=strike_out,
        changes=changes,
        record_type=ev.TYPE_NAMES[type(event)],
        reason=reason,
    )
    if strike_out or attrs.evolve(event, **changes) == event:  # it reads so already
        for earlier in intake.facts.changes_of(id_):
            if intake.get(earlier, ev.RecordAmended) == amendment:
                return intake.already(earlier)
    intake.expect(id_, expected)
    return intake.made(intake.add(amendment, stream=intake.stream_of(id_)))


def _refuse_gone(intake: Intake, record: str, change: str) -> None:
    """Refuse to strike out a change that was erased: what it changed would come back."""
    lost = hides(intake.facts, change)
    gone = [slot for slot in SLOTS if slot in lost]
    if gone:
        raise InvalidAmendment(
            f"The {' and '.join(gone)} of the change {show(record)} was erased. Struck out, it "
            "would bring back what it had changed. Say anew what holds now: amend the record "
            "itself with the new fields.",
            field="strike_out",
            given=record,
        )


def _check_key_free(intake: Intake, root: str, event: Any) -> None:
    """Refuse to bring a record back whose id another one has taken meanwhile."""
    kind, key = KEYED.get(type(event)), getattr(event, "key", None)
    owner = intake.taken(kind, key) if kind else None
    if owner not in (None, root) and intake.get(root, object) is None:
        raise AlreadyRecorded(
            f"The {kind} id {show(key)} is taken by {owner} since {root} was struck out: two "
            "records cannot bear it. Strike that one out first.",
            given=str(key),
            sequence=intake.facts.stored[str(owner)].sequence,
        )


def _root(intake: Intake, id_: str) -> tuple[str, Any]:
    """The record that a row of amendments changes, in its effective form where it is live."""
    event = intake.original(id_)
    while isinstance(event, ev.RecordAmended):
        id_ = event.target
        event = intake.original(id_)
    effective: Any = intake.get(id_, object)
    return id_, event if effective is None else effective
