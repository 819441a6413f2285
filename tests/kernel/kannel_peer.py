"""A real Kannel on loopback, with the fake SMSC of its makers behind it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.smtp_peer import free_port
from tests.peers import FAKE_SMSC

USER, PASSWORD = "twin", "p@ss w/rd"

_CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {secret}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
store-type = spool
store-location = {folder}/spool
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = {smsc}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
sendsms-interface = 127.0.0.1
http-request-retry = 3
http-queue-delay = 1

group = sendsms-user
username = {user}
password = "{secret}"

group = sms-service
keyword = default
text = "none"
max-messages = 0
"""
_START = 15


@dataclass(frozen=True)
class Kannel:
    """The port of `sendsms`, and what the SMSC behind it wrote down."""

    port: int
    log: Path

    def received(self) -> list[str]:
        """What the SMSC got: sender, number, coding and text as Kannel writes them."""
        return re.findall(r"Got message \d+: <(.*)>", self.log.read_text(encoding="utf-8", errors="replace"))


@contextmanager
def kannel(folder: Path) -> Iterator[Kannel]:
    """Bearerbox, smsbox and SMSC, each ended with the block."""
    admin, boxes, smsc, http = (free_port() for _ in range(4))
    (folder / "spool").mkdir()
    file = folder / "kannel.conf"
    places = {"admin": admin, "boxes": boxes, "smsc": smsc, "http": http, "folder": folder}
    file.write_text(_CONFIGURATION.format(**places, user=USER, secret=PASSWORD), encoding="utf-8")
    log = folder / "smsc.log"
    running: list[subprocess.Popen[bytes]] = []
    try:
        _start(running, folder / "bearerbox.log", _program("bearerbox"), "-v", "1", str(file))
        _wait_for(boxes)
        _start(running, folder / "smsbox.log", _program("smsbox"), "-v", "1", str(file))
        _wait_for(http)
        _start(running, log, FAKE_SMSC, *f"-H 127.0.0.1 -r {smsc} -i 0.1 -m 1 -v 0".split(), "100 200 text hi")
        _wait_until(lambda: "sent message 1" in log.read_text(encoding="utf-8", errors="replace"))
        yield Kannel(http, log)
    finally:
        for process in reversed(running):
            process.kill()
            process.wait()


def _program(name: str) -> str:
    return shutil.which(name) or f"/usr/sbin/{name}"


def _start(running: list[subprocess.Popen[bytes]], log: Path, *command: str) -> None:
    with log.open("wb") as output:
        running.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL))


def _wait_for(port: int) -> None:
    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    _wait_until(answers)


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START
    while not is_so():
        assert time.monotonic() < deadline, "Kannel does not start"
        time.sleep(0.05)
