"""Every deed is on record with who did it: a person, a key by number and name, the operator at the console."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from django.db import connections

from tests.architecture.source import ROOT
from tests.companies.factories import Tree, a_key, a_tree
from twin.companies import actions
from twin.companies.access import platform_scope, scope_for_key
from twin.companies.errors import CompanyInvalid
from twin.companies.types import NewCompany, Scope
from twin.kernel import clock
from twin.kernel.security_events import EVENTS, Event
from twin.metering.actions import assign_rate_card, move_company, publish_rates
from twin.portal.audit_words import EVENT_WORDS
from twin.pricing import actions as pricing
from twin.pricing.types import NewRate

pytestmark = pytest.mark.database


@pytest.fixture
def tree() -> Tree:
    return a_tree()


@pytest.fixture
def rhea(tree: Tree) -> Scope:
    """The scope of a key of Rhea."""
    found = scope_for_key(a_key(tree.rhea.id))
    assert found is not None
    return found


def recorded(since: int = 0) -> list[tuple[str, int, int | None, dict[str, Any]]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select event, company_id, user_id, fields::text from kernel_securityevent where id > %s order by id",
            [since],
        )
        return [(event, company, user, json.loads(fields)) for event, company, user, fields in cursor.fetchall()]


def last_number() -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute("select coalesce(max(id), 0) from kernel_securityevent")
        return int(cursor.fetchone()[0])


def by(scope: Scope) -> dict[str, Any]:
    return {"by_key_id": scope.key_id, "by_key": "tests"}


def test_every_event_has_words() -> None:
    assert set(EVENT_WORDS) == EVENTS == set(get_args(Event))


def test_a_company_made_by_a_key_names_the_key_and_the_card_it_got(tree: Tree, rhea: Scope) -> None:
    card = pricing.create_rate_card(rhea, name="Usual", default=True)
    before, start = last_number(), clock.now()
    made = pricing.create_company(rhea, name="Fjord", kind="company", time_zone="UTC", effective_from=start)
    instant = start.isoformat().replace("+00:00", "Z")
    founded = {"kind": "company", "parent_id": tree.rhea.id, "effective_from": instant}
    given = {"rate_card_id": card.id, "buyer_id": made.id, "effective_from": instant, "default": True}
    assert recorded(before) == [
        ("company.created", made.id, None, founded | by(rhea)),
        ("rate_card.assigned", tree.rhea.id, None, given | by(rhea)),
    ]


def test_changes_of_a_company_are_told_apart_and_nothing_is_told_twice(tree: Tree, rhea: Scope) -> None:
    before = last_number()
    for _ in range(2):
        actions.update_company(rhea, tree.acme.id, name="Acme Two", external_id="A-2", state="blocked", reason="Unpaid")
    actions.update_company(rhea, tree.acme.id, state="active", reason=None)
    actions.update_company(rhea, tree.acme.id, kind="reseller")
    assert recorded(before) == [
        ("company.changed", tree.acme.id, None, {"changed": "external_id name"} | by(rhea)),
        ("company.blocked", tree.acme.id, None, {"before": "active", "reason": "Unpaid"} | by(rhea)),
        ("company.active", tree.acme.id, None, {"before": "blocked", "reason": ""} | by(rhea)),
        ("company.made_reseller", tree.acme.id, None, by(rhea)),
    ]


def test_a_move_at_the_console_is_the_operators(tree: Tree) -> None:
    before, moment = last_number(), clock.now() + timedelta(hours=1)
    move_company(platform_scope(), company_id=tree.acme.id, parent_id=tree.strand.id, effective_from=moment)
    [(event, company, user, fields)] = recorded(before)
    assert (event, company, user) == ("company.moved", tree.acme.id, None)
    assert fields == {
        "before": tree.rhea.id,
        "parent_id": tree.strand.id,
        "effective_from": moment.isoformat().replace("+00:00", "Z"),
        "by": "operator",
    }


def test_prices_set_by_a_key_name_it(tree: Tree, rhea: Scope) -> None:
    before = last_number()
    card = pricing.create_rate_card(rhea, name="Usual")
    pricing.make_default(rhea, card_id=card.id)
    pricing.make_default(rhea, card_id=card.id)
    rate = NewRate("sms.sent", {}, 10, 1, 0, 1, 0, clock.now())
    publish_rates(rhea, card_id=card.id, rates=[rate])
    assign_rate_card(rhea, buyer_id=tree.acme.id, card_id=card.id, effective_from=clock.now())
    found = recorded(before)
    names = ["rate_card.created", "default_card.chosen", "rates.published", "rate_card.assigned"]
    assert [event for event, *_ in found] == names
    assert {company for _, company, *_ in found} == {tree.rhea.id}
    assert all(by(rhea).items() <= fields.items() for *_, fields in found)


def test_many_companies_are_as_many_rows_and_one_statement(tree: Tree, rhea: Scope) -> None:
    before = last_number()
    new = [NewCompany(f"Shop {number}", "company", "UTC") for number in range(30)]
    made = pricing.create_companies(rhea, parent_id=None, new=new)
    found = recorded(before)
    assert [(event, company) for event, company, *_ in found] == [("company.created", one.id) for one in made]
    assert all(fields["by_key_id"] == rhea.key_id for *_, fields in found)


def test_what_is_refused_leaves_no_record(tree: Tree, rhea: Scope) -> None:
    before = last_number()
    with pytest.raises(CompanyInvalid):
        pricing.create_company(rhea, name="", kind="company", time_zone="UTC")
    with pytest.raises(CompanyInvalid):
        pricing.create_companies(rhea, parent_id=None, new=[NewCompany("Shop", "no such kind", "UTC")])
    assert recorded(before) == []


def test_the_first_company_is_the_operators() -> None:
    made = actions.create_platform(name="Twin", time_zone="UTC", currency="EUR")
    assert recorded() == [("company.created", made.id, None, {"kind": "platform", "by": "operator"})]


def test_a_key_made_at_the_console_is_the_operators(tree: Tree) -> None:
    before = last_number()
    a_key(tree.acme.id, "reports:read")
    [(event, company, user, fields)] = recorded(before)
    assert (event, company, user, fields["by"]) == ("api_key.created", tree.acme.id, None, "operator")


def test_the_moment_of_the_record_is_that_of_the_deed(tree: Tree, rhea: Scope) -> None:
    before, earlier = last_number(), clock.now()
    actions.update_company(rhea, tree.acme.id, name="Acme Three")
    with connections["owner"].cursor() as cursor:
        cursor.execute("select at from kernel_securityevent where id > %s", [before])
        at: datetime = cursor.fetchone()[0]
    assert earlier <= at <= clock.now()


def test_deeds_are_recorded_by_who_did_them() -> None:
    """`record_deed` names the key or the operator, where `security_log.record` would forget them."""
    forgetful = re.compile(r"security_log\.record\([^)]*user_id=scope\.person_id")
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "twin").rglob("*.py")
        if forgetful.search(path.read_text(encoding="utf-8")) and path.name != "recording.py"
    ]
    # Taking a file of the audit along is done by people only.
    assert found == ["twin/portal/views/audit.py"]
