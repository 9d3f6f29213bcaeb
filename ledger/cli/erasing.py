"""Commands that remove content for good, and that leave nothing of it in the files."""

from __future__ import annotations

import functools
import sys

from ledger.cli.options import DESK, HERE, Desk, Flag, Many, Where
from ledger.cli.output import answer, answers, safe, say
from ledger.errors import InvalidErasure
from ledger.model.text import show


def erase(
    record: str,
    /,
    *,
    reason: str,
    authority: str,
    slots: Many = (),
    quotations: Flag = False,
    dry_run: Flag = False,
    confirm: str | None = None,
    where: Desk = DESK,
) -> None:
    """Erase the words of a claim, the text of a document, or a person wherever they are named.

    Example: `claims erase C03 --reason "request of the person" --authority "privacy officer"`

    It shows what will be erased, and asks you to type the id again. This cannot be undone. The log
    keeps for ever that something was erased, when, for what reason and by whose authority.

    Args:
        record: The id of the claim, document, party or other record.
        reason: Why, without personal data.
        authority: By whose authority, without personal data.
        slots: The parts: who, what, words, by; repeatable. The default depends on the record.
        quotations: With a document, also the quotations taken from it.
        dry_run: Show what would be erased, and change nothing.
        confirm: The id again, for scripts.
    """
    with where.ledger() as ledger:
        erased = functools.partial(
            ledger.erase,
            record,
            reason=reason,
            authority=authority,
            slots=slots or None,
            quotations=quotations,
        )
        planned = erased(dry_run=True)
        if dry_run or planned.stored == "nothing":
            answer(planned, json=where.json)
            return
        if confirm is None and not where.json:
            say(str(planned))
            confirm = _typed(record)
        if confirm != record:
            raise InvalidErasure(
                f"Nothing was erased: type {show(record)} to confirm, got "
                f"{'nothing' if confirm is None else show(confirm)}. Where nobody is there to "
                f"type, add --confirm {safe(record)}.",
                field="confirm",
                given=confirm,
            )
        answer(erased(), json=where.json)


def _typed(record: str) -> str | None:
    print(safe(f"Type {record} to erase this for good: "), end="", flush=True, file=sys.stderr)
    line = sys.stdin.readline()
    return line.rstrip("\r\n") if line else None


def vacuum(*, where: Where = HERE) -> None:
    """Rewrite the database's files, so that nothing erased is left in free pages.

    Example: `claims vacuum`
    """
    with where.ledger() as ledger:
        answers(ledger.vacuum(), json=where.json, none="nothing to do")
