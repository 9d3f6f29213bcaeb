"""Narrowed questions: what is read from the tables of cells answers as the folded log does."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import itertools
import sqlite3
import tempfile
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.pool import QueuePool

from ledger import Claim, Document, Ledger, Membership, Party, Proposition, Topic
from ledger.cli.names import days_of_act, days_of_claim
from ledger.errors import NotFound, UnknownParty, UnknownProposition
from ledger.model.events import NewEvent
from ledger.narrowing import Asked, asked_of, narrowed, plain
from ledger.projecting import cells
from ledger.projections import (
    accounts,
    catalogue,
    explaining,
    listing,
    naming,
    perspectives,
    positions,
    timeline,
)
from ledger.projections.scope import Scope
from ledger.projections.standing import Position
from ledger.store.fetching import fetched
from ledger.testing import lachin
from tests.examples import examples
from tests.projections.naive_fold import Op
from tests.projections.worlds import (
    PEOPLE,
    SAID,
    TOLD,
    Clock,
    crowded,
    disputed,
    scene,
    told_to,
    worlds,
)

SCENE = len(scene())
PARTIES = st.sampled_from(PEOPLE)
CELLS = st.lists(st.tuples(PARTIES, st.sampled_from(TOLD)), min_size=5, max_size=5)


class Ids:
    """The ledger's ids of what a test names."""

    def __init__(self, facts):
        self.facts = facts

    def __getitem__(self, key):
        return self.facts.id_of("party", key) or self.facts.id_of("proposition", key)


def quick(view, cells):
    return [view.position(*cell) for cell in cells]


def narrow(view, cells, party):
    """What the tables and the few events that they name come to."""
    with asked_of(view._folded, view.basis, view.said) as asked:
        found = [asked.position(*cell) for cell in cells]
        others = [asked.explain(*cells[0]), asked.accounts("the-road"), *listed(asked, cells, view)]
    return [*found, *others, view.positions(party=party), view.timeline(party, TOLD[0])]


def listed(asked, cells, view):
    """What is told of claims: lists of them, and each back to its words."""
    yield from (asked.evidence(*cell) for cell in cells)
    for party, proposition in cells:
        yield asked.claims(listing.Filters(party=party))
        yield asked.claims(listing.Filters(claimant=party, proposition=proposition))
        yield asked.claims(listing.Filters(proposition=proposition))
        for scope in (Scope(party=party), Scope(proposition=proposition)):
            yield from (asked.contradictions(scope), asked.divergences(scope), asked.shown(scope))
            yield asked.positions(scope)
        yield asked.divergences(Scope(party=party, proposition=proposition))
    yield from (asked.trace(one.id) for one in view.claims())
    yield asked.documents()
    for one in view.documents():
        yield asked.document(one.id)
        yield asked.check_quotes(one.id, {})
        yield asked.resting_on(one.id)
        yield asked.claims(listing.Filters(document=one.id))
        yield asked.claims(listing.Filters(document=one.id, party=cells[0][0]))
    yield from (asked.attributed_to(party) for party in dict(cells))
    yield from (asked.claims(listing.Filters(utterance=one)) for one in ("u1", "u2"))


def folded_cells(view, cells):
    """Positions as the whole prefix has them."""
    with view.facts() as facts:
        ids = Ids(facts)
        return [positions.position(facts, ids[p], ids[q], view.said) for p, q in cells]


def folded(view, cells, party):
    """The same as `narrow`, asked of the whole prefix."""
    with view.facts() as facts:
        ids = Ids(facts)
        return [
            *folded_cells(view, cells),
            explaining.explain(facts, ids[cells[0][0]], ids[cells[0][1]], view.said),
            accounts.accounts(facts, facts.id_of("occurrence", "the-road"), view.said),
            *listed(Asked(facts, None, view.said), cells, view),
            perspectives.positions_of(facts, ids[party], view.said),
            timeline.timeline(facts, ids[party], ids[TOLD[0]], view.said),
        ]


def is_narrowed(view):
    with narrowed(view._folded, view.basis) as found:
        return found is not None


