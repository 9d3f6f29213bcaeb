"""What the tests of hosts share: a how-to page's code, loaded as a host's module."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger import Ledger

HOWTO = Path(__file__).parents[2] / "docs" / "howto"


def sections(page: str) -> dict[str, str]:
    """The Python code of a page, by the heading that it stands under."""
    found: dict[str, str] = {}
    for part in re.split(r"^(?=## )", (HOWTO / page).read_text("utf-8"), flags=re.MULTILINE):
        code = re.findall(r"^```python\n(.*?)^```$", part, re.DOTALL | re.MULTILINE)
        found[part.splitlines()[0].removeprefix("## ")] = "\n\n".join(code)
    return found


@pytest.fixture
def page() -> Callable[..., str]:
    """`page("flask.md", "The application")` is the code under these headings, in their order."""

    def code(name: str, *headings: str) -> str:
        found = sections(name)
        return "\n\n".join(found[heading] for heading in headings or found)

    return code


@pytest.fixture
def load(page) -> Iterator[Callable[..., types.ModuleType]]:
    """`load("flask.md", "The application")` is a module made of that code."""
    made = []

    def run(name: str, *headings: str) -> types.ModuleType:
        module = types.ModuleType(f"page_of_{name.partition('.')[0]}")
        sys.modules[module.__name__] = module
        made.append(module)
        exec(compile(page(name, *headings), name, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - our own page
        return module

    yield run
    for module in made:
        del sys.modules[module.__name__]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path, monkeypatch) -> str:
    """A database that several connections can see; the pages read its URL from the environment."""
    if request.param == "postgres":
        made = request.getfixturevalue("postgres_url")
    else:
        made = f"sqlite:///{tmp_path / 'shop.db'}"
    monkeypatch.setenv("DATABASE_URL", made)
    return made


class Shop:
    """What another connection sees of the host's rows and of the ledger."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)

    def parcels(self) -> list[str]:
        with self.engine.connect() as conn:
            return sorted(conn.scalars(sa.text("SELECT id FROM parcel")))

    def forget(self, parcel: str) -> None:
        with self.engine.begin() as conn:
            conn.execute(sa.text("DELETE FROM parcel WHERE id = :id"), {"id": parcel})

    def store(self, parcel: str) -> None:
        """A parcel and its claim, as another process stores them."""
        with self.engine.begin() as conn:
            conn.execute(sa.text("INSERT INTO parcel (id) VALUES (:id)"), {"id": parcel})
            Ledger(conn).record(
                id=f"C-{parcel}", claimant="porter", act="assert", proposition="arrived"
            )

    def claims(self) -> list[str]:
        ledger = Ledger(self.engine)
        assert ledger.verify().size == len(list(ledger.events()))
        return sorted(ledger.claims().ids)


@pytest.fixture
def shop(url) -> Shop:
    return Shop(url)
