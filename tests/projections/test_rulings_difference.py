"""What a second view shows otherwise than a first: what was learnt, merged, parted, or lost."""

from __future__ import annotations

import datetime as dt

from ledger import Membership, Party


def test_a_difference_tells_what_was_learnt_late_and_what_was_newly_said(told):
    told.claim("early", "river", uttered="2023-01-03")
    told.claim("later", "river", uttered="2023-01-20", stance="opposes")
    before = told.ledger.as_of(said="2023-01-10", known=told.ledger.checkpoint().size - 1)
    told.clock.now += dt.timedelta(days=30)
    told.claim("found", "delta", uttered="2023-01-05")
    told.claim("fresh", "union", uttered="2023-03-20")
    after = told.ledger.as_of()
    found = told.ledger.diff(before, after)
    assert [row.id for row in found.learnt] == ["found", "fresh"]
    assert [row.id for row in found.newly_said] == ["later"]
    assert found.late == ("found",)
    assert [(one.party, one.through) for one in found.changed_by_late] == [("delta", ("found",))]
    assert {one.party for one in found.positions} == {"river", "delta", "union"}
    assert "(learnt, late: it had been said before)" in str(found)
    assert not told.ledger.diff(after, after)


def test_a_position_that_a_membership_changed_says_through_which_claim(told):
    told.claim("c1", "river", uttered="2023-01-03")
    known = told.ledger.checkpoint().size - 1
    link = told.ledger.register(Membership("river", "union"))
    (changed,) = told.ledger.diff(told.ledger.as_of(known=known), told.ledger.as_of()).positions
    assert (changed.party, changed.through) == ("union", ("c1",))
    assert link.sequences[0] == known + 1


def test_a_position_that_reads_otherwise_is_in_the_difference(told):
    told.claim("own", "delta", uttered="2023-01-03")
    told.claim("doubted", "river", uttered="2023-01-03")
    told.claim("perhaps", "union", uttered="[2023-01-03..2023-02-20]")
    known = told.ledger.checkpoint().size - 1
    told.ledger.amend("own", claimant="harbour", reason="it was the office")
    told.ledger.withdraw("doubted", claimant="river", uttered="[2023-01-05..2023-02-20]")
    told.ledger.amend("perhaps", act="deny", stance="opposes", reason="misread")
    before = told.ledger.as_of(said="2023-02-01", known=known)
    found = told.ledger.diff(before, told.ledger.as_of(said="2023-02-01"))
    assert {one.party: one.through for one in found.positions} == {
        "delta": ("own",),
        "harbour": ("own",),
        "river": ("doubted",),
        "union": ("perhaps",),
    }
    lines = str(found).splitlines()
    assert "delta on quay: supports (assert) -> supports* (assert)" in lines
    assert "river on quay: supports (assert) -> supports (assert), possibly withdrawn" in lines
    assert "union on quay: possibly supports -> possibly opposes" in lines


def test_a_claim_that_reads_as_before_is_not_told_as_altered(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "river", uttered="2023-01-05")
    known = told.ledger.checkpoint().size - 1
    told.ledger.relate("c2", "reaffirms", "c1")
    assert told.ledger.diff(told.ledger.as_of(known=known), told.ledger.as_of()).altered == ()


