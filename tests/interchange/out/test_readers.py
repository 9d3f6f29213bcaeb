"""What leaves is read by readers that nobody here wrote, and says there what it says here."""

from __future__ import annotations

import io
import json
import urllib.parse

import duckdb
import jsonschema
import pandas as pd
import polars as pl
import pytest
import rdflib
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from nanopub.nanopub import Nanopub
from nanopub.utils import MalformedNanopubError
from prov.model import PROV, ProvDerivation, ProvDocument
from referencing import Registry
from referencing.jsonschema import DRAFT3, DRAFT4

from ledger import Ledger
from ledger.interchange.out import arrow, nanopub, prov
from ledger.interchange.out.annotations import annotated
from ledger.interchange.out.columns import COLUMNS
from ledger.interchange.out.exporting import export
from ledger.interchange.out.iris import Iris
from ledger.model.attribution import innermost
from tests.projections.worlds import Clock, told_to, worlds

# rdflib's own parsers and nanopub call rdflib by names that it is about to give up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BASE = "https://claims.example/"
IRIS = Iris(BASE)
CITO = rdflib.Namespace("http://purl.org/spar/cito/")
NPX = rdflib.Namespace("http://purl.org/nanopub/x/")


@pytest.fixture(params=["corridor", "full"])
def either(request):
    return request.getfixturevalue(request.param)


# -- PROV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, read", [("prov", {"format": "json"}), ("prov-n", {"format": "provn"})]
)
def test_prov_reads_back_an_equal_document(either, exported, name, read):
    text = exported(either, name, base=BASE)
    again = ProvDocument.deserialize(content=text, **read)
    assert again == prov.document(either.as_of(), iris=IRIS)
    assert len(again.records) > 50


def test_a_version_of_a_document_is_a_revision(full, exported):
    found = ProvDocument.deserialize(content=exported(full, "prov", base=BASE), format="json")
    revisions = [
        [str(end) for _, end in one.formal_attributes[:2]]
        for one in found.get_records(ProvDerivation)
        if PROV["Revision"] in one.get_asserted_types()
    ]
    assert revisions == [["id:document/d2", "id:document/d1"]]
    told = json.loads(exported(full, "parquet"))["documents"]
    assert {one["id"]: one["revises"] for one in told} == {"d1": None, "d2": "d1"}


def test_prov_o_reads_back_with_every_claim_attributed(corridor, exported):
    text = exported(corridor, "prov-o", base=BASE)
    again = ProvDocument.deserialize(content=text, format="rdf", rdf_format="turtle")
    graph = rdflib.Graph().parse(data=text, format="turtle")
    attributed = set(graph.subject_objects(rdflib.PROV.wasAttributedTo))
    for row in corridor.claims():
        for who in {link.agent for link in claimants(corridor, row.id)}:
            pair = rdflib.URIRef(BASE + f"claim/{row.id}"), rdflib.URIRef(BASE + f"party/{who}")
            assert pair in attributed
    whole = ProvDocument.deserialize(
        content=exported(corridor, "prov", base=BASE), format="json"
    ).unified()
    assert len(list(again.get_records())) == len(list(whole.get_records()))


def claimants(ledger, id_):
    (event,) = [one.event for one in ledger.events(types="claim_recorded") if one.event.key == id_]
    with ledger.as_of().facts() as facts:
        return [
            type(chain[0])(facts.public(chain[at].agent), chain[at].kind)
            for chain in event.chains
            if (at := innermost(chain)) >= 0
        ]


def test_a_withdrawal_invalidates_and_a_spokeswoman_acts_on_behalf(corridor, exported):
    told = json.loads(exported(corridor, "prov", base=BASE))
    (taken,) = told["wasInvalidatedBy"].values()
    assert (taken["prov:entity"], taken["prov:activity"]) == (
        "id:claim/moscow-offer",
        "id:withdrawal/taken-back",
    )
    behalf = {
        (one["prov:delegate"], one["prov:responsible"], one.get("ledger:role"))
        for under_one_id in told["actedOnBehalfOf"].values()
        for one in (under_one_id if isinstance(under_one_id, list) else [under_one_id])
    }
    assert ("id:party/maria-zakharova", "id:party/ru-mfa", "spokeswoman") in behalf
    assert {one["prov:usedEntity"] for one in told["wasDerivedFrom"].values()} == {
        "id:document/ria-2023-02-22"
    }


# -- nanopublications -----------------------------------------------------------------------------


