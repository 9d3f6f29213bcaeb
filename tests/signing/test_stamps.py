"""Time stamps of an authority of our own, run by openssl, over checkpoints."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ledger import Checkpoint
from ledger.errors import MissingExtra, SignatureRejected, WitnessRefused
from ledger.signing import check_stamp, stamped

CHECKPOINT = Checkpoint("weir.example/claims", 7, bytes(range(32)))
SETTINGS = """
[ req ]
distinguished_name = name
prompt = no
[ name ]
CN = test
[ root ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[ stamping ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ authority ]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""
MADE = [
    (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 30"
        " -subj /CN=Root -config settings -extensions root"
    ),
    "openssl req -newkey rsa:2048 -nodes -keyout key -out csr -subj /CN=Authority -config settings",
    (
        "openssl x509 -req -in csr -CA root.pem -CAkey root.key -CAcreateserial -out cert.pem"
        " -days 30 -extfile settings -extensions stamping"
    ),
]
STAMP = (
    "openssl ts -reply -queryfile asked -signer cert.pem -inkey key -config settings"
    " -section authority -out answer"
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The address of the authority, and its root certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("authority")
    (folder / "settings").write_text(SETTINGS)
    (folder / "serial").write_text("01\n")
    for command in MADE:
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            (folder / "asked").write_bytes(asked)
            done = subprocess.run(STAMP.split(), cwd=folder, capture_output=True, check=False)
            self.send_response(200 if done.returncode == 0 and self.path == "/" else 500)
            self.end_headers()
            self.wfile.write((folder / "answer").read_bytes())

        def log_message(self, format, *args):  # noqa: A002 - http.server's name
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", (folder / "root.pem").read_bytes()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def token(authority):
    return stamped(CHECKPOINT, f"{authority[0]}/")


def test_an_authority_says_when_it_saw_a_checkpoint(authority, token):
    seen = check_stamp(CHECKPOINT, token, authority[1])
    assert abs(dt.datetime.now(dt.UTC) - seen) < dt.timedelta(minutes=5)


def test_a_time_stamp_is_of_one_checkpoint_alone(authority, token):
    for other in (
        Checkpoint("weir.example/claims", 8, CHECKPOINT.root),
        Checkpoint("weir.example/claims", 7, bytes(32)),
        Checkpoint("other.example/claims", 7, CHECKPOINT.root),
    ):
        with pytest.raises(SignatureRejected, match="none of this checkpoint"):
            check_stamp(other, token, authority[1])


def test_a_token_that_was_changed_or_leads_elsewhere_is_refused(authority, token, tmp_path):
    (tmp_path / "settings").write_text(SETTINGS)
    subprocess.run(MADE[0].split(), cwd=tmp_path, check=True, capture_output=True)
    for changed, roots in (
        (token[:-1] + bytes([token[-1] ^ 1]), authority[1]),
        (b"", authority[1]),
        (b"\x30\x03\x02\x01\x00", authority[1]),
        (token, (tmp_path / "root.pem").read_bytes()),
        (token, b"no certificate"),
    ):
        with pytest.raises(SignatureRejected):
            check_stamp(CHECKPOINT, changed, roots)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "file:///etc/passwd", "http://[::1", "http://h:abc", "http://a b"]
)
def test_an_authority_that_cannot_be_asked_is_told(url):
    with pytest.raises(WitnessRefused, match="the checkpoint stands without it"):
        stamped(CHECKPOINT, url)


def test_an_authority_that_refuses_is_told(authority):
    with pytest.raises(WitnessRefused, match="500"):
        stamped(CHECKPOINT, f"{authority[0]}/elsewhere")


@pytest.mark.parametrize(
    "answer, told",
    [
        ("30053003020102", "status 2, rejected"),
        ("300f300d0201023008" + "0c06" + b"Nobody".hex(), "rejected 'Nobody'"),
        ("30053003020103", "status 3, waiting"),
        ("30053003020109", "status 9, unknown"),
        ("30053003020100", "grants one, and sent none"),
    ],
)
def test_an_answer_that_grants_nothing_is_no_token(monkeypatch, answer, told):
    monkeypatch.setattr(
        "urllib.request.urlopen", lambda *_args, **_named: io.BytesIO(bytes.fromhex(answer))
    )
    with pytest.raises(WitnessRefused, match=told) as caught:
        stamped(CHECKPOINT, "https://stamps.example/")
    assert caught.value.status == 200


def test_without_the_client_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    for ask in (
        lambda: stamped(CHECKPOINT, "https://a"),
        lambda: check_stamp(CHECKPOINT, b"", b""),
    ):
        with pytest.raises(MissingExtra, match=r"claimledger\[stamp\]"):
            ask()
