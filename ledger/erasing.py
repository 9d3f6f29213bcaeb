"""One erasure: planned, stored, and followed to the files.

Here lives the account of it. Which slots go is chosen in `ledger.recording.erasing`; the database
empties them as the events are stored; what its files need after that is in `ledger.store.sweeping`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, Literal

import attrs
from sqlalchemy import Engine

from ledger.appending import Appender
from ledger.errors import Invalid
from ledger.handed import Id, id_of
from ledger.model.fields import check_flag
from ledger.projections.answer import Answer
from ledger.receipt import Receipt
from ledger.recording import erasing
from ledger.recording.erasing import Part, Plan
from ledger.recording.intake import Intake, Made
from ledger.store import cursors, sweeping
from ledger.store.sweeping import Step
from ledger.store.transaction import writing

_SHOWN: Final = 20


@attrs.frozen(kw_only=True)
class Erasure(Answer):
    """What an erasure removed or would remove (`parts`), and where the same words are (`left`).

    `falling` are the claims that are in no position any more, and counted as `incomplete`.
    `stored` is "stored", "dry_run", or "nothing" if it was erased already. `sequences` are those of
    the erasing events. `steps` were taken, or are to be taken, to remove it from all files.
    """

    record: str
    reason: str
    authority: str
    stored: Literal["stored", "dry_run", "nothing"]
    parts: tuple[Part, ...]
    left: tuple[Part, ...]
    falling: tuple[str, ...] = ()
    sequences: tuple[int, ...] = ()
    recorded: dt.datetime | None = None
    steps: tuple[Step, ...] = ()

    def __str__(self) -> str:
        if self.stored == "nothing":
            return f"{self.record}: nothing is left to erase"
        slots = "1 slot" if len(self.parts) == 1 else f"{len(self.parts)} slots"
        verb = "would be erased" if self.stored == "dry_run" else "erased"
        at = ", ".join(f"#{one}" for one in self.sequences[:_SHOWN])
        lines = [f"{self.record}: {slots} {verb}{f' ({at})' if at else ''}"]
        lines += _listed("  - ", self.parts)
        if self.left:
            lines.append("the same words or names still stand in:")
            lines += _listed("  - ", self.left)
        if self.falling:
            will = "will be" if self.stored == "dry_run" else "are"
            lines.append(f"claims on it that {will} in no position any more:")
            lines += _listed("  - ", self.falling)
        lines += [str(one) for one in self.steps]
        return "\n".join(lines)


def _listed(mark: str, parts: Sequence[object]) -> list[str]:
    lines = [f"{mark}{one}" for one in parts[:_SHOWN]]
    more = len(parts) - _SHOWN
    return [*lines, f"{mark}and {more} more"] if more > 0 else lines


class Erasing:
    """The methods of a ledger that erase."""

    appender: Appender

    def erase(
        self,
        record: Id,
        *,
        reason: str,
        authority: str,
        slots: str | Sequence[str] | None = None,
        quotations: bool = False,
        dry_run: bool = False,
    ) -> Erasure:
        """Erase content for good, for a reason, on somebody's authority; proofs stay valid.

        By default: of a claim and its changes the words; of a document its text (with `quotations`
        also those taken from it); of a party its names and every slot that names it. `slots` gives
        other ones: "who", "what", "words", "by". `dry_run` shows what would be erased, and where
        else the same words are. It is stored at the call, in a Session too.

        Raises:
            UnknownEvent: nothing has that id.
            InvalidErasure: no reason, no authority, or a slot that cannot be erased by itself.
        """
        check_flag(quotations, "quotations")
        check_flag(dry_run, "dry_run")
        id_ = id_of(record)
        planned: list[Plan] = []

        def entry(intake: Intake) -> list[Made]:
            found = erasing.plan(intake, id_, slots, quotations=quotations)
            planned[:] = [found]  # again, where another append came first
            return erasing.erase(intake, found, reason=reason, authority=authority)

        receipts: list[Receipt] = []
        if dry_run:
            with self.appender.folded.facts() as facts:
                entry(Intake(facts, now=self.appender.clock()))
        else:
            receipts = self.appender.append_at_once(entry)
        plan = planned[-1]
        return Erasure(
            record=id_,
            reason=reason,
            authority=authority,
            stored="nothing" if not plan.parts else "dry_run" if dry_run else "stored",
            parts=plan.parts if dry_run else _silent(plan.parts),
            left=plan.left if dry_run else _silent(plan.left),
            falling=plan.falling,
            sequences=tuple(seq for one in receipts for seq in one.sequences),
            recorded=receipts[0].recorded if receipts else None,
            steps=_follow(self.appender, plan) if receipts else (),
        )

    def vacuum(self) -> tuple[Step, ...]:
        """Rewrite the database's files, so that nothing erased is left in free pages.

        Raises:
            Invalid: the ledger is bound to a Connection or Session, whose commit comes first.
            StoreError: the database refused, for example because a right is missing.
        """
        folded, projections = self.appender.folded, self.appender.projections
        if not isinstance(folded.host, Engine):
            raise Invalid(
                "The files can be written anew only outside a transaction. Commit, then use a "
                "ledger on the engine: Ledger(engine).vacuum(), not one on a "
                f"{type(folded.host).__name__}.",
                field="bind",
                given=folded.host,
            )
        return sweeping.sweep(folded.host, folded.tables, projections.served_tables())


def _silent(parts: Sequence[Part]) -> tuple[Part, ...]:
    """The parts without what they said: an account is kept, and shown to others."""
    return tuple(attrs.evolve(one, record=one.event, excerpt="") for one in parts)


def _follow(appender: Appender, plan: Plan) -> tuple[Step, ...]:
    """After the events: the copies beside the log, then the files."""
    folded = appender.folded
    with writing(folded.bind) as conn:
        log_id = folded.log_id(conn)
        if log_id is not None:
            events = [*dict.fromkeys(part.event for part in plan.parts)]
            cursors.forget_reasons(conn, folded.tables, log_id, events)
    behind = [
        Step(
            what=f"the projection {one.name} v{one.version} has not come to the erasure yet",
            done=False,
            how=f"Type: ledger.projections.run({one.name!r})",
        )
        for one in appender.projections.status()
        if one.lag and one.phase != "retired"
    ]
    return (
        *behind,
        *sweeping.after_erasing(folded.host if isinstance(folded.host, Engine) else folded.bind),
    )
