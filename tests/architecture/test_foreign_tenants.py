"""The second wall, tried from both sides: no tenant reads or writes what is another's, nobody rewrites the record.

One world serves every test: what is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, connections

from tests.catalogue import VIEWS_OF_THE_APP, app_rows, owner_rows, readable_by_app, tenant_tables
from tests.database import Cleaner
from tests.full_world import a_full_world
from tests.world import World
from twin.accounts.models import User
from twin.kernel.tenancy import tenant_transaction

NOBODY = 2**31 - 1


@pytest.fixture(scope="module")
def world(migrated_database: Cleaner, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock():
        yield a_full_world()
        migrated_database.clean()


def test_without_an_organisation_nothing_is_seen(world: World) -> None:
    for name in readable_by_app(set(tenant_tables())):
        assert owner_rows(f"select 1 from {name} limit 1"), name
        assert app_rows(f"select count(*) from {name}") == [(0,)], name
    for name in VIEWS_OF_THE_APP:
        assert app_rows(f"select count(*) from {name}") == [(0,)], name
        with tenant_transaction(world.rhea.id):
            assert app_rows(f"select 1 from {name} limit 1"), name


def test_nobody_sees_nothing(world: World) -> None:
    with tenant_transaction(NOBODY):
        for name in [*readable_by_app(set(tenant_tables())), *VIEWS_OF_THE_APP]:
            assert app_rows(f"select count(*) from {name}") == [(0,)], name


def test_no_reseller_sees_a_row_of_the_other_ones_family(world: World) -> None:
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


def test_money_of_an_edge_is_seen_by_its_parties_only(world: World) -> None:
    with tenant_transaction(world.rhea.id):
        sellers = {row[0] for row in app_rows("select seller_id from pricing_rate")}
        edges = app_rows("select seller_id, buyer_id from pricing_assignment")
    assert sellers == {world.rhea.id}
    assert all(world.rhea.id in edge for edge in edges)


def test_a_company_sees_no_books_and_no_cards_at_all(world: World) -> None:
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
def test_nothing_is_written_into_another_tenant(world: World, what: str) -> None:
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
def test_nothing_of_another_tenant_is_changed(world: World, statement: str) -> None:
    with tenant_transaction(world.rhea.id):
        assert app_rows(statement, world.strand.id) == []


def test_no_row_is_moved_into_another_tenant(world: World) -> None:
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
def test_the_app_role_cannot_rewrite_the_record(world: World, statement: str) -> None:
    with pytest.raises(DatabaseError), tenant_transaction(world.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute(statement)
