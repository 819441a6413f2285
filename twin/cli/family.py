"""Child processes under one parent: started, restarted when they die, ended together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click

from twin.engine.lifeline import VARIABLE, Lifeline

_PAUSE = 0.1
# glibc keeps freed memory for each thread apart; with few arenas a worker of many threads stays small.
_ARENAS = "2"
_MOST_RESTARTS = 5
_RESTART_WINDOW = 60.0
# Longer than a report or a batch of usage takes to finish.
_PATIENCE = 20.0
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass
class Child:
    """One program of the family and how it fares."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    starts_at: float = 0.0

    def start(self, environment: Mapping[str, str]) -> None:
        # Of a session of its own: Ctrl-C reaches the parent alone, which ends its children in order.
        self.process = subprocess.Popen(self.command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def ask_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def wait_and_end(self, deadline: float) -> None:
        """Give it until then to finish what it does; afterwards nothing of it is left."""
        if self.process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.1, deadline - time.monotonic()))
        self.end_descendants()
        self.process.wait()

    def end_descendants(self) -> None:
        """What the program started and left behind: it would keep its port and its connections."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def note_death(self, now: float) -> None:
        """Plan the next start: at once after a first death, later and later when it keeps dying."""
        self.end_descendants()
        self.deaths = [moment for moment in self.deaths if now - moment < _RESTART_WINDOW] + [now]
        if len(self.deaths) > _MOST_RESTARTS:
            code = self.process.returncode if self.process else None
            raise click.ClickException(
                f"{self.name} ended {len(self.deaths)} times within a minute (last exit code {code}):"
                " the lines above say why."
            )
        self.starts_at = now + 0.5 * (2 ** (len(self.deaths) - 1) - 1)
        self.process = None


class Family:
    """Runs its children until a signal asks it to end."""

    def __init__(self, children: Sequence[Child], folder: Path) -> None:
        self._children = children
        self._lifeline = Lifeline(folder)
        self._environment = {"MALLOC_ARENA_MAX": _ARENAS, **os.environ, VARIABLE: str(self._lifeline.path)}
        self._is_ending = False

    def live(self, *, when_started: Callable[[], bool]) -> None:
        """Until SIGTERM, SIGINT or SIGHUP; `when_started` is asked again and again until it answers True."""
        is_announced = False
        with self._signals_noted():
            try:
                while not self._is_ending:
                    self._look_after_children()
                    is_announced = is_announced or when_started()
                    time.sleep(_PAUSE)
            finally:
                self._end()

    def _look_after_children(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.has_died():
                child.note_death(now)
            if child.process is None and now >= child.starts_at:
                child.start(self._environment)

    def _end(self) -> None:
        living = [child for child in self._children if child.process is not None]
        for child in living:
            child.ask_to_end()
        deadline = time.monotonic() + _PATIENCE
        for child in living:
            child.wait_and_end(deadline)
        self._lifeline.cut()

    @contextmanager
    def _signals_noted(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._note_signal) for number in _ENDING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending = True
