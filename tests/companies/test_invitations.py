from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.db import connections

from tests.companies.employing import a_person, an_employee, an_invitation, last_token, mails, scope_as
from tests.companies.factories import Tree, a_company, a_key, a_tree, move
from twin.companies import access, actions, queries
from twin.companies.errors import (
    AlreadyEmployed,
    CompanyNotFound,
    EmployedElsewhere,
    EmployeeInvalid,
    InvitationForAnother,
    InvitationNotFound,
    InvitationUnusable,
    InvitedTooOften,
    NotYours,
    PermissionMissing,
)
from twin.companies.types import Company, Scope
from twin.kernel import clock

pytestmark = pytest.mark.database

NEVER = "A" * 43


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


def owner_row(query: str, *parameters: Any) -> tuple[Any, ...]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(query, parameters)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def test_an_invitation_arrives_by_mail_and_opens_the_company(own: Scope) -> None:
    invitation, token = an_invitation(own, role="chat_operator")
    [(to, subject, text)] = mails()
    assert (to, subject) == ("nina@example.org", "Invitation to Acme in Twin")
    assert "Ann invites you to work for Acme in Twin. Your role: chat operator." in text
    assert f"http://localhost:8000/invitation/{token}" in text
    offer = access.offer_behind(token)
    assert offer is not None
    assert (offer.company_name, offer.email, offer.role, offer.invited_by) == (
        "Acme",
        "nina@example.org",
        "chat_operator",
        "Ann",
    )
    nina = a_person("nina@example.org")
    employment = actions.accept_invitation(token=token, user_id=nina.pk)
    assert (employment.company_id, employment.role) == (own.organisation_id, "chat_operator")
    assert queries.open_invitations(own) == []
    assert invitation.expires_at - invitation.sent_at == timedelta(days=7)


def test_of_the_link_only_a_hash_is_kept(own: Scope) -> None:
    _, token = an_invitation(own)
    assert len(token) == 43
    [kept] = owner_row("select token_hash from companies_invitation")
    assert bytes(kept) == access.hash_of(token)
    [rows] = owner_row("select count(*) from kernel_securityevent where fields::text like %s", f"%{token}%")
    assert rows == 0
    [events] = owner_row("select count(*) from kernel_securityevent where event = 'invitation.sent'")
    assert events == 1


def test_an_invitation_is_used_once(own: Scope) -> None:
    _, token = an_invitation(own)
    nina = a_person("nina@example.org")
    actions.accept_invitation(token=token, user_id=nina.pk)
    assert access.offer_behind(token) is None
    with pytest.raises(InvitationUnusable):
        actions.accept_invitation(token=token, user_id=nina.pk)


def test_an_invitation_is_bound_to_its_address(own: Scope) -> None:
    _, token = an_invitation(own)
    with pytest.raises(InvitationForAnother):
        actions.accept_invitation(token=token, user_id=a_person("eve@example.org").pk)
    assert access.offer_behind(token) is not None


def test_the_letter_case_of_the_address_does_not_matter(own: Scope) -> None:
    _, token = an_invitation(own, email=" Nina@Example.ORG ")
    nina = a_person("nina@example.org")
    assert actions.accept_invitation(token=token, user_id=nina.pk).company_id == own.organisation_id


def test_an_invitation_expires_after_seven_days(own: Scope) -> None:
    invitation, token = an_invitation(own)
    with time_machine.travel(invitation.expires_at - timedelta(seconds=1), tick=False):
        assert access.offer_behind(token) is not None
    with time_machine.travel(invitation.expires_at, tick=False):
        assert access.offer_behind(token) is None
        with pytest.raises(InvitationUnusable):
            actions.accept_invitation(token=token, user_id=a_person("nina@example.org").pk)
        assert [one.id for one in queries.open_invitations(own)] == [invitation.id]


@pytest.mark.parametrize("token", ["", NEVER, "x", "é" * 43, "A" * 5000, "'; --", "\0" * 43])
def test_an_unknown_link_opens_nothing(own: Scope, token: str) -> None:
    assert access.offer_behind(token) is None
    with pytest.raises(InvitationUnusable):
        actions.accept_invitation(token=token, user_id=a_person("nina@example.org").pk)


