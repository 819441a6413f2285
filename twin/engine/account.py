"""Under which system account PostgreSQL runs. It refuses root; Twin never creates accounts."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from twin.engine.errors import AccountUnavailable, DataOfAnotherUser

Kind = Literal["self", "namespace", "nobody"]

NAMESPACE = ("--user", "--map-user=1000", "--map-group=1000", "--")
_NOBODY_ID = 65534


@dataclass(frozen=True)
class Account:
    """How the programs of PostgreSQL are started, and whom their files belong to.

    self: as the user who runs Twin.
    namespace: root, seen by PostgreSQL as user 1000; files stay root's.
    nobody: the account that exists everywhere, when root may not make namespaces.
    """

    kind: Kind
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Account:
        return cls(stored["kind"], stored["uid"], stored["gid"], tuple(stored["prefix"]))

    def start(self, command: Sequence[str | Path], *, output: int | IO[bytes], cwd: Path) -> subprocess.Popen[bytes]:
        """Start a program under this account, apart from our terminal."""
        drop: dict[str, Any] = {}
        if self.kind == "nobody":
            drop = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen(
            [*self.prefix, *(str(part) for part in command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=_environment(),
            start_new_session=True,
            **drop,
        )

    def run(self, command: Sequence[str | Path], *, cwd: Path = Path("/")) -> tuple[int, str]:
        """Run a program to its end: exit code and all it said."""
        running = self.start(command, output=subprocess.PIPE, cwd=cwd)
        said, _ = running.communicate()
        return running.returncode, said.decode(errors="replace")

    def may_run(self, program: Path) -> bool:
        return self.run(["/bin/sh", "-c", 'test -x "$1"', "sh", program])[0] == 0

    def may_write(self, folder: Path) -> bool:
        return self.run(["/bin/sh", "-c", 'test -w "$1" && test -x "$1"', "sh", folder])[0] == 0

    def give(self, path: Path) -> None:
        """Make a file or folder that we have just created the account's own."""
        if self.kind == "nobody":
            os.chown(path, self.uid, self.gid)


def choose_account(owner_of_data: int | None, *, wanted: Kind | None = None) -> Account:
    """The account that can start a database whose files belong to `owner_of_data` (None: there are none yet)."""
    if os.geteuid() != 0:
        return _own_account(owner_of_data)
    namespace, nobody = _namespace_account(), _nobody_account()
    if owner_of_data in (None, 0) and wanted in (None, "namespace") and _works(namespace):
        return namespace
    if owner_of_data in (None, nobody.uid) and wanted in (None, "nobody") and _works(nobody):
        return nobody
    if owner_of_data in (None, 0):
        raise AccountUnavailable(
            "PostgreSQL refuses to run as root and this machine allows neither user namespaces nor the account nobody:"
            " run Twin as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
        )
    raise DataOfAnotherUser(f"The database belongs to user {owner_of_data}: run Twin as that user.")


def _own_account(owner_of_data: int | None) -> Account:
    if owner_of_data not in (None, os.geteuid()):
        raise DataOfAnotherUser(
            f"The database belongs to user {owner_of_data}, Twin runs as user {os.geteuid()}:"
            " run Twin as that user, or set TWIN_DATA_DIR to a folder of your own."
        )
    return Account("self", os.geteuid(), os.getegid())


def _namespace_account() -> Account:
    program = shutil.which("unshare") or "/usr/bin/unshare"
    return Account("namespace", 0, 0, (program, *NAMESPACE))


def _nobody_account() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account("nobody", _NOBODY_ID, _NOBODY_ID)
    return Account("nobody", entry.pw_uid, entry.pw_gid)


def _works(account: Account) -> bool:
    try:
        return account.run(["true"])[0] == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _environment() -> dict[str, str]:
    # Nothing of the caller's: PGDATA, PGOPTIONS or a locale that is not installed would change what we start.
    return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}
