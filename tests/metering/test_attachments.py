"""A company goes to a reseller by an invitation its administrator accepts: once, at that instant, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from tests.companies.employing import a_person, an_employee, mails, scope_as
from tests.companies.test_together import at_once
from tests.metering.test_taking import event, take
from tests.world import World, key_of
from twin.companies import actions as companies
from twin.companies import queries
from twin.companies.access import attachment_behind, platform_scope
from twin.companies.errors import (
    AlreadyAttached,
    AttachmentDeclined,
    AttachmentForAnother,
    AttachmentNotFound,
    AttachmentUnusable,
    CompanyInactive,
    CompanyNotFound,
    EmployeeInvalid,
    InvitedTooOften,
    NeedsAdministrator,
    NotYours,
    ResellersAreMoved,
)
from twin.companies.types import Attachment, Scope
from twin.kernel import clock
from twin.kernel.models import SecurityEvent
from twin.kernel.period import Period, instant_text
from twin.metering import actions
from twin.metering.errors import AlreadyCharged
from twin.pricing.queries import cards_of_buyers

pytestmark = pytest.mark.database

EMAIL = "erin@echo.example"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Whoever is unknown gets the mail in the language of the asker."""
    with translation.override("en"):
        yield


@pytest.fixture
def ruth(world: World) -> Any:
    return an_employee(world.rhea.id, "ruth@rhea.example", name="Ruth Reed")


@pytest.fixture
def erin(world: World) -> Any:
    return an_employee(world.echo.id, EMAIL, name="Erin Echo")


def last_secret() -> str:
    found = re.search(r"/attachment/([\w-]+)", mails()[-1][2])
    assert found is not None
    return found[1]


def invited(user: Any, email: str = EMAIL) -> tuple[Attachment, str]:
    made = companies.invite_company(scope_as(user), email=email)
    return made, last_secret()


def seller_of(company_id: int) -> int | None:
    return queries.get_company(platform_scope(), company_id).parent_id


def nothing_moved(world: World) -> bool:
    return seller_of(world.echo.id) == world.twin.id


def test_the_company_moves_at_the_instant_of_acceptance_and_pays_by_the_default_card(
    world: World, ruth: Any, erin: Any
) -> None:
    _, token = invited(ruth)
    before = clock.now()
    actions.accept_attachment(token=token, user_id=erin.pk)
    last = queries.last_membership(platform_scope(), world.echo.id)
    assert last.parent_id == world.rhea.id
    assert before <= last.start <= clock.now()
    assert cards_of_buyers(world.rhea.scope, clock.now())[world.echo.id].id == world.rhea_card.id
    assert queries.get_company(scope_as(ruth), world.echo.id).name == "Echo"


def test_what_was_used_before_stays_with_the_platform(world: World, ruth: Any, erin: Any) -> None:
    take(world, event(world.echo.id, "before", time="2026-03-01T12:00:00Z"))
    _, token = invited(ruth)
    actions.accept_attachment(token=token, user_id=erin.pk)
    moments = queries.direct_sellers(platform_scope(), world.echo.id)
    assert [seller for seller, _ in moments] == [world.twin.id]
    spans = queries.direct_sellers(scope_as(erin), world.echo.id)
    assert [seller for seller, _ in spans] == [world.twin.id, world.rhea.id]
    assert spans[0][1].end == spans[1][1].start


def test_everybody_concerned_is_told_and_it_is_on_record(world: World, ruth: Any, erin: Any) -> None:
    an_employee(world.echo.id, "emil@echo.example")
    _, token = invited(ruth)
    actions.accept_attachment(token=token, user_id=erin.pk, address="203.0.113.9")
    told = [(to, subject) for to, subject, _ in mails()[1:]]
    assert sorted(told) == [
        ("emil@echo.example", "Echo buys from Rhea now"),
        (EMAIL, "Echo buys from Rhea now"),
        ("ruth@rhea.example", "Echo buys from Rhea now"),
    ]
    done = SecurityEvent.objects.using("owner").get(event="company.attached")
    assert (done.user_id, done.company_id, done.address) == (erin.pk, world.echo.id, "203.0.113.9")
    assert done.fields["seller"] == "Rhea"
    moved = SecurityEvent.objects.using("owner").get(event="company.moved")
    assert (moved.user_id, moved.fields["parent_id"]) == (erin.pk, world.rhea.id)


