"""A proxy between the driver and PostgreSQL that cuts the line at a chosen message.

It stands on a Unix socket. Messages are what the driver sends at once; a cut is made before the
server gets the message, or after the server has answered and before the driver hears of it. So the
outcome of a commit is known to the test and unknown to the writer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import attrs
import sqlalchemy as sa

Cut = Literal["before", "after"]
Wanted = Callable[[int, bytes], bool]
"""Whether a message is the one; it has a number, counted over all lines since the cut was set."""


def at(number: int) -> Wanted:
    """The message of that number."""

    def wanted(one: int, _: bytes) -> bool:
        return one == number

    return wanted


@attrs.define
class Proxy:
    """Forwards until told to cut: once, every line at that moment."""

    url: str
    _server: str
    _wanted: Wanted | None = None
    _when: Cut = "before"
    _sent: int = 0
    _lines: list[socket.socket] = attrs.field(factory=list)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    cuts: int = 0

    def cut(self, when: Cut, wanted: Wanted) -> None:
        """Cut at the first message that is wanted, from now on."""
        with self._lock:
            self._wanted, self._when, self._sent = wanted, when, 0

    def stop(self) -> None:
        """Cut no more."""
        with self._lock:
            self._wanted = None

    @property
    def sent(self) -> int:
        """How many messages were sent since the cut was set."""
        return self._sent

    def serve(self, door: socket.socket) -> None:
        """Take lines until the door is shut."""
        with contextlib.suppress(OSError):
            while True:
                line, _ = door.accept()
                threading.Thread(target=self._forward, args=(line,), daemon=True).start()

    def _forward(self, driver: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        mute = threading.Event()
        answered = threading.Event()
        back = threading.Thread(target=_back, args=(server, driver, mute, answered), daemon=True)
        back.start()
        with contextlib.suppress(OSError), driver, server:
            while message := driver.recv(1 << 20):
                hit = self._hit(message)
                if hit == "before":
                    break
                if hit == "after":
                    answered.clear()
                    mute.set()
                    server.sendall(message)
                    answered.wait(1)
                    break
                server.sendall(message)
            for one in (driver, server):
                one.shutdown(socket.SHUT_RDWR)

    def _hit(self, message: bytes) -> Cut | None:
        with self._lock:
            number = self._sent
            self._sent += 1
            if self._wanted is None or not self._wanted(number, message):
                return None
            self._wanted = None
            self.cuts += 1
            return self._when


def _back(
    server: socket.socket, driver: socket.socket, mute: threading.Event, answered: threading.Event
) -> None:
    with contextlib.suppress(OSError):
        while answer := server.recv(1 << 20):
            if mute.is_set():
                # The server says that it is ready for the next when all of this one is done.
                if answer[-6:-1] == b"Z\x00\x00\x00\x05":
                    answered.set()
            else:
                driver.sendall(answer)
    answered.set()
    with contextlib.suppress(OSError):
        driver.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def proxied(url: str, folder: Path) -> Iterator[Proxy]:
    """A proxy in front of a PostgreSQL on a Unix socket; `.url` goes through it."""
    made = sa.make_url(url)
    name = f".s.PGSQL.{made.port or 5432}"
    host = made.query["host"]
    door = socket.socket(socket.AF_UNIX)
    (folder / name).unlink(missing_ok=True)
    door.bind(f"{folder / name}")
    door.listen()
    through = made.update_query_dict({"host": f"{folder}"})
    proxy = Proxy(through.render_as_string(hide_password=False), f"{host}/{name}")
    threading.Thread(target=proxy.serve, args=(door,), daemon=True).start()
    try:
        yield proxy
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
