"""Flask: the page's application with its scoped session, called by a real client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger import Ledger, Party
from ledger.errors import StoreError


@pytest.fixture
def host(load, url):
    module = load("flask.md", "The application")
    module.set_up()

    @module.app.post("/stumble/<parcel>")
    def stumble(parcel):
        module.session.add(module.Parcel(id=parcel))
        module.ledger.record(
            claimant="porter", act="assert", proposition="arrived", id=f"C-{parcel}"
        )
        module.session.flush()
        raise RuntimeError("the host stumbles")

    @module.app.post("/both/<parcel>")
    def both(parcel):
        """Goes on after a refusal, with a row and another claim."""
        module.session.add(module.Parcel(id=parcel))
        try:
            module.ledger.record(claimant="nobody", act="assert", proposition="arrived")
        except module.LedgerError:
            module.session.add(module.Parcel(id=f"{parcel}-after"))
        module.ledger.record(
            claimant="porter", act="assert", proposition="arrived", id=f"C-{parcel}"
        )
        module.session.commit()
        return {}

    @module.app.post("/anew/<parcel>")
    def anew(parcel):
        module.session.add(module.Parcel(id=parcel))
        module.ledger.record(claimant="porter", act="assert", proposition="arrived")
        module.session.commit()

    @module.app.get("/away")
    def away():
        raise StoreError("the database is away", stored="unknown")

    yield module
    module.engine.dispose()


def test_parcel_and_claim_are_stored_together(host, shop):
    client = host.app.test_client()
    answer = client.post("/parcels/p1/porter")
    assert (answer.status_code, answer.json) == (201, {"claim": "C-p1"})
    assert client.get("/claims").json == ["C-p1"]
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_a_refused_claim_takes_the_parcel_back(host, shop):
    client = host.app.test_client()
    assert client.post("/parcels/p1/nobody").status_code == 404
    assert (shop.parcels(), shop.claims()) == ([], [])
    assert client.post("/parcels/p1/porter").status_code == 201


def test_the_status_says_whose_fault_it_is(host, shop):
    client = host.app.test_client()
    away = client.get("/away")
    assert (away.status_code, away.json) == (503, {"detail": "the database is away"})
    Ledger(shop.engine).register(Party("miller", name="The Miller"))
    assert client.post("/parcels/p1/porter").status_code == 201
    shop.forget("p1")
    assert client.post("/parcels/p1/miller").status_code == 409
    assert (shop.parcels(), shop.claims()) == ([], ["C-p1"])


def test_a_request_that_is_sent_again_is_answered_as_the_first_time(host, shop):
    client = host.app.test_client()
    Ledger(shop.engine).register(Party("miller", name="The Miller"))
    first, second = (client.post("/parcels/p1/porter") for _ in range(2))
    assert (second.status_code, second.json) == (first.status_code, first.json)
    assert (first.status_code, first.json) == (201, {"claim": "C-p1"})
    shop.store("p2")
    for said_by, status in (("porter", 201), ("miller", 409)):
        assert client.post(f"/parcels/p2/{said_by}").status_code == status
    assert (shop.parcels(), shop.claims()) == (["p1", "p2"], ["C-p1", "C-p2"])


def test_a_parcel_that_another_request_adds_meanwhile_takes_the_claim_back(host, shop):
    client = host.app.test_client()
    assert client.post("/parcels/p1/porter").status_code == 201
    answer = client.post("/anew/p1")
    assert answer.status_code == 409
    assert answer.json["detail"].startswith("Another request has stored this parcel")
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_an_error_after_recording_takes_back_both(host, shop):
    client = host.app.test_client()
    assert client.post("/stumble/p1").status_code == 500
    assert client.post("/parcels/p2/porter").status_code == 201
    assert (shop.parcels(), shop.claims()) == (["p2"], ["C-p2"])


def test_a_caught_refusal_leaves_the_session_usable(host, shop):
    assert host.app.test_client().post("/both/p1").status_code == 200
    assert (shop.parcels(), shop.claims()) == (["p1", "p1-after"], ["C-p1"])


def test_threads_have_sessions_of_their_own_and_lose_nothing(host, shop):
    def call(number):
        return host.app.test_client().post(f"/parcels/p{number}/porter").status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, range(12))) == [201] * 12
    assert len(shop.parcels()) == len(shop.claims()) == 12
