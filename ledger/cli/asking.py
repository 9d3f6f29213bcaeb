"""Commands that ask: positions, claims, timelines, and what speaks against what."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ledger.cli.entering import read_text
from ledger.cli.names import party
from ledger.cli.options import ALL, HERE, NOW, PartyName, Scope, When, Where, number_or_day
from ledger.cli.output import answer, answers, as_json, rows_of, say, table, tame
from ledger.errors import InvalidView
from ledger.projections.listing import ClaimLine
from ledger.projections.standing import Position
from ledger.projections.wording import lost
from ledger.view import View


def position(
    who: str,
    proposition: str,
    /,
    *,
    policy: str = "latest",
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """Show where a party stands on a proposition, and the claims behind it.

    Example: `claims position Baku protest --said 2023-01-18`

    Args:
        who: The party, by id or by its name on that day.
        proposition: The proposition.
        policy: Which claims count: latest, own_level_first or highest_authority_first.
    """
    with where.ledger() as ledger:
        view = when.view(ledger)
        found = view.position(party(view, who) or "", proposition, policy=policy)
        answer(found, json=where.json)


def positions(
    *,
    scope: Scope = ALL,
    policy: str = "latest",
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """List the positions on a topic or proposition, of a party, or all of them.

    Example: `claims positions --topic lachin --said 2023-01-18`

    Args:
        policy: Which claims count: latest, own_level_first or highest_authority_first.
    """
    with where.ledger() as ledger:
        _print_positions(when.view(ledger), scope, policy=policy, json=where.json)


def replay(
    date: str,
    /,
    *,
    scope: Scope = ALL,
    where: Where = HERE,
) -> None:
    """Show the positions as this ledger showed them on a date.

    Example: `claims replay 2023-02-23 --topic lachin`

    Args:
        date: A day, an instant or a sequence number.
    """
    with where.ledger() as ledger:
        view = ledger.as_of(known=number_or_day(date))
        _print_positions(view, scope, json=where.json)


def _print_positions(view: View, scope: Scope, *, policy: str = "latest", json: bool) -> None:
    about = scope.of(view)
    if scope == ALL:
        ids = [line.id for line in view.parties()]
        found = [view.positions(party=id_, policy=policy) for id_ in ids]
    else:
        found = [view.positions(**about, policy=policy)]
    rows = [row for one in found for row in one]
    incomplete = max((one.incomplete for one in found), default=0)
    if json:
        as_json({**_dates(view), "incomplete": incomplete, "rows": rows})
        return
    if not rows:
        say(f"nobody holds a position, {view}")
    elif about["party"] is not None:
        say(str(view))
        cells = [(row.proposition, row.short(), _since(row)) for row in rows]
        table(("proposition", "position", "last stated"), cells)
    else:
        say(str(view))
        _print_matrix(rows)
    for line in lost(incomplete):
        say(line)


def _since(row: Position) -> str:
    return "" if row.last_stated is None else str(row.last_stated)


def _print_matrix(rows: Iterable[Position]) -> None:
    """Parties down, propositions across; `*` marks a position by roll-up alone."""
    cells = {(row.party, row.proposition): row.short() for row in rows}
    across = list(dict.fromkeys(proposition for _, proposition in cells))
    down = sorted({who for who, _ in cells})
    table(
        ("party", *across),
        [(who, *(cells.get((who, proposition), "-") for proposition in across)) for who in down],
    )
    if any("*" in cell for cell in cells.values()):
        say("* by those who spoke for it")
    if any("possibly" in cell for cell in cells.values()):
        say("possibly: it may have been said, or taken back, by then")


def timeline(
    who: str,
    topic: str,
    /,
    *,
    policy: str = "latest",
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """Show what a party said on a topic over time, and where its stance changed.

    Example: `claims timeline ru lachin`

    Args:
        who: The party, by id or by its name on that day.
        topic: The topic, or one proposition.
        policy: Which claims count: latest, own_level_first or highest_authority_first.
    """
    with where.ledger() as ledger:
        view = when.view(ledger)
        found = view.timeline(party(view, who) or "", topic, policy=policy)
        answer(found, json=where.json)


def claims(
    *,
    who: PartyName = None,
    claimant: str | None = None,
    proposition: str | None = None,
    topic: str | None = None,
    document: str | None = None,
    utterance: str | None = None,
    act: str | None = None,
    stance: str | None = None,
    certainty: Literal["certain", "possible"] | None = None,
    about: str | None = None,
    published: str | None = None,
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """List claims in order of saying, with withdrawn ones marked.

    Example: `claims claims --topic lachin --said 2023-01-18`

    Args:
        who: Claims that reach this party, its own or rolled up.
        claimant: Claims that this party made.
        proposition: Claims on this proposition.
        topic: Claims on this topic.
        document: Claims in this document.
        utterance: Claims of this utterance.
        act: Claims with this speech act.
        stance: Claims with this stance.
        certainty: Claims surely said by then, or possibly.
        about: Claims that may speak of this time, an EDTF date.
        published: Claims in documents that were surely out by this day.
    """
    with where.ledger() as ledger:
        view = when.view(ledger)
        found = view.claims(
            party=party(view, who),
            claimant=party(view, claimant),
            proposition=proposition,
            topic=topic,
            document=document,
            utterance=utterance,
            act=act,
            stance=stance,
            certainty=certainty,
            about=about,
            published=published,
        )
        if where.json or not found:
            answer(found, json=where.json)
            return
        columns = ("id", "claimant", "act", "stance", "proposition", "said")
        rows = rows_of(found, columns)
        marks = [_marks(row) for row in found]
        table((*columns, "marks"), [(*row, mark) for row, mark in zip(rows, marks, strict=True)])
        for lost in found.lost:
            say(str(tame(lost)))


def _marks(row: ClaimLine) -> str:
    marks = {
        "possible": row.certainty == "possible",
        "withdrawn": row.withdrawn,
        "corrected": row.corrected,
        "erased in part": bool(row.erased),
    }
    return ", ".join(mark for mark, on in marks.items() if on)


def trace(
    claim: str | None = None,
    /,
    *,
    document: str | None = None,
    who: PartyName = None,
    on: str | None = None,
    text_file: Path | None = None,
    when: When = NOW,
    where: Where = HERE,
) -> None:
    """Trace a claim to its words; or show what rests on a document or a party.

    Example: `claims trace mod-blocked`

    Args:
        claim: The claim.
        document: The claims of this document, and the positions that would change without it.
        who: All claims in which this party has a role.
        on: With --party: its position on this proposition, claim by claim.
        text_file: The text of the claim's document, if the ledger did not store it.
    """
    asked = [one for one in (claim, document, who) if one is not None]
    if len(asked) != 1 or (on is not None and who is None):
        raise InvalidView(
            "Trace one thing: a claim, --document DOCUMENT, --party PARTY, or --party PARTY "
            "--on PROPOSITION.",
            field="claim",
            given=claim,
        )
    if text_file is not None and claim is None:
        raise InvalidView(
            "--text-file is the text of a claim's document. Name the claim, or leave --text-file "
            "out.",
            field="text_file",
            given=str(text_file),
        )
    with where.ledger() as ledger:
        view = when.view(ledger)
        if claim is not None:
            text = None if text_file is None else read_text(text_file)
            answer(view.trace(claim, document_text=text), json=where.json)
        elif document is not None:
            answer(view.resting_on(document), json=where.json)
        elif on is not None:
            answer(view.evidence(party(view, who) or "", on), json=where.json)
        else:
            answer(view.attributed_to(party(view, who) or ""), json=where.json)


def check_quotes(
    document: str | None = None,
    /,
    *,
    text_file: Path | None = None,
    when: When = NOW,
    where: Where = HERE,
) -> int:
    """Check whether quotations are in their documents; the status is 1 if some are not.

    Example: `claims check-quotes ria-2023-02-22`

    Args:
        document: Only those of this document.
        text_file: Its text, if the ledger did not store it.
    """
    if text_file is not None and document is None:
        raise InvalidView(
            "--text-file is the text of one document. Type its id: claims check-quotes ID "
            "--text-file FILE.",
            field="text_file",
            given=str(text_file),
        )
    texts = {str(document): read_text(text_file)} if text_file is not None else {}
    with where.ledger() as ledger:
        found = when.view(ledger).check_quotes(document, texts=texts)
        answer(found, json=where.json)
    return 1 if found.fallen else 0


def contradictions(*, scope: Scope = ALL, when: When = NOW, where: Where = HERE) -> None:
    """List the pairs of parties of which one supports and one opposes a proposition.

    Example: `claims contradictions --topic lachin --said 2023-01-18`
    """
    with where.ledger() as ledger:
        view = when.view(ledger)
        found = view.contradictions(**scope.of(view))
        answers(found, json=where.json, none="no contradictions")


def divergences(*, scope: Scope = ALL, when: When = NOW, where: Where = HERE) -> None:
    """List the pairs of claims that describe one occurrence differently.

    Example: `claims divergences --topic lachin`
    """
    with where.ledger() as ledger:
        view = when.view(ledger)
        found = view.divergences(**scope.of(view))
        answers(found, json=where.json, none="no divergences")


def diff(
    *,
    from_said: str | None = None,
    from_known: str | None = None,
    to_said: Annotated[str | None, Parameter(name=("--to-said", "--said"))] = None,
    to_known: Annotated[str | None, Parameter(name=("--to-known", "--known"))] = None,
    scope: Scope = ALL,
    where: Where = HERE,
) -> None:
    """Show what changed between two views: claims and positions.

    Example: `claims diff --from-said 2023-01-18 --to-said 2023-02-22`

    Args:
        from_said: The date `--said` of the first view.
        from_known: The date `--known` of the first view.
        to_said: The date `--said` of the second view; now if left out.
        to_known: The date `--known` of the second view; everything if left out.
    """
    if from_said is None and from_known is None:
        raise InvalidView(
            "A difference begins somewhere. Type --from-said 2023-01-18 or --from-known 2023-01-18."
        )
    with where.ledger() as ledger:
        before = ledger.as_of(said=from_said, known=number_or_day(from_known))
        after = ledger.as_of(said=to_said, known=number_or_day(to_known))
        found = ledger.diff(before, after, **scope.of(after))
        if not where.json:
            say(f"from: {before}\nto:   {after}")
            say(str(tame(found)))
            return
        as_json({"from": _dates(before), "to": _dates(after), **found.to_dict()})


def _dates(view: View) -> dict[str, object]:
    return {"said": view.said, "known": view.known, "basis": view.basis}
