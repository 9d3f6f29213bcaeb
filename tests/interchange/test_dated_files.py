"""Names and memberships of foreign files, on the days at which something begins or ends."""

from __future__ import annotations

import json

import pytest

from ledger import Ledger
from ledger.interchange import import_file

DICTIONARY = """\
FOO_ [AAA]
+FU_BAR_
\t[BBB >19910101]
\t[CCC <19800101]
FOO_ [DDD]
\t[EEE 19850101-19851231]
"""


@pytest.mark.parametrize("name", ["FOO", "FU BAR"])
@pytest.mark.parametrize(
    "on, code", [("1979-12-31", "CCC"), ("1980-06-01", "AAA"), ("1995-01-01", "BBB")]
)
def test_the_code_of_an_entrys_first_line_holds_where_no_dated_one_does(tmp_path, name, on, code):
    path = tmp_path / "few.actors.txt"
    path.write_text(DICTIONARY)
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path)
        assert ledger.as_of().resolve(name, on=on) == code


def test_a_membership_on_behalf_of_a_group_ends_when_the_group_is_dissolved(tmp_path):
    path = tmp_path / "assembly.json"
    seats = [
        {"person_id": "ann", "organization_id": "assembly", "on_behalf_of_id": "greens"},
        {"person_id": "bob", "organization_id": "greens"},
    ]
    path.write_text(
        json.dumps(
            {
                "persons": [
                    {"id": "ann", "name": "Ann"},
                    {"id": "bob", "name": "Bob", "death_date": "2016-03-01"},
                ],
                "organizations": [
                    {"id": "assembly", "name": "Assembly"},
                    {"id": "greens", "name": "Greens", "dissolution_date": "2015-12-31"},
                ],
                "memberships": [{"start_date": "2012-01-01", **seat} for seat in seats],
            }
        )
    )
    with Ledger.open(":memory:") as ledger:
        import_file(ledger, path)
        view = ledger.as_of()

        def of(party, day):
            return [one.organisation for one in view.memberships(party, on=day)]

        assert of("ann", "2015-12-31") == ["assembly", "greens"]
        assert of("ann", "2016-01-01") == ["assembly"]
        assert of("bob", "2016-01-01") == []
