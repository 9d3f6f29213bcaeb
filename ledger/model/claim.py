"""The claim: one act of saying, with its speech act, stance, times and words; and its relations.

Speech acts follow Searle and the CAMEO cue categories, stance SemEval-2016 Task 6, factuality
FactBank, relations CiTO where it has the name. The lists are open by namespace (`x-host:..`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ledger.errors import InvalidClaim, InvalidRelation
from ledger.model.attribution import Chain, Link, check_chain
from ledger.model.fields import (
    DateLike,
    date_or_none,
    text_or_none,
    to_extra,
    to_id_or_none,
    to_ids,
    to_language,
    to_note,
)
from ledger.model.moment import Edtf
from ledger.model.quotation import Quotation
from ledger.model.text import bare, check_id, did_you_mean, near, show

NEEDS_AIM: Final = frozenset(
    {"call_for", "demand", "offer", "commit", "threaten", "accept", "reject"}
)
FIXED_STANCE: Final[Mapping[str, str]] = {
    "deny": "opposes",
    "reject": "opposes",
    "accept": "supports",
    "decline_to_comment": "undeclared",
    "avoid": "undeclared",
    "reference_only": "undeclared",
}
ACTS: Final = frozenset(
    {"assert", "characterise", "accuse", "predict"} | NEEDS_AIM | FIXED_STANCE.keys()
)
STANCES: Final = ("supports", "opposes", "neutral", "mixed", "undeclared")
FACTUALITIES: Final = ("certain", "probable", "possible", "uncommitted")
CAPACITIES: Final = ("official", "personal")

REFERRING_BACK: Final = frozenset(
    {"reverses", "reaffirms", "updates", "replies_to", "denies_attribution"}
)
"""Relations whose first claim is later than the second, whatever their dates say."""

AGREEING: Final = frozenset({"paraphrases", "elaborates", "supports", "reaffirms"})
RELATIONS: Final = frozenset(
    {
        "paraphrases",
        "elaborates",
        "supports",
        "disputes",
        "divergent_characterisation",
        "presupposes",
        "cites_as_authority",
    }
    | REFERRING_BACK
)


def one_of(value: str, known: Sequence[str], field: str) -> str:
    """Refuse a word that is not of a closed list."""
    if value not in known:
        raise InvalidClaim(
            f"There is no {field} {show(value)}. Write one of {', '.join(known)}.",
            field=field,
            given=value,
        )
    return bare(value)


def _open_word(value: str, known: frozenset[str], field: str) -> bool:
    """Whether a word is ours or namespaced."""
    if not isinstance(value, str) or value in known:
        return isinstance(value, str)
    return ":" in value and not value.startswith(":") and bool(check_id(value, field=field))


def check_act(act: str) -> str:
    """Refuse an act that is neither ours nor namespaced."""
    if not _open_word(act, ACTS, "act"):
        raise InvalidClaim(
            f"There is no speech act {show(act)}.{did_you_mean(near(str(act), ACTS))} Write one of "
            f"{', '.join(sorted(ACTS))}, or an own one with a namespace, such as 'x-host:shout'.",
            field="act",
            given=act,
        )
    return bare(act)


def check_relation(relation: str) -> str:
    """Refuse a relation that is neither ours nor namespaced."""
    if not _open_word(relation, RELATIONS, "relation"):
        raise InvalidRelation(
            f"There is no relation {show(relation)}."
            f"{did_you_mean(near(str(relation), RELATIONS))} "
            f"Write one of {', '.join(sorted(RELATIONS))}, or an own one with a namespace.",
            field="relation",
            given=relation,
        )
    return bare(relation)


def check_act_stance(act: str, stance: str) -> None:
    """Refuse a stance that its act cannot take (model.md, 1: acts and stance)."""
    fixed = FIXED_STANCE.get(act)
    if fixed is not None and stance != fixed:
        raise InvalidClaim(
            f"To {act} is to take the stance {fixed!r}, not {stance!r}. "
            f'Write stance="{fixed}", or choose another act.',
            field="stance",
            given=stance,
        )


def usual_stance(act: str) -> str:
    """The stance that an act takes where none is given."""
    return FIXED_STANCE.get(act, "supports")


def other_side(stance: str) -> str:
    """The stance on a proposition of whoever takes this one on its negation."""
    return {"supports": "opposes", "opposes": "supports"}.get(stance, stance)


def is_opposite(act: str, stance: str, shown: str) -> bool:
    """Whether an act is about the opposite of what it is shown on: who denied that supports this.

    Its `stance` is then shown as the other one. Of an act that took the other side than it usually
    does neither way reads right, and so it is no such one.
    """
    return shown != stance and stance == usual_stance(act)


def check_act_kind(act: str, kind: str, proposition: str) -> None:
    """Refuse an act that wants something of a proposition that is a plain fact."""
    if act in NEEDS_AIM and kind != "aim":
        raise InvalidClaim(
            f"{act} wants something, and {show(proposition)} is a fact (is it so?). Define an "
            'aim (is it wanted?) for it: Proposition(..., kind="aim").',
            field="proposition",
            given=proposition,
        )


def to_factuality(value: str | None) -> str:
    """One of FactBank's commitments; certain, if left out."""
    return "certain" if value is None else one_of(value, FACTUALITIES, "factuality")


