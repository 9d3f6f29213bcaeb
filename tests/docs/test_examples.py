"""Every example in the docstrings, the README and the docs is run, one test for each file.

The examples of a file run from top to bottom in one namespace and one empty folder of their own:

- In docstrings, and in a Markdown fence marked `python` that starts with `>>>`: a doctest.
- In Markdown, any other fence marked `python`: run as it stands. What it prints is compared with a
  following fence marked `text` if `<!-- output -->` stands between them.
- In Markdown, a fence marked `console`: each line after `$ ` is given to the shell, and what it
  prints, errors included, is compared with the lines below it. A `\\` at a line's end continues it.
- A fence below `<!-- not run: reason -->` is left alone, as is every fence of another language.

A docstring sees the names of its module. Expected output may hold `...` for any text; blanks at
the end of lines do not count.
"""

from __future__ import annotations

import contextlib
import doctest
import gc
import io
import multiprocessing as mp
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.evaluators.doctest import DocTestEvaluator
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.parsers.rest import DocTestParser

import ledger.cli
from ledger.cli import main

ROOT = Path(__file__).parents[2]
SLOW = {ROOT / "docs" / "reference" / "cli.md"}
"""Every command of the command line, each in a process of its own."""
SCREEN = {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONUTF8": "1", "TERM": "dumb"}
NURSERY = mp.get_context("forkserver")
NURSERY.set_forkserver_preload(
    [
        *(__name__, "alembic.command", "alembic.runtime"),
        *(f"ledger.cli.{one.name}" for one in pkgutil.iter_modules(ledger.cli.__path__)),
    ]
)
FENCE = re.compile(
    r"(?P<skipped><!-- not run: [^>]+ -->\n+)?"
    r"^(?P<indent>[ ]*)(?P<ticks>```+)(?P<language>python|console)\n"
    r"(?P<body>.*?)"
    r"^(?P=indent)(?P=ticks)[ ]*$"
    r"(?:\n+^[ ]*<!-- output -->\n+^[ ]*```+text\n(?P<output>.*?)^[ ]*```+[ ]*$)?",
    re.DOTALL | re.MULTILINE,
)


def fences(document: Document) -> Iterator[Region]:
    """The parser of Markdown: one region for each fence, or for each `>>>` inside it."""
    for fence in FENCE.finditer(document.text):
        body = textwrap.dedent(fence["body"])
        if fence["skipped"]:
            continue
        if fence["language"] == "console":
            yield Region(fence.start(), fence.end(), body, run_commands)
        elif body.lstrip().startswith(">>>"):
            for region in DocTestStringParser(DOCTEST)(fence["body"], document.path):
                region.start += fence.start("body")
                region.end += fence.start("body")
                yield region
        else:
            output = fence["output"]
            told = None if output is None else textwrap.dedent(output)
            yield Region(fence.start(), fence.end(), (body, told), run_python)


def run_python(example: Example) -> str | None:
    source, expected = example.parsed
    code = compile("\n" * example.line + source, example.path, "exec", dont_inherit=True)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, example.namespace)  # noqa: S102 - our own documents
    return None if expected is None else difference(expected, printed.getvalue())


def run_commands(example: Example) -> str | None:
    found = re.findall(
        r"^\$ (?P<command>(?:.*\\\n)*.*)\n?(?P<output>(?:(?!\$ ).*\n?)*)",
        example.parsed,
        flags=re.MULTILINE,
    )
    if not found:
        return "A console fence holds commands, each on a line after `$ `."
    told = [told for command, output in found if (told := run_command(command, output))]
    return "\n".join(told) or None


def run_command(command: str, expected: str) -> str | None:
    simple = command.startswith("claims ") and not re.search(r"[|;&<>$`*]", command)
    printed = run_claims(command) if simple else run_in_shell(command)
    told = difference(expected, printed)
    return told and f"$ {command}\n{told}"