def read_nanopubs(text):
    """Each nanopublication of a file, as a graph of its own, by its address."""
    whole = rdflib.Dataset()
    whole.parse(data=text, format="trig")
    found: dict[str, rdflib.Dataset] = {}
    for context in whole.contexts():
        if len(context):
            address = str(context.identifier).partition("#")[0]
            one = found.setdefault(address, rdflib.Dataset())
            part = one.get_context(context.identifier)
            for triple in context:
                part.add(triple)
    return found


def test_nanopub_takes_every_nanopublication_for_valid(either, exported):
    found = read_nanopubs(exported(either, "nanopub", base=BASE))
    claims = len(either.claims())
    assert len(found) > claims
    for address, graph in found.items():
        one = Nanopub(rdf=graph)
        assert one.is_valid
        assert str(one.metadata.np_uri) == address


@pytest.mark.parametrize("name", ["emptyprov", "noprovlink", "extragraph"])
def test_nanopub_is_a_reader_that_refuses(shared, name):
    file = shared(f"data/nanopub/invalid/plain/{name}.trig")
    with pytest.raises(MalformedNanopubError):
        assert Nanopub(rdf=file).is_valid


def test_an_amendment_supersedes_and_a_withdrawal_retracts(corridor):
    quads = {
        tuple(map(str, quad))
        for one in nanopub.nanopublications(corridor.as_of(), iris=IRIS)
        for quad in one.quads()
    }
    entries = {one.id: one.sequence for one in corridor.log() if one.type == "record_amended"}
    (amended,) = entries.values()
    first = next(row.sequence for row in corridor.claims() if row.id == "lavrov-soon")
    new, old = (f"{BASE}np/lavrov-soon/claim/{at}" for at in (amended, first))
    assert (new, str(NPX.supersedes), old, f"{new}#pubinfo") in quads
    offered = next(row.sequence for row in corridor.claims() if row.id == "moscow-offer")
    (retracted,) = [one for one in quads if one[1] == str(NPX.retracts)]
    assert retracted[0] == f"{BASE}party/ru"
    assert retracted[2] == f"{BASE}np/moscow-offer/claim/{offered}"
    assert retracted[3].endswith("#assertion")


def test_what_was_published_of_an_earlier_date_stays_what_it_was(corridor):
    first = next(row.sequence for row in corridor.claims() if row.id == "lavrov-soon")

    def version(view):
        for one in nanopub.nanopublications(view, iris=IRIS):
            for graph in one.graphs():
                if str(graph.identifier) == f"{BASE}np/lavrov-soon/claim/{first}#provenance":
                    return set(graph)
        return None

    before = version(corridor.as_of(said="2026-01-01", known=first))
    assert before
    assert version(corridor.as_of(said="2026-01-01", known=first + 1)) == before
    assert version(corridor.as_of()) is None


# -- relations ------------------------------------------------------------------------------------


def test_rdflib_reads_the_relations_by_their_names_in_cito(either, exported):
    graph = rdflib.Graph().parse(data=exported(either, "cito", base=BASE), format="turtle")
    citations = set(graph.subjects(rdflib.RDF.type, CITO.Citation))
    retracted = set(graph.subject_objects(CITO.retracts))
    assert len(citations) >= 2
    assert retracted
    for one in citations:
        citing, cited = (
            graph.value(one, CITO.hasCitingEntity),
            graph.value(one, CITO.hasCitedEntity),
        )
        how = graph.value(one, CITO.hasCitationCharacterization)
        assert (citing, how, cited) in graph
        assert (
            str(how).startswith(str(CITO)) or (how, rdflib.RDFS.subPropertyOf, CITO.cites) in graph
        )


def test_an_elaboration_extends_in_cito(corridor, exported):
    graph = rdflib.Graph().parse(data=exported(corridor, "cito", base=BASE), format="turtle")
    pair = [rdflib.URIRef(f"{BASE}claim/{one}") for one in ("moscow-offer", "lavrov-soon")]
    assert (pair[0], CITO.extends, pair[1]) in graph


# -- Web Annotation -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def annotation_schemas(shared):
    folder = shared("data/schemas/web-annotation")
    files = {one.name: json.loads(one.read_text("utf-8")) for one in folder.glob("*/*.json")}
    registry = Registry().with_resources(
        (name, DRAFT4.create_resource(one)) for name, one in files.items()
    )
    return {
        name: jsonschema.Draft4Validator(
            one, registry=registry, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
        )
        for name, one in files.items()
        if one.get("assertionType") == "must" and one.get("expectedResult") == "valid"
    }


