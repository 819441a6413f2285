from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, transaction

from tests.companies.employing import an_employee, scope_as
from tests.companies.factories import Tree, a_company, a_key, a_tree, move
from tests.informing import inform
from twin.companies import access, actions, queries
from twin.companies.errors import (
    CompanyNotFound,
    EmployeeInvalid,
    EmployeeNotFound,
    LastAdministrator,
    NotYours,
    NotYourself,
    PermissionMissing,
)
from twin.companies.models import Employment as EmploymentRow
from twin.companies.rules.employees import effective_max_dialogs
from twin.companies.types import Scope
from twin.kernel import clock
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database


@pytest.fixture
def tree() -> Tree:
    return a_tree()


@pytest.fixture
def ann(tree: Tree) -> Any:
    """Acme's first administrator."""
    return an_employee(tree.acme.id, "ann@acme.example")


@pytest.fixture
def own(ann: Any) -> Scope:
    return scope_as(ann)


@pytest.fixture
def bob(tree: Tree, ann: Any) -> Any:
    return an_employee(tree.acme.id, "bob@acme.example", "chat_operator")


def shown(own: Scope, user: Any) -> Any:
    return queries.get_employee(own, company_id=own.organisation_id, person_id=user.pk)


def test_an_operator_has_the_companys_limit_until_given_an_own_one(own: Scope, bob: Any) -> None:
    assert (shown(own, bob).max_dialogs, shown(own, bob).effective_max_dialogs) == (None, 300)
    actions.set_max_dialogs(own, company_id=own.organisation_id, person_id=bob.pk, max_dialogs=12)
    assert (shown(own, bob).max_dialogs, shown(own, bob).effective_max_dialogs) == (12, 12)
    actions.set_max_dialogs(own, company_id=own.organisation_id, person_id=bob.pk, max_dialogs=None)
    assert shown(own, bob).effective_max_dialogs == 300


def test_the_effective_limit_follows_the_companys_default(own: Scope, bob: Any, tree: Tree) -> None:
    inform(tree.acme.id, max_dialogs="150")
    assert shown(own, bob).effective_max_dialogs == 150
    actions.set_max_dialogs(own, company_id=own.organisation_id, person_id=bob.pk, max_dialogs=12)
    assert shown(own, bob).effective_max_dialogs == 12
    assert (effective_max_dialogs(None, 150), effective_max_dialogs(12, 150)) == (150, 12)


@pytest.mark.parametrize("number", [0, -1, 10_001])
def test_a_limit_out_of_bounds_is_refused_and_changes_nothing(own: Scope, bob: Any, number: int) -> None:
    with pytest.raises(EmployeeInvalid) as refusal:
        actions.set_max_dialogs(own, company_id=own.organisation_id, person_id=bob.pk, max_dialogs=number)
    assert refusal.value.errors[0].loc == ("max_dialogs",)
    assert shown(own, bob).max_dialogs is None


def test_a_new_role_counts_at_once(own: Scope, bob: Any) -> None:
    assert scope_as(bob).permissions == frozenset()
    actions.change_role(own, company_id=own.organisation_id, person_id=bob.pk, role="finance")
    assert "reports:read" in scope_as(bob).permissions
    with pytest.raises(EmployeeInvalid):
        actions.change_role(own, company_id=own.organisation_id, person_id=bob.pk, role="owner")


def test_a_blocked_person_has_no_scope_until_unblocked(own: Scope, bob: Any) -> None:
    actions.block_employee(own, company_id=own.organisation_id, person_id=bob.pk, reason="On leave")
    assert access.employment_of(bob) is None
    assert access.scope_for_person(bob) is None
    dismissal = access.dismissal_of(bob)
    assert dismissal is not None
    assert (dismissal.company_name, dismissal.is_blocked, dismissal.reason) == ("Acme", True, "On leave")
    found = shown(own, bob)
    assert (found.is_blocked, found.blocked_reason, found.blocked_by) == (True, "On leave", "Ann")
    actions.unblock_employee(own, company_id=own.organisation_id, person_id=bob.pk)
    assert access.dismissal_of(bob) is None
    assert access.employment_of(bob) is not None


def test_a_block_needs_a_reason(own: Scope, bob: Any) -> None:
    with pytest.raises(EmployeeInvalid) as refusal:
        actions.block_employee(own, company_id=own.organisation_id, person_id=bob.pk, reason="  ")
    assert refusal.value.errors[0].loc == ("reason",)
    assert not shown(own, bob).is_blocked


