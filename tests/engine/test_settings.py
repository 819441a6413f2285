"""The environment decides which database is used; what it gets wrong is said in one line."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from twin.engine.binaries import system_programs
from twin.engine.errors import AddressUnusable, RolesUnavailable, ServerUnusable, SettingUnusable
from twin.engine.roles import check_app_role, let_through
from twin.engine.settings import is_embedded, resolve
from twin.engine.testing import ThrowawayServer, address_of
from twin.engine.types import DatabaseRoles


@pytest.fixture(scope="module")
def foreign_server(database_server: ThrowawayServer) -> Iterator[ThrowawayServer]:
    """A server that others manage: the system's PostgreSQL, or the embedded one where there is none."""
    programs = system_programs()
    if programs is None:
        yield database_server
        return
    made = ThrowawayServer(programs)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def address(foreign_server: ThrowawayServer) -> Iterator[str]:
    """An empty database and a role that may do everything there."""
    with psycopg.connect(**foreign_server.superuser("postgres"), autocommit=True) as admin:
        admin.execute("CREATE DATABASE company")
    yield address_of(foreign_server.superuser("company"))
    with psycopg.connect(**foreign_server.superuser("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE company WITH (FORCE)")
        for role in ("company_owner", "company_app", "company_writer"):
            admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def user_of(parameters: dict[str, object]) -> str:
    with psycopg.connect(**parameters) as connection:  # type: ignore[arg-type]  # parameters are text and numbers
        row = connection.execute("SELECT current_user::text").fetchone()
    assert row is not None
    return str(row[0])


def test_one_address_makes_three_roles_that_work(address: str, tmp_path: Path) -> None:
    roles = resolve({"DATABASE_URL": address, "TWIN_DATA_DIR": str(tmp_path)})
    ways = (roles.owner, roles.app, roles.writer)
    assert [user_of(way) for way in ways] == ["company_owner", "company_app", "company_writer"]
    assert not roles.embedded
    with psycopg.connect(**roles.owner) as owner:
        owner.execute("CREATE EXTENSION btree_gist")
        owner.execute("CREATE TABLE thing (id integer)")
    with psycopg.connect(**roles.app) as app:
        app.execute("INSERT INTO thing VALUES (1)")
        check_app_role(app)


def test_the_passwords_of_one_address_are_kept_and_used_again(address: str, tmp_path: Path) -> None:
    environ = {"DATABASE_URL": address, "TWIN_DATA_DIR": str(tmp_path)}
    first = resolve(environ)
    assert stat.S_IMODE((tmp_path / "database-roles.json").stat().st_mode) == 0o600
    assert resolve(environ) == first


def test_a_lost_file_of_passwords_is_made_anew(address: str, tmp_path: Path) -> None:
    environ = {"DATABASE_URL": address, "TWIN_DATA_DIR": str(tmp_path)}
    first = resolve(environ)
    (tmp_path / "database-roles.json").unlink()
    second = resolve(environ)
    assert second.app["password"] != first.app["password"]
    assert user_of(second.app) == "company_app"


def test_an_installation_at_work_is_not_locked_out_by_another(address: str, tmp_path: Path) -> None:
    first = resolve({"DATABASE_URL": address, "TWIN_DATA_DIR": str(tmp_path / "one")})
    with (
        psycopg.connect(**first.app),
        pytest.raises(RolesUnavailable, match="Another installation works with the roles"),
    ):
        resolve({"DATABASE_URL": address, "TWIN_DATA_DIR": str(tmp_path / "two")})
    assert user_of(first.app) == "company_app"


def test_where_bypassrls_cannot_be_given_owner_and_writer_pass_by_policies(
    address: str, foreign_server: ThrowawayServer, tmp_path: Path
) -> None:
    count = "SELECT count(*) FROM guarded"
    with psycopg.connect(**foreign_server.superuser("company"), autocommit=True) as admin:
        admin.execute("CREATE ROLE modest LOGIN CREATEROLE PASSWORD 'x'")
        admin.execute("ALTER DATABASE company OWNER TO modest")
        admin.execute("ALTER SCHEMA public OWNER TO modest")
        limited = {**foreign_server.superuser("company"), "user": "modest", "password": "x"}
        roles = resolve({"DATABASE_URL": address_of(limited), "TWIN_DATA_DIR": str(tmp_path)})
        with psycopg.connect(**roles.owner, autocommit=True) as owner:
            owner.execute("CREATE TABLE guarded (id integer)")
            owner.execute("ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
            let_through(owner, str(roles.writer["user"]))
            owner.execute("INSERT INTO guarded VALUES (1)")
        found: list[int] = []
        for way in (roles.owner, roles.writer, roles.app):
            with psycopg.connect(**way) as connection:
                found.extend(connection.execute(count).fetchone() or ())
        assert found == [1, 1, 0]
        for name in ("company_owner", "company_app", "company_writer"):
            admin.execute(f"DROP OWNED BY {name}")
        admin.execute("ALTER DATABASE company OWNER TO CURRENT_USER")
        admin.execute("ALTER SCHEMA public OWNER TO CURRENT_USER")
        admin.execute("DROP OWNED BY modest")
        admin.execute("DROP ROLE company_owner, company_app, company_writer, modest")


def test_a_role_that_may_not_make_roles_is_told_what_to_do(
    address: str, foreign_server: ThrowawayServer, tmp_path: Path
) -> None:
    with psycopg.connect(**foreign_server.superuser("company"), autocommit=True) as admin:
        admin.execute("CREATE ROLE plain LOGIN PASSWORD 'x'")
        limited = {**foreign_server.superuser("company"), "user": "plain", "password": "x"}
        with pytest.raises(RolesUnavailable, match="give it CREATEROLE"):
            resolve({"DATABASE_URL": address_of(limited), "TWIN_DATA_DIR": str(tmp_path)})
        admin.execute("DROP ROLE plain")
    assert not (tmp_path / "database-roles.json").exists()


def test_three_addresses_are_taken_as_they_are(tmp_path: Path) -> None:
    environ = {
        "TWIN_DATA_DIR": str(tmp_path),
        "TWIN_OWNER_DATABASE_URL": "postgresql://o:1@db.example:6000/books?sslmode=require",
        "TWIN_APP_DATABASE_URL": "postgres://a:2@db.example:6000/books",
        "TWIN_WRITER_DATABASE_URL": "postgresql://w:3@db.example:6000/books",
    }
    entries = resolve(environ).django()
    assert entries["owner"]["USER"] == "o"
    assert entries["owner"]["OPTIONS"] == {"sslmode": "require"}
    assert (entries["default"]["USER"], entries["default"]["PASSWORD"], entries["default"]["PORT"]) == (
        "a",
        "2",
        "6000",
    )
    assert entries["writer"]["NAME"] == "books"


def test_one_of_three_addresses_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(AddressUnusable, match="TWIN_APP_DATABASE_URL, TWIN_WRITER_DATABASE_URL is missing"):
        resolve({"TWIN_DATA_DIR": str(tmp_path), "TWIN_OWNER_DATABASE_URL": "postgresql://o@h/d"})


@pytest.mark.parametrize("address", ["mysql://u@h/d", "host=h dbname=d", "postgresql://h:notaport/d?wrong=%zz"])
def test_an_address_that_cannot_be_read_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(AddressUnusable, match=r"^DATABASE_URL [^\n]+$"):
        resolve({"DATABASE_URL": address, "TWIN_DATA_DIR": str(tmp_path)})


def test_an_address_without_a_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AddressUnusable, match="names no database"):
        resolve({"DATABASE_URL": "postgresql://u:p@127.0.0.1:1", "TWIN_DATA_DIR": str(tmp_path)})


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerUnusable, match="cannot be reached"):
        resolve({"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d", "TWIN_DATA_DIR": str(tmp_path)})


