"""The statements of the common case, in each engine's words; what they are for is in `plain`.

Here live their texts alone. On SQLite `?1` is the log and `?2` the basis; a party or proposition
that is one is compared, several come as JSON. On PostgreSQL several come as an array always, and
`guarded` asks along with the cells whether what is kept still holds, so that a question is one
statement, which sees one moment of the database:

```
no row     the log has grown, or the build is read no more
NULLs      what is kept holds, and nobody spoke
rows       what is kept holds
```
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from ledger.store import cells
from ledger.store.tables import Tables

_TAIL: Final = 64
"""How much of an entry's end is looked at: it tells the type and its version."""

_SAME: Final = (
    "{0}.log_id = s.log_id AND {0}.name = s.name AND {0}.version = s.version AND "
    "{0}.build = s.build"
)

_TOUCHED: Final = (
    "EXISTS (SELECT 1 FROM {link} l WHERE l.log_id = ?1 AND l.kind = {kind} AND "
    "l.target = {what} AND l.seq < ?2)"
)

# A claim is touched, too, where its words were committed to and are no longer there.
_CELLS: Final = """
SELECT e.seq, e.id, e.known_at, substr(e.entry, -{tail}), e.slot_what, e.slot_who, e.slot_words,
  c.document, {touched_claim} OR {touched_document}
  OR (e.slot_words IS NULL AND instr(e.entry, '"words":"')), c.proposition
FROM {several}{cell} c
CROSS JOIN {event} e ON e.log_id = c.log_id AND e.seq = c.seq
WHERE c.log_id = ?1 AND c.party = {party}{on} AND c.seq < ?2"""

_PAPERS: Final = """
SELECT e.seq, e.id, substr(e.entry, -{tail}), e.slot_what FROM json_each(?2) d
CROSS JOIN {event} e ON e.log_id = ?1 AND e.seq = d.value"""

_SHARED: Final = """
SELECT o.value FROM json_each(?3) o WHERE (SELECT count(*) FROM (SELECT 1 FROM {link} l
  WHERE l.log_id = ?1 AND l.kind = {kind} AND l.target = o.value AND l.seq < ?2 LIMIT 2)) > 1"""

_GUARD: Final = """
SELECT v.leaf_hash FROM {served} s
JOIN {cursor} k ON {same_k} AND k.phase = 'live' AND k.position >= ?4
JOIN {log} g ON g.id = s.log_id AND g.size = ?4
JOIN {event} v ON v.log_id = s.log_id AND v.seq = ?3
WHERE s.log_id = ?1 AND s.name = '{name}' AND s.version = {version} AND s.build = ?2
  AND NOT EXISTS (SELECT 1 FROM {parked} p WHERE {same_p})"""


# What has a limit is looked up row by row; else all of it may be read, to be joined as a whole.
_TOUCHED_AT_ONCE: Final = (
    "(SELECT true FROM {link} l WHERE l.log_id = c.log_id AND l.kind = {kind} AND "
    "l.target = {what} AND l.seq < (SELECT basis FROM k) LIMIT 1) IS TRUE"
)

# What is asked for stands behind a fence: if the planner saw it, it would plan each time anew.
_GIVEN: Final = """
WITH k AS MATERIALIZED (SELECT CAST(? AS bigint) AS log, CAST(? AS bigint) AS basis,
  CAST(? AS bigint[]) AS parties{more})"""

_CELLS_AT_ONCE: Final = """
SELECT e.seq, e.id, e.known_at, right(e.entry, {tail}), e.slot_what, e.slot_who, e.slot_words,
  c.document, {touched_claim} OR {touched_document}
  OR (e.slot_words IS NULL AND strpos(e.entry, '"words":"') > 0), c.proposition,
  d.id, right(d.entry, {tail}), d.slot_what
FROM {cell} c
JOIN LATERAL (SELECT * FROM {event} e WHERE e.log_id = c.log_id AND e.seq = c.seq LIMIT 1) e ON true
LEFT JOIN LATERAL (SELECT * FROM {event} d WHERE d.log_id = c.log_id AND d.seq = c.document
  LIMIT 1) d ON true
WHERE c.log_id = (SELECT log FROM k) AND c.seq < (SELECT basis FROM k)
  AND c.party = ANY(CAST((SELECT parties FROM k) AS bigint[])){on}"""

_GUARDED: Final = """
SELECT {told} FROM k
JOIN {served} s ON s.log_id = k.log AND s.name = '{name}' AND s.version = {version}
  AND s.build = k.build
JOIN {cursor} c ON {same_c} AND c.phase = 'live' AND c.position >= k.size
JOIN {log} g ON g.id = k.log AND g.size = k.size
JOIN {event} v ON v.log_id = k.log AND v.seq = k.size - 1 AND v.leaf_hash = k.leaf
{beside}WHERE NOT EXISTS (SELECT FROM {parked} p WHERE {same_p})"""

