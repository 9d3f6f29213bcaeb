"""Example data: who said what about the Lachin corridor, December 2022 to February 2023.

Taken down from one news report of 22 February 2023, in our own words. The report is known here by
title, publisher, date, digest and length; of its text there are quotations of at most a dozen
words each, with the places at which they stand. What is shown with the data is `.demonstration`.
"""

from __future__ import annotations

from typing import Final

from ledger.ledger import Ledger
from ledger.model.attribution import Link
from ledger.model.claim import Claim, Relation
from ledger.model.document import Document
from ledger.model.party import Party
from ledger.model.proposition import Occurrence, Proposition, Topic
from ledger.model.quotation import Quotation

REPORT: Final = "ria-2023-02-22"
BRIEFING: Final = "briefing-2023-02-22"

PARTIES: Final = (
    Party("ria-novosti", name="RIA Novosti", kind="publisher"),
    Party("ru", name="Russia", kind="state", metonyms=["Moscow"]),
    Party("ru-mfa", name="Russian Foreign Ministry", part_of="ru"),
    Party("ru-mod", name="Russian Defense Ministry", part_of="ru"),
    Party("maria-zakharova", name="Maria Zakharova", kind="person"),
    Party("sergei-lavrov", name="Sergei Lavrov", kind="person"),
    Party("az", name="Azerbaijan", kind="state", metonyms=["Baku"]),
    Party("am", name="Armenia", kind="state", metonyms=["Yerevan"]),
    Party("us", name="United States", kind="state"),
    Party("us-state", name="US State Department", part_of="us"),
    Party("activists", name="The protesters (unnamed)", kind="unnamed_group"),
)

TOPICS: Final = (
    Topic("lachin", label="The Lachin corridor since December 2022"),
    Topic("way-out", label="How the corridor is to open again", part_of="lachin"),
    Topic("relations", label="Relations between Armenia and Azerbaijan"),
)

PROPOSITIONS: Final = (
    Proposition(
        "blocked",
        text="Azerbaijan's side closed the road from Stepanakert to Goris on 12 December 2022",
        topic="lachin",
    ),
    Proposition(
        "protest",
        text="What goes on at the road is a protest of activists and environmentalists",
        topic="lachin",
    ),
    Proposition("unlawful", text="Armenia's side does what the law forbids", topic="lachin"),
    Proposition(
        "unblock", text="Azerbaijan's side opens the corridor", topic="way-out", kind="aim"
    ),
    Proposition(
        "checks",
        text="Russian peacekeepers watch the traffic and look for forbidden goods in vehicles",
        topic="way-out",
        kind="aim",
    ),
    Proposition("settled-soon", text="The corridor's case is settled before long", topic="way-out"),
    Proposition(
        "full-use",
        text="The corridor works in full again, as the leaders' statements of 2020 foresee",
        topic="way-out",
        kind="aim",
    ),
    Proposition(
        "joint-work",
        text="Armenia and Azerbaijan go back to regular work on their relations",
        topic="relations",
        kind="aim",
    ),
)

OCCURRENCE: Final = Occurrence(
    "stopped-road", label="The road that nobody passes", propositions=["blocked", "protest"]
)

DOCUMENT: Final = Document(
    REPORT,
    # It came to us without a headline; this says what it is.
    title="News report from Moscow on the Lachin corridor",
    publisher="ria-novosti",
    published="2023-02-22",
    sha256="424902e5a0e30684afdad3b3cd2a45ba353be4e3acee5e429134eeb00b2caa85",
    length=2_341,
    language="en",
)


def _at(start: int, exact: str, mode: str = "indirect") -> Quotation:
    """Words of the report, and where they stand in it."""
    return Quotation.of({"exact": exact, "ranges": [(start, start + len(exact))], "mode": mode})


_SPOKESWOMAN: Final = (
    Link("maria-zakharova"),
    Link("ru-mfa", "on_behalf_of", role="spokeswoman"),
)