@pytest.mark.parametrize("given", ["much", "-64", "12", "64MB"])
def test_buffers_that_are_no_number_of_megabytes_are_refused_before_anything_starts(given: str, tmp_path: Path) -> None:
    with pytest.raises(SettingUnusable, match=r"^TWIN_SHARED_BUFFERS [^\n]+$"):
        resolve({"TWIN_DATA_DIR": str(tmp_path / "var"), "TWIN_SHARED_BUFFERS": given})
    assert not (tmp_path / "var").exists()


def test_work_that_needs_no_database_starts_none(tmp_path: Path) -> None:
    quiet = resolve({"TWIN_DATA_DIR": str(tmp_path / "var"), "TWIN_NO_DATABASE": "1"})
    assert resolve({"TWIN_DATA_DIR": str(tmp_path / "var")}, start=False) == quiet
    assert not (tmp_path / "var").exists()


def test_only_an_environment_without_addresses_is_embedded() -> None:
    assert is_embedded({})
    assert not is_embedded({"DATABASE_URL": "postgresql://h/d"})


def test_passwords_do_not_show_when_roles_are_printed() -> None:
    secret = {"password": "do-not-show"}
    assert "do-not-show" not in repr(DatabaseRoles(secret, secret, secret, embedded=True, data_dir=Path("var")))