def questions(view):
    """Every question that can be narrowed, of everything that a view holds."""
    parties = [one.id for one in view.parties()]
    for whole in (catalogue.parties, catalogue.topics, catalogue.propositions):
        yield lambda asked, tell=whole: tell(asked.records)
    for party in parties:
        yield lambda asked, who=party: catalogue.memberships(*asked.about(who))
        yield lambda asked, who=party: catalogue.names(*asked.about(who))
        yield lambda asked, who=party: naming.denoted(asked.records, who, None)
        yield lambda asked, who=party: asked.attributed_to(who)
    yield lambda asked: asked.documents()
    for document in [one.id for one in view.documents()]:
        yield lambda asked, which=document: asked.resting_on(which)
        yield lambda asked, which=document: asked.check_quotes(which, {})
    for topic in [one.id for one in view.topics()]:
        yield lambda asked, on=topic: catalogue.propositions_of(*asked.about(on, "topic"))
        yield lambda asked, on=topic: asked.silences(on)
        yield lambda asked, on=topic: asked.positions(Scope(topic=on))
        for party in parties:
            yield lambda asked, who=party, on=topic: asked.positions(Scope(party=who, topic=on))
            yield lambda asked, who=party, on=topic: asked.timeline(who, on)
    for party, about in itertools.product(parties, view.propositions()):
        yield lambda asked, who=party, what=about.id: asked.explain(who, what)
    for party, about in itertools.product(parties, view.propositions()):
        yield lambda asked, who=party, what=about.id: asked.evidence(who, what)
    for claim in [one.id for one in view.claims()]:
        yield lambda asked, which=claim: asked.trace(which)
    for wanted in filters(parties, [one.id for one in view.propositions()], view.topics()):
        yield lambda asked, by=wanted: asked.claims(by)
    for wanted in occasions(view):
        yield lambda asked, by=wanted: asked.claims(by)
    for scope in scopes(parties, [one.id for one in view.propositions()], view.topics()):
        yield lambda asked, by=scope: asked.contradictions(by)
        yield lambda asked, by=scope: asked.divergences(by)
        yield lambda asked, by=scope: asked.shown(by)
        yield lambda asked, by=scope: asked.positions(by)
    with view.facts() as facts:
        occurrences = facts.keys("occurrence")
    for one in occurrences:
        yield lambda asked, which=one: asked.accounts(which)


def scopes(parties, propositions, topics):
    """Whom and what disagreements and differences can be narrowed to."""
    yield from (Scope(party=one) for one in parties)
    yield from (Scope(proposition=one) for one in propositions)
    yield from (Scope(party=parties[0], proposition=one) for one in propositions)
    yield from (Scope(topic=one.id) for one in topics)
    yield from (Scope(topic=one.id, proposition=propositions[0]) for one in topics)


def occasions(view):
    """Lists of the claims of a document or an utterance."""
    yield from (listing.Filters(document=one.id) for one in view.documents())
    uttered = dict.fromkeys(one.utterance for one in view.claims() if one.utterance)
    yield from (listing.Filters(utterance=one) for one in uttered)


def filters(parties, propositions, topics):
    """Lists of claims that can be narrowed."""
    for party in parties:
        yield listing.Filters(party=party)
        yield listing.Filters(claimant=party, certainty="certain")
        yield from (listing.Filters(party=party, topic=one.id) for one in topics)
    for proposition in propositions:
        yield listing.Filters(proposition=proposition)
        yield listing.Filters(proposition=proposition, claimant=parties[0], stance="opposes")
    yield from (listing.Filters(topic=one.id) for one in topics)


def quick_ones(view, cells):
    """Those of the cells that one statement answers."""
    found = (
        plain.position(view._folded, view.basis, (p, q), view.said, "latest") for p, q in cells
    )
    return [one for one in found if isinstance(one, Position)]


@st.composite
def plain_worlds(draw):
    """Many words of a few on two questions; now and then something is taken back or amended."""
    found = []
    for op, step in draw(worlds(kinds=(*("claim",) * 14, "membership", "withdraw", "amend"))):
        fields = op.fields
        if op.kind == "claim":
            chain = ((draw(st.sampled_from(("envoy", "ministry", "state"))), "says"),)
            fields = fields | {
                "chains": (chain,),
                "utterance": draw(st.sampled_from((None, None, op.id))),
            }
            if fields["proposition"] != "reopen":
                fields["proposition"] = draw(st.sampled_from(TOLD[:2]))
        found.append((Op(op.kind, op.id, fields), step))
    return found


