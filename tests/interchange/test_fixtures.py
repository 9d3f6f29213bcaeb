"""The data of `../shared/data` comes in whole, with the counts that its READMEs give."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pytest

from ledger import Document, Ledger, Party, Proposition
from ledger.interchange import Outcome, import_file


@pytest.fixture
def ledger():
    with Ledger.open(":memory:") as opened:
        yield opened


def told_of(ledger, path, **options):
    told: list[Outcome] = []
    account = import_file(ledger, path, tell=told.append, **options)
    assert account.accepted + account.refused + account.skipped == account.lines == len(told)
    return account, told


# -- Popolo -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def popolo(shared):
    return shared("data/popolo")


@pytest.fixture(scope="module")
def parliament(popolo):
    with Ledger.open(":memory:") as ledger:
        account, told = told_of(ledger, popolo / "estonia.json")
        yield ledger, account, told


def test_people_organisations_and_memberships_come_in_whole(parliament, popolo):
    ledger, account, told = parliament
    counts = json.loads((popolo / "expected.json").read_text("utf-8"))["counts"]
    assert Counter(one.at.partition("[")[0] for one in told) == counts
    kinds = Counter(one.kind for one in ledger.as_of().parties())
    assert kinds == {"person": counts["persons"], "organisation": counts["organizations"]}
    assert account.skipped == counts["events"] + counts["areas"]


def test_those_elected_and_never_seated_are_refused_by_name(parliament):
    _, account, told = parliament
    refused = [one for one in told if one.verdict == "refused"]
    assert len(refused) == account.refused == 4
    assert all("2015-03-30 is after until 2015-03-27" in one.reason for one in refused)


def test_who_changes_group_within_a_term_is_in_both_on_the_days_the_file_says(parliament, popolo):
    ledger, _, _ = parliament
    view = ledger.as_of()
    changes = json.loads((popolo / "expected.json").read_text("utf-8"))["changes_within_term"]
    for one in changes:
        for day, group in ((one["last_day"], one["from"]), (one["first_day"], one["to"])):
            held = {found.organisation for found in view.memberships(one["person_id"], on=day)}
            assert group in held, one
            assert not held & {one["from"], one["to"]} - {group}
        assert not any(found.speaks_for for found in view.memberships(one["person_id"]))


def test_names_in_other_scripts_denote_the_same_people(parliament):
    ledger, _, _ = parliament
    view = ledger.as_of()
    assert view.resolve("Айн Лутсепп") == view.resolve("Ain Lutsepp")


def test_a_second_import_of_the_parliament_adds_nothing(parliament, popolo):
    ledger, first, _ = parliament
    size = ledger.checkpoint().size
    account, _ = told_of(ledger, popolo / "estonia.json")
    assert (account.accepted, account.refused) == (0, first.refused)
    assert ledger.checkpoint().size == size


def test_read_as_half_open_the_last_day_is_lost(popolo, ledger):
    told_of(ledger, popolo / "estonia.json", bounds="half_open")
    laanet = "c4a5d205-2d51-495f-9c8a-36afdbf2549c"
    assert ledger.as_of().memberships(laanet, on="2012-03-19") == ()


# -- PROV-JSON ----------------------------------------------------------------------------------

STATEMENTS = {"member3": 3, "bundle1": 8, "bundle4": 8, "scruffy-generation2-M": 4}
STATEMENTS |= {"scruffy-end4-S": 2}


def test_every_statement_of_the_valid_documents_is_accounted_for(shared, ledger):
    files = sorted(shared("data/prov-json/valid").iterdir())
    assert len(files) == 28
    for path in files:
        account, told = told_of(ledger, path, format="prov")
        assert account.lines == STATEMENTS.get(path.stem, 1), path.name
        assert account.refused == 0, told
    ledger.verify()


def test_an_attribution_names_the_claimant_and_a_delegation_whom_it_acts_for(shared, ledger):
    folder = shared("data/prov-json/valid")
    told_of(ledger, folder / "attribution8.json", format="prov")
    (row,) = ledger.claims()
    assert row.claimant == ("http://example.org/ag1",)
    trace = ledger.trace(row.id)
    assert trace.proposition == "http://example.org/e1"
    (stored,) = [one for one in ledger.events() if one.type == "claim_recorded"]
    assert "ex:tag1" in getattr(stored.event, "extra", {})["prov"]


@pytest.mark.parametrize(
    "name",
    [
        "bad_bundle_shape",
        "bad_prefix_map",
        "bad_record_content",
        "bad_record_shape",
        "bad_typed_literal",
        "empty",
        "not_json",
        "top_level_list",
        "top_level_scalar",
        "unknown_record_type",
    ],
)
def test_malformed_documents_are_refused_with_the_reason(shared, ledger, name):
    account, (told,) = told_of(
        ledger, shared("data/prov-json/malformed") / f"{name}.json", format="prov"
    )
    assert (account.refused, account.accepted) == (1, 0)
    assert told.reason
    assert ledger.checkpoint().size == 0


def test_what_cannot_be_true_beside_an_earlier_statement_is_refused(shared, ledger):
    for path in sorted(shared("data/prov-json/unification").iterdir()):
        account, _ = told_of(ledger, path, format="prov")
        assert account.refused == ("FAIL" in path.name), path.name


# -- Web Annotation and single Popolo records ----------------------------------------------------


@pytest.fixture
def article(shared, ledger):
    text = (shared("data/seed") / "article.txt").read_bytes().decode()
    paper = Party("paper", name="The paper", kind="publisher")
    ledger.register(Document("http://example.org/seed/article.txt", publisher=paper, text=text))
    return text


@pytest.mark.parametrize(
    "name, words",
    [
        ("annotation-quote", ""),
        ("annotation-position", "no proposition 'http://example.org/claim/C08'"),
        ("annotation-no-context", "@context is missing"),
        ("annotation-no-target", "one target: it is missing"),
        ("annotation-exact-twice", "exact must be text"),
        ("annotation-start-as-text", "start must be a whole number"),
    ],
)
def test_annotations_are_taken_or_refused_as_the_examples_say(shared, ledger, article, name, words):
    path = shared("data/schemas/examples") / f"{name}.json"
    _, (told,) = told_of(ledger, path, format="annotations")
    assert told.verdict == ("refused" if words else "accepted")
    assert words in told.reason


def test_a_position_alone_takes_its_words_from_the_document(shared, ledger, article):
    path = shared("data/schemas/examples") / "annotation-position.json"
    ledger.register(Proposition("http://example.org/claim/C08", text="The road is blocked"))
    _, (told,) = told_of(ledger, path, format="annotations")
    assert told.verdict == "accepted"
    (row,) = ledger.claims()
    assert row.quote == article[1336:1407]


@pytest.mark.parametrize(
    "name, words",
    [
        ("membership-day-first", "ambiguous"),
        ("membership-impossible-day", "2012-04-31 is no day"),
        ("membership", "there is no party"),
        ("other-name-no-name", "id is missing"),
    ],
)
def test_what_a_schema_lets_pass_is_refused_by_what_it_says(shared, ledger, name, words):
    path = shared("data/schemas/examples") / f"{name}.json"
    _, (told,) = told_of(ledger, path, format="popolo")
    assert told.verdict == "refused"
    assert words in told.reason


# -- a table in four versions --------------------------------------------------------------------

STANCES = {
    "Fully denied": "opposes",
    "Raised questions": "opposes",
    "Accepted with reservations": "supports",
    "Fully accepted": "supports",
    "Avoided answering": "undeclared",
    "No comment": "undeclared",
}
ACTS = {"Avoided answering": "avoid", "No comment": "decline_to_comment"}
WHO = "{Candidate}, {State}, {Office} {District}"
CANDIDATES = {
    "rows": [
        {"record": {"type": "party", "id": WHO, "name": "{Candidate}", "kind": "person"}},
        {
            "record": {
                "type": "claim",
                "claimant": WHO,
                "proposition": "legitimate",
                "act": {"column": "Stance", "map": ACTS, "default": "assert"},
                "stance": {"column": "Stance", "map": STANCES},
                "factuality": {
                    "column": "Stance",
                    "map": {"Raised questions": "possible"},
                    "default": "certain",
                },
                "extra": {"source": "{Source}", "url": "{URL}", "said": "{Stance}"},
            }
        },
    ]
}


@pytest.fixture(scope="module")
def versions(shared):
    """The four versions, each imported at the time from which it was known."""
    folder = shared("data/election-deniers")
    told = json.loads((folder / "versions.json").read_text("utf-8"))["versions"]
    known = {one["file"]: one["committed_at"] for one in told}
    now = [dt.datetime(2022, 9, 1, tzinfo=dt.UTC)]
    with Ledger.open(":memory:", clock=lambda: now[0]) as ledger:
        ledger.register(Proposition("legitimate", text="The election was legitimate"))
        accounts = {}
        for name, committed in sorted(known.items()):
            now[0] = dt.datetime.fromisoformat(committed)
            accounts[name], _ = told_of(ledger, folder / name, mapping=CANDIDATES)
        now[0] = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
        yield ledger, accounts


def test_a_table_comes_in_version_by_version_and_only_what_is_new_is_recorded(versions):
    _, accounts = versions
    assert [one.lines for one in accounts.values()] == [540, 552, 552, 552]
    assert [one.refused for one in accounts.values()] == [0, 0, 0, 0]
    assert accounts["v1.csv"].accepted == 540
    assert accounts["v4.csv"].accepted == 0  # only the line ends changed


def test_what_was_known_of_a_candidate_on_a_day_is_what_the_version_of_then_says(versions, shared):
    ledger, _ = versions
    expected = json.loads((shared("data/election-deniers") / "expected.json").read_text("utf-8"))
    parties = {party.name: party.id for party in ledger.as_of().parties()}
    for one in expected["answers_known"]:
        view = ledger.as_of(known=one["known"])
        ids = {party.id for party in view.parties()}
        party = parties[one["candidate"]]
        rows = view.claims(claimant=party).rows if party in ids else ()
        last = max(rows, key=lambda row: row.sequence, default=None)
        wanted = one["stance"]
        if last is None:
            assert wanted in ("nothing", None), one
        else:
            said = (last.act, last.stance, last.factuality)
            assert said == _as_recorded(wanted), one


def _as_recorded(stance):
    factuality = "possible" if stance == "Raised questions" else "certain"
    return (ACTS.get(stance, "assert"), STANCES[stance], factuality)


# -- names that denote a party for a time --------------------------------------------------------


def dictionary(ledger, path, bounds):
    account, told = told_of(ledger, path, bounds=bounds)
    assert [one.line for one in told if one.verdict == "refused"] == [
        line for line in (17, 2032) if line <= len(path.read_bytes().splitlines())
    ]
    return account, told


@pytest.mark.slow
def test_an_actor_dictionary_comes_in_with_its_dirt_told_line_by_line(shared, ledger):
    folder = shared("data/actor-dictionary")
    path = folder / "countries.actors.txt"
    _, told = dictionary(ledger, path, "closed")
    bare = [one for one in told if "entry without code" in one.warnings]
    assert len(bare) == 30
    raw = path.read_text("utf-8").splitlines()
    dated = [one for one in told if one.verdict == "accepted" and raw[one.line - 1][:1] == "\t"]
    assert len(dated) == 1171
    assert_denoted(ledger, folder, "closed", but={"YELTSIN"})
    assert [one.party for one in ledger.as_of().denoted("YELTSIN")] == ["YELTSIN"]  # no code
    account, _ = told_of(ledger, folder / "international.actors.txt")
    assert (account.lines, account.refused) == (12, 0)


def test_read_as_half_open_names_change_hands_on_the_border_day_itself(shared, ledger, tmp_path):
    folder = shared("data/actor-dictionary")
    path = tmp_path / "some.actors.txt"
    lines = (folder / "countries.actors.txt").read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1064]))
    dictionary(ledger, path, "half_open")
    assert_denoted(ledger, folder, "half_open", but={"YELTSIN", "SUSAN RICE"})


def assert_denoted(ledger, folder, bounds, but):
    view = ledger.as_of()
    for one in json.loads((folder / "expected.json").read_text("utf-8"))["answers"]:
        if one["name"] not in but:
            found = [found.party for found in view.denoted(one["name"], on=one["asked"])]
            assert found == ([one[bounds]] if one[bounds] else []), one
