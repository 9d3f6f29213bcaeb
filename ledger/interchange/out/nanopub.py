"""A view as nanopublications in TriG: what is claimed, where that is from, who entered it and when.

Each claim, withdrawal and relation is one nanopublication of four graphs. Its address ends with the
sequence of the last entry that changed it, so a version that was published stays what it was: an
amended claim supersedes its earlier version, in the publication info; a withdrawal retracts, in the
assertion, and is attributed to whoever withdrew. Nothing is signed here.

Follows the guidelines of nanopub.net; built with rdflib, one nanopublication in memory at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from ledger.errors import MissingExtra
from ledger.interchange.out.cito import relation_of
from ledger.interchange.out.iris import TERMS, Iris
from ledger.interchange.out.leaving import Leaving, leaving
from ledger.model import events as ev
from ledger.model.attribution import claimants_of
from ledger.model.moment import Edtf
from ledger.view import View

try:
    from rdflib import RDF, RDFS, Dataset, Graph, Literal, Namespace, URIRef
    from rdflib.namespace import DCTERMS, PROV, XSD, NamespaceManager
except ImportError as error:
    raise MissingExtra("rdf", needs="rdflib", purpose="Exporting RDF") from error

NP: Final = Namespace("http://www.nanopub.org/nschema#")
NPX: Final = Namespace("http://purl.org/nanopub/x/")
OA: Final = Namespace("http://www.w3.org/ns/oa#")
OURS: Final = Namespace(TERMS)
EDTF: Final = URIRef("http://id.loc.gov/datatypes/edtf/EDTF")
_PREFIXES: Final = {
    "np": NP,
    "npx": NPX,
    "prov": PROV,
    "dct": DCTERMS,
    "oa": OA,
    "rdfs": RDFS,
    "xsd": XSD,
    "cito": "http://purl.org/spar/cito/",
    "ledger": OURS,
}
_PREFIX: Final = re.compile(r"^@prefix (\S*): <.*\n", re.MULTILINE)


def write(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write the nanopublications of a view into one TriG file; gives their number."""
    file.writelines(f"@prefix {key}: <{one}> .\n".encode() for key, one in _PREFIXES.items())
    count = 0
    for one in nanopublications(view, iris=iris):
        for graph in sorted(one.graphs(), key=lambda graph: str(graph.identifier)):
            if graph:
                file.write(_trig(graph).encode())
        count += 1
    return count


def _trig(graph: Graph) -> str:
    """A graph by its name, in braces; prefixes that are not at the head of the file go before."""
    text = graph.serialize(format="turtle")
    others = "".join(one[0] for one in _PREFIX.finditer(text) if one[1] not in _PREFIXES)
    return f"\n{others}<{graph.identifier}> {{\n{_PREFIX.sub('', text).strip()}\n}}\n"


def nanopublications(view: View, *, iris: Iris) -> Iterator[Dataset]:
    """The nanopublications of a view, each a dataset of four graphs.

    Example:
        >>> from ledger import Ledger, Proposition
        >>> with Ledger.open(":memory:") as ledger:
        ...     _ = ledger.register(Proposition("safe", text="The dam is safe"))
        ...     _ = ledger.record(id="c1", proposition="safe", act="assert", uttered="2024")
        ...     [one] = nanopublications(ledger.as_of(), iris=Iris.of(None, "default"))
        >>> sum(len(graph) > 0 for graph in one.graphs())
        4
    """
    texts: dict[str, ev.PropositionDefined] = {}
    latest: dict[str, str] = {}
    for record in leaving(view, "proposition", "claim", "withdrawal", "relation"):
        match record.event:
            case ev.PropositionDefined() as event:
                texts[record.id] = event
            case ev.ClaimRecorded() as event:
                made = _Nanopub(record, iris)
                latest[record.id] = made.address
                made.claim(event, texts.get(event.proposition))
                yield made.data
            case ev.ClaimWithdrawn() as event:
                made = _Nanopub(record, iris)
                made.withdrawal(event, [latest[one] for one in event.claims if one in latest])
                yield made.data
            case ev.ClaimsRelated() as event:
                made = _Nanopub(record, iris)
                made.relation(event)
                yield made.data
            case _:
                continue