def test_a_difference_tells_who_was_not_known_from_who_was_silent(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.register(Party("late", name="Latecomer"))
    told.claim("c2", "late", uttered="2023-01-04")
    told.claim("c3", "union", uttered="2023-01-04")
    for scope in ({}, {"proposition": "quay"}):
        found = told.ledger.diff(before, told.ledger.as_of(), **scope)
        assert [str(one) for one in found.positions] == [
            "late on quay: unknown -> supports (assert)",
            "union on quay: silent -> supports (assert)",
        ]
    back = told.ledger.diff(told.ledger.as_of(), before, proposition="quay")
    assert str(back.positions[0]) == "late on quay: supports (assert) -> unknown"


def test_who_is_merged_into_another_has_not_fallen_silent(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.register(Party("stream", name="The River"))
    merge = told.ledger.merge("stream", "river")
    merged = told.ledger.as_of()
    for scope in ({}, {"party": "river"}, {"party": "stream"}, {"proposition": "quay"}):
        found = told.ledger.diff(before, merged, **scope)
        told_of = {one.party: str(one) for one in found.positions}
        assert told_of == {"stream": "stream on quay: unknown -> supports (assert)"}
    told.ledger.amend(merge.ledger_id, strike_out=True, reason="two rivers")
    assert [str(one) for one in told.ledger.diff(merged, told.ledger.as_of()).positions] == [
        "stream on quay: supports (assert) -> silent"
    ]


def test_what_changed_beside_a_merge_is_told_of_both(told):
    told.claim("c1", "river", act="deny", uttered="2023-01-03")
    merge = told.ledger.merge("union", "river")
    merged = told.ledger.as_of()
    told.ledger.amend(merge.ledger_id, strike_out=True, reason="two parties")
    told.claim("c2", "river", uttered="2023-01-05")
    told.claim("c3", "river", proposition="jammed", uttered="2023-01-05")
    for scope in ({}, {"topic": "port"}):
        found = told.ledger.diff(merged, told.ledger.as_of(), **scope)
        assert [str(one) for one in found.positions] == [
            "river on jammed: silent -> supports (assert)",
            "river on quay: opposes (deny) as union on quay -> supports (assert)",
            "union on quay: opposes (deny) -> silent",
        ]


def test_a_word_that_was_lost_with_a_merge_is_told(told):
    told.claim("c1", "river", act="deny", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.amend("c1", strike_out=True, reason="never said")
    told.ledger.merge("union", "river")
    found = told.ledger.diff(before, told.ledger.as_of(), proposition="quay")
    assert [str(one) for one in found.positions] == ["river on quay: opposes (deny) -> silent"]


def test_what_is_merged_into_its_negation_has_not_changed_sides(told):
    told.claim("c1", "river", proposition="jammed", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.ledger.merge("quay", "jammed", negated=True)
    for scope in ({}, {"party": "river"}):
        found = told.ledger.diff(before, told.ledger.as_of(), **scope)
        assert [str(one) for one in found.positions] == [
            "river on quay: silent -> opposes (assert)"
        ]


def test_a_position_that_reads_alike_is_told_with_the_claims_that_differ(told):
    told.claim("c1", "river", uttered="2023-01-03")
    before = told.ledger.as_of()
    told.claim("c2", "river", uttered="2023-01-04")
    (changed,) = told.ledger.diff(before, told.ledger.as_of()).positions
    assert str(changed) == "river on quay: supports (assert) -> supports (assert), by c2"


def test_who_is_asked_about_is_told_of_where_its_words_are_those_of_another(told):
    told.claim("c1", "river", uttered="2023-01-03")
    told.claim("c2", "union", proposition="jammed", uttered="2023-01-03")
    before = told.ledger.as_of()
    merges = [
        told.ledger.merge("river", "delta"),
        told.ledger.merge("jammed", "quay", negated=True),
    ]
    merged = told.ledger.as_of()
    for merge in merges:
        told.ledger.amend(merge.ledger_id, strike_out=True, reason="not the same")
    parted = told.ledger.as_of()

    def lines(first, second, **scope):
        return [str(one) for one in told.ledger.diff(first, second, **scope).positions]

    assert lines(before, merged, party="delta", proposition="quay") == [
        "delta on quay: silent -> opposes (assert) as river on jammed",
        "river on jammed: silent -> opposes (assert)",
    ]
    assert lines(merged, parted, party="delta") == [
        "delta on jammed: opposes (assert) as river on jammed -> silent",
        "river on jammed: opposes (assert) -> silent",
    ]
    assert lines(merged, parted, party="union", proposition="quay") == [
        "union on quay: supports (assert) as union on jammed -> silent"
    ]
    assert lines(before, parted, party="delta") == []
