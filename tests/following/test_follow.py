"""Following a log: every event once, in order, whatever happens between looking and waiting."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
import tracemalloc

import pytest
import sqlalchemy as sa

from ledger import Ledger, Party, Proposition, following
from ledger.errors import MissingEntry, StoreError, TimedOut, UnknownEventType
from ledger.model.events import PropositionDefined
from ledger.store import read, schema
from ledger.store import follow as waking
from ledger.store.layout import Layout

