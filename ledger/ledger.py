"""The ledger: the one object a user holds. Short methods that delegate; nothing is computed here.

What is entered becomes events in `ledger.recording` and is stored by `ledger.appending`; questions
are asked through `ledger.view`, checkpoints and proofs are `ledger.auditing`.
"""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Never, Self, Unpack

import attrs
from sqlalchemy import Engine

from ledger import auditing, handed
from ledger.appending import Appender, Clock, tags, utc_now
from ledger.asking import Asking
from ledger.attesting import Attesting, read_checkpoint
from ledger.dating import view_of
from ledger.erasing import Erasing
from ledger.folding import Folded
from ledger.grouping import shared
from ledger.handed import Id, Who, id_of, ids_of, plain_fields, with_an_axis
from ledger.joining import Joined
from ledger.merkle.checkpoint import Checkpoint
from ledger.model.claim import Claim, Relation
from ledger.model.events import Recorder, checked
from ledger.model.fields import check_flag
from ledger.model.party import Name, Party
from ledger.model.period import Period
from ledger.model.text import check_id
from ledger.projecting import Projections
from ledger.receipt import Receipt
from ledger.recording import claiming, registering, undoing
from ledger.recording.intake import Intake, Made
from ledger.recording.registering import Noun
from ledger.store.binds import Host, is_session
from ledger.store.engines import shown
from ledger.store.layout import Layout
from ledger.view import Day, View


