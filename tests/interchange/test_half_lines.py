from __future__ import annotations

import os
import threading

import pytest

from ledger import Ledger
from ledger.interchange import import_file


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_where_a_cut_line_ends_is_told_on_that_line(tmp_path, end):
    line = '{"type": "party"'
    file = tmp_path / "in.jsonl"
    file.write_bytes((line + end).encode())
    with Ledger.open(":memory:") as ledger:
        (refusal,) = import_file(ledger, file).refusals
    assert f"not JSON at column {len(line) + 1}:" in str(refusal)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_read_as_a_file_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = b'{"type": "party", "id": "az", "name": "Azerbaijan"}\n' * 2
    writer = threading.Thread(target=pipe.write_bytes, args=(lines,))
    writer.start()
    with Ledger.open(":memory:") as ledger:
        account = import_file(ledger, pipe)
    writer.join()
    assert (account.accepted, account.skipped) == (1, 1)
