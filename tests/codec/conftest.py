"""What the tests of the codec share: one full event of every stored type, and rows made of it."""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
from hypothesis import strategies as st

from ledger.codec import converter
from ledger.codec.entry import Draft, Row
from ledger.codec.envelope import seal_all
from ledger.model import events as ev
from ledger.model.moment import Edtf
from ledger.model.period import ALWAYS, Period
from ledger.model.quotation import MODES, Quotation

NOON = dt.datetime(2023, 2, 23, 12, 0, 0, 5, tzinfo=dt.UTC)
RECORDER = ev.Recorder(id="desk-7", name="The evening desk", tool="by hand")

BOARD = "00000000-0000-7000-8000-0000000000b0"
MINISTRY = "00000000-0000-7000-8000-0000000000c0"
PAPER = "00000000-0000-7000-8000-0000000000d0"
CLAIM = "00000000-0000-7000-8000-0000000000e0"
OTHER = "00000000-0000-7000-8000-0000000000f0"
EVENT = "00000000-0000-7000-8000-000000000aa0"
STREAM = "00000000-0000-7000-8000-000000000bb0"

CHAINS = (
    (
        ev.ChainLink(PAPER, "reports"),
        ev.ChainLink(BOARD, "says", "speaker of the board"),
        ev.ChainLink(MINISTRY, "on_behalf_of"),
    ),
    (ev.ChainLink(MINISTRY, "cited"),),
)
QUOTE = Quotation(
    exact="the lower bridge open",
    ranges=((4, 20), (24, 28)),
    mode="mixed",
    prefix="say ",
    suffix=".",
)
LINK_WORDS = (
    ev.LinkWords(chain=0, link=1, words=Quotation(exact="the board", ranges=((30, 39),))),
    ev.LinkWords(chain=1, link=0, cue=Quotation(exact="according to", mode="reference")),
)

FULL: Mapping[str, ev.Event] = {
    "party_registered": ev.PartyRegistered(
        key="two-banks", name="Рада двух берегов", kind="joint", members=(BOARD, MINISTRY)
    ),
    "party_named": ev.PartyNamed(
        party=BOARD,
        name="Riverside",
        metonym=True,
        period=Period.parse("1991-10-18", "unknown"),
        rank=2,
        language="en",
    ),
    "membership_recorded": ev.MembershipRecorded(
        member=BOARD,
        organisation=MINISTRY,
        role="technical arm",
        period=Period.parse("1991", "2004-06", bounds="closed"),
        speaks_for=False,
    ),
    "parties_merged": ev.PartiesMerged(kept=BOARD, merged=OTHER, reason="one board, two spellings"),
    "topic_defined": ev.TopicDefined(key="bridges", label="Bridges of the town", part_of=OTHER),
    "proposition_defined": ev.PropositionDefined(
        key="open-bridge", text="The lower bridge be opened", kind="aim", topics=(OTHER,)
    ),
    "propositions_merged": ev.PropositionsMerged(
        kept=OTHER, merged=CLAIM, negated=True, reason="one says shut, the other open"
    ),
    "occurrence_described": ev.OccurrenceDescribed(
        key="flood", label="The flood of the lower town", propositions=(OTHER, CLAIM)
    ),
    "document_registered": ev.DocumentRegistered(
        key="gazette/17",
        publisher=PAPER,
        sha256="5f" * 32,
        length=41,
        published=Edtf.parse("2023-02-22?"),
        title="Bridge “soon” open",
        url="https://gazette.example/17",
        language="en",
        text="They say the lower bridge is open, 💧 says the board.",
    ),
    "document_revised": ev.DocumentRevised(document=OTHER, revises=PAPER),
    "claim_recorded": ev.ClaimRecorded(
        chains=CHAINS,
        addressees=(MINISTRY,),
        mentions=(PAPER, BOARD),
        capacity="personal",
        key="C1",
        proposition=OTHER,
        act="x-host:murmur",
        stance="mixed",
        factuality="probable",
        uttered=Edtf.parse("[2022-12-12..2023-02-22]"),
        about=Edtf.parse("2023-02-01/.."),
        expires=Edtf.parse("2023-03-01T12:00:00+04:00"),
        utterance=CLAIM,
        utterance_key="evening talk",
        document=PAPER,
        conditions="if the water falls",
        language="en",
        quote=QUOTE,
        link_words=LINK_WORDS,
        basis="their own survey",
        note="two\nlines\tand a tab",
        extra={"page": 3, "seen": [True, None, {"by": ["a", "b"]}]},
    ),
    "claims_related": ev.ClaimsRelated(
        claim=CLAIM, relation="updates", target=OTHER, note="a later figure"
    ),
    "claim_withdrawn": ev.ClaimWithdrawn(
        chains=CHAINS,
        capacity="personal",
        key="W1",
        claims=(CLAIM, OTHER),
        uttered=Edtf.parse("2023-03-XX"),
        utterance=OTHER,
        utterance_key="morning talk",
        document=PAPER,
        quote=QUOTE,
        link_words=LINK_WORDS,
        note="said at the door",
    ),
    "claim_corrected": ev.ClaimCorrected(
        target=CLAIM,
        document=PAPER,
        never_said=True,
        changes={"uttered": Edtf.parse("2023-02-XX"), "capacity": "official"},
        record_type="claim_withdrawn",
        note="the printer's slip",
    ),
    "record_amended": ev.RecordAmended(
        target=CLAIM,
        strike_out=True,
        changes={
            "chains": CHAINS,
            "stance": "opposes",
            "uttered": None,
            "quote": QUOTE,
            "extra": {"page": 4},
        },
        record_type="claim_recorded",
        reason="read it again",
    ),
    "content_erased": ev.ContentErased(
        target=CLAIM, slots=("who", "words"), reason="asked for", authority="the court of the town"
    ),
}
"""One event of each stored type, every field of it other than its default."""