class Ledger(Asking, Attesting, Erasing):
    """An append-only log of claims in a database, with methods to record and to ask.

    `bind` is a path, a URL or an Engine (the ledger begins and commits), or a Connection or a
    Session (the host does; the ledger never ends a transaction that it did not begin). In a
    Session, records are stored with its commit. The constructor does no I/O and changes no schema:
    `Ledger.open` does. `clock` returns aware instants; `recorder` says who records.
    `appender` stores typed events and records of several kinds in one append; `projections` keeps
    tables of the host in step with the log.

    Example:
        >>> with Ledger.open(":memory:") as ledger:
        ...     ledger.register(Party("az", name="Azerbaijan", kind="state")).sequences
        (0,)
    """

    def __init__(
        self,
        bind: str | os.PathLike[str] | Host,
        *,
        layout: Layout | None = None,
        origin: str = "default",
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> None:
        self.layout = handed.layout_of(layout)
        self.origin = handed.origin_of(origin)
        clock = self._clock = handed.clock_of(clock)
        self._owned: Engine | None = None
        host = handed.host_of(bind, self.layout)
        if host is not bind and isinstance(host, Engine):
            self._owned = host
        self._folded = Folded(host, self.layout, self.origin)
        recorder = checked(Recorder() if recorder is None else recorder)
        kind = Joined if is_session(host) else Appender
        self.projections = Projections(self._folded, clock)
        self.appender: Appender = kind(
            folded=self._folded, clock=clock, recorder=recorder, projections=self.projections
        )

    @classmethod
    def open(
        cls,
        target: str | os.PathLike[str],
        *,
        layout: Layout | None = None,
        origin: str | None = None,
        clock: Clock = utc_now,
        recorder: Recorder | None = None,
    ) -> Self:
        """Open a database by path or URL, and its log; make or upgrade the tables where needed.

        Raises:
            ForeignDatabase: the file belongs to another application, or is no database.
            SchemaNewer: the tables are of a later version of this library.
            Invalid: without `origin` the log is "default", and there are only others.
        """
        log = "default" if origin is None else origin
        ledger = cls(target, layout=layout, origin=log, clock=clock, recorder=recorder)
        try:
            handed.ready(ledger._folded.bind, ledger.layout, origin)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """Close the database, if the ledger opened it itself; one in memory is then gone."""
        if self._owned is not None:
            handed.let_go(self._owned)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        host = self._folded.host
        of = type(host).__name__ if is_session(host) else shown(self._folded.bind.engine.url)
        return f"Ledger({of!r}, origin={self.origin!r})"

    # -- entering ---------------------------------------------------------------------------

    def register(self, noun: Noun) -> Receipt:
        """Register a party, membership, topic, proposition, occurrence or document.

        The same content under the same id is not stored again.

        Raises:
            AlreadyRecorded: the id is taken by other content.
            NotFound: it names something that is not registered.
        """
        return self.register_all([noun])[-1]

    def register_all(self, nouns: Iterable[Noun]) -> list[Receipt]:
        """Register several in one append; later ones may name earlier ones. All or nothing."""
        several = handed.several(nouns, of=handed.NOUNS, one="ledger.register(noun)")
        given = [(at, noun) for at, one in enumerate(several) for noun in handed.with_parties(one)]
        return self.appender.append(lambda intake: handed.each(given, registering.register, intake))

    def name(
        self,
        party: Id,
        name: str,
        *,
        metonym: bool = False,
        period: Period | str | None = None,
        rank: int = 0,
        language: str | None = None,
    ) -> Receipt:
        """Give a party another name or metonym, for a period (EDTF interval) or always."""
        one = Name(name, metonym=metonym, period=period, rank=rank, language=language)
        return self._enter(
            lambda intake: registering.name(intake, intake.find("party", id_of(party)), one)
        )

    def record(
        self,
        *,
        proposition: Id,
        act: str,
        claimant: Who | None = None,
        document_text: str | None = None,
        **fields: Unpack[handed.ClaimFields],
    ) -> Receipt:
        """Record a claim; the fields are those of `Claim`.

        A `Party(...)` in place of an id is registered too. `document_text` is the text of a
        document that was registered without it: the words are checked, the text is not stored.

        Raises:
            NotFound: it names something that is not registered.
            Invalid: a value is not allowed, or the words are not in the document.
            AlreadyRecorded: `id` is taken by other content.
        """
        aside: list[Party] = []
        given = plain_fields(
            {"proposition": proposition, "act": act, "claimant": claimant, **fields}, aside
        )
        claim = handed.claim_of(given)

        def entry(intake: Intake) -> list[Made]:
            for noun in (noun for party in aside for noun in handed.with_parties(party)):
                registering.register(intake, noun)
            return [claiming.record(intake, claim, document_text=document_text)]

        return self.appender.append(entry)[0]

    def record_all(self, claims: Iterable[Claim]) -> list[Receipt]:
        """Record many claims in one append. All or nothing."""
        given = [*enumerate(handed.claims_of(claims))]
        return self.appender.append(lambda intake: handed.each(given, claiming.record, intake))

    def relate(self, claim: Id, relation: str, target: Id, *, note: str | None = None) -> Receipt:
        """Record a typed edge between two claims.

        Raises:
            InvalidRelation: it refers back to a surely later claim, or in a circle.
        """
        edge = Relation(id_of(claim), relation, id_of(target), note=note)
        return self._enter(lambda intake: claiming.relate(intake, edge))

    def merge(self, kept: Id, merged: Id, *, negated: bool = False, reason: str = "") -> Receipt:
        """Record that two ids of parties, or of propositions, always meant the same.

        Answers show `kept`. `negated` swaps supports and opposes of the merged proposition.

        Raises:
            InvalidMerge: a circle, an id that is merged already, or a fact with an aim.
        """
        return self._enter(
            lambda intake: registering.merge(
                intake, id_of(kept), id_of(merged), negated=negated, reason=reason
            )
        )

    def withdraw(
        self,
        claims: Id | Sequence[Id],
        *,
        claimant: Id | Sequence[Id] = (),
        document_text: str | None = None,
        **fields: Unpack[handed.ActFields],
    ) -> Receipt:
        """Record that the claimant took claims back.

        `claimant` is required, and `uttered` or `document`. Further fields, as of `Claim`: `via`,
        `on_behalf_of`, `chain`, `capacity`, `utterance`, `quote`, `note`, `id`.

        Raises:
            InvalidWithdrawal: no claimant, neither date nor document, or a claimant without part
                in the claim; the message names `correct` and `amend`.
            InvalidRelation: it is surely earlier than what it takes back.
        """
        act = undoing.withdrawal(plain_fields({"claimant": ids_of(claimant), **fields}))
        targets = ids_of(claims)
        return self._enter(
            lambda intake: undoing.withdraw(intake, targets, act, document_text=document_text)
        )

    def correct(
        self,
        /,
        claim: Id,
        *,
        document: Id | None = None,
        never_said: bool = False,
        note: str | None = None,
        expected: int | None = None,
        **fields: Any,
    ) -> Receipt:
        """Record that the publisher corrected its report of a claim or withdrawal.

        Give the correcting `document`, and the new fields or `never_said=True`.

        Raises:
            WrongExpectedVersion: the record is not at the `expected` version any more.
            InvalidCorrection: no document, or another publisher's; the message names `withdraw`
                and `amend`.
        """
        return self._enter(
            lambda intake: undoing.correct(
                intake,
                id_of(claim),
                document=None if document is None else id_of(document),
                never_said=never_said,
                note=note,
                expected=expected,
                fields=plain_fields(fields),
            )
        )

    def amend(
        self,
        /,
        record: Id,
        *,
        reason: str = "",
        strike_out: bool = False,
        expected: int | None = None,
        **fields: Any,
    ) -> Receipt:
        """Correct your own entry: replace fields of any record, or strike it out.

        Raises:
            WrongExpectedVersion: the record is not at the `expected` version any more.
            InvalidAmendment: no reason, or a field that cannot be amended; the message names
                `withdraw` and `correct`.
            StillNamed: live records name what would be struck out.
        """
        return self._enter(
            lambda intake: undoing.amend(
                intake,
                id_of(record),
                reason=reason,
                strike_out=strike_out,
                expected=expected,
                fields=plain_fields(fields),
            )
        )

    def flush(self) -> list[Receipt]:
        """Write pending records into the Session's transaction now."""
        return self.appender.flush() if isinstance(self.appender, Joined) else []

    def grouped(self) -> Self:
        """This ledger for many threads: what they record at once is stored in one append.

        Raises:
            Invalid: the ledger is a host's Connection or Session, which threads do not share.
        """
        other = copy.copy(self)
        other._owned, other.appender = None, shared(self.appender)  # noqa: SLF001 - another self
        return other

    @contextlib.contextmanager
    def tagged(
        self, *, correlation: str | None = None, causation: str | None = None
    ) -> Iterator[None]:
        """Mark every entry made inside with a correlation and a causation id."""
        given = (("causation", causation), ("correlation", correlation))
        causation, correlation = (
            None if value is None else check_id(value, field=field) for field, value in given
        )
        token = tags.set((causation, correlation))
        try:
            yield
        finally:
            tags.reset(token)

    def _enter(self, entry: Callable[[Intake], Made]) -> Receipt:
        return self.appender.append(lambda intake: [entry(intake)])[0]

    # -- asking -----------------------------------------------------------------------------

    def as_of(
        self,
        *bare: Never,
        said: Day | None = None,
        known: Day | int | None = None,
        zone: dt.tzinfo | None = None,
    ) -> View:
        """The ledger as of two dates: what had been said by `said`, what was known by `known`.

        A plain date is the end of that day, in UTC unless `zone` says otherwise; `known` may
        also be a sequence number. The defaults are now and the last event.

        Raises:
            InvalidView: a date without `said=` or `known=`, an instant without an offset, or a
                `known` in the future.
        """
        with_an_axis(*bare)
        return view_of(self._folded, self._clock, said=said, known=known, zone=zone)

    def replay(self, date: Day | int, *, zone: dt.tzinfo | None = None) -> View:
        """The view that this ledger gave on a date or at a sequence: known and said by then."""
        return self.as_of(known=date, zone=zone)

    # -- the proof --------------------------------------------------------------------------

    def verify(
        self,
        checkpoint: Checkpoint | str | None = None,
        *,
        since: Checkpoint | str | None = None,
        contents: bool = True,
        views: bool = False,
        processes: int = 1,
        progress: auditing.Progress | None = None,
    ) -> auditing.Verification:
        """Check every stored byte, and that the log continues a checkpoint kept elsewhere.

        `since` is the checkpoint up to which the log was verified before; earlier entries are not
        read again. `contents=False` checks entries, leaves and tree, not slots and columns.
        `views=True` also compares every projection in use with a replay. `processes` share the
        work, on a file or server.

        Raises:
            TamperEvidence: something is not as it was recorded; `sequence` is the first bad event.
        """
        check_flag(views, "views")
        with self._folded.reading() as conn:
            found = auditing.verify(
                conn,
                self._folded,
                read_checkpoint(checkpoint),
                progress,
                since=read_checkpoint(since),
                contents=contents,
                processes=processes,
                now=self._clock(),
            )
        return attrs.evolve(found, views=self.projections.check_all()) if views else found
