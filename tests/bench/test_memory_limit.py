"""A group of its own where the machine allows one; a plain word where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.memory_limit import MemoryLimit, NoLimit, limit_memory


def machine(folder: Path, mounts: str, own: str) -> Path:
    """What the kernel would say of this process's groups."""
    (folder / "mounts").write_text(mounts)
    (folder / "cgroup").write_text(own)
    return folder


def test_a_machine_without_the_second_version_is_told_so(tmp_path: Path) -> None:
    proc = machine(tmp_path, "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n", "4:memory:/\n0::/\n")
    with pytest.raises(NoLimit, match="no cgroup v2"):
        limit_memory(600, proc)


def test_groups_that_hand_no_memory_down_are_told_so(tmp_path: Path) -> None:
    root = tmp_path / "unified"
    (root / "work").mkdir(parents=True)
    (root / "cgroup.subtree_control").write_text("cpu pids\n")
    proc = machine(tmp_path, f"cgroup2 {root} cgroup2 rw 0 0\n", "0::/work\n")
    with pytest.raises(NoLimit, match="hands no memory controller"):
        limit_memory(600, proc)


def test_the_nearest_group_that_hands_memory_down_is_the_parent(tmp_path: Path) -> None:
    root = tmp_path / "unified"
    (root / "user" / "bench").mkdir(parents=True)
    for group in (root, root / "user"):
        (group / "cgroup.subtree_control").write_text("memory pids\n")
    (root / "user" / "bench" / "cgroup.subtree_control").write_text("")
    proc = machine(tmp_path, f"cgroup2 {root} cgroup2 rw 0 0\n", "0::/user/bench\n")
    limit = limit_memory(600, proc)
    assert limit.group.parent == root / "user"
    assert (limit.group / "memory.max").read_text() == str(600 * 1024 * 1024)


def test_whoever_still_lives_goes_home_before_the_group_is_removed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    limit = MemoryLimit(tmp_path, home, 64)
    limit.hold([4321])
    assert (limit.group / "cgroup.procs").read_text() == "4321"
    for file in ("memory.max", "memory.swap.max"):  # the kernel's own files go with the group
        (limit.group / file).unlink()
    (limit.group / "cgroup.procs").rename(tmp_path / "kept")
    (limit.group / "cgroup.procs").symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match="not empty"):
        limit.remove(patience=0)
    assert (home / "cgroup.procs").read_text() == "4321"
    (limit.group / "cgroup.procs").unlink()
    limit.remove()
    assert not limit.group.exists()