@pytest.fixture(params=sorted(FULL))
def full(request: pytest.FixtureRequest) -> ev.Event:
    """Each event type once, with every field filled."""
    return FULL[request.param]


@pytest.fixture
def events() -> Mapping[str, ev.Event]:
    """The full event of every type, by its stored name."""
    return FULL


@pytest.fixture(scope="session")
def sealed() -> Callable[..., Draft]:
    """`sealed(event)` is its draft, with new salts."""

    def make(event: ev.Event, *, recorder: ev.Recorder = RECORDER) -> Draft:
        new = ev.NewEvent(id=EVENT, stream=STREAM, stream_v=3, event=event)
        told: dict[str, Any] = {"recorder": recorder, "correlation": "batch-1"}
        return seal_all([new], log="town", recorded_at=NOON, **told)[0]

    return make


@pytest.fixture(scope="session")
def row_of() -> Callable[..., Row]:
    """`row_of(draft, who=None)` is the draft as stored, with columns changed."""

    def make(draft: Draft, **columns: Any) -> Row:
        row = Row(
            seq=11,
            known_at=NOON,
            id=draft.id,
            type=draft.type,
            stream=draft.stream,
            stream_v=draft.stream_v,
            entry=draft.entry,
            leaf_hash=draft.leaf_hash,
            who=draft.slots.get("who"),
            what=draft.slots.get("what"),
            words=draft.slots.get("words"),
            by=draft.slots.get("by"),
        )
        return row._replace(**columns)

    return make


# -- events from the model itself ---------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WORDS = TEXTS.filter(bool)
IDS = st.uuids(version=4).map(str)
DATES = st.dates().map(Edtf.parse) | st.sampled_from(
    [
        Edtf.parse(text)
        for text in (
            *("2023", "202X", "2023-02-22?", "2023-02-22~", "2023-XX", "2023-02-22T10:00:00+04:00"),
            *("2023-02/..", "../2023", "2022/", "[2022-12-12..2023-02-22]", "[2021,2023..]"),
        )
    ]
)
PERIODS = st.sampled_from(
    [
        ALWAYS,
        Period.of_interval("1991-10-18/.."),
        Period.of_interval("/1995"),
        Period.parse("1991~", "unknown"),
        Period.parse("unknown", "2020", bounds="closed"),
    ]
)
KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=0x7F), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def quotations(draw: st.DrawFn) -> Quotation:
    parts = draw(st.lists(WORDS, min_size=1, max_size=3))
    kept = tuple(parts) if len(parts) > 1 and draw(st.booleans()) else ()
    start = draw(st.integers(0, 2**53 - 1 - 200))
    ranges = []
    for part in parts:
        ranges.append((start, start + len(part)))
        start += len(part)
    return Quotation(
        exact=" ".join(parts),
        parts=kept,
        ranges=tuple(ranges) if draw(st.booleans()) else (),
        mode=draw(st.sampled_from(MODES)),
        prefix=draw(TEXTS),
        suffix=draw(TEXTS),
    )


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    match typing.get_origin(hint), typing.get_args(hint):
        case types.UnionType, args:
            return st.one_of(*map(values, args))
        case origin, (item, _) if origin is tuple:
            return st.lists(values(item), max_size=3).map(tuple)
        case origin, _ if origin is Mapping:
            return st.dictionaries(KEYS, JSON, max_size=3)
        case _ if hint in BY_TYPE:
            return BY_TYPE[hint]
        case _ if attrs.has(hint):
            return of_class(hint)
    raise AssertionError(hint)


BY_TYPE: Mapping[Any, st.SearchStrategy[Any]] = {
    str: WORDS | IDS,
    int: st.integers(0, 2**53 - 1),
    bool: st.booleans(),
    type(None): st.none(),
    Edtf: DATES,
    Period: PERIODS,
    Quotation: quotations(),
}


def hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def of_class(cls: type[Any]) -> st.SearchStrategy[Any]:
    fields = hints(cls)
    if "changes" not in fields:
        return st.builds(cls, **{name: values(hint) for name, hint in fields.items()})
    del fields["changes"], fields["record_type"]
    plain = st.fixed_dictionaries({name: values(hint) for name, hint in fields.items()})
    return st.builds(
        lambda fields, changed: cls(record_type=changed[0], changes=changed[1], **fields),
        plain,
        st.sampled_from(sorted(converter.TYPES)).flatmap(changes_of),
    )


def changes_of(type_: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """A record's type and new values for some of its fields."""
    of_record = {
        name: values(hint)
        for name, hint in hints(converter.TYPES[type_]).items()
        if name not in ("changes", "slots", "claims")
    }
    return st.tuples(st.just(type_), st.fixed_dictionaries({}, optional=of_record))


EVENTS = st.sampled_from(sorted(converter.TYPES)).flatmap(
    lambda type_: of_class(converter.TYPES[type_])
)


@pytest.fixture(scope="session")
def any_event() -> st.SearchStrategy[ev.Event]:
    """Events of every type, made from the types of their fields."""
    return EVENTS
