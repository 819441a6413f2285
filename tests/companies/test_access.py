"""Scopes: who gets one, and what it holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connections

from tests.companies.factories import Tree, a_company, a_key, a_platform, a_tree, scope_of
from twin.accounts.models import User
from twin.companies import access, actions, queries
from twin.companies.errors import (
    CompanyInactive,
    CompanyNotFound,
    KeyInvalid,
    NotInitialised,
    PermissionMissing,
)
from twin.companies.types import PERMISSIONS, Company, Role
from twin.kernel import clock

pytestmark = pytest.mark.database


def a_person(tree: Tree, company: Company | int, role: Role) -> User:
    user = User.objects.create_user("Ada@Example.org", "correct horse battery", name="Ada")
    company_id = company if isinstance(company, int) else company.id
    actions.add_employee(tree.twin, user=user, company_id=company_id, role=role)
    return user


def stored_keys() -> list[tuple[object, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select company_id, prefix, secret_hash, last_used_at, scopes from companies_apikey order by id")
        return list(cursor.fetchall())


def test_a_key_speaks_for_its_company_with_its_permissions_only() -> None:
    tree = a_tree()
    scope = access.scope_for_key(a_key(tree.rhea.id, "reports:read", "prices:read"))
    assert scope is not None
    assert (scope.organisation_id, scope.kind) == (tree.rhea.id, "reseller")
    assert scope.permissions == {"reports:read", "prices:read"}
    with pytest.raises(PermissionMissing):
        scope.require("prices:write")


def test_the_secret_is_not_stored_and_its_prefix_is() -> None:
    tree = a_tree()
    secret = a_key(tree.rhea.id)
    (row,) = stored_keys()
    assert secret.startswith(f"twin_{row[1]}_")
    assert len(secret.split("_", 2)[2]) == 43
    assert row[2] == access.hash_of(secret)
    assert secret.split("_", 2)[2] not in repr(row)


@pytest.mark.parametrize(
    "secret", ["", "x", "twin_", "twin_00000000_" + "a" * 43, "twin_\x00", "é" * 60, "a" * 100_000]
)
def test_unknown_keys_have_no_scope(secret: str) -> None:
    a_tree()
    assert access.scope_for_key(secret) is None


def test_a_revoked_key_has_no_scope_at_once() -> None:
    tree = a_tree()
    key, secret = actions.create_api_key(tree.twin, tree.rhea.id, ["reports:read"], name="one")
    actions.revoke_api_key(tree.twin, company_id=tree.rhea.id, key_id=key.id)
    assert access.scope_for_key(secret) is None


def test_a_key_ends_at_its_expiry() -> None:
    tree = a_tree()
    soon = clock.now() + timedelta(minutes=5)
    past = clock.now() - timedelta(seconds=1)
    _, good = actions.create_api_key(tree.twin, tree.rhea.id, ["reports:read"], name="one", expires_at=soon)
    _, ended = actions.create_api_key(tree.twin, tree.rhea.id, ["reports:read"], name="two", expires_at=past)
    assert access.scope_for_key(good) is not None
    assert access.scope_for_key(ended) is None


@pytest.mark.parametrize("state", ["blocked", "closed"])
def test_the_key_of_an_inactive_company_is_refused_naming_why(state: str) -> None:
    tree = a_tree()
    secret = a_key(tree.rhea.id)
    actions.update_company(tree.twin, tree.rhea.id, state=state, reason="unpaid")
    with pytest.raises(CompanyInactive, match=f"{state}: unpaid"):
        access.scope_for_key(secret)


def test_blocking_stops_neither_those_above_nor_those_below() -> None:
    tree = a_tree()
    above, below = a_key(tree.twin.organisation_id), a_key(tree.acme.id)
    actions.update_company(tree.twin, tree.rhea.id, state="blocked", reason="unpaid")
    assert access.scope_for_key(above) is not None
    assert access.scope_for_key(below) is not None


def test_the_moment_of_use_is_noted_at_most_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = a_tree()
    secret = a_key(tree.rhea.id)
    noted = []
    start = datetime(2026, 5, 1, tzinfo=UTC)
    for seconds in (0, 59, 60):
        moment = start + timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        access.scope_for_key(secret)
        noted.append(stored_keys()[0][3])
    assert noted == [start, start, start + timedelta(seconds=60)]


def test_nobody_gives_a_permission_it_lacks() -> None:
    tree = a_tree()
    scope = access.scope_for_key(a_key(tree.rhea.id, "companies:write", "companies:read"))
    assert scope is not None
    with pytest.raises(PermissionMissing):
        actions.create_api_key(scope, tree.acme.id, ["usage:write"], name="more")
    assert len(stored_keys()) == 1


def test_keys_are_made_within_sight_only() -> None:
    tree = a_tree()
    with pytest.raises(CompanyNotFound):
        actions.create_api_key(scope_of(tree.strand), tree.acme.id, ["reports:read"], name="thief")
    key, _ = actions.create_api_key(scope_of(tree.rhea), tree.acme.id, ["reports:read"], name="fine")
    with pytest.raises(CompanyNotFound):
        actions.revoke_api_key(tree.twin, company_id=tree.birch.id, key_id=key.id)


@pytest.mark.parametrize(("scopes", "name"), [([], "n"), (["usage:read"], "n")])
def test_unknown_or_no_scopes_are_refused(scopes: list[str], name: str) -> None:
    tree = a_tree()
    with pytest.raises(KeyInvalid):
        actions.create_api_key(tree.twin, tree.acme.id, scopes, name=name)


def test_a_company_lists_its_own_keys_only() -> None:
    tree = a_tree()
    key, _ = actions.create_api_key(tree.twin, tree.rhea.id, ["reports:read"], name="one")
    assert queries.keys_of(access.report_scope(tree.twin, tree.rhea.id)) == [key]
    assert queries.keys_of(tree.twin) == []


def test_the_console_acts_for_the_platform() -> None:
    twin = a_platform()
    assert (twin.kind, twin.permissions) == ("platform", frozenset(PERMISSIONS))


def test_without_a_platform_the_console_says_what_to_do() -> None:
    with pytest.raises(NotInitialised, match="twin init"):
        access.platform_scope()


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        ("administrator", set(PERMISSIONS) - {"usage:write"}),
        ("finance", {"reports:read", "companies:read", "prices:read", "billing:read"}),
        ("chat_operator", set()),
    ],
)
def test_a_role_is_translated_to_permissions(role: Role, permissions: set[str]) -> None:
    tree = a_tree()
    user = a_person(tree, tree.rhea, role)
    scope = access.scope_for_person(user)
    assert scope is not None
    assert (scope.organisation_id, scope.kind, scope.person_id) == (tree.rhea.id, "reseller", user.pk)
    assert scope.permissions == permissions


def test_an_administrator_of_the_platform_may_everything() -> None:
    tree = a_tree()
    scope = access.scope_for_person(a_person(tree, tree.twin.organisation_id, "administrator"))
    assert scope is not None
    assert scope.permissions == set(PERMISSIONS)


def test_strangers_and_the_deactivated_have_no_scope() -> None:
    tree = a_tree()
    user = a_person(tree, tree.rhea, "administrator")
    assert access.scope_for_person(AnonymousUser()) is None
    assert access.scope_for_person(User.objects.create_user("b@example.org", None)) is None
    user.is_active = False
    assert access.scope_for_person(user) is None


def test_people_of_a_blocked_company_are_refused() -> None:
    tree = a_tree()
    user = a_person(tree, tree.rhea, "administrator")
    actions.update_company(tree.twin, tree.rhea.id, state="blocked", reason="unpaid")
    with pytest.raises(CompanyInactive):
        access.scope_for_person(user)
    employment = access.employment_of(user)
    assert employment is not None
    assert (employment.state, employment.state_reason) == ("blocked", "unpaid")


def test_employing_again_changes_the_role() -> None:
    tree = a_tree()
    user = a_person(tree, tree.rhea, "finance")
    actions.add_employee(tree.twin, user=user, company_id=tree.rhea.id, role="administrator")
    employment = access.employment_of(user)
    assert employment is not None
    assert employment.role == "administrator"


def test_a_reseller_reads_its_own_report_and_nobody_elses() -> None:
    tree = a_tree()
    rhea = scope_of(tree.rhea)
    assert access.report_scope(rhea, None) == rhea
    assert access.report_scope(rhea, tree.rhea.id) == rhea
    for other in (tree.sola.id, tree.strand.id, tree.acme.id, tree.twin.organisation_id):
        with pytest.raises(CompanyNotFound):
            access.report_scope(rhea, other)


def test_the_platform_reads_every_resellers_report_and_its_own() -> None:
    tree = a_tree()
    assert access.report_scope(tree.twin, None).organisation_id == tree.twin.organisation_id
    for reseller in (tree.rhea, tree.sola, tree.strand):
        scope = access.report_scope(tree.twin, reseller.id)
        assert (scope.organisation_id, scope.kind) == (reseller.id, "reseller")
    for other in (tree.acme.id, 0, 999_999):
        with pytest.raises(CompanyNotFound):
            access.report_scope(tree.twin, other)


def test_all_reports_of_the_platform_come_with_the_scopes_that_each_alone_would_have() -> None:
    tree = a_tree()
    found = access.report_scopes(tree.twin)
    whose = [tree.twin.organisation_id, tree.rhea.id, tree.sola.id, tree.strand.id]
    assert [company.id for company, _ in found] == whose
    assert [scope for _, scope in found] == [access.report_scope(tree.twin, each) for each in whose]


def test_nobody_else_has_the_reports_of_all() -> None:
    tree = a_tree()
    for company in (tree.rhea, tree.acme):
        with pytest.raises(CompanyNotFound):
            access.report_scopes(scope_of(company))


def test_a_company_has_no_such_report() -> None:
    tree = a_tree()
    with pytest.raises(CompanyNotFound):
        access.report_scope(scope_of(tree.acme), None)


def test_reports_need_their_permission() -> None:
    tree = a_tree()
    scope = access.scope_for_key(a_key(tree.rhea.id, "companies:read"))
    assert scope is not None
    with pytest.raises(PermissionMissing):
        access.report_scope(scope, None)


def test_a_closed_reseller_keeps_its_report_for_the_platform() -> None:
    tree = a_tree()
    fern = a_company(tree.twin, "Fern", "reseller")
    actions.update_company(tree.twin, fern.id, state="closed", reason="gone")
    assert access.report_scope(tree.twin, fern.id).organisation_id == fern.id