def run_in_shell(command: str) -> str:
    done = subprocess.run(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ
        | SCREEN
        | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def run_claims(command: str) -> str:
    """What the command prints in a process that has everything imported: a tenth of the time."""
    words = shlex.split(command.replace("\\\n", " "))[1:]
    with tempfile.NamedTemporaryFile() as out:
        process = NURSERY.Process(target=print_claims, args=(words, Path.cwd(), out.name))
        process.start()
        process.join()
        return Path(out.name).read_text("utf-8")


def print_claims(words: list[str], folder: Path, out: str) -> None:
    os.chdir(folder)
    os.environ.update(SCREEN)
    target = os.open(out, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(target, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the process's own
    sys.exit(main(words))


def difference(expected: str, printed: str) -> str | None:
    """What to report where `printed` is not `expected`."""
    wanted, got = (
        "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())
        for text in (expected, printed)
    )
    if doctest.OutputChecker().check_output(wanted, got, doctest.ELLIPSIS):
        return None
    return f"Expected:\n{textwrap.indent(wanted, '    ')}Got:\n{textwrap.indent(got, '    ')}"


DOCTEST = DocTestEvaluator(doctest.ELLIPSIS)
DOCSTRINGS = Sybil(
    parsers=[DocTestParser(doctest.ELLIPSIS)], document_types={".py": PythonDocStringDocument}
)
MARKDOWN = Sybil(parsers=[fences])


def documents() -> list[Path]:
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "ledger").rglob("*.py")]
    return sorted(path for path in written if "_build" not in path.parts)


def failures(path: Path) -> list[str]:
    """What every example of the file that does not hold has to say."""
    sybil = DOCSTRINGS if path.suffix == ".py" else MARKDOWN
    found = []
    # An example may leave its ledger open, as a reader at a prompt does: Python 3.13 would warn.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        document = sybil.parse(path)
        for example in document:
            try:
                example.evaluate()
            except Exception as error:  # noqa: BLE001 - a later example may tell more
                found.append(f"{path.name}, line {example.line}: {type(error).__name__}: {error}")
        document.namespace.clear()
        gc.collect()
    return found


def holds_examples(path: Path) -> bool:
    return (
        re.search(r"^\s*(>>> |`{3,}(python|console)$)", path.read_text("utf-8"), re.MULTILINE)
        is not None
    )


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=path.relative_to(ROOT).as_posix(),
            marks=[pytest.mark.slow, pytest.mark.timeout(600)] if path in SLOW else [],
        )
        for path in documents()
        if holds_examples(path)
    ],
)
def test_the_examples_hold(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if told := failures(path):
        pytest.fail("\n\n".join(told), pytrace=False)


def test_no_fence_is_marked_in_a_way_that_would_leave_it_unrun():
    marked = re.compile(r"^\s*```+(py|pycon|python3|bash|shell|\{(code|doctest).*)$", re.MULTILINE)
    unrun = [path for path in documents() if marked.search(path.read_text("utf-8"))]
    assert unrun == [], "Mark the fence `python` or `console`; `sh` is for what is not run."


GOOD = """
```python
greeting = "good"
print(greeting, "morning")
```

<!-- output -->
```text
good ...
```

```python
>>> greeting
'good'
>>> 1 / 0
Traceback (most recent call last):
    ...
ZeroDivisionError: division by zero
```

```console
$ echo one \\
    two
one two
$ touch made
$ ls
made
```

<!-- not run: it would fail -->
```python
1 / 0
```
"""


def test_examples_that_hold_are_passed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = tmp_path.parent / f"{tmp_path.name}.md"
    document.write_text(GOOD)
    assert failures(document) == []


@pytest.mark.parametrize(
    "bad",
    [
        "```python\n1 / 0\n```\n",
        "```python\nprint(1)\n```\n\n<!-- output -->\n```text\n2\n```\n",
        "```python\n>>> 1\n2\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ echo one; exit 1\n```\n",
        "```console\necho one\n```\n",
    ],
)
def test_an_example_that_does_not_hold_is_reported(bad, tmp_path):
    document = tmp_path / "bad.md"
    document.write_text(bad)
    assert len(failures(document)) == 1
