"""How much memory the embedded database believes it has."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from twin.engine.memory import buffers_mb, memory_mb

ALL = psutil.virtual_memory().total // 1024**2


def group(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n")


def own(folder: Path, text: str) -> Path:
    file = folder / "cgroup"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("groups", "limits", "found"),
    [
        ("0::/\n", {}, ALL),
        ("0::/\n", {"memory.max": "max"}, ALL),
        ("0::/\n", {"memory.max": str(96 * 1024**2)}, 96),
        ("0::/system.slice/twin.service\n", {"system.slice/memory.max": str(64 * 1024**2)}, 64),
        (
            "0::/a/b\n",
            {"a/b/memory.max": str(32 * 1024**2), "a/memory.max": "max", "memory.max": str(64 * 1024**2)},
            32,
        ),
        ("7:memory:/docker/1\n0::/\n", {"memory/docker/1/memory.limit_in_bytes": str(48 * 1024**2)}, 48),
        # Without a limit version 1 says a number beyond any machine; other controllers have no say.
        ("7:memory:/\n3:cpu,cpuacct:/x:y\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, ALL),
        ("0::/\n", {"memory.max": "rather much"}, ALL),
    ],
)
def test_the_least_of_machine_and_groups(tmp_path: Path, groups: str, limits: dict[str, str], found: int) -> None:
    for path, text in limits.items():
        group(tmp_path / "fs", path, text)
    assert memory_mb(own(tmp_path, groups), tmp_path / "fs") == found


def test_a_system_without_groups_has_its_memory(tmp_path: Path) -> None:
    assert memory_mb(tmp_path / "nothing", tmp_path) == ALL


@pytest.mark.parametrize(("memory", "buffers"), [(64, 32), (1_000, 250), (16_384, 4_096), (512_000, 8_192)])
def test_the_database_keeps_a_quarter_of_it_within_bounds(memory: int, buffers: int) -> None:
    assert buffers_mb(memory) == buffers
