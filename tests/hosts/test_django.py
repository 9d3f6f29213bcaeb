"""Django: the page's views and migration in a real project, in a process of its own per engine.

Django is set up once in a process, so the project runs in a child. What it prints is JSON; what
another connection sees afterwards is looked at from here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

ROOT = Path(__file__).parents[2]
SETTINGS = """
import json, os

DATABASES = {"default": json.loads(os.environ["SHOP_DATABASE"])}
INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["testserver"]
SECRET_KEY = "for tests alone"
USE_TZ = json.loads(os.environ["SHOP_USE_TZ"])
TIME_ZONE = "Asia/Baku"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
MODELS = """
from django.db import models


class Parcel(models.Model):
    id = models.CharField(max_length=20, primary_key=True)
    number = models.IntegerField(default=7)
    arrived = models.DateTimeField(null=True)

    class Meta:
        db_table = "parcel"
"""
INITIAL = """
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Parcel",
            [
                ("id", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("number", models.IntegerField(default=7)),
                ("arrived", models.DateTimeField(null=True)),
            ],
            options={"db_table": "parcel"},
        )
    ]
"""
URLS = """
from django.urls import path

from shop import views

urlpatterns = [
    path("parcels/<parcel>/<said_by>", views.report),
    path("claims", views.claims),
]
"""
START = """
import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
import django

django.setup()
from django.db import DatabaseError, connection, transaction
from django.test import Client

from ledger import Ledger, LedgerError, Party
from ledger.django import atomic
from ledger.errors import StoreError
from shop.models import Parcel

client = Client(raise_request_exception=False)


def say(ledger, id_, claimant="porter"):
    return ledger.record(id=id_, claimant=claimant, act="assert", proposition="arrived")


def shown():
    with atomic() as conn:
        return list(Ledger(conn).claims().ids)

"""


class Project:
    """A Django project made of the page's code, and a shell in it."""

    def __init__(self, folder, url, page, *, use_tz=True, options=None):
        self.folder, self.url = folder, url
        self.use_tz, self.options = use_tz, options
        shop = folder / "shop"
        (shop / "migrations").mkdir(parents=True)
        (shop / "__init__.py").touch()
        (shop / "migrations" / "__init__.py").touch()
        (folder / "settings.py").write_text(SETTINGS)
        (folder / "urls.py").write_text(URLS)
        (shop / "models.py").write_text(MODELS)
        (shop / "views.py").write_text(page("django.md", "In a view"))
        (shop / "migrations" / "0001_initial.py").write_text(INITIAL)
        made = page("django.md", "Create the tables in a migration")
        (shop / "migrations" / "0002_ledger.py").write_text(made)
        self.manage("migrate")

    def environment(self):
        made = sa.make_url(self.url)
        database: dict[str, object]
        if made.get_backend_name() == "sqlite":
            database = {"ENGINE": "django.db.backends.sqlite3", "NAME": made.database}
        else:
            database = {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": made.database,
                "USER": made.username or "",
                "PASSWORD": made.password or "",
                "HOST": made.host or made.query.get("host", ""),
                "PORT": made.port or "",
            }
        database["OPTIONS"] = self.options or {}
        return os.environ | {
            "SHOP_DATABASE": json.dumps(database),
            "SHOP_USE_TZ": json.dumps(self.use_tz),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.folder}",
            "PYTHONWARNINGS": "error",
        }

    def run(self, *command):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def manage(self, *command):
        return self.run("-m", "django", *command, "--settings", "settings")

    def shell(self, code):
        """Run code in the project and give what its last line prints as JSON."""
        return json.loads(self.run("-c", START + code).splitlines()[-1])


@pytest.fixture
def project(tmp_path, url, page):
    return Project(tmp_path / "site", url, page)


def test_the_page_answers_a_client_and_everything_is_stored_or_nothing(project, shop):
    """One process for the whole list: each costs seconds."""
    told = project.shell("""
first = client.post("/parcels/p1/porter")
second = client.post("/parcels/p2/nobody")
third = client.post("/parcels/p1/porter")
with atomic() as conn:
    Ledger(conn).register(Party("miller", name="The Miller"))
other = client.post("/parcels/p1/miller")
record = Ledger.record


def away(*_, **__):
    raise StoreError("the database is away", stored="unknown")


Ledger.record = away
fourth = client.post("/parcels/p4/porter")
Ledger.record = record
print(json.dumps([
    [first.status_code, first.json()], [second.status_code, second.json()["detail"]],
    [third.status_code, third.json()], other.status_code, fourth.status_code,
    client.get("/claims").json(),
]))
""")
    assert told[0] == [201, {"claim": "C-p1"}]
    assert (told[1][0], told[1][1][:20]) == (404, "No party 'nobody' is")
    assert told[2:] == [[201, {"claim": "C-p1"}], 409, 503, {"claims": ["C-p1"]}]
    assert (shop.parcels(), shop.claims()) == (["p1"], ["C-p1"])


