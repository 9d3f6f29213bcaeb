"""What a checker asks for: which keys of the log, which witnesses, how many of them.

Here lives the decision whether a checkpoint is signed well enough. It reads C2SP tlog-policy:

```
log weir.example/claims+8a1cbb5a+AYt..
witness north witness.example/north+586d0b9a+BBQ..  https://witness.example/north
witness south witness.example/south+1f6c5a77+BHp..
group both all north south
quorum both
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Self

import attrs

from ledger.errors import InvalidKey, InvalidPolicy, SignatureRejected
from ledger.merkle.checkpoint import Checkpoint, as_checkpoint
from ledger.merkle.note import COSIGNATURE, ED25519, Signature, VerifierKey
from ledger.model.text import show
from ledger.signing import ed25519
from ledger.signing.witness import TIME_BYTES, Witness, cosigned_text, cosigned_time, is_address

NO_QUORUM: Final = "none"
_MOST_LINES: Final = 1_000


@attrs.frozen(kw_only=True)
class Group:
    """At least so many of these witnesses or groups."""

    least: int
    members: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Signed:
    """Who signed a checkpoint, by the names of their keys; of witnesses, with the second of it."""

    logs: tuple[str, ...]
    witnesses: Mapping[str, int]

    def __str__(self) -> str:
        told = [f"signed by {', '.join(self.logs)}"]
        if self.witnesses:
            told.append(f"witnessed by {', '.join(self.witnesses)}")
        return ", ".join(told)


@attrs.frozen(kw_only=True)
class Policy:
    """The keys that a checker trusts, and the quorum of witnesses that it wants.

    Example:
        >>> key = VerifierKey("weir.example/claims", ED25519, bytes(32))
        >>> Policy.parse(f"log {key}").logs == (key,)
        True

    Follows C2SP tlog-policy.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, Witness] = attrs.field(factory=dict)
    groups: Mapping[str, Group] = attrs.field(factory=dict)
    quorum: str = NO_QUORUM

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy; a single verifier key is one, too.

        Raises:
            InvalidPolicy: it is no text; or a line is none, or would let fewer witnesses pass than
                it says; it is named.
        """
        given: object = text
        if not isinstance(given, str):
            raise InvalidPolicy(
                f"A policy is read from text, not from {type(given).__name__}. Write "
                "Policy.parse(Path('weir.vkey').read_text()).",
                field="policy",
                given=given,
            )
        reader = _Reader()
        lines = text.splitlines()
        if len(lines) > _MOST_LINES:
            raise InvalidPolicy(f"A policy has at most {_MOST_LINES} lines.", given=len(lines))
        for number, line in enumerate(lines, 1):
            words = line.split()
            if words and not words[0].startswith("#"):
                reader.read(number, words)
        if not reader.logs:
            raise InvalidPolicy(
                "The policy names no log: it needs a line: log NAME+ID+BASE64", field="log"
            )
        if reader.witnesses and reader.quorum is None:
            raise InvalidPolicy(
                f"The policy names witnesses ({', '.join(reader.witnesses)}), and not which of "
                "them must have signed: it needs a line: quorum NAME (or quorum none, if nobody "
                "must)",
                field="quorum",
            )
        return cls(
            logs=tuple(reader.logs),
            witnesses=reader.witnesses,
            groups=reader.groups,
            quorum=reader.quorum or NO_QUORUM,
        )

    def check(self, checkpoint: Checkpoint | str) -> Signed:
        """Who signed a checkpoint, or its text, where that is enough.

        Raises:
            InvalidCheckpoint: it is no checkpoint.
            SignatureRejected: a signature by a known key is wrong, none is of the log, or too few
                witnesses cosigned.
            MissingExtra: `cryptography` is not installed.
        """
        checkpoint = as_checkpoint(checkpoint)
        logs = [
            key.name
            for key in self.logs
            if key.name == checkpoint.origin
            and any(_right(key, one, checkpoint) for one in _of(key, checkpoint))
        ]
        if not logs:
            wanted = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in self.logs)
            raise SignatureRejected(
                f"The checkpoint of {checkpoint.origin!r} is not signed by {wanted}: it comes from "
                "somebody else, or was changed. Ask whoever keeps the log for its key."
            )
        seen = self._seen(checkpoint)
        if not self._is_reached(seen):
            raise SignatureRejected(
                f"The quorum {self.quorum!r} is not reached: of the witnesses "
                f"{', '.join(self.witnesses)} there signed {', '.join(seen) or 'none'}. Ask for a "
                "checkpoint that more of them have cosigned."
            )
        times = {self.witnesses[name].key.name: time for name, time in seen.items()}
        return Signed(logs=tuple(logs), witnesses=times)

    def reached(self, checkpoint: Checkpoint | str) -> bool:
        """Whether enough witnesses have cosigned a checkpoint, or its text.

        Raises:
            InvalidCheckpoint: it is no checkpoint.
            SignatureRejected: a signature by a known witness is wrong.
        """
        return self._is_reached(self._seen(as_checkpoint(checkpoint)))

    def _seen(self, checkpoint: Checkpoint) -> Mapping[str, int]:
        """The witnesses that have cosigned, with the second in which they did."""
        return {
            name: cosigned_time(one)
            for name, witness in self.witnesses.items()
            for one in _of(witness.key, checkpoint)
            if _right(witness.key, one, checkpoint)
        }

    def _is_reached(self, seen: Mapping[str, int]) -> bool:
        return self.quorum == NO_QUORUM or self._reached(self.quorum, seen)

    def _reached(self, name: str, seen: Mapping[str, int]) -> bool:
        if name in self.witnesses:
            return name in seen
        group = self.groups[name]
        return sum(self._reached(one, seen) for one in group.members) >= group.least


def _of(key: VerifierKey, checkpoint: Checkpoint) -> list[Signature]:
    return [one for one in checkpoint.signatures if key.names(one)]


def _right(key: VerifierKey, signature: Signature, checkpoint: Checkpoint) -> bool:
    """True; a wrong signature under a known key is no matter to pass over.

    Raises:
        SignatureRejected: it is wrong.
    """
    message, blob = checkpoint.body().encode(), signature.blob
    if key.kind == COSIGNATURE:
        message, blob = cosigned_text(checkpoint, cosigned_time(signature)), blob[TIME_BYTES:]
    if not ed25519.verifies(key.key, blob, message):
        raise SignatureRejected(
            f"The signature by {key.name}+{key.key_id.hex()} is not over this checkpoint: the "
            "checkpoint was changed after it was signed, or the signature is made up."
        )
    return True


@attrs.define
class _Reader:
    """What the lines of a policy have said so far; a name is defined before it is used.

    Each key and each member counts once, or one witness could make up a quorum of several.
    """

    logs: list[VerifierKey] = attrs.field(factory=list)
    witnesses: dict[str, Witness] = attrs.field(factory=dict)
    groups: dict[str, Group] = attrs.field(factory=dict)
    grouped: dict[str, str] = attrs.field(factory=dict)
    quorum: str | None = None

    def read(self, number: int, words: list[str]) -> None:
        match words:
            case [key] if "+" in key:
                self._log(number, key)
            case ["log", key] | ["log", key, _]:
                self._log(number, key)
            case ["witness", name, key, *url] if len(url) <= 1 and self._is_new(name):
                self._witness(number, name, key, *url)
            case ["group", name, least, *members] if members and self._is_new(name):
                self._group(number, name, least, members)
            case ["quorum", name] if name == NO_QUORUM or not self._is_new(name):
                if self.quorum is not None:
                    raise _twice(number, name, f"is a second quorum, beside {show(self.quorum)}")
                self.quorum = name
            case _:
                raise _wrong(number, " ".join(words))

    def _log(self, number: int, key: str) -> None:
        self.logs.append(_key(number, key, ED25519))

    def _witness(self, number: int, name: str, line: str, url: str = "") -> None:
        key = _key(number, line, COSIGNATURE)
        for other, witness in self.witnesses.items():
            if witness.key.key == key.key:
                raise _twice(number, name, f"has the key of {show(other)}, and would count twice")
        if url and not is_address(url):
            raise InvalidPolicy(
                f"Line {number}: {show(url)} is no address at which a witness can be asked. Type "
                "one such as https://witness.example/north",
                field="url",
                given=url,
            )
        self.witnesses[name] = Witness(url=url, key=key)

    def _group(self, number: int, name: str, least: str, members: list[str]) -> None:
        many = {"any": 1, "all": len(members)}.get(least)
        if many is None and least.isascii() and least.isdigit():
            many = int(least[:9])
        known = {*self.witnesses, *self.groups}
        if many is None or not 0 < many <= len(members) or not known.issuperset(members):
            raise _wrong(number, f"group {name} {least} {' '.join(members)}")
        for one in members:
            if one in self.grouped:
                group = show(self.grouped[one])
                raise _twice(number, one, f"is a member of {group} already, and would count twice")
            self.grouped[one] = name
        self.groups[name] = Group(least=many, members=tuple(members))

    def _is_new(self, name: str) -> bool:
        return name != NO_QUORUM and name not in self.witnesses and name not in self.groups


def _key(number: int, line: str, kind: int) -> VerifierKey:
    try:
        key = VerifierKey.parse(line)
    except InvalidKey as error:
        raise InvalidPolicy(f"Line {number}: {error.message}", field="key", given=line) from error
    if key.kind != kind:
        what = "a witness's" if kind == COSIGNATURE else "a log's"
        raise InvalidPolicy(
            f"Line {number}: the key {key.name!r} is of kind {key.kind}, and {what} Ed25519 key is "
            f"of kind {kind}.",
            field="key",
            given=line,
        )
    return key


def _twice(number: int, name: str, why: str) -> InvalidPolicy:
    return InvalidPolicy(
        f"Line {number}: {show(name)} {why}. Keep one of the two.", field="line", given=name
    )


def _wrong(number: int, line: str) -> InvalidPolicy:
    return InvalidPolicy(
        f"Line {number} of the policy cannot be followed: {line[:100]!r}. A line is: log KEY; "
        "witness NAME KEY [URL]; group NAME any|all|NUMBER NAME..; quorum NAME|none. A name is "
        "defined once, and before it is used.",
        field="line",
        given=line[:100],
    )
