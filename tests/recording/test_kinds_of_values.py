"""What may be handed in for a text, what counts as left out, and which of several was refused."""

from __future__ import annotations

import enum
from typing import Any

import attrs
import numpy as np
import pytest

from ledger import Claim, Document, Membership, Party, Proposition, Topic
from ledger.errors import UnknownParty, UnknownTopic

# -- what counts as a text, and what as left out -------------------------------------------------


class Word(enum.StrEnum):
    """As an application names them: a member of an enum is a text, as numpy's texts are."""

    ID = "c5"
    CLAIMANT = "board"
    ACT = "deny"
    STANCE = "opposes"
    PROPOSITION = "bridge-open"
    UTTERED = "2023-02-20"
    DOCUMENT = "gazette-1"
    QUOTE = "the lower bridge is open"
    FACTUALITY = "probable"
    CAPACITY = "personal"
    UTTERANCE = "press-hour"
    LANGUAGE = "en"
    NOTE = "a note"
    CONDITIONS = "if dry"


@pytest.mark.parametrize("kind", [Word, np.str_], ids=["enum", "numpy"])
def test_a_text_of_a_class_of_its_own_is_a_text(town, kind):
    fields = {word.name.lower(): kind(word) for word in Word}
    with town.tagged(correlation=kind("c5")):
        town.record(**fields, extra={kind("en"): [kind("c5")]})
    town.register(Membership("stranger", kind("board"), role=kind("a note")))
    town.amend("c5", stance=kind("opposes"), reason=kind("a note"))
    (stored,) = [one for one in town.events(types="claim_recorded") if one.event.key == "c5"]
    texts = (stored.event.act, stored.event.stance, stored.event.uttered.text, stored.event.key)
    assert texts == ("deny", "opposes", "2023-02-20", "c5")
    assert {type(text) for text in texts} == {str}


def test_none_is_left_out(town):
    """As it comes of a row or a form, in which a field that nobody filled in is None."""
    fields = {field.name: None for field in attrs.fields(Claim)}
    town.record(**fields | {"id": "c6", "act": "deny", "proposition": "bridge-open"})
    given = next(one.event for one in town.events(types="claim_recorded") if one.event.key == "c6")
    assert (given.stance, given.factuality, given.capacity, given.extra) == (
        "opposes",
        "certain",
        "official",
        {},
    )


# -- several at once ----------------------------------------------------------------------------


def test_which_of_several_was_refused_is_noted(town, unchanged):
    said: dict[str, Any] = {"act": "assert", "proposition": "bridge-open"}
    claims = [Claim(id=f"c1{n}", claimant=who, **said) for n, who in enumerate(("board", "bord"))]
    with unchanged(town), pytest.raises(UnknownParty) as caught:
        town.record_all(claims)
    (note,) = caught.value.__notes__
    assert note.startswith("It is at place 1 of the list, from 0: 'c11'.")
    nouns: list[Any] = [
        Document("d", publisher=Party("sea", name="Sea"), text="It is high."),
        Topic("t", label="T"),
        Proposition("p", text="P", topic="nope"),
    ]
    with unchanged(town), pytest.raises(UnknownTopic) as refused:
        town.register_all(nouns)
    (note,) = refused.value.__notes__
    assert note.startswith("It is at place 2 of the list, from 0: 'p'.")
