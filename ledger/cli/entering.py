"""Commands that register what claims are about: parties, documents, topics, propositions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ledger.cli.listing import document_app, occurrence_app, party_app, proposition_app, topic_app
from ledger.cli.names import day_of_view, days_of_act, parties
from ledger.cli.options import DESK, Desk, Flag, Many, NewId, Number, NumberOrNone
from ledger.cli.output import answer
from ledger.errors import InvalidDocument
from ledger.model.document import Document
from ledger.model.party import Membership, Party
from ledger.model.period import Period
from ledger.model.proposition import Occurrence, Proposition, Topic
from ledger.model.text import show


@party_app.command(name="add")
def party_add(
    key: NewId,
    /,
    *,
    name: str,
    kind: str = "organisation",
    metonym: Many = (),
    part_of: Many = (),
    member: Many = (),
    where: Desk = DESK,
) -> None:
    """Register a party.

    Example: `claims party add az --name Azerbaijan --kind state --metonym Baku`

    Args:
        key: The id you choose.
        name: Its name.
        kind: state, organisation, body, office, person, joint, unnamed_group or publisher.
        metonym: A name that stands for it, such as its capital; repeatable.
        part_of: A party it belongs to and speaks for; repeatable.
        member: A member of a joint party; repeatable.
    """
    with where.ledger() as ledger:
        view = ledger.as_of()
        today = day_of_view(view)
        noun = Party(
            key,
            name=name,
            kind=kind,
            metonyms=metonym,
            part_of=parties(view, part_of, today),
            members=parties(view, member, today),
        )
        answer(ledger.register(noun), json=where.json)


@document_app.command(name="add")
def document_add(
    key: NewId,
    /,
    *,
    publisher: str,
    published: str | None = None,
    text: str | None = None,
    text_file: Path | None = None,
    sha256: str = "",
    length: NumberOrNone = None,
    title: str | None = None,
    url: str | None = None,
    language: str | None = None,
    keep_text: Annotated[bool, Parameter(negative="--forget-text")] = True,
    revises: str | None = None,
    where: Desk = DESK,
) -> None:
    """Register a document, with its text or with its digest and length.

    Example: `claims document add ria-1 --publisher ria --published 2023-02-22 --text-file ria.txt`

    Args:
        key: The id you choose.
        publisher: The party that published it.
        published: When, as an EDTF date.
        text: Its text.
        text_file: A UTF-8 file with its text, taken exactly as it is.
        sha256: The digest of its UTF-8 bytes, where it comes without text.
        length: Its length in code points, if it comes without text.
        title: Its title.
        url: Its http or https address.
        language: Its language.
        keep_text: Store the text; --forget-text stores digest and length only.
        revises: The document of which it is a later version.
    """
    if text is not None and text_file is not None:
        raise InvalidDocument(
            "--text and --text-file both give the document's text. Type one of them.",
            field="text",
            given=str(text_file),
        )
    with where.ledger() as ledger:
        _, day = days_of_act(ledger, published, None)
        noun = Document(
            key,
            publisher=ledger.as_of().resolve(publisher, on=day),
            published=published,
            text=read_text(text_file) if text_file else text,
            sha256=sha256,
            length=length,
            title=title,
            url=url,
            language=language,
            keep_text=keep_text,
            revises=revises,
        )
        answer(ledger.register(noun), json=where.json)


def read_text(path: Path) -> str:
    """A file's text, no line end changed.

    Raises:
        InvalidDocument: it cannot be read, or is no UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except OSError as error:
        why = error.strerror or "no file"
    except UnicodeDecodeError as error:
        why = f"not UTF-8 at byte {error.start}"
    raise InvalidDocument(
        f"{show(str(path), 200)} cannot be read ({why}). Give the path of a UTF-8 text file.",
        field="text",
        given=str(path),
    )


@topic_app.command(name="add")
def topic_add(key: NewId, /, *, label: str, part_of: str | None = None, where: Desk = DESK) -> None:
    """Define a topic.

    Example: `claims topic add lachin --label "The Lachin corridor"`

    Args:
        key: The id you choose.
        label: Its name.
        part_of: The wider topic.
    """
    with where.ledger() as ledger:
        answer(ledger.register(Topic(key, label=label, part_of=part_of)), json=where.json)


