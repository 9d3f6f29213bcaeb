"""FastAPI: the page's application, called by a real client, on both engines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from ledger import Ledger, Party
from ledger.errors import StoreError


@pytest.fixture(params=["sync", "async", "async on asyncpg"])
def host(request, load, url, monkeypatch):
    """The page's module and a client of its application; an `async` one answers the same."""
    made = sa.make_url(url)
    driver = "sqlite+aiosqlite" if made.get_backend_name() == "sqlite" else "postgresql+psycopg"
    if request.param == "async on asyncpg":
        if made.get_backend_name() == "sqlite":
            pytest.skip("asyncpg is PostgreSQL's")
        driver = "postgresql+asyncpg"
    made = made.set(drivername=driver)
    monkeypatch.setenv("ASYNC_DATABASE_URL", made.render_as_string(hide_password=False))
    module = load("fastapi.md", "The application", "Asynchronous")
    module.set_up()
    app = module.app if request.param == "sync" else module.async_app

    def stumble(parcel, session, ledger):
        session.add(module.Parcel(id=parcel))
        ledger.record(claimant="porter", act="assert", proposition="arrived", id=f"C-{parcel}")
        raise RuntimeError("the host stumbles")

    stumble.__annotations__ = {"session": module.SessionHere, "ledger": module.LedgerHere}
    app.post("/stumble/{parcel}")(stumble)

    def anew(parcel, session, ledger):
        session.add(module.Parcel(id=parcel))
        ledger.record(claimant="porter", act="assert", proposition="arrived")

    anew.__annotations__ = stumble.__annotations__
    app.post("/anew/{parcel}")(anew)

    @app.get("/away")
    def away():
        raise StoreError("the database is away", stored="unknown")

    with TestClient(app, raise_server_exceptions=False) as client:
        yield module, client
        if request.param != "sync":
            assert client.portal is not None
            client.portal.call(module.async_engine.dispose)
    module.engine.dispose()


def test_parcel_and_claim_are_stored_together(host, shop):
    _, client = host
    answer = client.post("/parcels/p1?said_by=porter")
    assert (answer.status_code, answer.json()) == (201, {"claim": "C-p1"})
    assert client.get("/claims").json() == ["C-p1"]
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_a_refused_claim_takes_the_parcel_back(host, shop):
    _, client = host
    answer = client.post("/parcels/p1?said_by=nobody")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("No party 'nobody'")
    assert (shop.parcels(), shop.claims()) == ([], [])
    assert client.post("/parcels/p1?said_by=porter").status_code == 201
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_a_parcel_that_is_there_takes_the_claim_back(host, shop):
    _, client = host
    assert client.post("/parcels/p1?said_by=porter").status_code == 201
    answer = client.post("/anew/p1")
    assert (answer.status_code, answer.json()["detail"][:26]) == (409, "Another request has stored")
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_a_request_that_is_sent_again_is_answered_as_the_first_time(host, shop):
    _, client = host
    first, second = (client.post("/parcels/p1?said_by=porter") for _ in range(2))
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert first.status_code == 201
    Ledger(shop.engine).register(Party("miller", name="The Miller"))
    other = client.post("/parcels/p1?said_by=miller")
    assert other.status_code == 409
    assert "'C-p1' is taken" in other.json()["detail"]
    shop.store("p2")
    for said_by, status in (("porter", 201), ("miller", 409)):
        assert client.post(f"/parcels/p2?said_by={said_by}").status_code == status
    assert (shop.parcels(), shop.claims()) == (["p1", "p2"], ["C-p1", "C-p2"])


def test_a_request_that_is_sent_many_times_at_once_is_stored_once(host, shop):
    _, client = host

    def post(_):
        return client.post("/parcels/p1?said_by=porter").status_code

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(post, range(8)))
    assert 201 in told
    assert {*told} <= {201, 409}, told
    assert post(None) == 201
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_an_error_after_recording_takes_back_both(host, shop):
    _, client = host
    assert client.post("/stumble/p1").status_code == 500
    assert (shop.parcels(), shop.claims()) == ([], [])
    assert client.get("/claims").json() == []


def test_a_database_that_is_away_is_not_told_as_the_requests_fault(host):
    _, client = host
    answer = client.get("/away")
    assert (answer.status_code, answer.json()) == (503, {"detail": "the database is away"})


def test_a_commit_that_fails_is_told_and_not_201(host, shop):
    """Without `scope="function"` the client would have its 201 before the commit."""
    module, client = host
    with module.engine.begin() as conn:
        conn.execute(sa.text("DROP TABLE parcel"))
    assert client.post("/parcels/p1?said_by=porter").status_code == 500
    assert shop.claims() == []


def test_many_requests_at_once_lose_nothing(host, shop):
    _, client = host
    with ThreadPoolExecutor(4) as pool:
        told = list(
            pool.map(lambda n: client.post(f"/parcels/p{n}?said_by=porter").status_code, range(12))
        )
    assert told == [201] * 12
    assert len(shop.parcels()) == len(shop.claims()) == 12
