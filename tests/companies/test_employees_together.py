"""Changes of a company's people at the same time: each waits for the other and sees its work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.companies.employing import a_person, an_employee, an_invitation, mails, scope_as
from tests.companies.factories import Tree, a_company, a_tree
from tests.companies.test_together import at_once
from twin.companies import access, actions, queries
from twin.companies.errors import EmployedElsewhere, InvitationUnusable, InvitedTooOften, LastAdministrator
from twin.companies.models import Employment as EmploymentRow
from twin.companies.types import Scope
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database

MANY = 24


@pytest.fixture
def tree() -> Tree:
    return a_tree()


def administrators(company_id: int) -> int:
    with tenant_transaction(company_id):
        return EmploymentRow.objects.filter(
            company_id=company_id, role="administrator", blocked_at__isnull=True, removed_at__isnull=True
        ).count()


def accepting(token: str, user: Any) -> Callable[[], object]:
    return lambda: actions.accept_invitation(token=token, user_id=user.pk).company_id


def test_of_many_who_leave_together_one_administrator_stays(tree: Tree) -> None:
    people = [an_employee(tree.acme.id, f"a{number}@acme.example") for number in range(MANY)]

    def leaving(user: Any) -> Callable[[], object]:
        scope = scope_as(user)
        return lambda: actions.remove_employee(scope, company_id=tree.acme.id, person_id=user.pk)

    answers = at_once(*[leaving(user) for user in people])
    assert answers.count(LastAdministrator) == 1
    assert administrators(tree.acme.id) == 1


def test_of_many_who_shut_each_other_out_one_administrator_stays(tree: Tree) -> None:
    people = [an_employee(tree.acme.id, f"a{number}@acme.example") for number in range(8)]
    company = tree.acme.id

    def against(scope: Scope, other: int) -> list[Callable[[], object]]:
        return [
            lambda: actions.block_employee(scope, company_id=company, person_id=other, reason="x"),
            lambda: actions.change_role(scope, company_id=company, person_id=other, role="finance"),
            lambda: actions.remove_employee(scope, company_id=company, person_id=other),
        ]

    works = [work for place, user in enumerate(people) for work in against(scope_as(user), people[place - 1].pk)]
    assert LastAdministrator in at_once(*works)
    assert administrators(tree.acme.id) == 1


def test_an_invitation_taken_up_many_times_at_once_is_used_once(tree: Tree) -> None:
    _, token = an_invitation(tree.twin, company_id=tree.acme.id)
    nina = a_person("nina@example.org")
    answers = at_once(*[lambda: actions.accept_invitation(token=token, user_id=nina.pk).company_id] * MANY)
    assert answers.count(tree.acme.id) == 1
    assert answers.count(InvitationUnusable) == MANY - 1


def test_of_invitations_to_two_companies_one_is_taken_up(tree: Tree) -> None:
    tokens = [an_invitation(tree.twin, company_id=company.id)[1] for company in (tree.acme, tree.birch)]
    nina = a_person("nina@example.org")
    answers = at_once(*[accepting(token, nina) for token in tokens])
    assert answers.count(EmployedElsewhere) == 1


def test_who_moves_over_twice_at_once_leaves_one_company_behind(tree: Tree) -> None:
    nina = a_person("nina@example.org")
    shell = a_company(tree.twin, "Nina")
    actions.add_employee(tree.twin, user=nina, company_id=shell.id, role="administrator")
    tokens = [an_invitation(tree.twin, company_id=company.id)[1] for company in (tree.acme, tree.birch)]
    answers = at_once(*[accepting(token, nina) for token in tokens])
    assert answers.count(EmployedElsewhere) == 1
    assert queries.get_company(tree.twin, shell.id).state == "closed"
    employment = access.employment_of(nina)
    assert employment is not None
    assert employment.company_id in answers


def test_inviting_one_address_many_times_at_once_writes_one_mail(tree: Tree) -> None:
    answers = at_once(
        *[
            lambda: (
                actions.invite_person(
                    tree.twin, company_id=tree.acme.id, name="Nina", email="nina@example.org"
                ).company_id
            )
        ]
        * 8
    )
    assert answers.count(tree.acme.id) == 1
    assert answers.count(InvitedTooOften) == 7
    assert len(mails()) == 1


def test_withdrawing_and_taking_up_at_once_end_in_one_of_both(tree: Tree) -> None:
    invitation, token = an_invitation(tree.twin, company_id=tree.acme.id)
    nina = a_person("nina@example.org")
    at_once(
        lambda: actions.withdraw_invitation(tree.twin, company_id=tree.acme.id, invitation_id=invitation.id),
        lambda: actions.accept_invitation(token=token, user_id=nina.pk),
    )
    assert access.offer_behind(token) is None
    assert queries.open_invitations(tree.twin) == []