WORLDS = st.one_of(plain_worlds(), plain_worlds(), worlds(), crowded(), disputed())


@pytest.fixture(params=["sqlite", "postgres"])
def shared(request, tmp_path):
    """A database that several ledgers can open."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'claims.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture(scope="module")
def url_of_many_logs(new_postgres):
    """The URL of a database on PostgreSQL."""
    with new_postgres() as url:
        yield url


ASKED_OF_A_WORLD = st.tuples(WORLDS, st.sampled_from(SAID[5:]), CELLS, PARTIES)


@settings(max_examples=examples(50))
@given(ASKED_OF_A_WORLD, st.data())
def test_a_narrowed_answer_is_that_of_the_folded_log(question, data):
    clock = Clock()
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "claims.db", clock=clock) as ledger,
    ):
        answers_alike(ledger, question, data)


@settings(max_examples=examples(12))
@given(ASKED_OF_A_WORLD, st.data())
def test_it_is_on_postgresql_too(url_of_many_logs, question, data):
    with Ledger.open(url_of_many_logs, clock=Clock(), origin=f"log-{uuid4()}") as ledger:
        answers_alike(ledger, question, data)


def answers_alike(ledger, question, data):
    """What one statement, the tables and the folded log come to is the same."""
    world, said, asked, party = question
    asked = [*asked, ("envoy", "open"), ("state", "open"), ("ministry", "blocked")]
    ledger.projections.add(cells(ledger.layout))
    last = len(told_to(ledger, ledger._clock, world).entries) - 1
    for known in (data.draw(st.integers(SCENE - 1, last)), last):
        view = ledger.as_of(said=said, known=known)
        assert is_narrowed(view)
        whole = folded(view, asked, party)
        assert narrow(view, asked, party) == whole
        assert quick(view, asked) == whole[: len(asked)]
    assert ledger.projections.check("cells").ok


def test_what_is_plain_is_answered_by_one_statement(shared):
    with Ledger.open(shared) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all(
            [Party("mill", name="Mill"), Party("board", name="Board"), Membership("mill", "board")]
        )
        ledger.register_all([Proposition("shut", text="Shut"), Proposition("open", text="Open")])
        for id_, about in (("C1", "shut"), ("C2", "open"), ("C3", "open")):
            ledger.record(id=id_, claimant="mill", act="assert", proposition=about, uttered="2023")
        asked = [(p, q) for p in ("mill", "board") for q in ("shut", "open")]
        view = ledger.as_of()
        view.position("mill", "shut")  # it is seen then that the tables are served
        assert [one.status for one in quick_ones(view, asked)] == ["held"] * 4
        assert quick_ones(view, asked) == folded_cells(view, asked)
        ledger.withdraw("C1", claimant="mill", uttered="2023-12-31")
        assert quick_ones(view, asked) == []  # what came may be an erasure: it is read first
        assert quick(view, asked) == quick_ones(view, asked)
        later = ledger.as_of()
        assert later.position("mill", "shut").status == "withdrawn"
        assert len(quick_ones(later, asked)) == 2


def begun(url, stance):
    """A ledger with the tables of cells, of four events."""
    ledger = Ledger.open(url)
    ledger.projections.add(cells(ledger.layout))
    ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
    said = {"act": "characterise", "stance": stance, "proposition": "shut", "uttered": "2023"}
    for id_ in ("C1", "C2"):
        ledger.record(id=id_, claimant="mill", **said)
    return ledger


def test_what_is_kept_is_not_taken_for_another_log_of_the_same_size(postgres_url):
    with begun(postgres_url, "supports") as ledger:
        assert [ledger.position("mill", "shut").stance for _ in range(2)] == ["supports"] * 2
        engine = create_engine(postgres_url)
        with engine.begin() as conn:
            conn.execute(text("DROP SCHEMA public CASCADE"))
            conn.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        with begun(postgres_url, "opposes"):
            assert ledger.position("mill", "shut").stance == "opposes"


def test_nor_is_it_for_another_that_was_copied_into_the_file(tmp_path):
    ours, others = tmp_path / "claims.db", tmp_path / "others.db"
    begun(others, "opposes").close()
    with begun(ours, "supports") as ledger:
        assert [ledger.position("mill", "shut").stance for _ in range(2)] == ["supports"] * 2
        source, target = sqlite3.connect(others), sqlite3.connect(ours)
        with contextlib.closing(source), contextlib.closing(target):
            source.backup(target)
        assert [ledger.position("mill", "shut").stance for _ in range(2)] == ["opposes"] * 2


@pytest.mark.parametrize(
    "change",
    ["position = position - 1", "phase = 'retired'", "build = 7"],
)
def test_tables_that_are_read_no_more_are_not_read_at_once(postgres_url, change):
    with begun(postgres_url, "supports") as ledger:
        view = ledger.as_of()
        view.position("mill", "shut")
        assert len(quick_ones(view, [("mill", "shut")])) == 1
        engine = create_engine(postgres_url)
        with engine.begin() as conn:
            if "build" in change:  # as after a rebuild by another process
                conn.execute(text(f"UPDATE ledger_served SET {change}"))
            conn.execute(text(f"UPDATE ledger_cursor SET {change}"))
        engine.dispose()
        assert quick_ones(view, [("mill", "shut")]) == []


def test_a_question_of_one_statement_is_planned_once_whatever_is_asked_between(postgres_url):
    begun(postgres_url, "supports").close()
    engine = create_engine(postgres_url, pool_size=1, max_overflow=0)
    ledger = Ledger(engine)
    for _ in range(10):
        ledger.position("mill", "shut")
        ledger.trace("C1")  # inside a transaction
    with engine.connect() as conn:
        prepared = conn.execute(text("SELECT statement FROM pg_prepared_statements")).scalars()
        assert any("AS MATERIALIZED" in one for one in prepared)
    engine.dispose()


def test_a_claim_whose_document_is_lost_from_the_table_is_told_as_the_folded_log_does(postgres_url):
    with Ledger.open(postgres_url) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        ledger.register_all(
            [Party("paper", name="Paper"), Document("d", text="Shut.", publisher="paper")]
        )
        ledger.record(
            id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023", document="d"
        )
    engine = create_engine(postgres_url)
    with engine.begin() as conn:
        conn.execute(text("ALTER TABLE ledger_event DISABLE TRIGGER ALL"))
        conn.execute(text("DELETE FROM ledger_event WHERE seq = 3"))
    for _ in range(2):
        view = Ledger(engine).as_of()
        assert quick(view, [("mill", "shut")]) == folded_cells(view, [("mill", "shut")])
    engine.dispose()


def test_a_claim_whose_document_was_never_registered_is_told_as_the_folded_log_does(shared):
    with Ledger.open(shared) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023")
        *_, last = ledger.events()
        put = str(UUID(int=UUID(last.id).int + 1))
        event = attrs.evolve(cast("Any", last.event), key="C2", document=str(uuid4()))
        ledger.appender.put([NewEvent(id=put, stream=put, stream_v=0, event=event)])  # unchecked
        for _ in range(2):
            view = ledger.as_of()
            assert quick(view, [("mill", "shut")]) == folded_cells(view, [("mill", "shut")])


def test_what_is_not_there_or_was_struck_out_is_refused_whatever_is_kept(shared):
    with begun(shared, "supports") as ledger:
        ledger.register_all([Party("board", name="Board"), Proposition("open", text="Open")])
        for one in ("board", "open"):
            ledger.amend(one, reason="none such", strike_out=True)
        for _ in range(3):
            assert ledger.position("mill", "shut").stance == "supports"
        for party, proposition in (("nobody", "shut"), ("board", "shut")):
            with pytest.raises(UnknownParty):
                ledger.position(party, proposition)
        for party, proposition in (("mill", "nothing"), ("mill", "open")):
            with pytest.raises(UnknownProposition):
                ledger.position(party, proposition)


def test_a_claim_is_in_the_cell_it_was_in_as_far_as_was_known(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register(Party("mill", name="Mill"))
        ledger.register_all([Proposition("shut", text="Shut"), Proposition("open", text="Open")])
        ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023")
        before = ledger.as_of(known=3)
        ledger.amend("C1", reason="misheard", proposition="open")
        now = ledger.as_of()
        for view, stands in ((before, ("held", "silent")), (now, ("silent", "held"))):
            for _ in range(2):  # once it is seen that the tables are served, by one statement
                assert stands == tuple(view.position("mill", on).status for on in ("shut", "open"))


def test_the_last_word_on_a_topic_inside_is_found_among_the_few(tmp_path):
    with Ledger.open(tmp_path / "claims.db") as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register(Party("mill", name="Mill"))
        ledger.register_all(
            [Topic("river", label="River"), Topic("weir", label="W", part_of="river")]
        )
        ledger.register(Proposition("low", text="Low", topic="river"))
        ledger.register(Proposition("shut", text="Shut", topic="weir"))
        ledger.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023-05")
        for _ in range(2):
            view = ledger.as_of()
            assert is_narrowed(view)
            assert str(view.position("mill", "low").last_word_on_topic) == "2023-05-01..2023-05-31"
            assert [view.position("mill", "low")] == folded_cells(view, [("mill", "low")])


def test_a_commit_of_somebody_else_is_seen_at_once(shared):
    with Ledger.open(shared) as ledger, Ledger.open(shared) as other:
        for one in (ledger, other):
            one.projections.add(cells(one.layout))
        ledger.register(Party("mill", name="Mill"))
        ledger.register(Proposition("shut", text="Shut"))
        assert [ledger.position("mill", "shut").status for _ in range(3)] == ["silent"] * 3
        other.record(id="C1", claimant="mill", act="assert", proposition="shut", uttered="2023")
        assert [ledger.position("mill", "shut").status for _ in range(3)] == ["held"] * 3
        other.amend("C1", reason="heard wrongly", stance="opposes")
        assert ledger.position("mill", "shut").stance == "opposes"
        other.projections.rebuild("cells")
        assert [ledger.position("mill", "shut").stance for _ in range(3)] == ["opposes"] * 3
        other.projections.prune("cells")
        assert [ledger.position("mill", "shut").stance for _ in range(3)] == ["opposes"] * 3


@pytest.mark.parametrize("batch", [3, 1_000])
def test_the_example_world_is_answered_so_on_every_engine(database, clock, batch):
    with Ledger.open(database, clock=clock) as ledger:
        lachin.load(ledger)
        assert not is_narrowed(ledger.as_of())
        ledger.projections.add(cells(ledger.layout))
        ledger.projections.run("cells", batch=batch)
        for view in (ledger.as_of(), ledger.as_of(said="2023-01-18", known=35)):
            asked = [(p.id, q.id) for p in view.parties() for q in view.propositions()]
            assert is_narrowed(view)
            assert quick(view, asked) == folded_cells(view, asked)
            with view.facts() as facts:
                whole = Asked(facts, None, view.said)
                with asked_of(view._folded, view.basis, view.said) as near:
                    for question in questions(view):
                        assert question(near) == question(whole)
        assert ledger.projections.check("cells").ok


def test_an_engine_with_one_connection_keeps_it(tmp_path):
    url = f"sqlite:///{tmp_path / 'claims.db'}"
    with Ledger.open(url) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register(Party("mill", name="Mill"))
        ledger.register(Proposition("shut", text="Shut"))
    engine = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=1)
    ledger = Ledger(engine)
    assert [ledger.position("mill", "shut").status for _ in range(3)] == ["silent"] * 3
    assert len(quick_ones(ledger.as_of(), [("mill", "shut")])) == 1
    with engine.connect() as mine:
        assert mine.execute(text("SELECT count(*) FROM ledger_event")).scalar_one() == 2
        assert ledger.as_of().position("mill", "shut").status == "silent"
    engine.dispose()
    assert ledger.position("mill", "shut").status == "silent"
    engine.dispose()


def test_closing_while_others_ask_breaks_nothing(tmp_path):
    path = tmp_path / "claims.db"
    with Ledger.open(path) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
    engine = create_engine(f"sqlite:///{path}")
    ledger, stop = Ledger(engine), threading.Event()

    def ask():
        while not stop.is_set():
            assert ledger.as_of().position("mill", "shut").status == "silent"

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for _ in range(100):
            engine.dispose()
            stop.wait(0.003)
        stop.set()
        assert [one.result() for one in asking] == [None] * 3
    engine.dispose()


def test_what_is_kept_of_a_log_goes_with_its_engine(tmp_path):
    path = tmp_path / "claims.db"
    with Ledger.open(path) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
    with Ledger.open(path) as ledger:
        for _ in range(3):
            ledger.position("mill", "shut")
        fold = weakref.ref(ledger._folded.fold)
    del ledger
    gc.collect()
    assert fold() is None


def test_what_is_told_of_single_claims_folds_nothing(database, clock):
    with Ledger.open(database, clock=clock) as ledger:
        lachin.load(ledger)
        ledger.projections.add(cells(ledger.layout))
        ledger.projections.run("cells")
        fold = ledger._folded.fold
        ids = [one.id for one in ledger.as_of().claims()]
        expected = [ledger.as_of().trace(one) for one in ids]
        fold.forget()
        assert [ledger.trace(one) for one in ids] == expected
        assert [ledger.prove(one).sequence for one in ids] == [one.sequence for one in expected]
        assert ledger.evidence("az", "protest").position == ledger.position("az", "protest")
        assert ledger.divergences(topic="lachin")
        assert not ledger.contradictions(party="az")
        assert ledger.diff(ledger.as_of(known=5), ledger.as_of(), party="az").positions
        assert len(ledger.claims(party="az")) < len(ids) == len(set(ids))
        assert ledger.as_of().document(expected[0].document).id == expected[0].document
        assert days_of_claim(ledger, ids[0])[1] >= dt.date(2022, 12, 1)
        assert days_of_act(ledger, None, expected[0].document)[1] >= dt.date(2022, 12, 1)
        assert not fold.facts.size
        with pytest.raises(NotFound, match="No claim 'nowhere'"):
            ledger.trace("nowhere")
        assert len(ledger.claims()) == len(ids)
        assert fold.facts.size


def test_occasions_of_one_moment_are_kept_apart(shared):
    with Ledger.open(shared) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party(f"p{n}", name=f"P {n}") for n in range(40)])
        ledger.register(Proposition("shut", text="Shut"))
        asked = [(f"p{n}", "shut") for n in range(40)]
        ledger.record_all(
            Claim(claimant=who, utterance=f"U-{who}", act="deny", proposition=what, uttered="2023")
            for who, what in asked
        )
        view = ledger.as_of()
        view.position(*asked[0])
        assert len(quick_ones(view, asked)) == 40


def test_several_occasions_on_a_cell_are_looked_up_at_once(postgres_url, monkeypatch):
    asked: list[str] = []

    def counted(conn, query, values):
        asked.append(query)
        return fetched(conn, query, values)

    monkeypatch.setattr(plain, "fetched", counted)
    with Ledger.open(postgres_url) as ledger:
        ledger.projections.add(cells(ledger.layout))
        ledger.register_all([Party("mill", name="Mill"), Proposition("shut", text="Shut")])
        said: Any = {"claimant": "mill", "act": "deny", "proposition": "shut"}
        cell = ("mill", "shut")
        for n in range(1, 7):
            ledger.record(id=f"C{n}", utterance=f"U{n}", uttered=f"2023-0{n}", **said)
        ledger.position(*cell)
        asked.clear()
        view = ledger.as_of()
        assert quick_ones(view, [cell]) == folded_cells(view, [cell])
        assert len(asked) == 3  # the cell, the occasions, the cell again: an erasure may have come
        ledger.record(id="C7", utterance="U6", uttered="2023-06", **said)  # told once more
        ledger.position(*cell)
        view = ledger.as_of()
        assert quick_ones(view, [cell]) == []
        assert quick(view, [cell]) == folded_cells(view, [cell])
