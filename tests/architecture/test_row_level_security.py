"""The second wall, asked of the database's own catalogue and tried from both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, ProgrammingError, connections, transaction

from tests.informing import inform
from tests.world import BEGINNING, World, build_world
from twin.accounts.models import User
from twin.billing.actions.closing import close_due
from twin.billing.actions.payments import record_payment
from twin.billing.actions.settings import save_settings
from twin.billing.types import Settings
from twin.companies import actions as companies
from twin.companies.access import platform_scope, scope_for_person
from twin.engine.types import DatabaseRoles
from twin.kernel import security_log
from twin.kernel.period import Period
from twin.kernel.tenancy import tenant_transaction
from twin.metering import actions as metering
from twin.pricing import actions as pricing
from twin.reports import actions as reports

pytestmark = pytest.mark.database

TENANT_COLUMNS = ("company_id", "seller_id", "buyer_id", "ancestor_id", "organisation_id", "parent_id")

# A company is its own tenant; the column is its key.
TENANT_BY_KEY = {"companies_company": "id"}

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

# Views run as their owner, who bypasses row-level security: each carries its own condition.
VIEWS_OF_THE_APP = {"metering_billable", "metering_sold", "metering_sold_event", "pricing_rate_paid"}

NOBODY = 2**31 - 1

# Nothing corrects and nobody pays yet.
NOT_FILLED: tuple[str, ...] = ()


def owner_rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def app_rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections["default"].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


def tenant_tables() -> dict[str, list[str]]:
    """Every table with a tenant column, and those columns."""
    rows = owner_rows(
        """
        select c.relname, array_agg(a.attname::text order by a.attname)
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
          and (a.attname = any(%s) or (c.relname = 'companies_company' and a.attname = 'id'))
        group by c.relname
        """,
        list(TENANT_COLUMNS),
    )
    return dict(rows)


def readable_by_app(names: set[str]) -> list[str]:
    user = connections["default"].settings_dict["USER"]
    found = owner_rows(
        "select n from unnest(%s::text[]) n where has_table_privilege(%s, n, 'select') order by n", list(names), user
    )
    return [row[0] for row in found]


def an_event(company_id: int, number: int, quantity: int = 1) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "type": "twin.usage",
        "source": "smsc-1",
        "id": str(number),
        "subject": str(company_id),
        "time": f"2026-02-01T0{number}:00:00Z",
        "data": {"meter": "sms.sent", "quantity": quantity, "attributes": {"n": str(number)}},
    }


def a_full_world() -> World:
    """The small world with people at work and usage of everybody: folded and not, priced and not, in conflict."""
    world = build_world()
    companies_beneath = {"twin": "echo", "rhea": "acme", "sola": "cedar", "strand": "dune"}
    for name, party in world.parties.items():
        user = User.objects.create_user(f"{name}@example.org", None, name=name)
        companies.add_employee(platform_scope(), user=user, company_id=party.id, role="administrator")
        companies.invite_person(
            platform_scope(), company_id=party.id, name="Nina", email=f"nina@{name}.example", role="finance"
        )
        security_log.record("signed_in", user_id=user.pk, company_id=party.id)
        inform(party.id)
        own = scope_for_person(user)
        assert own is not None
        companies.keep_information_draft(own, version=1, typed={"name": name})
        if own.kind != "company":
            beneath = companies_beneath[name]
            companies.begin_acting(own, company_id=world.parties[beneath].id, reason="r")
        if own.kind == "reseller":
            companies.invite_company(own, email=f"x@{name}.example")
        reports.ask_for_export(
            own, person_id=user.pk, report="r", form="csv", question={}, language="en", name="n", rows_total=1
        )
    unpriced: dict[str, Any] = {"kind": "company", "time_zone": "UTC", "effective_from": BEGINNING}
    seller = pricing.create_company(world.twin.scope, name="Moor", **{**unpriced, "kind": "reseller"})
    buyer = pricing.create_company(world.twin.scope, name="Newt", parent_id=seller.id, **unpriced)
    ids = [*(party.id for party in world.parties.values()), buyer.id]
    for number, quantity in ((0, 1), (0, 2), (1, 1)):
        events = [an_event(company_id, number, quantity) for company_id in ids]
        metering.take_events(world.twin.scope, json.dumps(events).encode(), batch=True)
        if number == 0:
            metering.fold()
    _correct_charges(world)
    _close_two_months(world)
    return world


def _correct_charges(world: World) -> None:
    """Corrections asked for, and events taken back in each family."""
    for party in (world.rhea, world.strand):
        metering.ask_rerating(party.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1)))
    for company_id in (world.acme.id, world.dune.id, world.cedar.id):
        metering.withdraw_event(world.twin.scope, company_id=company_id, source="smsc-1", event_id="1", reason="a test")


def _close_two_months(world: World) -> None:
    """Statements, invoices and what they leave in the ledger, of every seller."""
    for party in (world.twin, world.rhea, world.sola, world.strand):
        save_settings(party.scope, settings=Settings(footer=party.company.name))
        with tenant_transaction(party.id), connections["default"].cursor() as cursor:
            cursor.execute("insert into billing_logo values (%s, '\\x00', 'image/png', '\\x00')", [party.id])
        close_due(party.scope, now=datetime(2026, 3, 5, tzinfo=UTC), tell=False)
    for seller, buyer in ((world.rhea, world.acme), (world.strand, world.dune)):
        record_payment(seller.scope, buyer_id=buyer.id, amount_minor=1, at=datetime(2026, 3, 6, tzinfo=UTC))


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


def test_without_an_organisation_nothing_is_seen() -> None:
    world = a_full_world()
    for name in readable_by_app(set(tenant_tables())):
        assert owner_rows(f"select 1 from {name} limit 1") or name in NOT_FILLED, name
        assert app_rows(f"select count(*) from {name}") == [(0,)], name
    for name in VIEWS_OF_THE_APP:
        assert app_rows(f"select count(*) from {name}") == [(0,)], name
        with tenant_transaction(world.rhea.id):
            assert app_rows(f"select 1 from {name} limit 1"), name


def test_nobody_sees_nothing() -> None:
    a_full_world()
    with tenant_transaction(NOBODY):
        for name in [*readable_by_app(set(tenant_tables())), *VIEWS_OF_THE_APP]:
            assert app_rows(f"select count(*) from {name}") == [(0,)], name


def test_no_reseller_sees_a_row_of_the_other_ones_family() -> None:
    world = a_full_world()
    family = {world.rhea.id, world.acme.id, world.birch.id, world.sola.id, world.cedar.id}
    strangers = {world.strand.id, world.dune.id}
    for own, foreign in ((strangers, family), (family, strangers)):
        for asker in own:
            with tenant_transaction(asker):
                for name, columns in tenant_tables().items():
                    if name in readable_by_app({name}):
                        _refuse_rows_of(foreign, name, columns)


def _refuse_rows_of(foreign: set[int], table: str, columns: list[str]) -> None:
    for row in app_rows(f"select {', '.join(columns)} from {table}"):
        assert not foreign & set(row), (table, row)


def test_money_of_an_edge_is_seen_by_its_parties_only() -> None:
    world = a_full_world()
    with tenant_transaction(world.rhea.id):
        sellers = {row[0] for row in app_rows("select seller_id from pricing_rate")}
        edges = app_rows("select seller_id, buyer_id from pricing_assignment")
    assert sellers == {world.rhea.id}
    assert all(world.rhea.id in edge for edge in edges)


def test_a_company_sees_no_books_and_no_cards_at_all() -> None:
    world = a_full_world()
    with tenant_transaction(world.acme.id):
        for name in ("metering_book", "metering_journal", "metering_sold", "pricing_rate", "pricing_ratecard"):
            assert app_rows(f"select count(*) from {name}") == [(0,)], name


ADD_KEY = (
    "insert into companies_apikey (company_id, name, prefix, secret_hash, scopes, created_at)"
    " values (%s, 'n', 'p', '\\x00', '{reports:read}', now())"
)
ADD_INVITATION = (
    "insert into companies_invitation (company_id, email, name, role, token_hash, created_at, sent_at, sendings,"
    " expires_at) values (%s, 'e@example.org', 'E', 'administrator', '\\x00', now(), now(), 1, now())"
)
ADD_ACTING = (
    "insert into companies_acting (user_id, organisation_id, company_id, reason, may_write, started_at, expires_at,"
    " ended_by) values (%s, %s, %s, 'r', true, now(), now(), '')"
)
ADD_ATTACHMENT = (
    "insert into companies_attachment (seller_id, email, token_hash, invited_by_id, created_at, sent_at, sendings,"
    " expires_at) values (%s, 'e@example.org', '\\x00', %s, now(), now(), 1, now())"
)
ADD_COMPANY = (
    "insert into companies_company (id, kind, name, search_name, time_zone, currency, state, state_reason,"
    " existed_from, created_at) values (1000000, 'company', 'n', 'n', 'UTC', 'EUR', 'active', '', now(), now())"
)
ADD_CHANGE = (
    "insert into companies_informationchange (company_id, version, changed_at, before) values (%s, 99, now(), '{}')"
)
ADD_DRAFT = (
    "insert into companies_informationdraft (company_id, user_id, base_version, typed, saved_at)"
    " values (%s, %s, 0, '{}', now())"
)
ADD_FILE = (
    "insert into reports_export (organisation_id, person_id, report, form, question, language, name, state,"
    " rows_total, rows_done, file, size, asked_at)"
    " values (%s, %s, 'r', 'csv', '{}', 'en', 'n', 'waiting', 0, 0, '', 0, now())"
)
ADD_STATEMENT = (
    "insert into billing_statement (seller_id, buyer_id, month, time_zone, starts_at, ends_at, currency, since)"
    " values (%s, %s, '2030-01-01', 'UTC', '2030-01-01', '2030-02-01', 'EUR', '{}')"
)
ADD_RERATING = (
    "insert into metering_rerating (seller_id, start_at, end_at, asked_at)"
    " values (%s, now() - '1 day'::interval, now(), now())"
)
ADD_CORRECTION = (
    "insert into metering_correction (event_time, batch, amount, quantity, key, seller_id, buyer_id, company_id,"
    " source_id, attributes_id, rate_id, meter_id, pos, seller_unrated, buyer_unrated, kind)"
    " values (now(), 1, -1, 1, gen_random_uuid(), %s, %s, %s, 1, 0, 1, 1, 0, 0, 0, 'reversal')"
)
FOREIGN_WRITES: dict[str, Callable[[World], tuple[str, list[Any]]]] = {
    "a key": lambda world: (
        ADD_KEY,
        [world.strand.id],
    ),
    "a key of a company beneath": lambda world: (
        ADD_KEY,
        [world.acme.id],
    ),
    "information": lambda world: (
        ADD_CHANGE,
        [world.strand.id],
    ),
    "a draft of a company beneath": lambda world: (
        ADD_DRAFT,
        [world.acme.id, User.objects.get(email="rhea@example.org").pk],
    ),
    "an employment": lambda world: (
        "insert into companies_employment (company_id, user_id, role, created_at) values (%s, %s, 'finance', now())",
        [world.strand.id, User.objects.get(email="rhea@example.org").pk],
    ),
    "an invitation": lambda world: (ADD_INVITATION, [world.strand.id]),
    "an acting of another organisation": lambda world: (
        ADD_ACTING,
        [User.objects.get(email="strand@example.org").pk, world.strand.id, world.acme.id],
    ),
    "an invitation of another reseller": lambda world: (
        ADD_ATTACHMENT,
        [world.strand.id, User.objects.get(email="strand@example.org").pk],
    ),
    "an invitation to a company beneath": lambda world: (ADD_INVITATION, [world.acme.id]),
    "a child of a stranger": lambda world: (
        "insert into companies_membership (company_id, parent_id, start_at) values (%s, %s, now())",
        [world.acme.id, world.strand.id],
    ),
    "a child of the own seller": lambda world: (
        "insert into companies_membership (company_id, parent_id, start_at) values (%s, %s, now())",
        [world.rhea.id, world.twin.id],
    ),
    "a company that lies nowhere": lambda _world: (ADD_COMPANY, []),
    "a place in the tree": lambda world: (
        "insert into companies_ancestry (ancestor_id, company_id, distance, path) values (%s, %s, 1, '{}')",
        [world.rhea.id, world.dune.id],
    ),
    "a card": lambda world: (
        "insert into pricing_ratecard (seller_id, name, is_default) values (%s, 'n', false)",
        [world.strand.id],
    ),
    "a file": lambda world: (
        ADD_FILE,
        [world.strand.id, User.objects.get(email="rhea@example.org").pk],
    ),
    "a statement": lambda world: (ADD_STATEMENT, [world.strand.id, world.dune.id]),
    "a statement by the buyer": lambda world: (ADD_STATEMENT, [world.twin.id, world.rhea.id]),
    "a correction of a stranger": lambda world: (ADD_RERATING, [world.strand.id]),
    "a correction of charges": lambda world: (ADD_CORRECTION, [world.rhea.id, world.acme.id, world.acme.id]),
    "a charge": lambda world: (
        "insert into metering_journal (seller_id, shard, batch, cells, data) values (%s, 0, 1000000, 0, '')",
        [world.rhea.id],
    ),
}


@pytest.mark.parametrize("what", FOREIGN_WRITES)
def test_nothing_is_written_into_another_tenant(what: str) -> None:
    world = a_full_world()
    statement, parameters = FOREIGN_WRITES[what](world)
    with pytest.raises(ProgrammingError), tenant_transaction(world.rhea.id):
        app_rows(statement + " returning 1", *parameters)
    with pytest.raises(ProgrammingError), tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute(statement, parameters)


FOREIGN_CHANGES = (
    "update companies_company set name = 'taken', search_name = 'taken' where id = %s returning 1",
    "update companies_apikey set revoked_at = now() where company_id = %s returning 1",
    "update companies_information set iban = 'taken' where company_id = %s returning 1",
    "update companies_employment set role = 'administrator' where company_id = %s returning 1",
    "delete from companies_employment where company_id = %s returning 1",
    "update companies_invitation set role = 'administrator' where company_id = %s returning 1",
    "update companies_attachment set expires_at = now() where seller_id = %s returning 1",
    "update companies_acting set ended_at = now(), ended_by = 'time' where organisation_id = %s returning 1",
    "update pricing_ratecard set name = 'taken' where seller_id = %s returning 1",
    "update reports_export set name = 'taken' where organisation_id = %s returning 1",
)


@pytest.mark.parametrize("statement", FOREIGN_CHANGES)
def test_nothing_of_another_tenant_is_changed(statement: str) -> None:
    world = a_full_world()
    with tenant_transaction(world.rhea.id):
        assert app_rows(statement, world.strand.id) == []


def test_no_row_is_moved_into_another_tenant() -> None:
    world = a_full_world()
    for statement in (
        "update companies_apikey set company_id = %s where company_id = %s returning 1",
        "update companies_employment set company_id = %s where company_id = %s returning 1",
    ):
        with pytest.raises(ProgrammingError), tenant_transaction(world.rhea.id):
            app_rows(statement, world.strand.id, world.rhea.id)


RECORDS = (
    "delete from companies_invitation",
    "update companies_membership set start_at = now()",
    "delete from companies_membership",
    "delete from companies_company",
    "delete from companies_apikey",
    "delete from companies_information",
    "update companies_informationchange set before = '{}'",
    "delete from companies_ancestry",
    "update billing_line set amount = 0",
    "delete from billing_line",
    "update pricing_rate set per = 1",
    "delete from pricing_rate",
    "delete from pricing_assignment",
    "delete from metering_journal",
    "update metering_event set quantity = 0",
    "update metering_correction set amount = 0",
    "delete from metering_correction",
    "delete from metering_rerating",
    "delete from metering_event",
    "update kernel_securityevent set event = 'nothing'",
    "delete from kernel_securityevent",
    "truncate kernel_securityevent",
    "truncate companies_membership cascade",
    "alter table companies_company disable row level security",
)


@pytest.mark.parametrize("statement", RECORDS)
def test_the_app_role_cannot_rewrite_the_record(statement: str) -> None:
    world = build_world()
    with pytest.raises(DatabaseError), tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute(statement)


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
