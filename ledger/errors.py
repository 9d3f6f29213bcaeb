"""Every error the library raises, in one hierarchy.

```
LedgerError
+- Invalid (ValueError)       the input is not allowed: which field, what was given, what is
|    InvalidText  InvalidDate  InvalidParty  InvalidMembership  InvalidDocument
|    InvalidQuotation  InvalidProposition  InvalidTopic  InvalidOccurrence  InvalidClaim
|    InvalidAttribution  InvalidRelation  InvalidWithdrawal  InvalidCorrection
|    InvalidAmendment  InvalidErasure  InvalidMerge  InvalidView  InvalidLayout
|    InvalidImport  InvalidCheckpoint  InvalidProjection  InvalidCursor  InvalidNote
|    InvalidProof  InvalidKey  InvalidPolicy  InvalidBundle
+- NotFound (LookupError)     nothing by that id; `near` holds the closest ids
|    UnknownParty  UnknownClaim  UnknownDocument  UnknownProposition  UnknownTopic
|    UnknownOccurrence  UnknownEvent  UnknownName  AmbiguousName  UnknownProjection
+- Conflict                   the ledger holds something that speaks against it
|    AlreadyRecorded  WrongExpectedVersion  HeadMoved  CursorMoved  StillNamed  SignerRefused
+- TamperEvidence             what is stored is not what was recorded; `sequence`: the first bad
|    LeafMismatch  CommitmentMismatch  ColumnMismatch  MissingEntry  HeadMismatch
|    RootMismatch  InconsistentCheckpoint  MissingGuard  ProofRejected  NodeMismatch
|    SignatureRejected  ViewMismatch
+- CodecError                 bytes that are not ours
|    UnknownEventType  NotCanonical  NotJson
+- SchemaError                the tables are missing, older or newer; the message holds the command
|    SchemaMissing  SchemaOutdated  SchemaNewer  ForeignDatabase
+- StoreError                 the database refused; `stored` says "no" or "unknown"
+- ProjectionFailed           a projection could not take an event; `sequence` says which
+- WitnessRefused             a witness did not cosign; `status` is its answer
+- TimedOut (TimeoutError)    what was waited for did not come in time; `head`: the last that had
+- MissingExtra (ImportError) an optional dependency is not installed; the message holds the command
```

A message is one or two sentences: what happened, which value, what to type. The same facts are
attributes. No error here knows any other part of the library.
"""

from __future__ import annotations

from typing import Literal


