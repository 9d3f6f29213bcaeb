"""The table of losses is true: what it calls carried is in the file, what it calls lost is not."""

from __future__ import annotations

import hashlib
import io

import attrs
import pytest

from ledger import Ledger, Topic
from ledger.errors import Invalid
from ledger.interchange.out.exporting import FORMATS, export
from ledger.interchange.out.leaving import KINDS, leaving
from ledger.interchange.out.losses import FIELDS, loss_report, losses
from tests.interchange.out.conftest import AT, BACK, TEXT

SENTINELS = {
    "party.name": "Partysentinel",
    "party.kind": "x-host:kindsentinel",
    "name.name": "Namesentinel",
    "name.period": "1871-02-03",
    "name.rank": "471123",
    "name.language": "tlh",
    "membership.role": "belongsentinel",
    "membership.period": "1872-03-04",
    "topic.id": "t1",
    "topic.label": "Topicsentinel",
    "proposition.text": "Propositionsentinel",
    "merge.reason": "reasonsentinel",
    "occurrence.id": "o1",
    "occurrence.label": "Occurrencesentinel",
    "document.published": "1993-05",
    "document.title": "Titlesentinel",
    "document.url": "https://urlsentinel.example/1",
    "document.language": "qqd",
    "document.sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
    "document.length": str(len(TEXT)),
    "document.text": "Textsentinel",
    "claim.id": "claimsentinel",
    "claim.chain": "linkrolesentinel",
    "claim.link_words": "Wordsentinel",
    "claim.capacity": "personal",
    "claim.act": "x-host:actsentinel",
    "claim.stance": "mixed",
    "claim.factuality": "probable",
    "claim.uttered": "1993-04-21",
    "claim.about": "1874-06-07",
    "claim.expires": "2875-07-08",
    "claim.utterance": "utterancesentinel",
    "claim.conditions": "conditionsentinel",
    "claim.language": "qqc",
    "claim.quote": "Quotesentinel",
    "claim.quote.ranges": str(AT),
    "claim.quote.context": "ahead of it ",
    "claim.quote.renderings": "Renderingsentinel",
    "claim.basis": "basissentinel",
    "claim.note": "remarksentinel",
    "claim.extra": "extrasentinel",
    "withdrawal.id": "withdrawalsentinel",
    "withdrawal.uttered": "1994-04-21",
    "withdrawal.utterance": "backutterance",
    "withdrawal.quote": "Backsentinel",
    "withdrawal.quote.context": ", they take",
    "withdrawal.note": "backnotesentinel",
    "relation.relation": "relationsentinel",
    "relation.note": "relationnotesentinel",
    "entry.recorded": "2031-07-08",
    "entry.recorder": "desksentinel",
    "entry.recorder name and tool": "Recordernamesentinel",
    "entry.correlation, causation": "correlationsentinel",
    "history.earlier wordings, amendments, corrections, what was struck out": "earlierwording",
}
"""Fields whose value can be told from all others in a file, and those values."""


def words_in(text):
    return text.replace("%3A", ":").replace("\\u003a", ":")


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_called_carried_is_there_and_what_is_called_lost_is_not(full, exported, name):
    text, lost = words_in(exported(full, name)), losses(name)
    missing = [one for one, value in SENTINELS.items() if one not in lost and value not in text]
    present = [
        one
        for one, value in SENTINELS.items()
        if one in lost and lost[one][0] == "no" and value in without_texts(text, one)
    ]
    assert (missing, present) == ([], [])


def without_texts(text, field):
    """A text of a document holds words that are quoted from it: those are its own."""
    if "quote" in field or "link_words" in field:
        return text.replace(TEXT, "").replace(BACK, "")
    return text


@pytest.mark.parametrize("name", FORMATS)
def test_the_report_counts_what_would_be_lost_of_a_view(full, name):
    report = loss_report(full.as_of(), name)
    assert {one.field for one in report} <= set(losses(name))
    assert str(report)
    for one in report:
        assert one.records > 0
    if name == "popolo":
        counted = {one.field: one.records for one in report}
        assert (counted["claim.act"], counted["relation.note"], counted["merge.reason"]) == (
            2,
            1,
            1,
        )
        assert (
            counted["history.earlier wordings, amendments, corrections, what was struck out"] == 1
        )


def test_a_field_that_no_record_has_is_no_loss():
    with Ledger.open(":memory:") as ledger:
        ledger.register(Topic("dam", label="The dam"))
        assert {one.field for one in loss_report(ledger.as_of(), "popolo")} >= {"topic.label"}
        assert not any(one.field.startswith("claim") for one in loss_report(ledger.as_of(), "cito"))
        assert str(loss_report(ledger.as_of(), "log")).endswith("carries all of it")


def test_every_field_of_every_record_that_leaves_is_in_the_table(full):
    held = {
        f"{record.kind}.{field.name}"
        for record in leaving(full.as_of())
        for field in attrs.fields(type(record.event))
    }
    ours = {"key": "id", "utterance_key": "utterance", "chains": "chain"}
    spoken = {
        f"{kind}.{ours.get(field, field)}"
        for kind, _, field in (one.partition(".") for one in held)
        if field != "utterance"
    }
    assert {record.kind for record in leaving(full.as_of())} == set(KINDS)
    assert spoken - {"merge.negated"} <= set(FIELDS)
    assert "merge.negated" in FIELDS


def test_a_format_that_is_none_is_told_with_near_ones(full):
    with pytest.raises(Invalid, match="Did you mean 'popolo'"):
        losses("popollo")
    with pytest.raises(Invalid, match="There is no format 'word'"):
        export(full.as_of(), "word", io.BytesIO())