def test_sent_again_the_former_link_is_dead(own: Scope) -> None:
    invitation, first = an_invitation(own)
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        again = actions.resend_invitation(own, company_id=own.organisation_id, invitation_id=invitation.id)
        assert access.offer_behind(first) is None
        assert access.offer_behind(last_token()) is not None
        assert again.id == invitation.id
        assert again.expires_at > invitation.expires_at


def test_invited_again_the_open_invitation_is_renewed(own: Scope) -> None:
    invitation, _ = an_invitation(own, role="finance")
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        renewed, _ = an_invitation(own, role="administrator", name="Nina Nova")
    assert (renewed.id, renewed.role, renewed.name) == (invitation.id, "administrator", "Nina Nova")
    assert len(queries.open_invitations(own)) == 1


def test_a_withdrawn_invitation_is_dead_and_gone(own: Scope) -> None:
    invitation, token = an_invitation(own)
    actions.withdraw_invitation(own, company_id=own.organisation_id, invitation_id=invitation.id)
    assert access.offer_behind(token) is None
    assert queries.open_invitations(own) == []
    for act in (actions.withdraw_invitation, actions.resend_invitation):
        with pytest.raises(InvitationNotFound):
            act(own, company_id=own.organisation_id, invitation_id=invitation.id)


def test_mails_of_one_invitation_are_few_and_apart(own: Scope) -> None:
    invitation, _ = an_invitation(own)
    again: dict[str, Any] = {"company_id": own.organisation_id, "invitation_id": invitation.id}
    with pytest.raises(InvitedTooOften):
        actions.resend_invitation(own, **again)
    with pytest.raises(InvitedTooOften):
        an_invitation(own)
    start = clock.now()
    for number in range(1, 6):
        with time_machine.travel(start + timedelta(minutes=2 * number), tick=False):
            actions.resend_invitation(own, **again)
    with time_machine.travel(start + timedelta(hours=1), tick=False), pytest.raises(InvitedTooOften):
        actions.resend_invitation(own, **again)
    assert len(mails()) == 6
    with time_machine.travel(start + timedelta(days=9), tick=False):
        actions.resend_invitation(own, **again)


