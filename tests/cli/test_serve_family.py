"""Children under one parent, and what the operator reads when something is in the way."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import click
import pytest

from twin.__main__ import main
from twin.cli.family import Child, Family
from twin.cli.serve import parts_of, refuse_taken_port


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def end_this_process(*, after: float) -> None:
    threading.Timer(after, os.kill, (os.getpid(), signal.SIGTERM)).start()


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    child = Child("web", program(f"open({str(starts)!r}, 'a').write('x')"))
    end_this_process(after=2.0)
    Family([child], tmp_path).live(when_started=lambda: True)
    assert len(starts.read_text()) >= 2


def test_a_child_that_keeps_dying_ends_the_family_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child("jobs", program("raise SystemExit(7)"), deaths=[time.monotonic()] * 5)
    with pytest.raises(click.ClickException, match=r"jobs ended 6 times within a minute \(last exit code 7\)"):
        Family([child], tmp_path).live(when_started=lambda: True)


def test_a_signal_ends_all_children_in_order(tmp_path: Path) -> None:
    note = tmp_path / "note"
    text = (
        "import signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(note)!r}, 'a').write('ended '), sys.exit(0)))\n"
        "time.sleep(60)"
    )
    end_this_process(after=1.5)
    Family([Child("web", program(text)), Child("jobs", program(text))], tmp_path).live(when_started=lambda: True)
    assert note.read_text() == "ended ended "
    assert not list(tmp_path.glob("lifeline-*"))


def test_a_taken_port_is_refused_with_what_to_do(settings: object) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        setattr(settings, "HOST", "127.0.0.1")  # noqa: B010 - pytest-django's wrapper has no typed attributes
        setattr(settings, "PORT", port)  # noqa: B010
        with pytest.raises(click.ClickException, match=f"Port {port} at 127.0.0.1 cannot be used: stop the program"):
            refuse_taken_port()


def test_parts_are_web_and_jobs_and_nothing_else() -> None:
    assert parts_of(None) == ("web", "jobs")
    assert parts_of("jobs") == ("jobs",)
    with pytest.raises(click.BadParameter, match="'mail' is none of web, jobs"):
        parts_of("web,mail")


def test_a_misuse_is_one_line_and_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-command"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "twin: No such command 'no-such-command'. (`twin --help` tells more)\n"


def test_help_lists_the_commands_of_operators(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    assert {"run", "serve", "init", "migrate", "api-key", "usage", "report", "trace", "metering"} <= set(listed.split())
