"""The relations between claims as CiTO citations, in Turtle.

A relation that CiTO has a name for takes it; another one is a word of ours, declared as a kind of
`cito:cites`. A withdrawal `cito:retracts` what it takes back. Each stands as a plain statement and
as a `cito:Citation`, which holds its note and its place in the log. Built with rdflib.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

from ledger.errors import MissingExtra
from ledger.interchange.out.iris import TERMS, Iris
from ledger.interchange.out.leaving import Leaving, leaving
from ledger.model import events as ev
from ledger.view import View

try:
    from rdflib import RDF, RDFS, Graph, Literal, Namespace, URIRef
    from rdflib.namespace import DCTERMS
except ImportError as error:
    raise MissingExtra("rdf", needs="rdflib", purpose="Exporting RDF") from error

CITO: Final = Namespace("http://purl.org/spar/cito/")
OURS: Final = Namespace(TERMS)

NAMES: Final[Mapping[str, str]] = {
    "elaborates": "extends",
    "supports": "supports",
    "disputes": "disputes",
    "reaffirms": "confirms",
    "cites_as_authority": "citesAsAuthority",
    "replies_to": "repliesTo",
    "updates": "updates",
}
"""Relations that CiTO knows, and what it calls them."""


def relation_of(relation: str) -> str:
    """The IRI of a relation: CiTO's where there is one, else a word of ours.

    Example:
        >>> relation_of("replies_to"), relation_of("paraphrases")
        ('http://purl.org/spar/cito/repliesTo', 'urn:x-claimledger:terms:paraphrases')
    """
    return str(CITO[NAMES[relation]]) if relation in NAMES else TERMS + relation


def write(view: View, file: BinaryIO, *, iris: Iris) -> int:
    """Write the relations and withdrawals of a view; gives their number."""
    head = f"@prefix cito: <{CITO}> .\n@prefix dct: <{DCTERMS}> .\n@prefix ledger: <{TERMS}> .\n"
    file.write(f"{head}@prefix rdfs: <{RDFS}> .\n\n".encode())
    count = 0
    declared: set[str] = set()
    for record in leaving(view, "relation", "withdrawal"):
        match record.event:
            case ev.ClaimsRelated() as event:
                name = relation_of(event.relation)
                pairs = [("claim", event.claim, event.target)]
            case ev.ClaimWithdrawn() as event:
                name = str(CITO.retracts)
                pairs = [("withdrawal", record.id, one) for one in event.claims]
            case _:
                continue
        graph = Graph(bind_namespaces="none")
        if name.startswith(TERMS) and name not in declared:
            declared.add(name)
            graph.add((URIRef(name), RDFS.subPropertyOf, CITO.cites))
        for kind, one, target in pairs:
            _cite(graph, record, iris, name, (iris(kind, one), iris("claim", target)))
        file.write(graph.serialize(format="nt").encode())
        count += 1
    return count


def _cite(graph: Graph, record: Leaving, iris: Iris, name: str, ends: tuple[str, str]) -> None:
    citing, cited = map(URIRef, ends)
    at = f"citation/{record.entered.sequence}"
    citation = URIRef(f"{iris.base}{at}" if record.kind == "relation" else f"{cited}/{at}")
    graph.add((citing, URIRef(name), cited))
    graph.add((citation, RDF.type, CITO.Citation))
    graph.add((citation, CITO.hasCitingEntity, citing))
    graph.add((citation, CITO.hasCitedEntity, cited))
    graph.add((citation, CITO.hasCitationCharacterization, URIRef(name)))
    graph.add((citation, DCTERMS.created, Literal(record.entered.recorded)))
    graph.add((citation, OURS.sequence, Literal(record.entered.sequence)))
    note = getattr(record.event, "note", None)
    if note is not None:
        graph.add((citation, RDFS.comment, Literal(note)))