def test_nobody_blocks_themselves(own: Scope, ann: Any, tree: Tree) -> None:
    an_employee(tree.acme.id, "ada@acme.example")
    with pytest.raises(NotYourself):
        actions.block_employee(own, company_id=own.organisation_id, person_id=ann.pk, reason="why not")


def test_a_removed_person_is_gone_and_may_come_back(own: Scope, bob: Any, tree: Tree) -> None:
    actions.set_max_dialogs(own, company_id=own.organisation_id, person_id=bob.pk, max_dialogs=5)
    actions.remove_employee(own, company_id=own.organisation_id, person_id=bob.pk)
    assert access.employment_of(bob) is None
    dismissal = access.dismissal_of(bob)
    assert dismissal is not None
    assert not dismissal.is_blocked
    with pytest.raises(EmployeeNotFound):
        shown(own, bob)
    assert [one.email for one in queries.employees(own).items] == ["ann@acme.example"]
    actions.add_employee(tree.twin, user=bob, company_id=tree.acme.id, role="finance")
    assert (shown(own, bob).role, shown(own, bob).max_dialogs) == ("finance", None)


def test_the_record_of_a_removed_person_stays(own: Scope, bob: Any) -> None:
    actions.remove_employee(own, company_id=own.organisation_id, person_id=bob.pk)
    with tenant_transaction(own.organisation_id):
        assert EmploymentRow.objects.get(user_id=bob.pk).removed_at is not None


@pytest.mark.parametrize("keep_keys", [False, True])
@pytest.mark.parametrize("how", ["block", "remove"])
def test_keys_a_person_made_end_with_their_access_unless_kept(
    own: Scope, tree: Tree, how: str, keep_keys: bool
) -> None:
    ada = an_employee(tree.acme.id, "ada@acme.example")
    _, hers = actions.create_api_key(scope_as(ada), tree.acme.id, ["reports:read"], name="hers")
    others = a_key(tree.acme.id, "reports:read")
    target = {"company_id": tree.acme.id, "person_id": ada.pk, "keep_keys": keep_keys}
    if how == "block":
        actions.block_employee(own, reason="Left", **target)
    else:
        actions.remove_employee(own, **target)
    assert (access.scope_for_key(hers) is not None) is keep_keys
    assert access.scope_for_key(others) is not None


@pytest.mark.parametrize(
    "act",
    [
        lambda own, ann: actions.remove_employee(own, company_id=own.organisation_id, person_id=ann.pk),
        lambda own, ann: actions.change_role(own, company_id=own.organisation_id, person_id=ann.pk, role="finance"),
        lambda own, ann: actions.block_employee(
            access.platform_scope(), company_id=own.organisation_id, person_id=ann.pk, reason="x"
        ),
        lambda own, ann: actions.add_employee(
            access.platform_scope(), user=ann, company_id=own.organisation_id, role="finance"
        ),
    ],
    ids=["remove", "demote", "block", "add again"],
)
def test_the_last_administrator_stays(own: Scope, ann: Any, bob: Any, act: Any) -> None:
    with pytest.raises(LastAdministrator):
        act(own, ann)
    assert (shown(own, ann).role, shown(own, ann).is_blocked) == ("administrator", False)


def test_a_blocked_or_deactivated_administrator_does_not_count(own: Scope, ann: Any, tree: Tree) -> None:
    ada = an_employee(tree.acme.id, "ada@acme.example")
    eve = an_employee(tree.acme.id, "eve@acme.example")
    actions.block_employee(own, company_id=tree.acme.id, person_id=ada.pk, reason="x")
    get_user_model().objects.filter(pk=eve.pk).update(is_active=False)
    with pytest.raises(LastAdministrator):
        actions.remove_employee(own, company_id=tree.acme.id, person_id=ann.pk)
    # A blocked administrator is no loss.
    actions.remove_employee(own, company_id=tree.acme.id, person_id=ada.pk)


def test_the_operator_in_finance_manages_nobody(own: Scope, bob: Any, ann: Any) -> None:
    for role in ("chat_operator", "finance"):
        actions.change_role(own, company_id=own.organisation_id, person_id=bob.pk, role=role)
        theirs = scope_as(bob)
        with pytest.raises(PermissionMissing):
            queries.employees(theirs)
        with pytest.raises(PermissionMissing):
            queries.open_invitations(theirs)
        with pytest.raises(PermissionMissing):
            actions.change_role(theirs, company_id=own.organisation_id, person_id=bob.pk, role="administrator")
        with pytest.raises(PermissionMissing):
            actions.invite_person(theirs, name="Eve", email="eve@example.org")