def test_the_answer_is_the_same_for_every_address(world: World, ruth: Any, erin: Any) -> None:
    otto = an_employee(world.echo.id, "otto@echo.example", "chat_operator")
    dana = an_employee(world.dune.id, "dana@dune.example")
    stan = an_employee(world.strand.id, "stan@strand.example")
    ilya = a_person("ilya@nowhere.example")
    addresses = [EMAIL, *(each.email for each in (otto, dana, stan, ilya)), "nobody@nowhere.example"]
    answers = []
    for email in addresses:
        made, _ = invited(ruth, email)
        answers.append((made.state, made.invited_by, made.expires_at - made.sent_at, made.email == email))
    assert len(set(answers)) == 1
    texts = {
        re.sub(r"/attachment/\S+", "", text.replace(to, "")) + subject
        for to, subject, text in mails()[-len(addresses) :]
    }
    assert len(texts) == 1


def test_a_second_acceptance_finds_it_used(world: World, ruth: Any, erin: Any) -> None:
    _, token = invited(ruth)
    actions.accept_attachment(token=token, user_id=erin.pk)
    with pytest.raises(AttachmentUnusable, match="accepted"):
        actions.accept_attachment(token=token, user_id=erin.pk)


def test_of_24_acceptances_at_once_one_counts(world: World, ruth: Any, erin: Any) -> None:
    _, token = invited(ruth)
    answers = at_once(*[lambda: actions.accept_attachment(token=token, user_id=erin.pk).company_id] * 24)
    assert answers.count(world.echo.id) == 1
    assert answers.count(AttachmentUnusable) == 23
    assert len(queries.direct_sellers(scope_as(erin), world.echo.id)) == 2
    assert SecurityEvent.objects.using("owner").filter(event="company.attached").count() == 1


def test_of_two_resellers_at_once_one_gets_the_company(world: World, ruth: Any, erin: Any) -> None:
    emil = an_employee(world.echo.id, "emil@echo.example")
    stan = an_employee(world.strand.id, "stan@strand.example")
    _, to_rhea = invited(ruth)
    _, to_strand = invited(stan, "emil@echo.example")

    def accepting(token: str, user: Any) -> Callable[[], object]:
        return lambda: actions.accept_attachment(token=token, user_id=user.pk).seller_id

    answers = at_once(*[accepting(to_rhea, erin), accepting(to_strand, emil)] * 4)
    assert len([one for one in answers if isinstance(one, int)]) == 1
    assert seller_of(world.echo.id) in (world.rhea.id, world.strand.id)


def test_withdrawing_and_accepting_at_once_end_in_one_of_both(world: World, ruth: Any, erin: Any) -> None:
    made, token = invited(ruth)
    scope = scope_as(ruth)
    answers = at_once(
        lambda: actions.accept_attachment(token=token, user_id=erin.pk).company_id,
        lambda: companies.withdraw_attachment(scope, attachment_id=made.id),
    )
    is_moved = seller_of(world.echo.id) == world.rhea.id
    assert answers in ([world.echo.id, AttachmentNotFound], [AttachmentUnusable, None])
    assert is_moved == (answers[0] == world.echo.id)


def test_a_company_beneath_a_reseller_stays_there(world: World, ruth: Any) -> None:
    dana = an_employee(world.dune.id, "dana@dune.example")
    ann = an_employee(world.acme.id, "ann@acme.example")
    for user in (dana, ann):
        _, token = invited(ruth, user.email)
        with pytest.raises(AlreadyAttached):
            actions.accept_attachment(token=token, user_id=user.pk)
        offer = attachment_behind(token)
        assert offer is not None
        assert offer.state == "open"
    assert seller_of(world.dune.id) == world.strand.id