CLAIMS: Final = (
    Claim(
        id="mod-blocked",
        claimant="ru-mod",
        act="assert",
        proposition="blocked",
        uttered="[2022-12-12..2023-02-22]",
        document=REPORT,
        quote=_at(1352, "the Azerbaijani side blocked the Stepanakert-Goris road"),
    ),
    Claim(
        id="baku-protest",
        claimant="az",
        act="characterise",
        proposition="protest",
        uttered="2022-12-12/2023-02-22",
        utterance="baku-account",
        document=REPORT,
        quote=_at(1785, "a protest action of civil activists and environmentalists"),
    ),
    Claim(
        id="baku-unlawful",
        # The quoted words may be Baku's own, or those of the protesters whom it describes.
        chain=[[Link("az")], [Link("az"), Link("activists")]],
        act="accuse",
        proposition="unlawful",
        uttered="2022-12-12/2023-02-22",
        utterance="baku-account",
        document=REPORT,
        quote=_at(1856, "illegal activities of the Armenian side", "direct"),
        mentions=["am"],
    ),
    Claim(
        id="washington-unblock",
        claimant="us-state",
        act="call_for",
        proposition="unblock",
        factuality="uncommitted",
        uttered="[..2023-02-22]",
        document=REPORT,
        quote=_at(1693, "called on the Azerbaijani side to unblock the Lachin corridor"),
        addressees=["az"],
    ),
    Claim(
        id="moscow-offer",
        chain=[Link("sergei-lavrov"), Link("ru")],
        act="offer",
        proposition="checks",
        factuality="uncommitted",
        uttered="[..2023-01-18]",
        document=REPORT,
        quote=_at(
            2145, "should have the authority under a trilateral agreement to control traffic"
        ),
        addressees=["az", "am"],
    ),
    Claim(
        id="lavrov-soon",
        chain=[Link("sergei-lavrov"), Link("ru-mfa", "on_behalf_of", role="foreign minister")],
        act="predict",
        proposition="settled-soon",
        factuality="possible",
        uttered="2023-01-18",
        document=REPORT,
        quote=_at(2015, "could be resolved in the near future"),
    ),
    Claim(
        id="zakharova-full-use",
        chain=_SPOKESWOMAN,
        act="commit",
        proposition="full-use",
        uttered="2023-02-22",
        utterance=BRIEFING,
        document=REPORT,
        quote=Quotation(
            exact="we continue to search resume the full functioning of the Lachin corridor",
            ranges=[(938, 959), (1013, 1063)],
        ),
    ),
    Claim(
        id="zakharova-call",
        chain=_SPOKESWOMAN,
        act="call_for",
        proposition="joint-work",
        factuality="uncommitted",
        uttered="2023-02-22",
        utterance=BRIEFING,
        document=REPORT,
        quote=_at(545, "We call on our partners in Baku and Yerevan to resume", "direct"),
        addressees=["az", "am"],
    ),
    Claim(
        id="moscow-call",
        chain=[*_SPOKESWOMAN, Link("ru")],
        act="call_for",
        proposition="joint-work",
        factuality="uncommitted",
        uttered="2023-02-22",
        utterance=BRIEFING,
        document=REPORT,
        quote=_at(52, "Moscow calls on Baku and Yerevan to resume rhythmic work"),
        addressees=["az", "am"],
    ),
)

RELATIONS: Final = (
    Relation("baku-protest", "divergent_characterisation", "mod-blocked"),
    Relation("moscow-call", "paraphrases", "zakharova-call"),
    Relation("moscow-offer", "elaborates", "lavrov-soon"),
)


def load(ledger: Ledger) -> None:
    """Record the whole example: 11 parties, 3 topics, 8 propositions, one report, 9 claims.

    Example:
        >>> with Ledger.open(":memory:") as ledger:
        ...     load(ledger)
        ...     ledger.as_of(said="2023-01-18").position("ru", "checks").short()
        'supports (offer)'
    """
    ledger.register_all([*PARTIES, *TOPICS, *PROPOSITIONS, OCCURRENCE, DOCUMENT])
    ledger.record_all(CLAIMS)
    for one in RELATIONS:
        ledger.relate(one.claim, one.relation, one.target, note=one.note)