def test_every_annotation_meets_what_the_model_demands(either, annotation_schemas):
    found = list(annotated(either.as_of(), iris=IRIS))
    assert len(annotation_schemas) > 5
    assert len(found) >= 4
    for one in found:
        for schema in annotation_schemas.values():
            schema.validate(one)


def test_the_schemas_refuse_an_annotation_without_a_target(corridor, annotation_schemas):
    one = next(annotated(corridor.as_of(), iris=IRIS))
    del one["target"]
    assert any(list(schema.iter_errors(one)) for schema in annotation_schemas.values())


def test_the_words_of_an_annotation_stand_where_it_says(full, exported):
    page = json.loads(exported(full, "annotations", base=BASE))
    texts = {
        f"{BASE}document/d2": "Backsentinel, they take it back.",
        "https://urlsentinel.example/1": full_text(full),
    }
    assert page["type"] == "AnnotationPage"
    for one in page["items"]:
        text = texts[one["target"]["source"]]
        quote, at = one["target"]["selector"]
        assert text[at["start"] : at["end"]] == quote["exact"]
        assert text[: at["start"]].endswith(quote.get("prefix", ""))
        assert text[at["end"] :].startswith(quote.get("suffix", ""))


def full_text(ledger):
    return next(
        one.event.text for one in ledger.events(types="document_registered") if one.event.text
    )


def test_words_in_two_pieces_have_two_targets(corridor):
    found = {one["id"]: one for one in annotated(corridor.as_of(), iris=IRIS)}
    cut = found[f"{BASE}annotation/zakharova-full-use/quote"]["target"]
    assert [one["selector"][1]["start"] for one in cut] == [938, 1013]
    assert [one["selector"][0]["exact"] for one in cut] == [
        "we continue to search",
        "resume the full functioning of the Lachin corridor",
    ]


# -- schema.org -----------------------------------------------------------------------------------


def test_rdflib_knows_every_word_that_is_schema_orgs(either, exported):
    text = exported(either, "schemaorg", base=BASE)
    graph = rdflib.Graph().parse(data=text, format="json-ld")
    words = {
        str(term)
        for triple in graph
        for term in triple[1:]
        if str(term).startswith("https://schema.org/")
    }
    known = {str(rdflib.SDO) + name for name in dir(rdflib.SDO)} | {
        str(rdflib.SDO) + name for name in rdflib.SDO.__annotations__
    }
    assert words
    assert words <= known


def test_schema_org_says_who_claims_what_where(corridor, exported):
    text = exported(corridor, "schemaorg", base=BASE)
    graph = rdflib.Graph().parse(data=text, format="json-ld")
    claim = rdflib.URIRef(f"{BASE}claim/mod-blocked")
    assert (claim, rdflib.RDF.type, rdflib.SDO.Claim) in graph
    assert graph.value(claim, rdflib.SDO.author) == rdflib.URIRef(f"{BASE}party/ru-mod")
    assert graph.value(claim, rdflib.SDO.appearance) == rdflib.URIRef(
        f"{BASE}document/ria-2023-02-22"
    )
    assert len(set(graph.subjects(rdflib.RDF.type, rdflib.SDO.Claim))) == len(corridor.claims())


# -- Popolo ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def popolo_schemas(shared):
    folder = shared("data/schemas/popolo")
    files = [json.loads(one.read_text("utf-8")) for one in folder.glob("*.json")]
    registry = Registry().with_resources(
        (one["id"].rstrip("#"), DRAFT3.create_resource(one)) for one in files
    )
    return {
        one["id"].rpartition("/")[2].rstrip("#").removesuffix(".json"): jsonschema.Draft3Validator(
            one, registry=registry, format_checker=jsonschema.Draft3Validator.FORMAT_CHECKER
        )
        for one in files
    }


def test_every_popolo_object_is_valid(either, exported, popolo_schemas):
    told = json.loads(exported(either, "popolo"))
    for name, of in (
        ("persons", "person"),
        ("organizations", "organization"),
        ("memberships", "membership"),
    ):
        assert told[name]
        for one in told[name]:
            popolo_schemas[of].validate(one)
            for other in one.get("other_names", ()):
                popolo_schemas["other_name"].validate(other)


def test_popolo_periods_are_closed(full, exported):
    told = json.loads(exported(full, "popolo"))
    (named,) = [one for one in told["organizations"] if one["id"] == "p1"]
    assert named["other_names"] == [
        {"name": "Namesentinel", "start_date": "1871-02-03", "end_date": "1971-02-03"}
    ]
    (one,) = [one for one in told["memberships"] if one.get("role")]
    assert (one["person_id"], one["organization_id"], one["start_date"]) == (
        "p3",
        "p2",
        "1872-03-04",
    )