def test_only_an_administrator_decides(world: World, ruth: Any) -> None:
    otto = an_employee(world.echo.id, "otto@echo.example", "finance")
    ilya = a_person("ilya@nowhere.example")
    for user in (otto, ilya):
        _, token = invited(ruth, user.email)
        with pytest.raises(NeedsAdministrator):
            actions.accept_attachment(token=token, user_id=user.pk)
    assert nothing_moved(world)


def test_resellers_and_the_platform_are_not_attached(world: World, ruth: Any) -> None:
    stan = an_employee(world.strand.id, "stan@strand.example")
    tilda = an_employee(world.twin.id, "tilda@twin.example")
    for user in (stan, tilda, ruth):
        _, token = invited(ruth, user.email)
        with pytest.raises(ResellersAreMoved):
            actions.accept_attachment(token=token, user_id=user.pk)
    assert seller_of(world.strand.id) == world.twin.id


def test_the_link_belongs_to_its_address(world: World, ruth: Any, erin: Any) -> None:
    emil = an_employee(world.echo.id, "emil@echo.example")
    _, token = invited(ruth)
    with pytest.raises(AttachmentForAnother):
        actions.accept_attachment(token=token, user_id=emil.pk)
    with pytest.raises(AttachmentForAnother):
        companies.decline_attachment(token=token, user_id=emil.pk)
    assert nothing_moved(world)


