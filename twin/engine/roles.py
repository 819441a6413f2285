"""The three roles of one database: made, given their rights, and checked before anything is served."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from twin.engine.errors import AppRoleTooStrong, RolesUnavailable, ServerUnusable

OLDEST_SERVER = 15

Connection = psycopg.Connection[Any]

_SHUT_TABLES = """
    SELECT c.relname FROM pg_class c, pg_roles r
     WHERE c.relrowsecurity AND c.relnamespace = 'public'::regnamespace
       AND r.rolname = %(role)s AND NOT r.rolbypassrls AND NOT r.rolsuper
       AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %(policy)s)
     ORDER BY c.relname
"""


@dataclass(frozen=True)
class RoleNames:
    """Roles belong to the whole server, so they carry the name of their database."""

    owner: str
    app: str
    writer: str

    @classmethod
    def of(cls, database: str) -> RoleNames:
        # PostgreSQL cuts names at 63 bytes.
        stem = database.encode()[:50].decode(errors="ignore")
        return cls(f"{stem}_owner", f"{stem}_app", f"{stem}_writer")

    def all(self) -> tuple[str, str, str]:
        return (self.owner, self.app, self.writer)


def make_roles(admin: Connection, names: RoleNames, passwords: dict[str, str]) -> None:
    """Create the roles or set them right; safe to repeat. `admin` is a role that may create roles, in autocommit."""
    for name in names.all():
        _make_role(admin, name, passwords[name], bypass=name != names.app)


def make_database(admin: Connection, database: str, owner: str) -> None:
    """Create the database, owned by `owner`; nothing happens when it is there."""
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
            sql.Identifier(database), sql.Identifier(owner)
        )
        admin.execute(statement)


def grant_database(admin: Connection, names: RoleNames, *, ours_alone: bool) -> None:
    """Let the three roles into the database `admin` is connected to; safe to repeat.

    `ours_alone` also locks out everyone else, which a server that
    others manage may not expect.
    """
    database = sql.Identifier(admin.info.dbname)
    owner, app, writer = (sql.Identifier(name) for name in names.all())
    statements: list[sql.Composed | sql.SQL] = [
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}, {}").format(database, owner, app, writer),
        sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, owner),
        sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(owner),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}, {}").format(app, writer),
        sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    ]
    if ours_alone:
        statements.append(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for statement in statements:
        _execute_or_explain(admin, statement)


def set_default_privileges(owner: Connection, names: RoleNames) -> None:
    """Whatever the owner creates from now on, app and writer may use, and PUBLIC may not. Connected as the owner."""
    others = sql.SQL(", ").join((sql.Identifier(names.app), sql.Identifier(names.writer)))
    for rights in (
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}").format(others),
        sql.SQL("GRANT USAGE, SELECT ON SEQUENCES TO {}").format(others),
        sql.SQL("REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"),
        sql.SQL("GRANT EXECUTE ON FUNCTIONS TO {}").format(others),
    ):
        owner.execute(sql.SQL("ALTER DEFAULT PRIVILEGES {}").format(rights))


def let_through(owner: Connection, writer: str) -> None:
    """Where the server gives no BYPASSRLS, policies of their own let owner and writer pass; safe to repeat.

    Connected as the owner. To be asked before migrations, so that they see the rows they change, and after
    them, for the tables they made.
    """
    for role, policy in ((owner.info.user, "owner_passes"), (writer, "writer_passes")):
        for table in shut_tables(owner, role, policy):
            statement = sql.SQL("CREATE POLICY {} ON {} TO {} USING (true) WITH CHECK (true)")
            owner.execute(statement.format(*map(sql.Identifier, (policy, table, role))))


def shut_tables(connection: Connection, role: str, policy: str) -> list[str]:
    """The tables of which row-level security hides rows from the role, which has neither BYPASSRLS nor that policy."""
    found = connection.execute(_SHUT_TABLES, {"role": role, "policy": policy})
    return [row[0] for row in found.fetchall()]


def check_server(connection: Connection) -> None:
    """Raise ServerUnusable when the server is older than Twin can work with."""
    if connection.info.server_version < OLDEST_SERVER * 10_000:
        raise ServerUnusable(
            f"The server is PostgreSQL {connection.info.server_version // 10_000}, Twin needs {OLDEST_SERVER} or later:"
            " update the server, or unset DATABASE_URL to use the embedded database."
        )


def check_app_role(app: Connection) -> None:
    """Raise AppRoleTooStrong when the role of this connection could step over row-level security."""
    name, is_superuser, bypasses, owned = _app_role_facts(app)
    reasons = {"is a superuser": is_superuser, "has BYPASSRLS": bypasses, f"owns the table {owned}": owned is not None}
    for reason, holds in reasons.items():
        if holds:
            raise AppRoleTooStrong(
                f"The app role {name} {reason}: give TWIN_APP_DATABASE_URL a role that is neither superuser"
                " nor owner of tables nor BYPASSRLS."
            )


def _app_role_facts(app: Connection) -> tuple[str, bool, bool, str | None]:
    # Membership counts: who may become the owner or a superuser is as strong as they are.
    row = app.execute(
        """
        SELECT current_user::text,
               bool_or(rolsuper),
               bool_or(rolbypassrls),
               (SELECT min(c.relname::text) FROM pg_class c
                 WHERE c.relkind IN ('r', 'p') AND pg_has_role(current_user, c.relowner, 'MEMBER'))
          FROM pg_roles
         WHERE pg_has_role(current_user, oid, 'MEMBER')
        """
    ).fetchone()
    assert row is not None  # an aggregate always answers one row
    return row[0], row[1], row[2], row[3]


def _make_role(admin: Connection, name: str, password: str, *, bypass: bool) -> None:
    exists = admin.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER ROLE" if exists else "CREATE ROLE")
    statement = sql.SQL("{} {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(password))
    _execute_or_explain(admin, statement)
    if exists is not None and exists[0] == bypass:
        return
    if bypass or exists is not None:
        _set_bypass(admin, name, bypass=bypass)


def _set_bypass(admin: Connection, name: str, *, bypass: bool) -> None:
    word = sql.SQL("BYPASSRLS" if bypass else "NOBYPASSRLS")
    # Managed servers keep BYPASSRLS for themselves; `let_through` is the way of such a server.
    with suppress(psycopg.errors.InsufficientPrivilege):
        admin.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(name), word))


def _execute_or_explain(admin: Connection, statement: sql.SQL | sql.Composed) -> None:
    try:
        admin.execute(statement)
    except psycopg.errors.InsufficientPrivilege as refused:
        said = str(refused).strip().splitlines()[0]
        raise RolesUnavailable(
            f"The role {admin.info.user} of DATABASE_URL cannot make Twin's roles ({said}): give it CREATEROLE and the"
            " ownership of the database, or set the three TWIN_*_DATABASE_URL."
        ) from refused