_SHARED_AT_ONCE: Final = """
WITH k AS MATERIALIZED (SELECT CAST(? AS bigint) AS log, CAST(? AS bigint) AS basis,
  CAST(? AS bigint[]) AS occasions)
SELECT o.one FROM unnest((SELECT occasions FROM k)) AS o(one)
WHERE (SELECT count(*) FROM (SELECT FROM {link} l WHERE l.log_id = (SELECT log FROM k)
  AND l.kind = {kind} AND l.target = o.one AND l.seq < (SELECT basis FROM k) LIMIT 2) two) > 1"""

_HEAD: Final = "SELECT size, known_at FROM {log} WHERE id = ?1"
_RECORDED: Final = "SELECT known_at FROM {event} WHERE log_id = ?1 AND seq = ?2"


@attrs.frozen(kw_only=True)
class Statements:
    """The statements on one build of the tables of cells.

    `cells` by whether there is one party and whether there is one proposition, None where those of
    all are wanted; `shared` are those of some occasions that have several acts; `guard` gives
    something where what is kept holds: on SQLite the leaf of an event if the build serves so many
    and the log holds no more, on PostgreSQL the owner's fence.

    On SQLite `papers` are documents, `head` is the log's size and last instant, `recorded` the
    instant of one event. On PostgreSQL the document stands behind each claim, and `guarded` is the
    guard around some cells.
    """

    cells: Mapping[tuple[bool, bool | None], str]
    shared: str
    papers: str = ""
    guard: str = ""
    head: str = ""
    recorded: str = ""
    guarded: str = ""

    def keys(self, sequences: Sequence[int]) -> Any:
        """Some parties, propositions or occasions as the statements take them."""
        if self.guarded:
            return [*sequences]
        return sequences[0] if len(sequences) == 1 else json.dumps(sequences)


@functools.cache
def statements(tables: Tables, build: int, engine: str) -> Statements:
    """The statements on a build, in the words of an engine."""
    return (_at_once if engine == "postgresql" else _of_sqlite)(tables, build)


def _of_sqlite(tables: Tables, build: int) -> Statements:
    cell, link = (table.name for table in cells.tables_of(tables.layout, build))
    names = _names(tables)
    found = {}
    on = {True: " AND c.proposition = ?4", False: " AND c.proposition = q.value", None: ""}
    for one_party, one_proposition in itertools.product((True, False), on):
        several = "" if one_party else "json_each(?3) p CROSS JOIN "
        several += "json_each(?4) q CROSS JOIN " if one_proposition is False else ""
        found[one_party, one_proposition] = _CELLS.format(
            **_touched(_TOUCHED, link),
            tail=_TAIL,
            several=several,
            cell=cell,
            event=names["event"],
            party="?3" if one_party else "p.value",
            on=on[one_proposition],
        )
    return Statements(
        cells=found,
        papers=_PAPERS.format(event=names["event"], tail=_TAIL),
        shared=_SHARED.format(link=link, kind=cells.UTTERANCE),
        guard=_GUARD.format(**names),
        head=_HEAD.format(log=names["log"]),
        recorded=_RECORDED.format(event=names["event"]),
    )


def _at_once(tables: Tables, build: int) -> Statements:
    cell, link = (table.fullname for table in cells.tables_of(tables.layout, build))
    names, touched = _names(tables), _touched(_TOUCHED_AT_ONCE, link)
    of_all, of_some = (
        _CELLS_AT_ONCE.format(**touched, tail=_TAIL, cell=cell, event=names["event"], on=on)
        for on in ("", " AND c.proposition = ANY(CAST((SELECT propositions FROM k) AS bigint[]))")
    )
    some = ", CAST(? AS bigint[]) AS propositions"
    kept = ", CAST(? AS bigint) AS build, CAST(? AS bigint) AS size, CAST(? AS bytea) AS leaf"
    beside = f"LEFT JOIN LATERAL ({of_some}) r ON true\n"
    return Statements(
        cells={
            (False, False): _GIVEN.format(more=some) + of_some,
            (False, None): _GIVEN.format(more="") + of_all,
        },
        shared=_SHARED_AT_ONCE.format(link=link, kind=cells.UTTERANCE),
        guard=_GIVEN.format(more=kept) + _GUARDED.format(**names, told="c.fence", beside=""),
        guarded=_GIVEN.format(more=some + kept)
        + _GUARDED.format(**names, told="r.*", beside=beside),
    )


def _names(tables: Tables) -> dict[str, Any]:
    """What stands in every text."""
    same = {f"same_{alias}": _SAME.format(alias) for alias in "kcp"}
    kinds = ("log", "event", "cursor", "served", "parked")
    named = {one: tables.layout.qualified(one) for one in kinds}
    return {**named, **same, "name": cells.NAME, "version": cells.VERSION}


def _touched(text: str, link: str) -> dict[str, str]:
    return {
        f"touched_{what}": text.format(link=link, kind=cells.TOUCH, what=column)
        for what, column in (("claim", "c.seq"), ("document", "c.document"))
    }