class _Nanopub:
    """One nanopublication in the making."""

    def __init__(self, record: Leaving, iris: Iris) -> None:
        self._iris = iris
        self._record = record
        self.address = self._version(record.versions[-1])
        self.this = URIRef(self.address)
        self.data = Dataset()
        self.data.namespace_manager = NamespaceManager(self.data, bind_namespaces="none")
        for prefix, namespace in _PREFIXES.items():
            self.data.bind(prefix, namespace)
        self.assertion = self._graph("assertion")
        self.provenance = self._graph("provenance")
        self._head()
        self._published()

    def _version(self, sequence: int) -> str:
        record = self._record
        return f"{self._iris('np', record.id)}/{record.kind}/{sequence}"

    def _part(self, name: str) -> URIRef:
        return URIRef(f"{self.address}#{name}")

    def _graph(self, name: str) -> Graph:
        return self.data.graph(self._part(name))

    def _iri(self, kind: str, id_: str) -> URIRef:
        return URIRef(self._iris(kind, id_))

    def _head(self) -> None:
        head = self._graph("Head")
        head.add((self.this, RDF.type, NP.Nanopublication))
        for property_, name in (
            (NP.hasAssertion, "assertion"),
            (NP.hasProvenance, "provenance"),
            (NP.hasPublicationInfo, "pubinfo"),
        ):
            head.add((self.this, property_, self._part(name)))

    def _published(self) -> None:
        info, entered = self._graph("pubinfo"), self._record.entered
        info.add((self.this, DCTERMS.created, Literal(entered.recorded)))
        info.add((self.this, DCTERMS.creator, self._iri("recorder", entered.recorder.id)))
        info.add((self.this, OURS.sequence, Literal(entered.sequence)))
        info.add((self.this, OURS.entry, Literal(entered.ledger_id)))
        for earlier in self._record.versions[-2:-1]:
            info.add((self.this, NPX.supersedes, URIRef(self._version(earlier))))

    def claim(self, event: ev.ClaimRecorded, on: ev.PropositionDefined | None) -> None:
        """A claim: what is said in the assertion, who said it where in the provenance."""
        said, add = self._iri("claim", self._record.id), self.assertion.add
        about = self._iri("proposition", event.proposition)
        add((said, RDF.type, OURS.Claim))
        add((said, OURS.proposition, about))
        if on is not None:
            add((about, RDF.type, OURS.Aim if on.kind == "aim" else OURS.Fact))
            add((about, RDFS.label, Literal(on.text)))
        words = {
            "act": event.act,
            "stance": event.stance,
            "factuality": event.factuality,
            "conditions": event.conditions,
            "language": event.language,
        }
        for word, value in words.items():
            if value is not None:
                add((said, OURS[word], Literal(value)))
        for word, date in (("about", event.about), ("expires", event.expires)):
            _date(self.assertion, said, word, date)
        for word, parties in (("addressee", event.addressees), ("mention", event.mentions)):
            for one in parties:
                add((said, OURS[word], self._iri("party", one)))
        self._told(event)
        for word, text in (("basis", event.basis), ("note", event.note)):
            if text is not None:
                self.provenance.add((self._part("assertion"), OURS[word], Literal(text)))

    def withdrawal(self, event: ev.ClaimWithdrawn, withdrawn: list[str]) -> None:
        """A withdrawal retracts the claims; whoever withdrew is the subject of the assertion."""
        who = [self._iri("party", one) for one in claimants_of(event.chains)]
        for one in who or [self._iri("withdrawal", self._record.id)]:
            for address in withdrawn:
                self.assertion.add((one, NPX.retracts, URIRef(address)))
        self._told(event)
        if event.note is not None:
            self.provenance.add((self._part("assertion"), OURS.note, Literal(event.note)))

    def relation(self, event: ev.ClaimsRelated) -> None:
        """A relation between claims, by its name in CiTO where it has one."""
        one, other = self._iri("claim", event.claim), self._iri("claim", event.target)
        self.assertion.add((one, URIRef(relation_of(event.relation)), other))
        recorder = self._iri("recorder", self._record.entered.recorder.id)
        self.provenance.add((self._part("assertion"), PROV.wasAttributedTo, recorder))
        if event.note is not None:
            self.provenance.add((self._part("assertion"), OURS.note, Literal(event.note)))

    def _told(self, act: ev.Act) -> None:
        """Where an assertion is from: claimants, occasion, chain, document, words."""
        from_, add = self._part("assertion"), self.provenance.add
        for one in claimants_of(act.chains):
            add((from_, PROV.wasAttributedTo, self._iri("party", one)))
        occasion = self._iri("utterance", act.utterance_key or f"of-{self._record.id}")
        add((from_, PROV.wasGeneratedBy, occasion))
        add((from_, OURS.capacity, Literal(act.capacity)))
        _date(self.provenance, occasion, "uttered", act.uttered)
        if act.document is not None:
            from_document = PROV.wasQuotedFrom if act.quote else PROV.hadPrimarySource
            add((from_, from_document, self._iri("document", act.document)))
        if act.quote is not None:
            quote = self._part("quote")
            add((from_, OURS.quote, quote))
            add((quote, RDF.type, OA.TextQuoteSelector))
            add((quote, OA.exact, Literal(act.quote.exact)))
            add((quote, OURS.mode, Literal(act.quote.mode)))
            for start, end in act.quote.ranges:
                piece = self._part(f"range-{start}-{end}")
                add((quote, OA.refinedBy, piece))
                add((piece, RDF.type, OA.TextPositionSelector))
                add((piece, OA.start, Literal(start)))
                add((piece, OA.end, Literal(end)))
            for property_, text in ((OA.prefix, act.quote.prefix), (OA.suffix, act.quote.suffix)):
                if text:
                    add((quote, property_, Literal(text)))
        self._chains(act)

    def _chains(self, act: ev.Act) -> None:
        add = self.provenance.add
        words = {(one.chain, one.link): one for one in act.link_words}
        for index, chain in enumerate(act.chains):
            for place, link in enumerate(chain):
                node = self._part(f"link-{index}-{place}")
                add((self._part("assertion"), OURS.link, node))
                add((node, OURS.chain, Literal(index)))
                add((node, OURS.place, Literal(place)))
                add((node, OURS.kind, Literal(link.kind)))
                add((node, OURS.agent, self._iri("party", link.agent)))
                told = words.get((index, place))
                for word, text in (
                    ("role", link.role),
                    ("words", told.words.exact if told and told.words else ""),
                    ("cue", told.cue.exact if told and told.cue else ""),
                ):
                    if text:
                        add((node, OURS[word], Literal(text)))


def _date(graph: Graph, subject: URIRef, word: str, date: Edtf | None) -> None:
    if date is not None:
        graph.add((subject, OURS[word], Literal(date.text, datatype=EDTF)))