def test_a_reseller_sees_the_people_beneath_and_manages_its_own_only(tree: Tree, bob: Any) -> None:
    ruth = an_employee(tree.rhea.id, "ruth@rhea.example")
    sol = an_employee(tree.cedar.id, "cy@cedar.example")
    an_employee(tree.dune.id, "dan@dune.example")
    rhea = scope_as(ruth)
    seen = {(one.company_name, one.email) for one in queries.employees(rhea).items}
    assert seen == {
        ("Acme", "ann@acme.example"),
        ("Acme", "bob@acme.example"),
        ("Rhea", "ruth@rhea.example"),
        ("Cedar", "cy@cedar.example"),
    }
    assert queries.get_employee(rhea, company_id=tree.cedar.id, person_id=sol.pk).name == "Cy"
    for act in (
        lambda: actions.block_employee(rhea, company_id=tree.acme.id, person_id=bob.pk, reason="x"),
        lambda: actions.remove_employee(rhea, company_id=tree.acme.id, person_id=bob.pk),
        lambda: actions.change_role(rhea, company_id=tree.acme.id, person_id=bob.pk, role="finance"),
        lambda: actions.set_max_dialogs(rhea, company_id=tree.acme.id, person_id=bob.pk, max_dialogs=1),
        lambda: actions.end_employee_sessions(rhea, company_id=tree.acme.id, person_id=bob.pk),
    ):
        with pytest.raises(NotYours):
            act()
    assert queries.get_employee(rhea, company_id=tree.acme.id, person_id=bob.pk).role == "chat_operator"


def test_platform_staff_manage_people_everywhere(tree: Tree, bob: Any) -> None:
    staff = scope_as(an_employee(tree.twin.organisation_id, "tilda@twin.example"))
    actions.block_employee(staff, company_id=tree.acme.id, person_id=bob.pk, reason="Abuse")
    assert access.employment_of(bob) is None


def test_strangers_are_not_found(tree: Tree, own: Scope, ann: Any) -> None:
    dan = an_employee(tree.dune.id, "dan@dune.example")
    for company_id, error in ((tree.dune.id, CompanyNotFound), (own.organisation_id, EmployeeNotFound)):
        with pytest.raises(error):
            actions.remove_employee(own, company_id=company_id, person_id=dan.pk)
        with pytest.raises(EmployeeNotFound):
            queries.get_employee(own, company_id=company_id, person_id=dan.pk)
    assert access.employment_of(dan) is not None


def test_a_moved_company_takes_its_people_out_of_sight_at_once(tree: Tree, bob: Any) -> None:
    rhea = scope_as(an_employee(tree.rhea.id, "ruth@rhea.example"))
    strand = scope_as(an_employee(tree.strand.id, "stan@strand.example"))
    move(tree.twin, tree.acme.id, tree.strand.id, clock.now())
    assert [one.email for one in queries.employees(rhea).items] == ["ruth@rhea.example"]
    with pytest.raises(EmployeeNotFound):
        queries.get_employee(rhea, company_id=tree.acme.id, person_id=bob.pk)
    assert "bob@acme.example" in {one.email for one in queries.employees(strand).items}
    # The second wall says the same.
    with tenant_transaction(tree.rhea.id):
        assert not EmploymentRow.objects.filter(company_id=tree.acme.id).exists()


def test_of_several_employments_a_blocked_one_does_not_count(tree: Tree, own: Scope, bob: Any) -> None:
    actions.add_employee(tree.twin, user=bob, company_id=tree.birch.id, role="finance")
    actions.block_employee(own, company_id=tree.acme.id, person_id=bob.pk, reason="x")
    employment = access.employment_of(bob)
    assert employment is not None
    assert employment.company_name == "Birch"
    assert access.dismissal_of(bob) is None


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", {"Ånna Ström", "Анна Кузнецова", "Jürgen Weiß", "Ann 100%", "Ann_B"}),
        ("ÅNNA", {"Ånna Ström"}),
        ("анна", {"Анна Кузнецова"}),
        ("КУЗНЕЦ", {"Анна Кузнецова"}),
        ("WEISS", {"Jürgen Weiß"}),
        ("weiß", {"Jürgen Weiß"}),
        ("JÜRGEN@", {"Jürgen Weiß"}),
        ("100%", {"Ann 100%"}),
        ("%", {"Ann 100%"}),
        ("n_b", {"Ann_B"}),
        ("nobody", set()),
        ("a\0b", set()),
        ("\ud800", set()),
        ("'; drop table accounts_user; --", set()),
    ],
)
def test_people_are_found_by_part_of_name_or_email_in_any_case(tree: Tree, search: str, found: set[str]) -> None:
    for number, name in enumerate(("Ånna Ström", "Анна Кузнецова", "Jürgen Weiß", "Ann 100%", "Ann_B")):
        email = "jürgen@echo.example" if name.startswith("Jür") else f"p{number}@echo.example"
        an_employee(tree.echo.id, email, name=name)
    page = queries.employees(scope_as(get_user_model().objects.get(email="p0@echo.example")), search=search)
    assert {one.name for one in page.items} == found
    assert page.total == len(found)