# -- CloudEvents ----------------------------------------------------------------------------------


def test_the_sdk_reads_every_cloud_event(either, exported):
    lines = exported(either, "cloudevents", base=BASE).splitlines()
    stored = list(either.events())
    assert len(lines) == len(stored)
    for line, one in zip(lines, stored, strict=True):
        read = JSONFormat().read(CloudEvent, line)
        assert (read.get_id(), read.get_subject()) == (one.id, one.stream)
        assert read.get_source() == BASE.rstrip("/")
        assert read.get_type() == f"claimledger.{one.type}.v1"
        assert read.get_time() == one.recorded
        assert int(read.get_extension("sequence")) == one.sequence
    assert sorted(lines, key=lambda line: json.loads(line)["sequence"]) == lines


# -- tables ---------------------------------------------------------------------------------------


@pytest.fixture
def folder(corridor, tmp_path):
    export(corridor.as_of(), "parquet", tmp_path / "tables")
    return tmp_path / "tables"


def test_pandas_polars_and_duckdb_read_the_same_tables(corridor, folder):
    rows = {row.id: row for row in corridor.claims()}
    assert {one.stem for one in folder.iterdir()} == set(COLUMNS)
    for name in COLUMNS:
        file = folder / f"{name}.parquet"
        frame = pd.read_parquet(file)
        assert list(frame.columns) == list(COLUMNS[name]) == pl.read_parquet(file).columns
        with duckdb.connect() as db:
            ((counted,),) = db.sql(f"SELECT count(*) FROM '{file}'").fetchall()
        assert len(frame) == pl.read_parquet(file).height == counted
    claims = pl.read_parquet(folder / "claims.parquet")
    assert set(claims["id"]) == set(rows)
    for row in claims.iter_rows(named=True):
        line = rows[row["id"]]
        assert tuple(row["claimants"]) == line.claimant
        assert (row["stance"], row["withdrawn"], row["sequence"]) == (
            line.stance,
            line.withdrawn,
            line.sequence,
        )


def test_duckdb_joins_claims_with_links_and_compares_days(folder):
    with duckdb.connect() as db:
        found = db.sql(
            f"""
            SELECT c.id FROM '{folder}/claims.parquet' c
            JOIN '{folder}/links.parquet' l ON l.claim = c.id
            WHERE l.role = 'spokeswoman' AND c.uttered_latest = DATE '2023-02-22' ORDER BY 1
            """
        ).fetchall()
    assert [one for (one,) in found] == ["moscow-call", "zakharova-call", "zakharova-full-use"]


def test_frames_of_pandas_and_polars_hold_the_same(corridor):
    view = corridor.as_of()
    pandas, polars = (arrow.frame(view, "claims", of=one) for one in ("pandas", "polars"))
    assert isinstance(pandas, pd.DataFrame)
    assert isinstance(polars, pl.DataFrame)
    assert list(pandas["id"]) == polars["id"].to_list()
    assert polars["recorded"].dtype == pl.Datetime("us", "UTC")
    assert polars["uttered_earliest"].dtype == pl.Date


# -- whatever is drawn ----------------------------------------------------------------------------


@settings(max_examples=6)
@given(worlds())
def test_whatever_a_ledger_holds_leaves_in_every_format(world):
    clock = Clock()
    with Ledger.open(":memory:", clock=clock) as ledger:
        told_to(ledger, clock, world)
        view, base = ledger.as_of(said=clock.now), "https://claims.example/"
        text = {}
        for name in ("prov", "nanopub", "cito", "schemaorg", "popolo", "annotations"):
            out = io.BytesIO()
            export(view, name, out, base=base)
            text[name] = out.getvalue().decode()
        assert ProvDocument.deserialize(content=text["prov"], format="json")
        dataset = rdflib.Dataset()
        dataset.parse(data=text["nanopub"], format="trig")
        rdflib.Graph().parse(data=text["cito"], format="turtle")
        claims = {row.id for row in view.claims()}
        graph = rdflib.Graph().parse(data=text["schemaorg"], format="json-ld")
        assert {
            urllib.parse.unquote(str(one)).removeprefix(f"{base}claim/")
            for one in graph.subjects(rdflib.RDF.type, rdflib.SDO.Claim)
        } == claims
        ids = {row["id"] for row in arrow.arrow(view, "claims").to_pylist()}
        assert ids == claims
