"""How much memory this process may use: that of the machine, or less where its group of processes is limited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

# Pages of the indexes of usage have to lie here for full speed; what PostgreSQL itself recommends is a quarter.
_LEAST_BUFFERS, _MOST_BUFFERS = 32, 8_192
_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def memory_mb(own_groups: Path = _OWN_GROUPS, groups: Path = _GROUPS) -> int:
    """Megabytes; a container sees all of the machine's, and is ended when it takes more than its own."""
    limits = [limit for file in _limit_files(own_groups, groups) if (limit := _limit_in(file)) is not None]
    return int(min([psutil.virtual_memory().total, *limits]) // 1024**2)


def buffers_mb(memory: int) -> int:
    """How much of that the database keeps for its pages; taken as it is filled, not before."""
    return max(_LEAST_BUFFERS, min(memory // 4, _MOST_BUFFERS))


def _limit_files(own_groups: Path, groups: Path) -> Iterator[Path]:
    """Of the process's group and all above it; `groups` is also where a container finds its own as the root."""
    try:
        lines = own_groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, name = (groups, "memory.max") if not controllers else (groups / "memory", "memory.limit_in_bytes")
        place = root / path.lstrip("/")
        yield from (folder / name for folder in (place, *place.parents) if folder.is_relative_to(root))


def _limit_in(file: Path) -> int | None:
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
