"""Three roles: what each may do, and who is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from twin.engine.errors import AppRoleTooStrong
from twin.engine.roles import RoleNames, check_app_role, make_roles
from twin.engine.testing import ThrowawayServer
from twin.engine.types import ConnectionParameters, DatabaseRoles


@pytest.fixture(scope="module")
def roles(database_server: ThrowawayServer) -> Iterator[DatabaseRoles]:
    made = database_server.create_database("roles_tried")
    with psycopg.connect(**made.owner) as owner:
        owner.execute("CREATE TABLE thing (id integer GENERATED ALWAYS AS IDENTITY, organisation integer)")
        owner.execute("ALTER TABLE thing ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        owner.execute("INSERT INTO thing (organisation) VALUES (1)")
        owner.execute("CREATE FUNCTION answer() RETURNS integer LANGUAGE sql AS 'SELECT 42'")
    yield made
    database_server.drop_database("roles_tried")


def ask(parameters: ConnectionParameters, question: str) -> list[Any]:
    with psycopg.connect(**parameters) as connection:
        return [row[0] for row in connection.execute(question)]


def test_no_role_is_a_superuser_or_makes_roles(roles: DatabaseRoles) -> None:
    question = (
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles WHERE rolname = current_user"
    )
    assert [ask(way, question) for way in (roles.owner, roles.app, roles.writer)] == [[False]] * 3


def test_owner_and_writer_step_over_row_level_security_and_app_does_not(roles: DatabaseRoles) -> None:
    question = "SELECT count(*) FROM thing"
    assert [ask(way, question) for way in (roles.owner, roles.app, roles.writer)] == [[1], [0], [1]]


def test_app_and_writer_may_write_what_the_owner_creates(roles: DatabaseRoles) -> None:
    with psycopg.connect(**roles.writer) as writer:
        writer.execute("INSERT INTO thing (organisation) VALUES (2)")
        writer.execute("UPDATE thing SET organisation = 3 WHERE organisation = 2")
        writer.execute("DELETE FROM thing WHERE organisation = 3")
    assert ask(roles.app, "SELECT answer()") == [42]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "DROP TABLE thing",
        "TRUNCATE thing",
        "ALTER TABLE thing DISABLE ROW LEVEL SECURITY",
    ],
)
def test_app_and_writer_may_not_change_the_schema(roles: DatabaseRoles, statement: str) -> None:
    for way in (roles.app, roles.writer):
        with psycopg.connect(**way) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_role_of_another_database_has_no_way_in(roles: DatabaseRoles, database_server: ThrowawayServer) -> None:
    stranger = database_server.create_database("strangers_own")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(**{**stranger.app, "dbname": "roles_tried"})
    database_server.drop_database("strangers_own")


def test_the_app_role_is_accepted_for_serving(roles: DatabaseRoles) -> None:
    with psycopg.connect(**roles.app) as app:
        check_app_role(app)


def test_owner_writer_and_superuser_are_refused_for_serving(
    roles: DatabaseRoles, database_server: ThrowawayServer
) -> None:
    reasons = {
        "has BYPASSRLS": roles.writer,
        "is a superuser": database_server.superuser("roles_tried"),
    }
    for reason, way in reasons.items():
        with psycopg.connect(**way) as connection, pytest.raises(AppRoleTooStrong, match=reason):
            check_app_role(connection)


def test_a_role_that_owns_tables_or_may_become_the_owner_is_refused(
    roles: DatabaseRoles, database_server: ThrowawayServer
) -> None:
    with psycopg.connect(**database_server.superuser("roles_tried"), autocommit=True) as admin:
        admin.execute("CREATE ROLE sly LOGIN PASSWORD 'x' NOINHERIT IN ROLE roles_tried_owner")
        admin.execute("GRANT CONNECT ON DATABASE roles_tried TO sly")
        sly = {**roles.app, "user": "sly", "password": "x"}
        with psycopg.connect(**sly) as connection, pytest.raises(AppRoleTooStrong, match="has BYPASSRLS"):
            check_app_role(connection)
        admin.execute("ALTER ROLE roles_tried_owner NOBYPASSRLS")
        with psycopg.connect(**sly) as connection, pytest.raises(AppRoleTooStrong, match="owns the table thing"):
            check_app_role(connection)
        admin.execute("ALTER ROLE roles_tried_owner BYPASSRLS")
        admin.execute("REVOKE CONNECT ON DATABASE roles_tried FROM sly")
        admin.execute("DROP ROLE sly")


def test_making_the_roles_again_sets_right_what_was_changed(
    roles: DatabaseRoles, database_server: ThrowawayServer
) -> None:
    names = RoleNames.of("roles_tried")
    with psycopg.connect(**database_server.superuser("postgres"), autocommit=True) as admin:
        admin.execute("ALTER ROLE roles_tried_app BYPASSRLS PASSWORD 'changed'")
        make_roles(admin, names, {name: str(roles.app["password"]) for name in names.all()})
    with psycopg.connect(**roles.app) as app:
        check_app_role(app)


def test_the_names_of_roles_fit_whatever_the_database_is_called() -> None:
    names = RoleNames.of("ы" * 60)
    assert max(len(name.encode()) for name in names.all()) <= 63
    assert len(set(names.all())) == 3
