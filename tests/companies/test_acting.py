"""Acting for a company: who may, for how long, what stays with the company's own people, and what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connections

from tests.companies.employing import a_person, an_employee, an_invitation, mails, scope_as
from tests.companies.factories import Tree, a_company, a_tree, move, scope_of
from twin.companies import access, actions, queries
from twin.companies.errors import (
    ActingInvalid,
    ActingRefused,
    CompanyNotFound,
    NotWhileActing,
    PermissionMissing,
)
from twin.companies.types import Acting, Scope
from twin.kernel import clock
from twin.kernel.models import SecurityEvent
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database


@pytest.fixture
def tree() -> Tree:
    return a_tree()


@pytest.fixture
def ruth(tree: Tree) -> Any:
    return an_employee(tree.rhea.id, "ruth@rhea.example", name="Ruth Reed")


def begun(user: Any, company_id: int, **fields: Any) -> Acting:
    return actions.begin_acting(scope_as(user), company_id=company_id, **{"reason": "Ticket 7", **fields})


def in_place(user: Any, acting: Acting) -> Scope:
    found = access.acting_in(scope_as(user), acting.id)
    assert found is not None
    return found[1]


def test_a_reseller_acts_for_a_company_it_sells_to(tree: Tree, ruth: Any) -> None:
    acting = begun(ruth, tree.acme.id)
    scope = in_place(ruth, acting)
    assert (scope.organisation_id, scope.kind, scope.person_id) == (tree.acme.id, "company", ruth.pk)
    assert scope.acting_id == acting.id
    assert acting.expires_at - acting.started_at == timedelta(minutes=60)
    assert not acting.may_write


def test_a_reason_is_required(tree: Tree, ruth: Any) -> None:
    for reason in ("", "   ", "x" * 501, "a\nb"):
        with pytest.raises(ActingInvalid):
            begun(ruth, tree.acme.id, reason=reason)
    assert SecurityEvent.objects.using("owner").filter(event="acting.begun").count() == 0
    assert mails() == []


def test_what_is_out_of_sight_is_not_found(tree: Tree, ruth: Any) -> None:
    for company_id in (tree.dune.id, tree.strand.id, tree.twin.organisation_id, tree.echo.id, 999_999):
        with pytest.raises(CompanyNotFound):
            begun(ruth, company_id)


def test_nobody_acts_for_their_own_or_what_another_sells_to(tree: Tree, ruth: Any) -> None:
    for company_id in (tree.rhea.id, tree.sola.id, tree.cedar.id):
        with pytest.raises(ActingRefused):
            begun(ruth, company_id)


def test_the_platform_acts_for_everything_beneath_it(tree: Tree) -> None:
    tilda = an_employee(tree.twin.organisation_id, "tilda@twin.example")
    for company in (tree.rhea, tree.sola, tree.cedar, tree.echo):
        assert in_place(tilda, begun(tilda, company.id)).organisation_id == company.id
    with pytest.raises(ActingRefused):
        begun(tilda, tree.twin.organisation_id)


def test_nobody_acts_for_a_blocked_or_closed_company(tree: Tree, ruth: Any) -> None:
    for state in ("blocked", "closed"):
        actions.update_company(tree.twin, tree.acme.id, state=state, reason="x")
        with pytest.raises(ActingRefused):
            begun(ruth, tree.acme.id)


def test_only_administrators_in_person_act(tree: Tree) -> None:
    fiona = an_employee(tree.rhea.id, "fiona@rhea.example", "finance")
    with pytest.raises(PermissionMissing):
        begun(fiona, tree.acme.id)
    for scope in (scope_of(tree.rhea), access.platform_scope()):
        with pytest.raises(ActingRefused):
            actions.begin_acting(scope, company_id=tree.acme.id, reason="x")


def test_acting_is_never_chained(tree: Tree) -> None:
    tilda = an_employee(tree.twin.organisation_id, "tilda@twin.example")
    as_rhea = in_place(tilda, begun(tilda, tree.rhea.id))
    with pytest.raises(ActingRefused):
        actions.begin_acting(as_rhea, company_id=tree.acme.id, reason="deeper")


def test_after_an_hour_it_is_over(tree: Tree, ruth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    acting = begun(ruth, tree.acme.id)
    monkeypatch.setattr(clock, "now", lambda: acting.expires_at - timedelta(microseconds=1))
    assert access.acting_in(scope_as(ruth), acting.id) is not None
    monkeypatch.setattr(clock, "now", lambda: acting.expires_at)
    assert access.acting_in(scope_as(ruth), acting.id) is None


def test_once_ended_it_is_over_and_ended_once(tree: Tree, ruth: Any) -> None:
    acting = begun(ruth, tree.acme.id)
    actions.end_acting(organisation_id=tree.rhea.id, acting_id=acting.id, by="person")
    actions.end_acting(organisation_id=tree.rhea.id, acting_id=acting.id, by="time")
    assert access.acting_in(scope_as(ruth), acting.id) is None
    [ended] = SecurityEvent.objects.using("owner").filter(event="acting.ended")
    assert (ended.company_id, ended.user_id, ended.fields["ended_by"]) == (tree.acme.id, ruth.pk, "person")


def test_another_person_or_organisation_never_takes_it_over(tree: Tree, ruth: Any) -> None:
    acting = begun(ruth, tree.acme.id)
    rolf = an_employee(tree.rhea.id, "rolf@rhea.example")
    stan = an_employee(tree.strand.id, "stan@strand.example")
    assert access.acting_in(scope_as(rolf), acting.id) is None
    assert access.acting_in(scope_as(stan), acting.id) is None
    actions.end_acting(organisation_id=tree.strand.id, acting_id=acting.id, by="person")
    assert access.acting_in(scope_as(ruth), acting.id) is not None


def test_a_company_that_moves_away_or_is_blocked_is_out_of_reach_at_once(tree: Tree, ruth: Any) -> None:
    acting, other = begun(ruth, tree.acme.id), begun(ruth, tree.birch.id)
    move(tree.twin, tree.acme.id, tree.strand.id, clock.now())
    assert access.acting_in(scope_as(ruth), acting.id) is None
    actions.update_company(tree.twin, tree.birch.id, state="blocked", reason="x")
    assert access.acting_in(scope_as(ruth), other.id) is None


def test_a_company_that_becomes_a_reseller_is_out_of_reach_of_its_seller(tree: Tree, ruth: Any) -> None:
    acting = begun(ruth, tree.acme.id)
    actions.update_company(tree.twin, tree.acme.id, kind="reseller")
    assert access.acting_in(scope_as(ruth), acting.id) is None


def test_whoever_is_no_administrator_any_more_loses_it(tree: Tree, ruth: Any) -> None:
    acting = begun(ruth, tree.acme.id)
    an_employee(tree.rhea.id, "rolf@rhea.example")
    actions.change_role(tree.twin, company_id=tree.rhea.id, person_id=ruth.pk, role="finance")
    assert access.acting_in(scope_as(ruth), acting.id) is None


def test_administrators_and_keys_stay_with_the_company(tree: Tree, ruth: Any) -> None:
    ann = an_employee(tree.acme.id, "ann@acme.example")
    an_employee(tree.acme.id, "axel@acme.example")
    otto = an_employee(tree.acme.id, "otto@acme.example", "chat_operator")
    invited, _ = an_invitation(tree.twin, company_id=tree.acme.id, email="new@acme.example")
    scope = in_place(ruth, begun(ruth, tree.acme.id, may_write=True))
    target: dict[str, Any] = {"company_id": tree.acme.id, "person_id": ann.pk}
    refused: list[Any] = [
        lambda: actions.invite_person(scope, name="X", email="x@acme.example", role="administrator"),
        lambda: actions.resend_invitation(scope, company_id=tree.acme.id, invitation_id=invited.id),
        lambda: actions.change_role(scope, company_id=tree.acme.id, person_id=otto.pk, role="administrator"),
        lambda: actions.change_role(scope, role="finance", **target),
        lambda: actions.block_employee(scope, reason="x", **target),
        lambda: actions.unblock_employee(scope, **target),
        lambda: actions.remove_employee(scope, **target),
        lambda: actions.end_employee_sessions(scope, **target),
        lambda: actions.add_employee(
            scope, user=a_person("y@acme.example"), company_id=tree.acme.id, role="administrator"
        ),
        lambda: actions.create_api_key(scope, tree.acme.id, ("reports:read",), name="n"),
        lambda: actions.demand_second_factor(scope, demanded=True),
    ]
    for act in refused:
        with pytest.raises(NotWhileActing):
            act()
    assert [one.role for one in queries.employees(scope, sort="id").items] == [
        "administrator",
        "administrator",
        "chat_operator",
    ]
    # What is no administrator's is open.
    actions.change_role(scope, company_id=tree.acme.id, person_id=otto.pk, role="finance")
    actions.invite_person(scope, name="X", email="x@acme.example", role="finance")


def test_who_acts_for_a_reseller_invites_no_companies(tree: Tree) -> None:
    tilda = an_employee(tree.twin.organisation_id, "tilda@twin.example")
    scope = in_place(tilda, begun(tilda, tree.rhea.id, may_write=True))
    with pytest.raises(NotWhileActing):
        actions.invite_company(scope, email="x@example.org")


def test_the_company_s_administrators_are_told_by_mail_and_nobody_else(tree: Tree, ruth: Any) -> None:
    an_employee(tree.acme.id, "ann@acme.example", name="Ann Acre", time_zone="Europe/Berlin")
    an_employee(tree.acme.id, "raj@acme.example", language="ru")
    an_employee(tree.acme.id, "fiona@acme.example", "finance")
    blocked = an_employee(tree.acme.id, "bob@acme.example")
    actions.block_employee(tree.twin, company_id=tree.acme.id, person_id=blocked.pk, reason="x")
    begun(ruth, tree.acme.id, reason="Ticket 7", may_write=True)
    [to_ann, to_raj] = mails()
    assert (to_ann[0], to_raj[0]) == ("ann@acme.example", "raj@acme.example")
    assert to_ann[1] == "Rhea signed in for Acme"
    assert "Ruth Reed of Rhea" in to_ann[2]
    assert "Ticket 7" in to_ann[2]
    assert "(Europe/Berlin)" in to_ann[2]
    assert to_raj[1] != to_ann[1]


def test_names_with_line_breaks_write_no_headers(tree: Tree) -> None:
    odd = a_company(tree.twin, "Evil\u2028Bcc: x@example.org", under=tree.rhea.id)
    an_employee(odd.id, "eve@example.org")
    ruth = an_employee(tree.rhea.id, "ruth@rhea.example")
    begun(ruth, odd.id)
    assert mails()[-1][1] == "Rhea signed in for Evil Bcc: x@example.org"


def test_the_company_and_who_is_above_read_that_it_began(tree: Tree, ruth: Any) -> None:
    begun(ruth, tree.acme.id, reason="Ticket 7")
    event = SecurityEvent.objects.using("owner").get(event="acting.begun")
    assert (event.user_id, event.company_id) == (ruth.pk, tree.acme.id)
    assert event.fields == {
        "acting_id": event.fields["acting_id"],
        "acting_from": "Rhea",
        "reason": "Ticket 7",
        "way": "look",
    }


def test_the_application_can_rewrite_nothing_of_an_acting_but_its_end(tree: Tree, ruth: Any) -> None:
    acting = begun(ruth, tree.acme.id)
    for change in ("reason = 'other'", "may_write = true", "expires_at = now() + interval '1 day'", "user_id = 1"):
        with (
            pytest.raises(DatabaseError),
            tenant_transaction(tree.rhea.id),
            connections["default"].cursor() as cursor,
        ):
            cursor.execute(f"update companies_acting set {change} where id = %s", [acting.id])
    with pytest.raises(DatabaseError), tenant_transaction(tree.rhea.id), connections["default"].cursor() as cursor:
        cursor.execute("delete from companies_acting where id = %s", [acting.id])
