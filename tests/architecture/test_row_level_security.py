"""The second wall, asked of the database's own catalogue, and how an organisation is set for a transaction."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connections, transaction

from tests.catalogue import VIEWS_OF_THE_APP, app_rows, owner_rows, readable_by_app, tenant_tables
from tests.world import build_world
from twin.engine.types import DatabaseRoles
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database

# The only ways past row-level security. Each is narrow and comes before a scope, or keeps derived rows.
DEFINERS = {
    "companies_attachment_by_hash(wanted bytea)",
    "companies_employments_of(person integer)",
    "companies_invitation_by_hash(wanted bytea, asked_at timestamp with time zone)",
    "companies_key_by_hash(wanted bytea)",
    "companies_place_new(added integer[])",
    "companies_platform()",
    "companies_rebuild_ancestry(changed integer)",
    "kernel_day_digest(wanted date, before bytea, OUT events bigint, OUT digest bytea)",
    "kernel_events_before(day date)",
    "kernel_seal_days()",
}


def test_every_table_with_a_tenant_column_forces_row_level_security() -> None:
    tables = tenant_tables()
    secured = {
        row[0] for row in owner_rows("select relname from pg_class where relrowsecurity and relforcerowsecurity")
    }
    assert set(tables) - secured == set()
    # Were the question above wrong, it would find nothing to complain about.
    assert len(tables) >= 12
    assert {"companies_company", "companies_apikey", "pricing_rate", "metering_event"} <= set(tables)


def test_a_new_table_with_a_tenant_column_would_be_found() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("create table trial_of_the_catalogue (id int, buyer_id int)")
    try:
        assert tenant_tables()["trial_of_the_catalogue"] == ["buyer_id"]
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("drop table trial_of_the_catalogue")


def test_the_app_role_is_bound_by_row_level_security() -> None:
    app = connections["default"].settings_dict["USER"]
    rows = owner_rows(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where pg_has_role(%s, oid, 'member')",
        app,
    )
    assert rows == [(False, False, False, False)]
    assert owner_rows("select relname from pg_class where pg_get_userbyid(relowner) = %s", app) == []


def test_only_the_listed_functions_run_as_their_owner() -> None:
    rows = owner_rows(
        """
        select p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', p.proconfig,
               has_function_privilege('public', p.oid, 'execute')
        from pg_proc p where p.prosecdef and p.pronamespace = 'public'::regnamespace
        """
    )
    assert {row[0] for row in rows} == DEFINERS
    for name, settings, is_public in rows:
        assert settings == ["search_path=pg_catalog, pg_temp"], name
        assert not is_public, name


def test_the_app_reads_only_the_listed_views() -> None:
    views = {
        row[0]
        for row in owner_rows(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')"
        )
    }
    assert set(readable_by_app(views)) == VIEWS_OF_THE_APP


def test_the_organisation_is_forgotten_with_its_transaction() -> None:
    world = build_world()
    with tenant_transaction(world.rhea.id):
        assert app_rows("select count(*) from companies_company") == [(5,)]
    assert app_rows("select count(*) from companies_company") == [(0,)]


def test_an_inner_organisation_gives_way_to_the_outer_one() -> None:
    world = build_world()
    with tenant_transaction(world.rhea.id):
        with tenant_transaction(world.sola.id):
            assert app_rows("select count(*) from companies_company") == [(2,)]
        assert app_rows("select count(*) from companies_company") == [(5,)]


def test_a_failed_inner_transaction_leaves_the_outer_organisation() -> None:
    world = build_world()
    with tenant_transaction(world.rhea.id):
        with pytest.raises(ZeroDivisionError), tenant_transaction(world.sola.id), transaction.atomic():
            raise ZeroDivisionError
        assert app_rows("select count(*) from companies_company") == [(5,)]


def test_the_platforms_door_tells_no_more_than_its_name(migrated_database: object, db_clean: DatabaseRoles) -> None:
    build_world()
    with psycopg.connect(**db_clean.app) as app:
        columns = [column.name for column in app.execute("select * from companies_platform()").description or ()]
    assert columns == ["id", "currency"]