def test_blocks_nest_as_those_of_django_do(project, shop):
    told = project.shell("""
steps = []
try:
    with atomic() as conn:                       # an error after recording
        Parcel.objects.create(id="lost")
        say(Ledger(conn), "lost")
        raise RuntimeError
except RuntimeError:
    steps.append(shown())

with transaction.atomic():                       # an inner block that fails
    Parcel.objects.create(id="outer")
    try:
        with atomic() as conn:
            Parcel.objects.create(id="inner")
            say(Ledger(conn), "inner")
            raise RuntimeError
    except RuntimeError:
        pass
    with atomic() as conn:
        say(Ledger(conn), "outer")
steps.append(shown())

try:
    with transaction.atomic():                   # the outer block decides
        with atomic() as conn:
            Parcel.objects.create(id="never")
            say(Ledger(conn), "never")
        raise RuntimeError
except RuntimeError:
    steps.append(shown())

with atomic() as conn:                           # a refusal leaves the block usable
    Parcel.objects.create(id="before")
    ledger = Ledger(conn)
    try:
        say(ledger, "refused", claimant="nobody")
    except LedgerError:
        Parcel.objects.create(id="after")
    say(ledger, "after")
steps.append(shown())

with atomic() as conn:                           # Django's own error, in its own savepoint
    say(Ledger(conn), "kept")
    try:
        with transaction.atomic():
            Parcel.objects.create(id="outer")
    except DatabaseError:
        pass
    say(Ledger(conn), "kept too")

with transaction.atomic():                       # marked by hand
    with atomic() as conn:
        say(Ledger(conn), "unwanted")
    transaction.set_rollback(True)
with atomic(durable=True) as conn:
    steps.append(Ledger(conn).verify().size)
print(json.dumps(steps))
""")
    assert told == [[], ["outer"], ["outer"], ["outer", "after"], 6]
    assert shop.parcels() == ["after", "before", "outer"]
    assert shop.claims() == ["after", "kept", "kept too", "outer"]


@pytest.mark.parametrize("broken", ["a row that is there", "an inner block", "a ledger's block"])
def test_a_block_that_django_will_roll_back_is_refused(project, shop, broken):
    """Django passes no word of it to whoever goes past its ORM, and a receipt would lie."""
    inner = {
        "a row that is there": 'Parcel.objects.create(id="there")',
        "an inner block": "with transaction.atomic(savepoint=False): raise DatabaseError",
        "a ledger's block": "with atomic(savepoint=False): raise DatabaseError",
    }[broken]
    told = project.shell(f"""
Parcel.objects.create(id="there")
said = []
with atomic() as conn:
    ledger = Ledger(conn)
    say(ledger, "before")
    try:
        {inner}
    except DatabaseError:
        pass
    for call in (lambda: say(ledger, "after"), ledger.claims):
        try:
            call()
        except StoreError as error:
            said.append(error.message)
print(json.dumps([said, shown()]))
""")
    assert [one[:26] for one in told[0]] == ["Django rolls this atomic b"] * 2
    assert told[1] == []


@pytest.mark.parametrize("use_tz", [True, False])
def test_the_connection_stays_as_django_made_it(tmp_path, url, page, use_tz):
    project = Project(tmp_path / "site", url, page, use_tz=use_tz)
    told = project.shell("""
import datetime as dt
from django.utils import timezone

noon = dt.datetime(2024, 3, 12, 12, tzinfo=dt.UTC if django.conf.settings.USE_TZ else None)
Parcel.objects.create(id="p1", arrived=noon)
raw = connection.connection
with atomic() as conn:
    say(Ledger(conn), "C1")
assert connection.connection is raw
assert connection.get_autocommit() and not connection.in_atomic_block
assert Parcel.objects.get(arrived=noon).arrived == noon
assert Parcel.objects.filter(number__regex="^7$").count() == 1   # a function of Django's own
assert Parcel.objects.filter(arrived__year=2024).count() == 1
handlers = len(getattr(raw, "_notice_handlers", ()))
for number in range(20):
    with atomic() as conn:
        Ledger(conn).claims()
assert len(getattr(raw, "_notice_handlers", ())) == handlers
with transaction.atomic():
    assert Parcel.objects.count() == 1
connection.close()
assert shown() == ["C1"]
print(json.dumps("as it was"))
""")
    assert told == "as it was"


def test_threads_write_without_losing_anything(tmp_path, url, page, shop):
    options = {"transaction_mode": "IMMEDIATE", "timeout": 60} if url.startswith("sqlite") else {}
    project = Project(tmp_path / "site", url, page, options=options)
    told = project.shell("""
from concurrent.futures import ThreadPoolExecutor


def work(number):
    try:
        return Client().post(f"/parcels/p{number}/porter").status_code
    finally:
        connection.close()


with ThreadPoolExecutor(4) as pool:
    print(json.dumps(list(pool.map(work, range(20)))))
""")
    assert told == [201] * 20
    assert len(shop.parcels()) == len(shop.claims()) == 20


def test_makemigrations_proposes_nothing_and_another_engine_is_refused(project):
    assert "No changes detected" in project.manage("makemigrations", "--dry-run")
    told = project.shell("""
from ledger.django import _engine

try:
    _engine("mysql", "default", "shop")
except LedgerError as error:
    print(json.dumps(error.message))
""")
    assert told.startswith("A ledger is kept in SQLite or PostgreSQL, and Django's 'default' is")
