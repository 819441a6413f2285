"""A real installation: `twin` commands and `twin serve` as processes, spoken to over HTTP only."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "correct-horse-battery-staple-42"
ALL_SCOPES = ("usage:write", "reports:read", "companies:read", "companies:write", "prices:read", "prices:write")
BATCH = "application/cloudevents-batch+json"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kept-alive connection that acts with one key."""

    def __init__(self, port: int, key: str = "", timeout: float = 30) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.key = key

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; a body that is not bytes is sent as JSON. Raises OSError when nobody answers."""
        sent = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if body is not None and not isinstance(body, bytes):
            body, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self._connection.request(method, path, body, sent)
            response = self._connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error
        except OSError:
            self._connection.close()
            raise

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def send_events(self, body: bytes) -> Answer:
        return self.ask("POST", "/api/v1/usage/events", body, Content_Type=BATCH)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Installation:
    """Twin in a data directory of its own; `port` answers while it is served."""

    def __init__(self, data_dir: Path, database_url: str | None = None) -> None:
        self.data_dir = data_dir
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log = data_dir.parent / "serve.log"
        self._serve: subprocess.Popen[bytes] | None = None
        self.environment = clean_environment() | {
            "TWIN_DATA_DIR": str(data_dir),
            "TWIN_PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        }
        if database_url:
            self.environment["DATABASE_URL"] = database_url

    # Commands ---------------------------------------------------------------

    def twin(self, *arguments: str, expect: int | None = 0, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run one `twin` command to its end and require its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "twin", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"twin {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def init(self) -> int:
        """`twin init`; the number of the platform company."""
        password = self.data_dir.parent / "password"
        password.write_text(PASSWORD + "\n")
        done = self.twin("init", "--admin-email", "root@twin.example", "--admin-password-file", str(password))
        found = re.search(r"^company=(\d+)$", done.stdout, re.MULTILINE)
        assert found, done.stdout
        return int(found[1])

    def key(self, company: int, *scopes: str) -> str:
        arguments = [part for scope in scopes or ALL_SCOPES for part in ("--scope", scope)]
        done = self.twin("api-key", "create", "--company", str(company), *arguments, "--name", "test")
        assert done.stdout.count("\n") == 1, done.stdout
        return done.stdout.strip()

    # Serving ----------------------------------------------------------------

    def serve(self, *arguments: str, wait: float = 60) -> None:
        """Start `twin serve` and wait until it is ready."""
        with self.log.open("ab") as log:
            self._serve = self._popen(["serve", *arguments], log)
        self.wait_until_ready(wait)

    def _popen(self, arguments: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "twin", *arguments],
            cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def is_serving(self) -> bool:
        return self._serve is not None and self._serve.poll() is None

    def is_ready(self) -> bool:
        try:
            with Client(self.port, timeout=5) as client:
                return client.get("/readyz").status == 200
        except OSError:
            return False

    def wait_until_ready(self, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not self.is_ready():
            if not self.is_serving():
                raise AssertionError(f"`twin serve` ended: {self.last_words()}")
            if time.monotonic() > end:
                raise AssertionError(f"not ready after {seconds} s: {self.last_words()}")
            time.sleep(0.1)

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

    def stop(self, seconds: float = 30) -> int:
        """Ask `twin serve` to end, as an operator does; its exit code."""
        assert self._serve is not None
        self._serve.send_signal(signal.SIGTERM)
        code = self._serve.wait(seconds)
        self._serve = None
        return code

    # Violence ---------------------------------------------------------------

    def serving_processes(self) -> list[psutil.Process]:
        """The parent of `twin serve` first, then whatever it started that is no database."""
        if self._serve is None or self._serve.poll() is not None:
            return []
        try:
            parent = psutil.Process(self._serve.pid)
            children = parent.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [parent, *(child for child in children if "postgres" not in process_name(child))]

    def postmaster(self) -> psutil.Process | None:
        """The embedded database's first process, wherever its files lie."""
        for process in psutil.process_iter(["name", "environ", "cmdline"]):
            command = process.info["cmdline"] or []
            if "postgres" in (process.info["name"] or "") and any(str(self.data_dir) in part for part in command):
                return process
        for file in self.data_dir.rglob("postmaster.pid"):
            try:
                return psutil.Process(int(file.read_text().split()[0]))
            except (psutil.NoSuchProcess, ValueError, IndexError, OSError):
                continue
        return None

    def orphans(self) -> list[psutil.Process]:
        """Processes of Twin that outlived a parent that was killed."""
        found = []
        for process in psutil.process_iter(["environ", "name"]):
            belongs = (process.info["environ"] or {}).get("TWIN_DATA_DIR") == str(self.data_dir)
            if belongs and "postgres" not in process.info["name"] and not self._is_child(process):
                found.append(process)
        return found

    def _is_child(self, process: psutil.Process) -> bool:
        return process.pid in {one.pid for one in self.serving_processes()}

    def memory(self) -> dict[int, int]:
        """Resident bytes of every serving process."""
        return {process.pid: process.memory_info().rss for process in self.serving_processes()}

    def destroy(self) -> None:
        """End every process of this installation, by force."""
        victims = [*self.serving_processes(), *self.orphans()]
        for process in victims:
            end_process(process)
        if self._serve is not None:
            self._serve.wait(10)
        postmaster = self.postmaster()
        if postmaster is not None:
            for process in [postmaster, *postmaster.children(recursive=True)]:
                end_process(process)


def end_process(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def process_name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that would point Twin at the tests' database."""
    dropped = ("TWIN_", "DATABASE_URL", "DJANGO_", "PG")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
