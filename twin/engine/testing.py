"""A throw-away server for tests: quick, private, gone with the test run."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from twin.engine.account import choose_account
from twin.engine.passwords import keep_passwords
from twin.engine.places import Places, make_control, remove_cluster, short_temporary
from twin.engine.roles import RoleNames, grant_database, make_database, make_roles, set_default_privileges
from twin.engine.server import DATABASE, SUPERUSER, EmbeddedServer, Wishes
from twin.engine.types import ConnectionParameters, DatabaseRoles


class ThrowawayServer:
    """PostgreSQL in a temporary folder, from the wheel or from `programs`; nothing of it is meant to last.

    Where it will listen is known before it starts, so settings can
    be made from it and tests that need no database never start it.
    """

    def __init__(self, programs: Path | None = None) -> None:
        # The socket lies inside, and its path must stay short.
        self.folder = Path(tempfile.mkdtemp(prefix="twin-test-", dir=short_temporary()))
        self.server = EmbeddedServer(self.folder / "data", Wishes(programs=programs, is_durable=False))
        self._is_started = False
        self._promise()

    def start(self) -> DatabaseRoles:
        """Start it with the database `twin` and its three roles; safe to repeat."""
        if not self._is_started:
            self.server.join()
            self._is_started = True
        return self.roles

    @property
    def roles(self) -> DatabaseRoles:
        return self.server.roles()

    def superuser(self, database: str = DATABASE) -> ConnectionParameters:
        return self.server.parameters(SUPERUSER, database)

    def create_database(self, name: str) -> DatabaseRoles:
        """One more empty database with roles of its own, `name`_owner and so on."""
        names = RoleNames.of(name)
        passwords = dict.fromkeys(names.all(), "test-only")
        with psycopg.connect(**self.superuser("postgres"), autocommit=True) as admin:
            make_roles(admin, names, passwords)
            make_database(admin, name, names.owner)
        with psycopg.connect(**self.superuser(name), autocommit=True) as admin:
            grant_database(admin, names, ours_alone=True)
        owner, app, writer = (
            {**self.superuser(name), "user": role, "password": passwords[role]} for role in names.all()
        )
        with psycopg.connect(**owner, autocommit=True) as connection:
            set_default_privileges(connection, names)
        return DatabaseRoles(owner, app, writer, embedded=False, data_dir=self.folder)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(**self.superuser("postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def stop(self) -> None:
        """Stop it and remove every file of it; safe to repeat."""
        self.server.leave()
        if self._is_started:
            self.server.wait_until_stopped()
            self._is_started = False
        remove_cluster(Places.under(self.server.data_dir))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _promise(self) -> None:
        # Where root must step down to nobody, that account has to find its way in.
        self.folder.chmod(0o711)
        make_control(self.server.places, choose_account(None))
        keep_passwords(self.server.places.passwords, (SUPERUSER, *RoleNames.of(DATABASE).all()))


def address_of(parameters: ConnectionParameters) -> str:
    """The same connection written as a postgresql:// address."""
    query: dict[str, Any] = {key: value for key, value in parameters.items() if key in ("host", "port")}
    tail = "&".join(f"{key}={value}" for key, value in query.items())
    return f"postgresql://{parameters['user']}:{parameters['password']}@/{parameters['dbname']}?{tail}"
