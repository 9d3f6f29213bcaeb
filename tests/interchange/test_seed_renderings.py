"""The seed article is the same ledger, whether it comes as JSON Lines, as brat, or by calls."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.codec.converter import type_name, unstructure
from ledger.interchange import import_file
from tests.acceptance import seed as calls
from tests.interchange import renderings


@pytest.fixture(scope="module")
def folder(shared):
    return shared("data/seed")


@pytest.fixture(scope="module")
def seed(folder):
    return json.loads((folder / "claims.json").read_text("utf-8"))


def content(ledger):
    """What a log says, event by event, with the things named by their hosts' ids."""
    names, told = {}, []
    for stored in ledger.events():
        event = stored.event
        names[stored.id] = getattr(event, "key", None) or stored.id
        if utterance := getattr(event, "utterance", None):
            names[utterance] = event.utterance_key
        text = json.dumps(unstructure(event), sort_keys=True, ensure_ascii=False)
        for id_, name in names.items():
            text = text.replace(id_, name)
        told.append((type_name(event), text))
    return sorted(told)


def written(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def clean(account):
    assert (account.refused, account.skipped) == (0, 0), account.refusals[:3]
    return account


@pytest.fixture
def called(folder):
    with Ledger.open(":memory:") as ledger:
        calls.load(ledger, folder)
        yield ledger


@pytest.fixture
def from_lines(folder, seed, tmp_path):
    text = (folder / "article.txt").read_bytes().decode()
    with Ledger.open(":memory:") as ledger:
        lines = renderings.lines(seed, text)
        account = clean(import_file(ledger, written(tmp_path / "seed.jsonl", lines)))
        assert account.accepted == len(lines)
        yield ledger


@pytest.fixture
def from_brat(folder, seed, tmp_path):
    with Ledger.open(":memory:") as ledger:
        lines = renderings.surroundings(seed)
        clean(import_file(ledger, written(tmp_path / "around.jsonl", lines)))
        (tmp_path / "article.txt").write_bytes((folder / "article.txt").read_bytes())
        (tmp_path / "article.ann").write_text(renderings.standoff(seed), encoding="utf-8")
        mapping = {"document": renderings.document(seed)}
        account = clean(import_file(ledger, tmp_path / "article.ann", mapping=mapping))
        assert account.accepted == 1 + 16 + len(list(calls.relations(seed)))
        yield ledger


def test_json_lines_give_the_ledger_that_calls_give(called, from_lines):
    assert content(from_lines) == content(called)


def test_brat_gives_the_ledger_that_json_lines_give(from_brat, from_lines, seed):
    assert content(from_brat) == content(from_lines)
    brat, lines = (one.as_of(said="2026-01-01") for one in (from_brat, from_lines))
    for party in seed["parties"]:
        for proposition in seed["propositions"]:
            one = brat.position(party["id"], proposition["id"])
            other = lines.position(party["id"], proposition["id"])
            assert str(one) == str(other)


def test_a_second_import_adds_nothing(from_brat, tmp_path, seed):
    size = from_brat.checkpoint().size
    mapping = {"document": renderings.document(seed)}
    account = import_file(from_brat, tmp_path / "article.ann", mapping=mapping)
    assert (account.accepted, account.refused) == (0, 0)
    assert from_brat.checkpoint().size == size
