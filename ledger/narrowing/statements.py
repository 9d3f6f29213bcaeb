"""The statements of the common case, in SQLite's words; what they are for is in `plain`.

Here live their texts alone. `?1` is the log and `?2` the basis; a party or proposition that is one
is compared, several come as JSON.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Final

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

_ACTS: Final = """
SELECT 1 FROM {link} WHERE log_id = ?1 AND kind = {kind} AND target = ?3 AND seq < ?2 LIMIT 2"""

_GUARD: Final = """
SELECT v.leaf_hash FROM {served} s
JOIN {cursor} k ON {same_k} AND k.phase = 'live' AND k.position >= ?4
JOIN {log} g ON g.id = s.log_id AND g.size = ?4
JOIN {event} v ON v.log_id = s.log_id AND v.seq = ?3
WHERE s.log_id = ?1 AND s.name = '{name}' AND s.version = {version} AND s.build = ?2
  AND NOT EXISTS (SELECT 1 FROM {parked} p WHERE {same_p})"""


_HEAD: Final = "SELECT size, known_at FROM {log} WHERE id = ?1"
_RECORDED: Final = "SELECT known_at FROM {event} WHERE log_id = ?1 AND seq = ?2"


@attrs.frozen
class Statements:
    """The statements on one build of the tables of cells.

    `cells` by whether there is one party and whether there is one proposition, None where those of
    all are wanted; `papers` are documents; `acts` are those of an utterance, two at most; `guard`
    gives the leaf of an event where the build serves so many and the log holds no more; `head` is
    the log's size and last instant, `recorded` the instant of one event.
    """

    cells: Mapping[tuple[bool, bool | None], str]
    papers: str
    acts: str
    guard: str
    head: str
    recorded: str


@functools.cache
def statements(tables: Tables, build: int) -> Statements:
    """The statements on a build."""
    cell, link = (table.name for table in cells.tables_of(tables.layout, build))
    names = {
        one: tables.layout.table(one) for one in ("log", "event", "cursor", "served", "parked")
    }
    touched = {
        f"touched_{what}": _TOUCHED.format(link=link, kind=cells.TOUCH, what=column)
        for what, column in (("claim", "c.seq"), ("document", "c.document"))
    }
    found = {}
    on = {True: " AND c.proposition = ?4", False: " AND c.proposition = q.value", None: ""}
    for one_party, one_proposition in itertools.product((True, False), on):
        several = "" if one_party else "json_each(?3) p CROSS JOIN "
        several += "json_each(?4) q CROSS JOIN " if one_proposition is False else ""
        found[one_party, one_proposition] = _CELLS.format(
            **touched,
            tail=_TAIL,
            several=several,
            cell=cell,
            event=names["event"],
            party="?3" if one_party else "p.value",
            on=on[one_proposition],
        )
    same = {f"same_{alias}": _SAME.format(alias) for alias in "kp"}
    return Statements(
        cells=found,
        papers=_PAPERS.format(event=names["event"], tail=_TAIL),
        acts=_ACTS.format(link=link, kind=cells.UTTERANCE),
        guard=_GUARD.format(**names, **same, name=cells.NAME, version=cells.VERSION),
        head=_HEAD.format(log=names["log"]),
        recorded=_RECORDED.format(event=names["event"]),
    )