def test_people_are_found_by_part_of_the_id(tree: Tree, own: Scope, bob: Any) -> None:
    assert bob.email in {one.email for one in queries.employees(own, search=str(bob.pk)).items}


def test_people_come_in_pages_in_the_order_asked_for(tree: Tree, own: Scope, ann: Any) -> None:
    for name in ("cleo", "Bert", "dora"):
        an_employee(tree.acme.id, f"{name.lower()}@acme.example", "chat_operator", name=name)
    assert [one.name for one in queries.employees(own).items] == ["Ann", "Bert", "cleo", "dora"]
    assert [one.name for one in queries.employees(own, sort="-name").items] == ["dora", "cleo", "Bert", "Ann"]
    page = queries.employees(own, limit=2, offset=2)
    assert ([one.name for one in page.items], page.total) == (["cleo", "dora"], 4)
    for column in queries.EMPLOYEE_ORDERS:
        assert queries.employees(own, sort=f"-{column}").total == 4
    with pytest.raises(EmployeeInvalid):
        queries.employees(own, sort="password")
    with pytest.raises(EmployeeInvalid):
        queries.employees(own, state="secret")


def test_blocked_people_are_counted_and_filtered(tree: Tree, own: Scope, bob: Any) -> None:
    actions.block_employee(own, company_id=tree.acme.id, person_id=bob.pk, reason="x")
    assert (queries.employees(own).total, queries.employees(own).blocked) == (2, 1)
    assert [one.name for one in queries.employees(own, state="blocked").items] == ["Bob"]
    assert [one.name for one in queries.employees(own, state="active").items] == ["Ann"]


def test_the_database_refuses_a_block_without_reason_and_a_limit_of_none(own: Scope, bob: Any) -> None:
    for changes in ({"blocked_at": clock.now()}, {"blocked_reason": "x"}, {"max_dialogs": 0}, {"role": "owner"}):
        with pytest.raises(IntegrityError), transaction.atomic(), tenant_transaction(own.organisation_id):
            EmploymentRow.objects.filter(user_id=bob.pk).update(**changes)


def test_a_new_company_without_people_can_be_given_its_first_ones(tree: Tree) -> None:
    fern = a_company(tree.twin, "Fern")
    flo = an_employee(fern.id, "flo@fern.example", "finance")
    actions.change_role(tree.twin, company_id=fern.id, person_id=flo.pk, role="administrator")
    assert scope_as(flo).organisation_id == fern.id


def test_every_deed_is_on_record(tree: Tree, own: Scope, ann: Any, bob: Any) -> None:
    target: dict[str, Any] = {"company_id": tree.acme.id, "person_id": bob.pk, "address": "192.0.2.7"}
    actions.change_role(own, role="finance", **target)
    actions.set_max_dialogs(own, max_dialogs=5, **target)
    actions.end_employee_sessions(own, **target)
    actions.block_employee(own, reason="x", **target)
    actions.unblock_employee(own, **target)
    actions.remove_employee(own, **target)
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select event, user_id, company_id, host(address::inet), fields->>'person_id' from kernel_securityevent"
            " where event like 'employee.%%' and event <> 'employee.added' order by id"
        )
        found = cursor.fetchall()
    assert [row[0] for row in found] == [
        "employee.role_changed",
        "employee.max_dialogs_changed",
        "employee.sessions_ended",
        "employee.blocked",
        "employee.unblocked",
        "employee.removed",
    ]
    assert {row[1:] for row in found} == {(ann.pk, tree.acme.id, "192.0.2.7", str(bob.pk))}


def test_a_refused_deed_leaves_no_record(tree: Tree, own: Scope, ann: Any) -> None:
    with pytest.raises(LastAdministrator):
        actions.remove_employee(own, company_id=tree.acme.id, person_id=ann.pk)
    with connections["owner"].cursor() as cursor:
        cursor.execute("select count(*) from kernel_securityevent where event = 'employee.removed'")
        assert cursor.fetchone() == (0,)
