"""Whatever a ledger is bound to, an import records the same, and undoes what it says it undoes."""

from __future__ import annotations

import contextlib
import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from ledger import Ledger, Topic
from ledger.interchange import import_file
from tests.interchange.conftest import CLAIM, GOOD


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in [*GOOD, CLAIM]) + "{}\n")
    return path


@pytest.fixture
def whole(database):
    with Ledger.open(database) as opened:
        yield opened


@contextlib.contextmanager
def _bound(whole, to):
    engine = whole._folded.bind
    match to:
        case "grouped":
            yield whole.grouped()
        case "session":
            with Session(engine) as session, session.begin():
                yield Ledger(session)
        case _:
            with engine.begin() as conn:
                yield Ledger(conn)


@pytest.mark.parametrize("to", ["grouped", "session", "connection"])
@pytest.mark.parametrize("options", [{"dry_run": True}, {"all_or_nothing": True}])
def test_what_is_to_be_undone_leaves_nothing_but_what_was_there(whole, file, to, options):
    with _bound(whole, to) as ledger:
        ledger.register(Topic("dam", label="The dam"))  # in a Session it waits
        account = import_file(ledger, file, **options)
        assert (account.accepted, account.refused, account.stored) == (5, 1, False)
    assert whole.checkpoint().size == 1


@pytest.mark.parametrize("to", ["grouped", "session", "connection"])
@pytest.mark.parametrize("options", [{}, {"all_or_nothing": True}])
def test_what_is_recorded_is_there_once_the_host_commits(whole, file, to, options):
    file.write_bytes(file.read_bytes().removesuffix(b"{}\n"))
    with _bound(whole, to) as ledger:
        assert import_file(ledger, file, **options).accepted == 5
    assert whole.checkpoint().size == 5
    assert import_file(whole, file).skipped == 5


def test_a_pool_of_one_connection_is_enough(whole, file):
    import_file(whole, file)
    whole.amend("c1", uttered="2024-03-03", reason="a slip")  # what was amended is asked of the log
    engine = whole._folded.bind
    if not isinstance(engine.pool, sa.StaticPool):
        engine = sa.create_engine(engine.url, pool_size=1, max_overflow=0, pool_timeout=1)
    assert import_file(Ledger(engine), file).skipped == 5
    if engine is not whole._folded.bind:
        engine.dispose()