def test_a_company_writes_so_many_invitations_a_day(own: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.companies.actions.invitations.INVITATIONS_A_DAY", 2)
    an_invitation(own, "one@example.org")
    an_invitation(own, "two@example.org")
    with pytest.raises(InvitedTooOften):
        an_invitation(own, "three@example.org")
    with time_machine.travel(clock.now() + timedelta(days=2)):
        an_invitation(own, "three@example.org")


def ada_at(tree: Tree) -> Any:
    return an_employee(tree.acme.id, "ada@acme.example")


@pytest.mark.parametrize("how", ["blocked", "removed", "demoted", "deactivated"])
def test_an_invitation_falls_with_its_inviter(own: Scope, tree: Tree, how: str) -> None:
    ada = ada_at(tree)
    _, token = an_invitation(scope_as(ada))
    target: dict[str, Any] = {"company_id": tree.acme.id, "person_id": ada.pk}
    if how == "blocked":
        actions.block_employee(own, reason="x", **target)
    elif how == "removed":
        actions.remove_employee(own, **target)
    elif how == "demoted":
        actions.change_role(own, role="finance", **target)
    else:
        get_user_model().objects.filter(pk=ada.pk).update(is_active=False)
    assert access.offer_behind(token) is None
    with pytest.raises(InvitationUnusable):
        actions.accept_invitation(token=token, user_id=a_person("nina@example.org").pk)


def test_a_resellers_invitation_falls_when_the_company_moves_away(tree: Tree) -> None:
    ruth = scope_as(an_employee(tree.rhea.id, "ruth@rhea.example"))
    _, token = an_invitation(ruth, company_id=tree.birch.id)
    assert access.offer_behind(token) is not None
    move(tree.twin, tree.birch.id, tree.strand.id, clock.now())
    assert access.offer_behind(token) is None


def test_an_invitation_rests_while_the_company_is_blocked(own: Scope, tree: Tree) -> None:
    _, token = an_invitation(own)
    actions.update_company(tree.twin, tree.acme.id, state="blocked", reason="unpaid")
    assert access.offer_behind(token) is None
    with pytest.raises(EmployeeInvalid):
        actions.invite_person(tree.twin, company_id=tree.acme.id, name="Eve", email="eve@example.org")
    actions.update_company(tree.twin, tree.acme.id, state="active")
    assert access.offer_behind(token) is not None


def test_whoever_works_here_is_not_invited_blocked_or_not(own: Scope, tree: Tree) -> None:
    ada = ada_at(tree)
    with pytest.raises(AlreadyEmployed):
        an_invitation(own, "ada@acme.example")
    actions.block_employee(own, company_id=tree.acme.id, person_id=ada.pk, reason="x")
    with pytest.raises(AlreadyEmployed):
        an_invitation(own, "ADA@acme.example")
    actions.remove_employee(own, company_id=tree.acme.id, person_id=ada.pk)
    _, token = an_invitation(own, "ada@acme.example", role="finance")
    assert actions.accept_invitation(token=token, user_id=ada.pk).role == "finance"


def test_an_address_that_works_elsewhere_is_told_to_its_owner_only(own: Scope, tree: Tree) -> None:
    dan = an_employee(tree.dune.id, "dan@dune.example", language="ru")
    known, token = an_invitation(own, "dan@dune.example")
    unknown, _ = an_invitation(own, "free@dune.example")
    assert (known.name, known.role, known.company_id) == (unknown.name, unknown.role, unknown.company_id)
    assert "Dune" in mails()[0][2]
    assert "Dune" not in mails()[1][2]
    with pytest.raises(EmployedElsewhere):
        actions.accept_invitation(token=token, user_id=dan.pk)
    employment = access.employment_of(dan)
    assert employment is not None
    assert employment.company_id == tree.dune.id
    # Free to go, the person may come.
    an_employee(tree.dune.id, "don@dune.example")
    actions.remove_employee(tree.twin, company_id=tree.dune.id, person_id=dan.pk)
    assert actions.accept_invitation(token=token, user_id=dan.pk).company_id == tree.acme.id


def registered(tree: Tree, email: str) -> tuple[Any, Company]:
    """A person with the empty company that a registration makes."""
    person = a_person(email)
    shell = a_company(tree.twin, email)
    actions.add_employee(tree.twin, user=person, company_id=shell.id, role="administrator")
    return person, shell


def test_a_company_that_others_made_is_no_empty_one(own: Scope, tree: Tree) -> None:
    """Though nothing was done in it yet."""
    _, token = an_invitation(own)
    nina = an_employee(tree.echo.id, "nina@example.org")
    with pytest.raises(EmployedElsewhere):
        actions.accept_invitation(token=token, user_id=nina.pk)
    bea, dea = a_person("bea@example.org"), a_person("dea@example.org")
    made: list[tuple[Any, dict[str, Any]]] = [(bea, {"under": tree.rhea.id}), (dea, {"external_id": "X-1"})]
    for number, (person, fields) in enumerate(made):
        company = a_company(tree.twin, f"Made {number}", **fields)
        actions.add_employee(tree.twin, user=person, company_id=company.id, role="administrator")
        _, token = an_invitation(own, person.email)
        with pytest.raises(EmployedElsewhere):
            actions.accept_invitation(token=token, user_id=person.pk)


def test_who_just_registered_moves_over_and_the_empty_company_is_closed(own: Scope, tree: Tree) -> None:
    nina, shell = registered(tree, "nina@example.org")
    _, token = an_invitation(own)
    assert "Nina@" not in mails()[-1][2]
    assert actions.accept_invitation(token=token, user_id=nina.pk).company_id == tree.acme.id
    left = queries.get_company(tree.twin, shell.id)
    assert (left.state, left.state_reason) == ("closed", "Its only person joined another company.")
    assert queries.get_company(tree.twin, tree.acme.id).state == "active"


@pytest.mark.parametrize("what", ["a colleague", "a key", "an open invitation"])
def test_a_company_that_holds_something_is_not_left_behind(own: Scope, tree: Tree, what: str) -> None:
    nina, shell = registered(tree, "nina@example.org")
    if what == "a colleague":
        an_employee(shell.id, "colleague@example.org", "finance")
    elif what == "a key":
        a_key(shell.id)
    else:
        an_invitation(scope_as(nina), "friend@example.org")
    _, token = an_invitation(own)
    with pytest.raises(EmployedElsewhere):
        actions.accept_invitation(token=token, user_id=nina.pk)
    assert queries.get_company(tree.twin, shell.id).state == "active"
    assert access.offer_behind(token) is not None


def test_a_reseller_invites_the_first_administrator_and_nobody_else(tree: Tree) -> None:
    ruth = scope_as(an_employee(tree.rhea.id, "ruth@rhea.example"))
    birch: dict[str, Any] = {"company_id": tree.birch.id}
    with pytest.raises(NotYours):
        an_invitation(ruth, role="finance", **birch)
    invitation, token = an_invitation(ruth, **birch)
    actions.withdraw_invitation(ruth, invitation_id=invitation.id, **birch)
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        invitation, token = an_invitation(ruth, **birch)
        nina = a_person("nina@example.org")
        assert actions.accept_invitation(token=token, user_id=nina.pk).company_name == "Birch"
        with pytest.raises(NotYours):
            an_invitation(ruth, "second@example.org", **birch)


def test_a_reseller_does_not_touch_what_a_company_invites(own: Scope, tree: Tree) -> None:
    ruth = scope_as(an_employee(tree.rhea.id, "ruth@rhea.example"))
    invitation, token = an_invitation(own)
    target: dict[str, Any] = {"company_id": tree.acme.id, "invitation_id": invitation.id}
    assert [one.id for one in queries.open_invitations(ruth)] == [invitation.id]
    for act in (actions.withdraw_invitation, actions.resend_invitation):
        with pytest.raises(NotYours):
            act(ruth, **target)
    assert access.offer_behind(token) is not None


def test_invitations_of_strangers_are_not_found(own: Scope, tree: Tree) -> None:
    strand = scope_as(an_employee(tree.strand.id, "stan@strand.example"))
    invitation, token = an_invitation(own)
    for company_id in (tree.acme.id, tree.strand.id):
        for act in (actions.withdraw_invitation, actions.resend_invitation):
            with pytest.raises((InvitationNotFound, CompanyNotFound)):
                act(strand, company_id=company_id, invitation_id=invitation.id)
    with pytest.raises(CompanyNotFound):
        an_invitation(strand, company_id=tree.acme.id)
    assert queries.open_invitations(strand) == []
    assert access.offer_behind(token) is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a" * 201),
        ("name", "a\0b"),
        ("name", "a\r\nBcc: x@example.org"),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a@example.org\nBcc: x@example.org"),
        ("email", "a@example.org,b@example.org"),
        ("email", "a" * 250 + "@example.org"),
        ("role", "platform"),
        ("role", ""),
    ],
)
def test_unusable_invitations_are_refused_by_field_and_send_nothing(own: Scope, field: str, value: str) -> None:
    given: dict[str, Any] = {"name": "Nina", "email": "nina@example.org", field: value}
    with pytest.raises(EmployeeInvalid) as refusal:
        actions.invite_person(own, **given)
    assert refusal.value.errors[0].loc == (field,)
    assert mails() == []
    assert queries.open_invitations(own) == []


def test_names_of_companies_cannot_write_headers(tree: Tree) -> None:
    odd = a_company(tree.twin, "Odd\u2028Bcc: x@example.org")
    an_invitation(tree.twin, company_id=odd.id)
    assert mails()[0][1] == "Invitation to Odd Bcc: x@example.org in Twin"


def test_the_console_invites_without_a_person(tree: Tree) -> None:
    _, token = an_invitation(tree.twin, company_id=tree.acme.id)
    offer = access.offer_behind(token)
    assert offer is not None
    assert offer.invited_by == ""
    assert "Twin invites you" in mails()[0][2]


def test_nobody_gives_a_role_without_the_right_to_manage_people(own: Scope, tree: Tree) -> None:
    fin = scope_as(an_employee(tree.acme.id, "fin@acme.example", "finance"))
    for role in ("administrator", "finance", "chat_operator"):
        with pytest.raises(PermissionMissing):
            an_invitation(fin, role=role)
    assert mails() == []