class LedgerError(Exception):
    """Something that the ledger refuses or found, with a message that says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        """How it is copied and pickled: Python would leave out what has to be named."""
        return _again, (type(self), self.args, vars(self))


def _again(cls: type[LedgerError], args: tuple[object, ...], told: dict[str, object]) -> Exception:
    error = cls.__new__(cls)
    error.args = args
    vars(error).update(told)
    return error


class Invalid(LedgerError, ValueError):
    """An input that is not allowed."""

    def __init__(self, message: str, *, field: str = "", given: object = None) -> None:
        super().__init__(message)
        self.field = field
        self.given = given


class InvalidText(Invalid):
    """A text that no ledger can keep: NUL, half a surrogate pair, control signs, too long."""


class InvalidDate(Invalid):
    """A date outside the EDTF subset, or one that cannot be."""


class InvalidParty(Invalid):
    """A party that cannot be registered."""


class InvalidMembership(Invalid):
    """A membership that cannot be."""


class InvalidDocument(Invalid):
    """A document that cannot be registered."""


class InvalidQuotation(Invalid):
    """A quotation that its document does not bear out."""


class InvalidProposition(Invalid):
    """A proposition that cannot be defined."""


class InvalidTopic(Invalid):
    """A topic that cannot be defined."""


class InvalidOccurrence(Invalid):
    """An occurrence that cannot be described."""


class InvalidClaim(Invalid):
    """A claim that cannot be recorded."""


class InvalidAttribution(Invalid):
    """A chain of links that attributes nothing."""


class InvalidRelation(Invalid):
    """A relation that cannot hold between these claims."""


class InvalidWithdrawal(Invalid):
    """A withdrawal that its claimant could not have made."""


class InvalidCorrection(Invalid):
    """A correction that the publisher could not have made."""


class InvalidAmendment(Invalid):
    """An amendment of what cannot be amended, or without a reason."""


class InvalidErasure(Invalid):
    """An erasure without reason or authority, or of what cannot go by itself."""


class InvalidMerge(Invalid):
    """A merge that would run in a circle or take an id away twice."""


class InvalidView(Invalid):
    """A pair of dates that no view can have."""


class InvalidLayout(Invalid):
    """A prefix or schema that no table name can have."""


class InvalidImport(Invalid):
    """A line of a file that is no record."""


class InvalidCheckpoint(Invalid):
    """A text that is no checkpoint, or a size or root that no tree has."""


class InvalidProjection(Invalid):
    """A projection that cannot be registered, or be asked for this."""


class InvalidCursor(Invalid):
    """A cursor without a name, or a place where none can stand."""


class InvalidNote(Invalid):
    """A text that is no signed note."""


class InvalidProof(Invalid):
    """A text that is no proof."""


class InvalidKey(Invalid):
    """A file or line that holds no key, or one that others may read."""


class InvalidPolicy(Invalid):
    """A text that is no policy of which signatures are wanted."""


class InvalidBundle(Invalid):
    """A folder or file that is no bundle."""


class NotFound(LedgerError, LookupError):
    """Nothing in this view has that id."""

    def __init__(
        self,
        message: str,
        *,
        given: str = "",
        near: tuple[str, ...] = (),
        struck_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.given = given
        self.near = near
        self.struck_out = struck_out


class UnknownParty(NotFound):
    """No party has that id."""


class UnknownClaim(NotFound):
    """No claim has that id."""


class UnknownDocument(NotFound):
    """No document has that id."""


class UnknownProposition(NotFound):
    """No proposition has that id."""


class UnknownTopic(NotFound):
    """No topic has that id."""


class UnknownOccurrence(NotFound):
    """No occurrence has that id."""


class UnknownEvent(NotFound):
    """No event of the log has that id or sequence."""


class UnknownName(NotFound):
    """No party bore that name on that day."""


class AmbiguousName(NotFound):
    """Several parties bore that name on that day; `near` holds their ids."""


class UnknownProjection(NotFound):
    """No projection has that name here, or none of it is served yet."""


class Conflict(LedgerError):
    """The ledger already holds something that speaks against it."""


class AlreadyRecorded(Conflict):
    """The id is taken by a record with other content."""

    def __init__(self, message: str, *, given: str = "", sequence: int = -1) -> None:
        super().__init__(message)
        self.given = given
        self.sequence = sequence


class WrongExpectedVersion(Conflict):
    """The stream has moved on since the caller looked."""

    def __init__(self, message: str, *, stream: str, expected: int, actual: int) -> None:
        super().__init__(message)
        self.stream = stream
        self.expected = expected
        self.actual = actual


class HeadMoved(Conflict):
    """The log has moved on since the caller looked; `expected` and `actual` are its sizes."""

    def __init__(self, message: str, *, expected: int, actual: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class CursorMoved(Conflict):
    """A consumer's cursor does not stand where it was seen; both are sequences, -1 at first."""

    def __init__(self, message: str, *, expected: int, actual: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class StillNamed(Conflict):
    """Live records name what would be struck out."""

    def __init__(self, message: str, *, given: str = "", named_by: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.given = given
        self.named_by = named_by


class SignerRefused(Conflict):
    """A signer has signed another history of the log than it is asked to sign now."""

    def __init__(self, message: str, *, signed: int, given: int) -> None:
        super().__init__(message)
        self.signed = signed
        self.given = given


class TamperEvidence(LedgerError):
    """What is stored is not what was recorded."""

    def __init__(self, message: str, *, sequence: int | None = None) -> None:
        super().__init__(message)
        self.sequence = sequence


class LeafMismatch(TamperEvidence):
    """An entry does not hash to the leaf stored beside it."""


class CommitmentMismatch(TamperEvidence):
    """A slot is not the one its entry commits to."""


class ColumnMismatch(TamperEvidence):
    """A query column says something else than the entry."""


class MissingEntry(TamperEvidence):
    """A sequence is missing from the log."""


class HeadMismatch(TamperEvidence):
    """The head row does not fit the events."""


class RootMismatch(TamperEvidence):
    """The tree over the entries has another root than the checkpoint."""


class InconsistentCheckpoint(TamperEvidence):
    """The checkpoint is of another log, or of a longer one."""


class MissingGuard(TamperEvidence):
    """A trigger that keeps the log append-only is gone, or one of its tables is a view."""


class ViewMismatch(TamperEvidence):
    """A view's rows are not those that a replay of the log makes."""


class ProofRejected(TamperEvidence):
    """A proof does not lead to the root."""


class NodeMismatch(TamperEvidence):
    """A stored hash of the tree does not follow from the entries below it."""


class SignatureRejected(TamperEvidence):
    """A signature is wrong, or one that is wanted is missing."""


class CodecError(LedgerError):
    """Bytes that this version cannot read or write."""


class UnknownEventType(CodecError):
    """An event type that this version does not know."""


class NotCanonical(CodecError):
    """A value that the canonical form cannot hold; `path` says where."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class NotJson(CodecError):
    """A text that is no JSON; `line` and `column`, both from 1, say where reading ended."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class SchemaError(LedgerError):
    """The database does not hold this version's tables."""


class SchemaMissing(SchemaError):
    """The tables are not there yet."""


class SchemaOutdated(SchemaError):
    """The tables are of an earlier version."""


class SchemaNewer(SchemaError):
    """The tables are of a later version than this library."""


class ForeignDatabase(SchemaError):
    """The file belongs to another application, or is no database."""


class StoreError(LedgerError):
    """The database refused; `stored` says whether anything was written."""

    def __init__(self, message: str, *, stored: Literal["no", "unknown"] = "no") -> None:
        super().__init__(message)
        self.stored = stored


class ProjectionFailed(LedgerError):
    """A projection could not take an event; raised `from` its own error.

    Out of an append, nothing of the append was stored.
    """

    def __init__(self, message: str, *, projection: str, sequence: int) -> None:
        super().__init__(message)
        self.projection = projection
        self.sequence = sequence


class TimedOut(LedgerError, TimeoutError):
    """An event did not come in time; `head` is the last sequence seen, -1 in an empty log."""

    def __init__(self, message: str, *, sequence: int, head: int) -> None:
        super().__init__(message)
        self.sequence = sequence
        self.head = head


class WitnessRefused(LedgerError):
    """A witness did not cosign; `status` is what it answered, 0 where it could not be asked."""

    def __init__(self, message: str, *, witness: str, status: int) -> None:
        super().__init__(message)
        self.witness = witness
        self.status = status


class MissingExtra(LedgerError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, *, needs: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {needs}, which is not installed. "
            f"Type: pip install 'claimledger[{extra}]'"
        )
        self.extra = extra