@proposition_app.command(name="add")
def proposition_add(
    key: NewId,
    /,
    *,
    text: str,
    topic: Many = (),
    kind: Literal["fact", "aim"] = "fact",
    where: Desk = DESK,
) -> None:
    """Define a proposition.

    Example: `claims proposition add blocked --text "The road is blocked"`

    Args:
        key: The id you choose.
        text: What is claimed, as a sentence.
        topic: A topic it is in; repeatable.
        kind: fact (is it so?) or aim (is it wanted?).
    """
    with where.ledger() as ledger:
        noun = Proposition(key, text=text, topic=topic, kind=kind)
        answer(ledger.register(noun), json=where.json)


@occurrence_app.command(name="add")
def occurrence_add(key: NewId, /, *, label: str, proposition: Many, where: Desk = DESK) -> None:
    """Register an occurrence that several propositions describe.

    Example: `claims occurrence add stop --label "The stop" --proposition blocked`

    Args:
        key: The id you choose.
        label: Its name.
        proposition: A proposition that describes it; repeatable.
    """
    with where.ledger() as ledger:
        noun = Occurrence(key, label=label, propositions=proposition)
        answer(ledger.register(noun), json=where.json)


def name(
    who: str,
    text: str,
    /,
    *,
    metonym: Flag = False,
    since: str | None = None,
    until: str | None = None,
    rank: Number = 0,
    language: str | None = None,
    where: Desk = DESK,
) -> None:
    """Give a party another name, perhaps for a period.

    Example: `claims name az Baku --metonym --since 1991-10-18`

    Args:
        who: The party.
        text: The name.
        metonym: The name stands for the party, as a capital does.
        since: The first day of the name.
        until: The first day on which it no longer holds.
        rank: If several parties have a name, the lowest rank wins.
        language: The language of the name.
    """
    with where.ledger() as ledger:
        view = ledger.as_of()
        receipt = ledger.name(
            view.resolve(who, on=day_of_view(view)),
            text,
            metonym=metonym,
            period=Period.parse(since, until),
            rank=rank,
            language=language,
        )
        answer(receipt, json=where.json)


def member(
    who: str,
    organisation: str,
    /,
    *,
    role: str = "",
    since: str | None = None,
    until: str | None = None,
    roster: Flag = False,
    where: Desk = DESK,
) -> None:
    """Record that a party belongs to another, perhaps for a period.

    Example: `claims member ru-mod ru --role ministry`

    Args:
        who: The member.
        organisation: The party it belongs to.
        role: Its role.
        since: The first day of the membership.
        until: The first day on which it no longer holds.
        roster: The member does not speak for the organisation.
    """
    with where.ledger() as ledger:
        view = ledger.as_of()
        inside, above = parties(view, (who, organisation), day_of_view(view))
        noun = Membership(
            inside, above, role=role, period=Period.parse(since, until), speaks_for=not roster
        )
        answer(ledger.register(noun), json=where.json)


def relate(
    claim: str, relation: str, target: str, /, *, note: str | None = None, where: Desk = DESK
) -> None:
    """Relate a claim to another.

    Example: `claims relate C12 disputes C08`

    Args:
        claim: The claim that has the relation.
        relation: disputes, paraphrases, reverses, replies_to and others.
        target: The claim it is about.
        note: A note of yours.
    """
    with where.ledger() as ledger:
        answer(ledger.relate(claim, relation, target, note=note), json=where.json)


def merge(
    kept: str,
    merged: str,
    /,
    *,
    negated: Flag = False,
    reason: str = "",
    where: Desk = DESK,
) -> None:
    """Record that two ids of parties, or of propositions, always meant the same.

    Example: `claims merge az azerbaijan --reason "entered twice"`

    Args:
        kept: The id to keep.
        merged: The other id.
        negated: The merged proposition says the opposite of the kept one.
        reason: Why.
    """
    with where.ledger() as ledger:
        answer(ledger.merge(kept, merged, negated=negated, reason=reason), json=where.json)
