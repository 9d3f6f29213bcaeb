"""What a bundle holds, what it is about, and what may be left out of it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
import sqlalchemy as sa

from ledger import Checkpoint, Ledger, Topic
from ledger.errors import (
    InconsistentCheckpoint,
    Invalid,
    InvalidBundle,
    InvalidCheckpoint,
    InvalidPolicy,
    LedgerError,
    UnknownEvent,
)
from ledger.proving import verify_bundle, writing
from ledger.signing import Policy
from tests.proving.conftest import ORIGIN, spoken


def shown(found):
    return [(one.sequence, one.type) for one in found.shown]


# -- what is in it ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_claim_comes_with_what_touched_it_and_what_it_names(
    ledger, signer, verifier_key, out, name
):
    kept = ledger.checkpoint(signer=signer)
    told = ledger.bundle(out / name, claim="c1", checkpoint=kept)
    found = verify_bundle(out / name, policy=Policy.parse(verifier_key), kept=kept)
    assert shown(found) == [
        (0, "party_registered"),
        (2, "topic_defined"),
        (3, "proposition_defined"),
        (4, "document_registered"),
        (6, "claim_recorded"),
        (8, "claims_related"),
        (9, "record_amended"),
    ]
    assert (told.entries, told.withheld, found.about) == (7, 0, {"claim": "c1"})
    assert found.shown[4].said["what"]["act"] == "assert"
    assert found.shown[0].said["who"]["name"] == "Weir Board"
    assert found.continues == kept.size
    assert str(found).endswith(f"signed by {ORIGIN}")


def test_a_party_comes_with_its_claims_alone(ledger, out):
    ledger.bundle(out, party="millers")
    found = verify_bundle(out)
    assert found.about == {"party": "millers"}
    assert [kind for _, kind in shown(found)] == [
        "party_registered",
        "topic_defined",
        "proposition_defined",
        "claim_recorded",
        "claims_related",
        "claim_withdrawn",
    ]


@pytest.mark.parametrize("name", ["log", "log.zip"])
def test_a_whole_log_is_all_of_it(ledger, signer, verifier_key, out, name):
    kept = ledger.checkpoint(signer=signer)
    ledger.register_all(Topic(f"t{one}", label="T") for one in range(600))
    new = ledger.checkpoint(signer=signer)
    assert ledger.bundle(out / name, checkpoint=new).entries == new.size
    for old in (kept, new, ledger.checkpoint(0), ledger.checkpoint(256), ledger.checkpoint(257)):
        found = verify_bundle(out / name, policy=Policy.parse(verifier_key), kept=str(old))
        assert (found.entries, found.root, found.continues) == (new.size, new.root.hex(), old.size)


def test_an_empty_log_is_a_bundle_too(database, out):
    with Ledger.open(database, origin=ORIGIN) as ledger:
        ledger.bundle(out)
    assert verify_bundle(out).size == 0


def test_what_is_withheld_is_told_and_cannot_be_read(ledger, out):
    for mistyped in ("99:words", "0:words"):
        with pytest.raises(Invalid, match=f"{mistyped} cannot be withheld: no entry"):
            ledger.bundle(out, claim="c1", withhold=["who", mistyped])
        assert not out.exists()
    told = ledger.bundle(out, claim="c1", withhold=["words", "0:who"])
    found = verify_bundle(out)
    assert told.withheld == 4
    assert [(one.sequence, dict(one.missing)) for one in found.incomplete] == [
        (0, {"who": "withheld"}),
        (4, {"words": "withheld"}),
        (6, {"words": "withheld"}),
        (9, {"words": "withheld"}),
    ]
    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for words in (b"Weir Board", b"says the board", b"read aloud"):
        assert words not in everything
    assert b"The weir is safe" in everything


WHY: dict[str, Any] = {"reason": "asked for", "authority": "privacy officer"}


def test_what_was_erased_is_told_with_when_and_why(ledger, out):
    ledger.bundle(out / "before", claim="c1")
    before = ledger.checkpoint()
    ledger.erase("c1", **WHY)
    ledger.bundle(out / "claim", claim="c1", withhold=["by", "what"])
    ledger.bundle(out / "whole")
    erasures = [one for one in ledger.events() if one.type == "content_erased"]
    told = {
        seq: f"erased by #{one.sequence} on {one.recorded:%Y-%m-%d}, because asked for, by the "
        "authority of privacy officer"
        for seq, one in zip((6, 9), erasures, strict=True)
    }
    found = verify_bundle(out / "claim")
    gaps = {one.sequence: dict(one.missing) for one in found.incomplete}
    assert {seq: gaps[seq]["words"] for seq in told} == told
    assert found.incomplete[0].missing["what"] == "withheld"
    assert [one.type for one in found.shown[-2:]] == ["content_erased", "content_erased"]
    assert found.shown[-1].said["what"]["slots"] == ["words"]
    whole = verify_bundle(out / "whole", kept=before)
    assert {one.sequence: one.missing["words"] for one in whole.incomplete} == told
    everything = b"".join(
        path.read_bytes() for path in (out / "whole").rglob("*") if path.is_file()
    )
    assert b"read aloud" not in everything
    assert verify_bundle(out / "before").entries == 7


def test_a_claim_that_lost_its_claimant_leaves_with_its_erasure(ledger, out):
    ledger.erase("c1", slots=["who", "what", "words"], **WHY)
    (lost,) = ledger.claims().lost
    ledger.bundle(out, claim=lost.record)
    found = verify_bundle(out)
    assert all("erased by #" in why for one in found.incomplete for why in one.missing.values())


def test_growth_is_shown_if_it_was_asked_for(ledger, out, tmp_path):
    kept = ledger.checkpoint(4)
    ledger.bundle(out, claim="c1", since=kept)
    assert verify_bundle(out, kept=kept).continues == 4
    with pytest.raises(InconsistentCheckpoint, match="Ask for a proof from there"):
        verify_bundle(out, kept=ledger.checkpoint(5))
    ledger.bundle(tmp_path / "without", claim="c1")
    with pytest.raises(InconsistentCheckpoint, match="claims bundle --since"):
        verify_bundle(tmp_path / "without", kept=kept)
    rewritten = Checkpoint(kept.origin, kept.size, bytes(32))
    with pytest.raises(LedgerError, match="rewritten"):
        verify_bundle(out, kept=rewritten)


# -- what it is about ---------------------------------------------------------------------------


def recalled(path, **changes):
    """The bundle in a folder, with other words in its bundle.json."""
    told = json.loads((path / "bundle.json").read_text()) | changes
    (path / "bundle.json").write_text(json.dumps(told))
    return verify_bundle(path)


def test_a_bundle_names_what_it_is_about_by_either_id(ledger, out):
    ledger.bundle(out / "claim", claim="c1")
    ledger.bundle(out / "party", party="millers")
    assert f"of {ORIGIN}, about claim 'c1', root" in str(verify_bundle(out / "claim"))
    assert f"of {ORIGIN}, about party 'millers', root" in str(verify_bundle(out / "party"))
    for name, kind, sequence in (("claim", "claim", 6), ("party", "party", 1)):
        id_ = json.loads((out / name / f"entries/{sequence}.json").read_text())["id"]
        assert recalled(out / name, about={kind: id_}).about == {kind: id_}
    ledger.withdraw("c1", id="w1", claimant="board", uttered="2024-03-06")
    ledger.bundle(out / "withdrawal", claim="w1")
    assert not verify_bundle(out / "withdrawal").about_unseen
    ledger.bundle(out / "log")
    assert not recalled(out / "log", about={"claim": "c2", "party": "other"}).about_unseen


def test_a_bundle_about_something_else_than_it_holds_is_refused(ledger, out):
    ledger.bundle(out / "claim", claim="c2", withhold=["2:what", "words"])
    ledger.bundle(out / "log")
    for name in ("claim", "log"):
        for about in ({"claim": "c9"}, {"party": "c2"}, {"claim": "c2", "party": "safe"}):
            with pytest.raises(InvalidBundle, match="which is not among its entries"):
                recalled(out / name, about=about)
    with pytest.raises(InvalidBundle, match="about the claim 'c1'"):
        recalled(out / "claim", about={"claim": "c1"})
    with pytest.raises(InvalidBundle, match=r"bundle\.json does not say"):
        recalled(out / "claim", about={"topic": "weir"})
    with pytest.raises(InvalidBundle, match="nothing of that is in it"):
        recalled(out / "claim", about={"claim": "c2"}, sequences=[])
    assert recalled(out / "claim", about={}, sequences=[]).entries == 0


def test_where_its_id_is_not_disclosed_what_a_bundle_is_about_is_the_sender_s_word(ledger, out):
    ledger.bundle(out / "claim", claim="c1", withhold=["what"])
    ledger.bundle(out / "party", party="millers", withhold=["1:who"])
    ledger.erase("other", slots=["who"], **WHY)
    ledger.bundle(out / "log")
    for found in (
        verify_bundle(out / "claim"),
        verify_bundle(out / "party"),
        recalled(out / "log", about={"party": "anybody"}),
    ):
        assert found.about_unseen
        assert "(as the sender says: " in str(found)
    id_ = json.loads((out / "claim" / "entries/6.json").read_text())["id"]
    assert not recalled(out / "claim", about={"claim": id_}).about_unseen


def test_a_party_that_said_nothing_comes_alone(ledger, out):
    ledger.bundle(out, party="other")
    assert shown(verify_bundle(out)) == [(5, "party_registered")]


def test_a_party_under_a_name_of_before_a_merge_comes_with_both(ledger, out):
    ledger.merge("millers", "other")
    ledger.bundle(out, party="other")
    found = verify_bundle(out)
    assert (found.about, found.about_unseen) == ({"party": "millers"}, False)


# -- what is refused ----------------------------------------------------------------------------


def test_nothing_is_overwritten_or_left_half_written(ledger, out, tmp_path):
    out.mkdir()
    ledger.bundle(out, claim="c1")
    (tmp_path / "file.zip").write_text("mine")
    for path in (out, tmp_path / "file.zip"):
        with pytest.raises(InvalidBundle, match="there already"):
            ledger.bundle(path, claim="c1")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(LedgerError):
        ledger.bundle(tmp_path / "new", claim="c1", since=Checkpoint(ORIGIN, 2, bytes(32)))
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file.zip").read_text() == "mine"


@pytest.mark.parametrize("given", ["", "name", "x:who", "who:1", "-1:who"])
def test_what_is_no_slot_cannot_be_withheld(ledger, out, given):
    with pytest.raises(Invalid, match="cannot be withheld"):
        ledger.bundle(out, withhold=[given])
    assert not out.exists()


def test_a_claim_and_a_party_are_two_bundles(ledger, out):
    with pytest.raises(Invalid, match="give one of them"):
        ledger.bundle(out, claim="c1", party="board")


@pytest.mark.parametrize("of", [{"claim": "c1"}, {"party": "board"}])
@pytest.mark.parametrize("moment", range(4))
def test_a_bundle_is_of_the_moment_of_its_checkpoint(database, out, of, moment):
    """Another ledger takes the claim back as this one begins to look for the n-th time."""
    if database == "sqlite://":
        pytest.skip("a database in memory is one ledger's")
    with Ledger.open(database, origin=ORIGIN) as other:
        size = spoken(other).checkpoint().size
        engine = sa.create_engine(database)
        looks = itertools.count()

        def look(_conn):
            if next(looks) == moment:
                other.withdraw("c1", claimant="board", uttered="2024-03-06")
                other.erase("c1", **WHY)

        sa.event.listen(engine, "begin", look)
        told = Ledger(engine, origin=ORIGIN).bundle(out, **of)
        engine.dispose()
    found = verify_bundle(out)
    touched = [one.type for one in found.shown if one.sequence >= size]
    counted = ["claim_withdrawn", "content_erased", "content_erased"]
    assert touched == (counted if told.size > size else [])
    assert "withheld" not in str(found)


def test_a_whole_log_up_to_a_checkpoint_before_an_erasure_is_refused(ledger, out):
    before = ledger.checkpoint()
    ledger.erase("c1", slots="words", **WHY)
    with pytest.raises(InvalidBundle, match=r"lost 2 slots to erasures that came later.*newer"):
        ledger.bundle(out, checkpoint=before)
    assert not out.exists()
    ledger.bundle(out)
    assert "withheld" not in str(verify_bundle(out, kept=before))


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_place_that_cannot_be_written_is_told_with_its_path(ledger, tmp_path, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidBundle, match=f"file/{name}' cannot be written: "):
        ledger.bundle(tmp_path / "file" / name, claim="c1")


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_what_is_refused_leaves_no_folder_that_was_made_for_it(ledger, tmp_path, name):
    (tmp_path / "kept").mkdir()
    place = tmp_path / "kept" / "new" / "newer" / name
    with pytest.raises(Invalid, match="cannot be withheld"):
        ledger.bundle(place, claim="c1", withhold=["99:who"])
    assert [*(tmp_path / "kept").iterdir()] == []
    ledger.bundle(place, claim="c1")
    assert verify_bundle(place).about == {"claim": "c1"}


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_until_it_is_whole_it_has_a_name_that_tells_what_it_is_to_be(
    ledger, tmp_path, monkeypatch, name
):
    desk = tmp_path / "desk"
    seen: list[str] = []

    def interrupted(*_):
        seen.extend(path.name for path in desk.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(writing._Writer, "some", interrupted)
    desk.mkdir()
    with pytest.raises(KeyboardInterrupt):
        ledger.bundle(desk / name, claim="c1")
    (part,) = seen
    assert part.startswith(f"{name}.")
    assert part.endswith(".part")
    assert [*desk.iterdir()] == []


def test_a_claim_that_was_changed_after_the_checkpoint_needs_a_newer_one_and_this_as_since(
    ledger, out
):
    early = ledger.checkpoint(8)  # c1 and c2 are in, and what became of them is not
    with pytest.raises(UnknownEvent, match=r"goes on to sequence \d+\. .* give this one as since="):
        ledger.bundle(out / "early", claim="c1", checkpoint=early)
    assert not (out / "early").exists()
    ledger.bundle(out / "now", claim="c1", since=early)
    found = verify_bundle(out / "now", kept=early)
    assert found.continues == 8
    recorded = [one.sequence for one in found.shown if one.type == "claim_recorded"]
    assert max(recorded) < 8 < found.size


@pytest.mark.parametrize("given", [5, None, b"out.zip"])
def test_what_is_no_path_is_no_bundle(given):
    with pytest.raises(InvalidBundle, match=r"is no path\. Write verify_bundle\('weir\.zip'\)"):
        verify_bundle(given)


def test_a_policy_is_asked_with_the_text_of_a_checkpoint_and_is_no_text_itself(
    ledger, signer, verifier_key, out
):
    kept = str(ledger.checkpoint(signer=signer))
    policy = Policy.parse(verifier_key)
    assert policy.check(kept).logs == (ledger.origin,)
    assert policy.reached(kept)
    ledger.bundle(out / "c1", claim="c1")
    with pytest.raises(InvalidPolicy, match=r"Policy\.parse\(verifier_key\)"):
        verify_bundle(out / "c1", policy=verifier_key)
    with pytest.raises(InvalidCheckpoint, match="read_text"):
        verify_bundle(out / "c1", kept=out / "checkpoint.txt")
