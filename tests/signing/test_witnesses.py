"""Witnesses are asked, their answers looked at, and a quorum of them is wanted."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger, Topic
from ledger.errors import InvalidPolicy, SignatureRejected, WitnessRefused
from ledger.merkle.note import ED25519, VerifierKey
from ledger.signing import CheckpointSigner, Ed25519Signer, FileMemory, Policy, Witness, cosigned
from ledger.testing.witness import LocalWitness, served

ORIGIN = "weir.example/claims"
NOON = 1_700_000_000
NOWHERE = [
    "file:///etc",
    "ftp://witness.example",
    "witness.example",
    "https://",
    "http://[::1",
    "http://h:abc",
    "http://h:99999",
    "http://h..example",
    "http://w\u00eftness.example",
    "http://h/a b",
    "http://h\t.example",
]


@pytest.fixture
def key():
    return Ed25519Signer.generate(ORIGIN)


@pytest.fixture
def log():
    with Ledger.open(":memory:", origin=ORIGIN) as opened:
        yield opened


@pytest.fixture
def signed(log, key, tmp_path):
    """`signed(3)` grows the log by so many, and signs it."""
    signer = CheckpointSigner(FileMemory(tmp_path / "signed"), key)

    def make(many):
        size = log.checkpoint().size
        log.register_all(Topic(f"t{size + one}", label="T") for one in range(many))
        return log.checkpoint(signer=signer)

    return make


@pytest.fixture
def prove(log):
    return lambda old, new: log.prove_growth(old, new).hashes


@pytest.fixture
def north(key):
    made = LocalWitness("north.example/w", [key.verifier_key], clock=lambda: NOON)
    with served(made) as witness:
        yield made, witness


def test_a_log_that_grows_is_cosigned_each_time(signed, prove, north, key):
    made, witness = north
    policy = Policy.parse(f"log {key.verifier_key}\nwitness n {witness.key}\nquorum n\n")
    for many in (2, 3, 0, 300):
        checkpoint = signed(many)
        with pytest.raises(SignatureRejected, match="quorum 'n' is not reached"):
            policy.check(checkpoint)
        found, refused = cosigned(checkpoint, [witness], prove)
        assert (refused, made.seen[ORIGIN]) == ((), checkpoint)
        assert policy.check(found).witnesses == {"north.example/w": NOON}
        assert str(policy.check(found)) == f"signed by {ORIGIN}, witnessed by north.example/w"


def test_a_log_that_was_rewritten_is_not_cosigned(signed, prove, north, key, tmp_path):
    _, witness = north
    cosigned(signed(3), [witness], prove)
    with Ledger.open(":memory:", origin=ORIGIN) as other:
        other.register_all(Topic(f"o{one}", label="O") for one in range(5))
        signer = CheckpointSigner(FileMemory(tmp_path / "other"), key)
        checkpoint = other.checkpoint(signer=signer)
        with pytest.raises(WitnessRefused, match="it was rewritten") as caught:
            witness.cosign(checkpoint, lambda old, new: other.prove_growth(old, new).hashes)
        assert caught.value.status == 422
        shorter = other.checkpoint(2, signer=CheckpointSigner(FileMemory(tmp_path / "s"), key))
        with pytest.raises(WitnessRefused, match="it has seen 3 entries") as caught:
            witness.cosign(shorter, prove)
        assert caught.value.status == 409


def test_a_witness_that_does_not_know_the_log_or_its_key_says_so(signed, prove, key):
    checkpoint = signed(1)
    for keys, told in (
        ([], "does not know the log"),
        ([Ed25519Signer.generate(ORIGIN)], "none of"),
    ):
        made = LocalWitness("w", [one.verifier_key for one in keys], clock=lambda: NOON)
        with served(made) as witness, pytest.raises(WitnessRefused, match=told):
            witness.cosign(checkpoint, prove)


def test_a_witness_under_another_key_is_not_believed(signed, prove, north):
    _, witness = north
    other = VerifierKey(witness.key.name, witness.key.kind, bytes(32))
    with pytest.raises(WitnessRefused, match="holds no cosignature"):
        Witness(url=witness.url, key=other).cosign(signed(1), prove)


def test_a_witness_that_is_not_there_is_told(signed, prove, north):
    _, witness = north
    checkpoint = signed(1)
    for url, told in (
        ("http://127.0.0.1:9", "could not be asked"),
        ("http://me:secret@127.0.0.1", "could not be asked"),
        *((url, "https://") for url in NOWHERE),
    ):
        found, refused = cosigned(checkpoint, [attrs.evolve(witness, url=url)], prove)
        assert found == checkpoint
        assert found.signatures == checkpoint.signatures
        assert [told in error.message and error.status == 0 for error in refused] == [True]


@pytest.mark.parametrize(
    "answer", [b"no HTTP\r\n\r\n", b"HTTP/1.1 302 F\r\nLocation: http://[::1\r\n\r\n"]
)
def test_a_witness_that_answers_something_else_is_told(signed, prove, north, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            asked, _ = server.accept()
            with asked:
                asked.recv(100_000)
                asked.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(WitnessRefused, match="could not be asked"):
            attrs.evolve(north[1], url=url).cosign(signed(1), prove)
        thread.join()


@pytest.mark.parametrize("asked, status", [("", 400), ("old 9\n\nx", 400)])
def test_a_witness_refuses_what_is_no_request(north, asked, status):
    assert north[0].answer(asked)[0] == status


# -- policies -----------------------------------------------------------------------------------

LOG = VerifierKey("log", ED25519, bytes(32))


def witnesses(*names):
    keys = {name: VerifierKey(name, 4, name.encode().ljust(32)) for name in names}
    return "".join(f"witness {name} {key}\n" for name, key in keys.items())


@pytest.mark.parametrize(
    "text, line",
    [
        ("", "names no log"),
        ("log x", "Line 1"),
        (f"log {VerifierKey('log', 4, bytes(32))}", "Line 1: .* of kind 4"),
        (f"log {LOG}\nwitness a {LOG}", "Line 2: .* of kind 1"),
        (f"log {LOG}\nquorum a", "Line 2"),
        (f"log {LOG}\nwitness a {VerifierKey('a', 4, bytes(32))} https://a.example b", "Line 2"),
        (f"log {LOG}\n{witnesses('a')}{witnesses('a')}", "Line 3"),
        (f"log {LOG}\n{witnesses('a')}group g 2 a", "Line 3"),
        (f"log {LOG}\n{witnesses('a')}group g any a a", "Line 3"),
        (f"log {LOG}\n{witnesses('a')}group g any b", "Line 3"),
        (f"log {LOG}\n{witnesses('a')}group g any", "Line 3"),
        (f"log {LOG}\n{witnesses('none')}", "Line 2"),
        (f"log {LOG}\n{witnesses('a')}", r"names witnesses \(a\), .* quorum NAME"),
        (
            f"log {LOG}\nquorum none\nquorum none",
            "Line 3: 'none' is a second quorum, beside 'none'",
        ),
        (
            f"log {LOG}\n{witnesses('a')}quorum a\nquorum none",
            "Line 4: 'none' is a second quorum, beside 'a'",
        ),
        (f"log {LOG}\n# said\n\nsomething", "Line 4"),
        ("#\n" * 1_001, "at most 1000 lines"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused_with_its_line(text, line):
    with pytest.raises(InvalidPolicy, match=line):
        Policy.parse(text)


def test_nobody_counts_twice_in_a_quorum():
    once = f"log {LOG}\n{witnesses('a', 'b')}"
    same = witnesses("a").replace("witness a", "witness c")
    renamed = f"witness c {VerifierKey('other', 4, b'a'.ljust(32))}\n"
    for text, told in (
        (f"{once}{same}quorum none\n", "Line 4: 'c' has the key of 'a', and would count twice"),
        (f"{once}{renamed}quorum none\n", "Line 4: 'c' has the key of 'a', and would count twice"),
        (f"{once}group g any a b a\nquorum g\n", "Line 4: 'a' .* a member of 'g' already"),
        (
            f"{once}group g any a\ngroup h any b a\ngroup i all g h\nquorum i\n",
            "Line 5: 'a' .* a member of 'g' already",
        ),
        (
            f"{once}group g any a\ngroup h any g\ngroup i any b g\nquorum i\n",
            "Line 6: 'g' .* a member of 'h' already",
        ),
    ):
        with pytest.raises(InvalidPolicy, match=told):
            Policy.parse(text)


def test_a_policy_of_logs_alone_needs_no_quorum():
    assert Policy.parse(f"log {LOG}") == Policy.parse(f"log {LOG}\nquorum none")
    assert Policy.parse(f"log {LOG}\n{witnesses('a')}quorum none").quorum == "none"


@pytest.mark.parametrize("url", [one for one in NOWHERE if " " not in one and "\t" not in one])
def test_an_address_at_which_nobody_can_be_asked_is_refused_with_its_line(url):
    witness = witnesses("a").strip()
    with pytest.raises(InvalidPolicy, match=r"Line 2: .* no address") as caught:
        Policy.parse(f"log {LOG}\n{witness} {url}\nquorum a")
    assert caught.value.given == url
    for good in ("http://127.0.0.1:80", "http://[::1]:8080/a", "https://witness.example/a?b"):
        policy = Policy.parse(f"log {LOG}\n{witness} {good}\nquorum a")
        assert policy.witnesses["a"].url == good


@pytest.mark.parametrize("one", [Path("weir.vkey"), b"log x", None])
def test_a_policy_is_read_from_text_alone(one: Any):
    with pytest.raises(InvalidPolicy, match=r"Path\('weir\.vkey'\)\.read_text\(\)"):
        Policy.parse(one)


@given(st.text())
def test_no_text_breaks_the_reader_of_policies(text):
    try:
        Policy.parse(text)
    except InvalidPolicy:
        return


@pytest.mark.parametrize(
    "quorum, enough",
    [
        ("quorum none", {"", "a", "b", "c", "ab", "ac", "bc", "abc"}),
        ("quorum a", {"a", "ab", "ac", "abc"}),
        ("group q any a b c\nquorum q", {"a", "b", "c", "ab", "ac", "bc", "abc"}),
        ("group q all a b c\nquorum q", {"abc"}),
        ("group q 2 a b c\nquorum q", {"ab", "ac", "bc", "abc"}),
        ("group ab any a b\ngroup q all ab c\nquorum q", {"ac", "bc", "abc"}),
    ],
)
def test_a_quorum_is_reached_by_as_many_as_it_says(quorum, enough):
    policy = Policy.parse(f"log {LOG}\n{witnesses('a', 'b', 'c')}{quorum}\n")
    for seen in ("", "a", "b", "c", "ab", "ac", "bc", "abc"):
        assert policy._is_reached(dict.fromkeys(seen, 1)) == (seen in enough), seen
