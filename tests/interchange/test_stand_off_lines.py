"""Lines of brat's that say the same thing twice, or something that has no place."""

from __future__ import annotations

import pytest

from ledger import Ledger, Party
from ledger.interchange import Outcome, import_file
from tests.interchange.test_foreign import GAZETTE, TEXT

MARKED = """\
T1\tContent 0 16\tThe weir is shut
T2\tSource 18 27\tthe board
E1\tAttribution:T1 Content:T1 Source:T2
"""


@pytest.fixture
def importing(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT.encode())

    def run(lines):
        (tmp_path / "a.ann").write_text(MARKED + lines, encoding="utf-8")
        told: list[Outcome] = []
        with Ledger.open(":memory:") as ledger:
            ledger.register(Party("gazette", name="Gazette", kind="publisher"))
            ledger.register(Party("board", name="Water board"))
            import_file(ledger, tmp_path / "a.ann", mapping=GAZETTE, tell=told.append)
            (claim,) = ledger.claims()
        return claim, {one.at: (one.verdict, one.reason) for one in told if one.at[0] not in "Ea"}

    return run


@pytest.mark.parametrize(
    "lines, told",
    [
        ("A1\tAct E1 deny\nA2\tAct E1 assert\n", "A2 says that Act is 'assert', where a line"),
        ("N1\tReference T2 P:board\nN2\tReference T2 P:gazette\n", "N2 says that T2 is 'gazette'"),
    ],
)
def test_what_a_line_above_says_otherwise_is_refused(importing, lines, told):
    claim, outcomes = importing(lines)
    ((verdict, reason),) = outcomes.values()
    assert verdict == "refused"
    assert reason.startswith(told)
    assert claim.act == "deny" or claim.claimant == ("board",)


def test_what_a_line_above_says_as_well_is_taken(importing):
    claim, outcomes = importing("A1\tAct E1 deny\nA2\tAct E1 deny\n")
    assert (claim.act, outcomes) == ("deny", {})


@pytest.mark.parametrize(
    "line",
    [
        "#1\tAnnotatorNotes T2\tthe whole of it\n",
        "#1\tAnnotatorNotes R1\tread twice\nR1\tdisputes Arg1:T1 Arg2:T2\n",
        "A1\tNegation T1\n",
    ],
)
def test_what_has_no_place_is_skipped_with_the_reason(importing, line):
    _, outcomes = importing(line)
    verdict, reason = outcomes[line[:2]]
    assert verdict == "skipped"
    assert reason.startswith(f"{line[:2]} has no place in the ledger: ")


def test_the_edge_and_the_role_of_words_have_their_place(importing):
    assert importing("A1\tEdge T2 reports\nA2\tRole T2 speaker\n")[1] == {}


def test_texts_may_stand_in_a_folder_of_their_own(tmp_path):
    (tmp_path / "marks").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a_b.txt").write_bytes(TEXT.encode())
    other = MARKED.replace("0 16\tThe weir is shut", "9 16\tis shut")
    for who, marked in (("ann", MARKED), ("bob", other)):
        (tmp_path / "marks" / f"a_b_{who}.ann").write_text(marked)
    with Ledger.open(":memory:") as ledger:
        ledger.register(Party("gazette", name="Gazette", kind="publisher"))
        (told, _) = import_file(ledger, tmp_path / "marks", mapping=GAZETTE).refusals
        assert 'is not there. It stands beside them, or where the mapping says: texts = "' in (
            told.reason
        )
        beside = GAZETTE | {"texts": "../text"}
        assert import_file(ledger, tmp_path / "marks", mapping=beside).refused == 0
        assert [(row.id, row.document, row.claimant) for row in ledger.claims()] == [
            ("a_b_ann-E1", "a_b", ("a_b:the-board",)),
            ("a_b_bob-E1", "a_b", ("a_b:the-board",)),
        ]
        assert import_file(ledger, tmp_path / "marks", mapping=beside).accepted == 0
