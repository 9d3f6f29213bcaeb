"""The table of losses in the reference is that of the code; run as a script, this rewrites it."""

from __future__ import annotations

import re
from pathlib import Path

from ledger.interchange.out.exporting import FORMATS
from ledger.interchange.out.losses import FIELDS, losses

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "exports.md"
BEGIN, END = "<!-- losses -->\n", "<!-- end of losses -->\n"
_CELL = {"no": "no", "partly": "part"}
SHOWN = [name for name in FORMATS if name not in ("prov-n", "prov-o")]


def drawn():
    """A row a field, a column a format; then what is carried in part, and how."""
    lost = {name: losses(name) for name in SHOWN}
    told = [
        f"| field | {' | '.join(SHOWN)} |",
        f"| --- |{' --- |' * len(SHOWN)}",
    ]
    for field in FIELDS:
        cells = [_CELL[lost[name][field][0]] if field in lost[name] else "yes" for name in SHOWN]
        told.append(f"| {field} | {' | '.join(cells)} |")
    told.append("")
    for name in SHOWN:
        whys: dict[str, list[str]] = {}
        for field, (how, why) in lost[name].items():
            if how == "partly":
                whys.setdefault(why, []).append(field)
        if whys:
            told += [f"**{name}**, in part:", ""]
            told += [f"- {', '.join(fields)}: {why}." for why, fields in whys.items()]
            told.append("")
    return "\n".join(told)


def on_the_page():
    found = re.search(f"{BEGIN}\n(.*?){END}", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_table_of_losses_is_that_of_the_code():
    assert on_the_page() == drawn()


def test_every_format_has_a_section_on_the_page_and_in_the_how_to():
    how_to = (PAGE.parents[1] / "howto" / "export.md").read_text("utf-8")
    for name in FORMATS:
        assert f"`{name}`" in PAGE.read_text("utf-8")
        assert f"claims export {name}" in how_to


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    head, rest = text.split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n{drawn()}{END}{rest.split(END)[1]}", "utf-8")