def to_capacity(value: str | None) -> str:
    """Official or personal; official, if left out."""
    return "official" if value is None else one_of(value, CAPACITIES, "capacity")


def _stance(value: str | None) -> str:
    return "" if value is None else one_of(value, STANCES, "stance")


def _utterance(value: str | None) -> str | None:
    return None if value is None else check_id(value, field="utterance")


def _uttered(value: DateLike | None) -> Edtf | None:
    return date_or_none(value, "uttered")


def _about(value: DateLike | None) -> Edtf | None:
    return date_or_none(value, "about")


def _expires(value: DateLike | None) -> Edtf | None:
    return date_or_none(value, "expires")


def _conditions(value: str | None) -> str | None:
    return text_or_none(value, "conditions")


def _basis(value: str | None) -> str | None:
    return text_or_none(value, "basis")


def _quote(value: Any) -> Quotation | None:
    return None if value is None else Quotation.of(value)


def _chains(value: Sequence[Link] | Sequence[Sequence[Link]] | None) -> tuple[Chain, ...]:
    if not value:
        return ()
    if isinstance(value, Sequence) and not any(isinstance(one, str | Link) for one in value):
        return tuple(map(check_chain, value))
    return (check_chain(value),)


@attrs.frozen(kw_only=True)
class Claim:
    """A claim to record; parties, propositions and documents are given by their ids.

    Who: `claimant` (several are alternatives: the attribution is ambiguous; none: the text names
    nobody), `via` (reporters, outermost first) and `on_behalf_of`; or `chain`, the links in full
    (a list of chains where they are alternatives). What: `proposition`, `act`, `stance`,
    `factuality`. When: `uttered`, `about`, `expires`, all EDTF. Where: `document` and `quote`.
    `utterance` names the speaking occasion that several claims or reports share.

    Raises:
        InvalidClaim: an unknown act, stance, factuality or capacity, or an act with a stance it
            cannot take.
        InvalidDate: a date outside the EDTF subset.

    Example:
        >>> Claim(claimant="ru-mod", act="assert", proposition="road-blocked").stance
        'supports'
    """

    proposition: str
    act: str = attrs.field(converter=check_act)
    stance: str = attrs.field(default=None, converter=_stance)
    claimant: tuple[str, ...] = attrs.field(default=(), converter=to_ids)
    via: tuple[str, ...] = attrs.field(default=(), converter=to_ids)
    on_behalf_of: tuple[str, ...] = attrs.field(default=(), converter=to_ids)
    chain: tuple[Chain, ...] = attrs.field(default=(), converter=_chains)
    factuality: str = attrs.field(default="certain", converter=to_factuality)
    capacity: str = attrs.field(default="official", converter=to_capacity)
    uttered: Edtf | None = attrs.field(default=None, converter=_uttered)
    about: Edtf | None = attrs.field(default=None, converter=_about)
    expires: Edtf | None = attrs.field(default=None, converter=_expires)
    utterance: str | None = attrs.field(default=None, converter=_utterance)
    document: str | None = None
    quote: Quotation | None = attrs.field(default=None, converter=_quote)
    conditions: str | None = attrs.field(default=None, converter=_conditions)
    addressees: tuple[str, ...] = attrs.field(default=(), converter=to_ids)
    mentions: tuple[str, ...] = attrs.field(default=(), converter=to_ids)
    language: str | None = attrs.field(default=None, converter=to_language)
    basis: str | None = attrs.field(default=None, converter=_basis)
    note: str | None = attrs.field(default=None, converter=to_note)
    extra: Mapping[str, Any] = attrs.field(factory=dict, converter=to_extra)
    id: str | None = attrs.field(default=None, converter=to_id_or_none)

    def __attrs_post_init__(self) -> None:
        """Stance fits act, and there is one way to say who."""
        if not self.stance:
            object.__setattr__(self, "stance", usual_stance(self.act))
        check_act_stance(self.act, self.stance)
        if self.chain and (self.via or self.on_behalf_of):
            raise InvalidClaim(
                "A chain says everything about who: leave via= and on_behalf_of= out beside "
                "chain=, or leave chain= out.",
                field="chain",
                given=self.via or self.on_behalf_of,
            )


@attrs.frozen
class Relation:
    """A typed edge from one claim to another.

    Example:
        >>> Relation("C12", "divergent_characterisation", "C08").relation
        'divergent_characterisation'
    """

    claim: str
    relation: str = attrs.field(converter=check_relation)
    target: str
    note: str | None = attrs.field(default=None, converter=to_note, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """A claim has no relation to itself."""
        if self.claim == self.target:
            raise InvalidRelation(
                f"Claim {show(self.claim)} cannot be related to itself. Name two claims.",
                field="target",
                given=self.target,
            )
