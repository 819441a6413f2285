"""From the environment to three ways into one database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from twin.engine.errors import AddressUnusable, RolesUnavailable, ServerUnusable, SettingUnusable
from twin.engine.locks import FileLock
from twin.engine.passwords import keep_passwords, new_passwords, read_passwords, store_passwords
from twin.engine.roles import RoleNames, check_server, grant_database, make_roles, set_default_privileges
from twin.engine.server import EmbeddedServer, Wishes
from twin.engine.types import ConnectionParameters, DatabaseRoles

_LEAST_BUFFERS = 16
_ADDRESSES = ("TWIN_OWNER_DATABASE_URL", "TWIN_APP_DATABASE_URL", "TWIN_WRITER_DATABASE_URL")

# One lease per data directory and process: settings are read more than once.
_joined: dict[Path, tuple[EmbeddedServer, DatabaseRoles]] = {}


def resolve(environ: Mapping[str, str] = os.environ, *, start: bool = True) -> DatabaseRoles:
    """The roles that the environment names.

    Three TWIN_*_DATABASE_URL, else DATABASE_URL, else the embedded
    database of TWIN_DATA_DIR. The embedded one is started, or shared
    when it runs, and stays up until this process ends; repeats are
    free. With DATABASE_URL the first call makes the roles and keeps
    their passwords in the data directory; later ones do not connect.
    `start=False` and TWIN_NO_DATABASE=1 promise that nothing is
    started: then the embedded database's parameters are those of a
    server that may not run, for work that needs none.
    """
    data_dir = data_dir_of(environ)
    given = [environ[name] for name in _ADDRESSES if environ.get(name)]
    if environ.get("TWIN_NO_DATABASE") == "1":
        return _nowhere(data_dir)
    if given:
        return _by_hand(environ, data_dir)
    if environ.get("DATABASE_URL"):
        return _from_one_address(environ["DATABASE_URL"], data_dir)
    return _embedded(data_dir, _buffers_of(environ)) if start else _nowhere(data_dir)


def data_dir_of(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("TWIN_DATA_DIR") or "var").expanduser().absolute()


def secret_key(data_dir: Path) -> str:
    """The key that signs sessions: made at the first start and kept in the data directory."""
    if os.environ.get("TWIN_NO_DATABASE") == "1":
        return "unused"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(data_dir / "secrets.lock")
    lock.wait_exclusive(60)
    try:
        return keep_passwords(data_dir / "secrets.json", ("secret-key",), length=48)["secret-key"]
    finally:
        lock.release()


def keep_secret_key(data_dir: Path, key: str) -> None:
    """Put a key that a backup brought in the place of the one that was made here."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(data_dir / "secrets.lock")
    lock.wait_exclusive(60)
    try:
        store_passwords(data_dir / "secrets.json", {"secret-key": key})
    finally:
        lock.release()


def is_embedded(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names no server, so that Twin brings its own."""
    return not any(environ.get(name) for name in (*_ADDRESSES, "DATABASE_URL"))


def _buffers_of(environ: Mapping[str, str]) -> int | None:
    given = environ.get("TWIN_SHARED_BUFFERS", "")
    if not given:
        return None
    if not given.isdecimal() or int(given) < _LEAST_BUFFERS:
        raise SettingUnusable(
            f"TWIN_SHARED_BUFFERS is {given}: write megabytes as a number, {_LEAST_BUFFERS} or more, as 256."
        )
    return int(given)


def _embedded(data_dir: Path, buffers_mb: int | None) -> DatabaseRoles:
    if data_dir not in _joined:
        server = EmbeddedServer(data_dir, Wishes(buffers_mb=buffers_mb))
        _joined[data_dir] = (server, server.join())
    return _joined[data_dir][1]


def _nowhere(data_dir: Path) -> DatabaseRoles:
    parameters: ConnectionParameters = {"host": "/nonexistent", "dbname": "twin", "user": "nobody", "password": ""}
    return DatabaseRoles(dict(parameters), dict(parameters), dict(parameters), embedded=True, data_dir=data_dir)


def _by_hand(environ: Mapping[str, str], data_dir: Path) -> DatabaseRoles:
    missing = [name for name in _ADDRESSES if not environ.get(name)]
    if missing:
        raise AddressUnusable(f"{', '.join(missing)} is missing: set all three of {', '.join(_ADDRESSES)}, or none.")
    owner, app, writer = (_read_address(name, environ[name]) for name in _ADDRESSES)
    return DatabaseRoles(owner, app, writer, embedded=False, data_dir=data_dir)


def _from_one_address(address: str, data_dir: Path) -> DatabaseRoles:
    admin = _read_address("DATABASE_URL", address)
    if not admin.get("dbname"):
        raise AddressUnusable("DATABASE_URL names no database: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
    names = RoleNames.of(str(admin["dbname"]))
    file = data_dir / "database-roles.json"
    if not _known_roles(file, admin, names):
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(data_dir / "database-roles.lock")
        lock.wait_exclusive(60)
        try:
            if not _known_roles(file, admin, names):
                _make_roles_from(admin, names, file)
        finally:
            lock.release()
    known = _known_roles(file, admin, names)
    owner, app, writer = ({**admin, "user": name, "password": known[name]} for name in names.all())
    return DatabaseRoles(owner, app, writer, embedded=False, data_dir=data_dir)


def _known_roles(file: Path, admin: ConnectionParameters, names: RoleNames) -> dict[str, str]:
    stored = read_passwords(file)
    found = {name: stored.get(_key(admin, name), "") for name in names.all()}
    return found if all(found.values()) else {}


def _make_roles_from(admin: ConnectionParameters, names: RoleNames, file: Path) -> None:
    try:
        connection = psycopg.connect(**admin, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as refused:
        raise ServerUnusable(f"The server of DATABASE_URL cannot be reached: {_first_line(refused)}") from refused
    with connection:
        check_server(connection)
        _refuse_used_roles(connection, names, file)
        passwords = new_passwords(names.all())
        make_roles(connection, names, passwords)
        grant_database(connection, names, ours_alone=False)
    with psycopg.connect(
        **{**admin, "user": names.owner, "password": passwords[names.owner]}, autocommit=True
    ) as owner:
        set_default_privileges(owner, names)
    # Stored only once they work: a half-made set is made anew by the next start.
    store_passwords(file, {_key(admin, name): passwords[name] for name in names.all()})


def _refuse_used_roles(connection: psycopg.Connection[Any], names: RoleNames, file: Path) -> None:
    # New passwords would lock out an installation that works with the roles this very moment.
    row = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = ANY(%s)", [list(names.all())]
    ).fetchone()
    if row is not None and row[0]:
        raise RolesUnavailable(
            f"Another installation works with the roles {', '.join(names.all())} of this server: copy its"
            f" {file.name} to {file}, or set the three TWIN_*_DATABASE_URL."
        )


def _key(admin: ConnectionParameters, role: str) -> str:
    return f"{role}@{admin.get('host', '')}:{admin.get('port', '')}/{admin['dbname']}"


def _read_address(name: str, address: str) -> ConnectionParameters:
    if not address.startswith(("postgres://", "postgresql://")):
        raise AddressUnusable(f"{name} is no PostgreSQL address: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE.")
    try:
        return dict(conninfo_to_dict(address))
    except psycopg.ProgrammingError as unreadable:
        raise AddressUnusable(f"{name} cannot be read: {_first_line(unreadable)}") from unreadable


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
