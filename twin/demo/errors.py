"""Why the demonstration world is not loaded."""

from __future__ import annotations

from twin.kernel.errors import Forbidden, TwinError


class WorldRefused(Forbidden):
    """The demonstration has well-known passwords and is loaded on loopback only."""


class NoDemonstration(Forbidden):
    """The large world is only ever added to the demonstration, never to anybody's installation."""


class WorldBroken(TwinError):
    """An event of the demonstration was refused; the world is left as it is and loading may be repeated."""