def test_after_seven_days_it_has_expired(world: World, ruth: Any, erin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, token = invited(ruth)
    monkeypatch.setattr(clock, "now", lambda: made.expires_at)
    with pytest.raises(AttachmentUnusable, match="expired"):
        actions.accept_attachment(token=token, user_id=erin.pk)
    assert [one.state for one in queries.waiting_attachments(scope_as(ruth))] == ["expired"]


def test_a_blocked_reseller_gets_no_company(world: World, ruth: Any, erin: Any) -> None:
    _, token = invited(ruth)
    companies.update_company(platform_scope(), world.rhea.id, state="blocked", reason="x")
    with pytest.raises(AttachmentUnusable, match="suspended"):
        actions.accept_attachment(token=token, user_id=erin.pk)
    assert nothing_moved(world)


def test_it_falls_with_the_inviter(world: World, ruth: Any, erin: Any) -> None:
    an_employee(world.rhea.id, "rolf@rhea.example")
    _, token = invited(ruth)
    companies.block_employee(platform_scope(), company_id=world.rhea.id, person_id=ruth.pk, reason="x")
    with pytest.raises(AttachmentUnusable, match="suspended"):
        actions.accept_attachment(token=token, user_id=erin.pk)


def test_a_blocked_company_decides_nothing(world: World, ruth: Any, erin: Any) -> None:
    _, token = invited(ruth)
    companies.update_company(platform_scope(), world.echo.id, state="blocked", reason="x")
    with pytest.raises(CompanyInactive):
        actions.accept_attachment(token=token, user_id=erin.pk)
    assert nothing_moved(world)


def test_usage_ahead_of_the_instant_stands_in_the_way(world: World, ruth: Any, erin: Any) -> None:
    _, token = invited(ruth)
    ahead = clock.now() + timedelta(minutes=3)
    take(world, event(world.echo.id, "ahead", time=instant_text(ahead)))
    with pytest.raises(AlreadyCharged, match="earliest free instant"):
        actions.accept_attachment(token=token, user_id=erin.pk)
    assert nothing_moved(world)
    offer = attachment_behind(token)
    assert offer is not None
    assert offer.state == "open"


def test_a_declined_invitation_is_over_and_the_address_left_alone(
    world: World, ruth: Any, erin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = invited(ruth)
    companies.decline_attachment(token=token, user_id=erin.pk)
    with pytest.raises(AttachmentUnusable, match="declined"):
        actions.accept_attachment(token=token, user_id=erin.pk)
    scope = scope_as(ruth)
    assert [one.state for one in queries.waiting_attachments(scope)] == ["declined"]
    with pytest.raises(AttachmentDeclined):
        companies.invite_company(scope, email=EMAIL)
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert companies.invite_company(scope, email=EMAIL).state == "open"


def test_sent_again_the_former_link_is_dead(
    world: World, ruth: Any, erin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, first = invited(ruth)
    scope = scope_as(ruth)
    with pytest.raises(InvitedTooOften):
        companies.resend_attachment(scope, attachment_id=made.id)
    later = clock.now() + timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    again = companies.resend_attachment(scope, attachment_id=made.id)
    second = last_secret()
    assert again.id == made.id
    assert attachment_behind(first) is None
    monkeypatch.setattr(clock, "now", lambda: later + timedelta(minutes=2))
    third, _ = invited(ruth)
    assert third.id == made.id
    assert attachment_behind(second) is None


def test_a_withdrawn_link_is_dead_and_the_address_can_be_invited_again(world: World, ruth: Any, erin: Any) -> None:
    made, token = invited(ruth)
    companies.withdraw_attachment(scope_as(ruth), attachment_id=made.id)
    with pytest.raises(AttachmentUnusable, match="withdrawn"):
        actions.accept_attachment(token=token, user_id=erin.pk)
    assert queries.waiting_attachments(scope_as(ruth)) == []
    assert invited(ruth)[0].id != made.id


def test_a_reseller_sees_and_changes_its_own_only(world: World, ruth: Any) -> None:
    stan = an_employee(world.strand.id, "stan@strand.example")
    made, _ = invited(ruth)
    scope = scope_as(stan)
    assert queries.waiting_attachments(scope) == []
    for act in (companies.resend_attachment, companies.withdraw_attachment):
        with pytest.raises(AttachmentNotFound):
            act(scope, attachment_id=made.id)


def test_only_people_of_resellers_invite_companies(world: World, erin: Any) -> None:
    tilda = an_employee(world.twin.id, "tilda@twin.example")
    scopes: list[Scope] = [scope_as(tilda), scope_as(erin), world.rhea.scope, world.twin.scope]
    for scope in scopes:
        with pytest.raises(NotYours):
            companies.invite_company(scope, email="x@example.org")
    assert mails() == []


def test_what_is_no_address_is_refused(world: World, ruth: Any) -> None:
    for email in ("", "x", "a@b@c", "x@example.org\r\nBcc: y@example.org", "x" * 300 + "@example.org"):
        with pytest.raises(EmployeeInvalid):
            companies.invite_company(scope_as(ruth), email=email)
    assert mails() == []


def test_a_reseller_sends_a_limited_number_a_day(world: World, ruth: Any) -> None:
    scope = scope_as(ruth)
    for number in range(50):
        companies.invite_company(scope, email=f"a{number}@example.org")
    with pytest.raises(InvitedTooOften):
        companies.invite_company(scope, email="one-more@example.org")


def test_unknown_and_made_up_links_say_nothing(world: World, erin: Any) -> None:
    for token in ("", "A" * 43, "A" * 44, "\0" * 43, "é" * 43):
        assert attachment_behind(token) is None
        with pytest.raises(AttachmentUnusable):
            actions.accept_attachment(token=token, user_id=erin.pk)


def test_the_new_seller_does_not_read_what_happened_before(world: World, ruth: Any, erin: Any) -> None:
    key_of(world.echo.id)
    with pytest.raises(CompanyNotFound):
        queries.get_company(scope_as(ruth), world.echo.id)
    _, token = invited(ruth)
    actions.accept_attachment(token=token, user_id=erin.pk)
    day = Period(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1))
    seen = {
        one.event
        for one in queries.recorded_events(scope_as(ruth), period=day).items
        if one.company_id == world.echo.id
    }
    assert "company.attached" in seen
    assert "api_key.created" not in seen
