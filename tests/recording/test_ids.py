"""What may stand where an id goes: a receipt, or a party that is registered on the way."""

from __future__ import annotations

from typing import Any

import pytest

from ledger import (
    Document,
    Link,
    Membership,
    Occurrence,
    Party,
    Proposition,
    Topic,
)
from ledger.errors import AlreadyRecorded
from ledger.model import events as ev


def test_a_receipt_stands_wherever_an_id_does(town):
    delta = town.register(Party("delta", name="Delta", kind="state"))
    envoy = town.register(Party("envoy", name="Envoy", part_of=delta))
    town.register(Party("pact", name="Pact", kind="joint", members=[delta, "state"]))
    town.register(Membership(envoy, delta, role="envoy"))
    tides = town.register(Topic("tides", label="Tides"))
    town.register(Topic("ebb", label="Ebb", part_of=tides))
    high = town.register(Proposition("high", text="The tide is high", topic=tides))
    town.register(Occurrence("tide", label="The tide", propositions=[high]))
    notice = town.register(Document("notice", publisher=delta, text="High water."))
    one = town.record(
        claimant=envoy,
        on_behalf_of=[delta],
        act="assert",
        proposition=high,
        document=notice,
        addressees=delta,
        mentions=[envoy],
    )
    two = town.record(chain=[Link(delta, "reports"), Link(envoy)], act="deny", proposition=high)
    town.relate(two, "disputes", one)
    town.name(delta, "The Delta")
    town.amend(one, claimant=delta, reason="read again")
    town.withdraw([two], claimant=envoy, uttered="2023-03-01")
    assert town.position(delta, high).status == "held"
    assert town.claims(party=delta, document=notice).ids == (one.id,)
    assert town.positions(topic=tides, party=delta)
    assert town.timeline(delta, tides)
    assert town.trace(one).publisher == "delta"


def test_a_party_where_an_id_goes_is_registered_once(town):
    delta: Any = Party("delta", name="Delta", kind="state")
    radio: Any = Party("radio", name="Radio")
    envoy: Any = Party("envoy", name="Envoy", part_of=delta)
    for _ in range(2):
        town.record(claimant=envoy, act="assert", proposition="bridge-open")
        town.record(
            claimant=[envoy, "board"],
            via=[radio],
            act="assert",
            proposition="bridge-open",
        )
        town.record(
            chain=[Link(radio, "reports"), Link(envoy)],
            act="assert",
            proposition="bridge-open",
            mentions=Party("guest", name="Guest"),
        )
        town.register(Document("n", publisher=radio, text="t"))
    registered = [
        one.event.key for one in town.events() if isinstance(one.event, ev.PartyRegistered)
    ]
    assert sorted(registered[7:]) == ["delta", "envoy", "guest", "radio"]
    assert town.position("delta", "bridge-open").status == "held"


def test_a_party_handed_in_with_other_content_under_a_taken_id_is_refused(standing, unchanged):
    with unchanged(standing), pytest.raises(AlreadyRecorded):
        standing.record(
            claimant=Party("board", name="Board"), act="assert", proposition="bridge-open"
        )
