"""The small world for tests of metering."""

from tests.world import world

__all__ = ["world"]
