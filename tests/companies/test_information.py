"""Saving company information: versions, history, drafts, who may, and two at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from tests.companies.factories import Tree, a_tree, scope_of
from tests.informing import ELBTAL, inform
from twin.companies.access import employment_of, scope_for_person
from twin.companies.actions import (
    add_employee,
    discard_information_draft,
    keep_information_draft,
    save_information,
    update_company,
)
from twin.companies.errors import CompanyNotFound, InformationChanged, InformationInvalid, PermissionMissing
from twin.companies.models import Information, InformationChange
from twin.companies.queries import (
    colleagues,
    company_information,
    default_max_dialogs,
    get_company,
    information_history,
    list_companies,
    missing_for_invoices,
    missing_information,
    own_information_draft,
    values_at,
)
from twin.companies.types import Address, Role, Scope
from twin.kernel.tenancy import tenant_transaction

pytestmark = pytest.mark.database

WHOLE = {**ELBTAL, "name": "Elbtal Energie GmbH"}


@pytest.fixture
def tree() -> Tree:
    return a_tree()


def person_at(tree: Tree, company_id: int, name: str = "Ann", role: Role = "administrator") -> Scope:
    user = get_user_model().objects.create_user(f"{name.lower()}{company_id}@example.com", None, name=name)
    add_employee(tree.twin, user=user, company_id=company_id, role=role)
    scope = scope_for_person(user)
    assert scope is not None
    return scope


def events_of(company_id: int) -> list[dict[str, str]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select fields from kernel_securityevent where event = 'company.changed' and company_id = %s", [company_id]
        )
        rows = cursor.fetchall()
    return [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in rows]


def test_a_new_company_misses_everything_but_its_zone(tree: Tree) -> None:
    saved = company_information(tree.twin, tree.acme.id)
    assert (saved.version, saved.is_complete, saved.max_dialogs, saved.changed_at) == (0, False, 300, None)
    assert saved.values["name"] == "Acme"
    missed = missing_information(tree.twin, tree.acme.id)
    assert missed[:3] == ("name", "email", "phone")
    assert "time_zone" not in missed


def test_saving_tells_everything_and_changes_name_and_zone_themselves(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    saved = save_information(scope, tree.acme.id, version=0, values={**WHOLE, "max_dialogs": "12"})
    assert (saved.version, saved.is_complete, saved.values["iban"]) == (1, True, "DE89370400440532013000")
    company = get_company(scope, tree.acme.id)
    assert (company.name, company.time_zone) == ("Elbtal Energie GmbH", "Europe/Berlin")
    assert [found.id for found in list_companies(tree.twin, search="elbtal").items] == [tree.acme.id]
    assert missing_information(scope, tree.acme.id) == missing_for_invoices(scope, tree.acme.id) == ()
    assert default_max_dialogs(scope, tree.acme.id) == 12


def test_addresses_come_in_parts(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    saved = save_information(scope, tree.acme.id, version=0, values=WHOLE)
    legal = Address("Uferstraße 14", "Dresden", "", "01067", "DE")
    assert saved.legal_address == saved.postal_address == legal
    other = {"postal_same": "", "postal_street": "1 Lime Street", "postal_city": "London", "postal_country": "GB"}
    saved = save_information(scope, tree.acme.id, version=1, values={**WHOLE, **other, "postal_postal_code": "EC1A1BB"})
    assert saved.postal_address == Address("1 Lime Street", "London", "", "EC1A 1BB", "GB")
    assert saved.legal_address == legal


def test_a_form_that_lacks_something_is_refused_whole(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    with pytest.raises(InformationInvalid) as refusal:
        save_information(scope, tree.acme.id, version=0, values={**WHOLE, "phone": "", "iban": "DE00"})
    assert [problem.field for problem in refusal.value.problems] == ["phone", "iban"]
    assert company_information(scope, tree.acme.id).version == 0
    assert get_company(scope, tree.acme.id).name == "Acme"
    assert events_of(tree.acme.id) == []


def test_sign_in_learns_that_the_company_is_complete(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    user = get_user_model().objects.get(pk=scope.person_id or 0)
    before = employment_of(user)
    save_information(scope, tree.acme.id, version=0, values=WHOLE)
    after = employment_of(user)
    assert (before and before.is_informed, after and after.is_informed) == (False, True)


def test_a_second_save_over_another_ones_is_refused_and_changes_nothing(tree: Tree) -> None:
    ann, bob = person_at(tree, tree.acme.id, "Ann"), person_at(tree, tree.acme.id, "Bob")
    save_information(ann, tree.acme.id, version=0, values=WHOLE)
    save_information(ann, tree.acme.id, version=1, values={**WHOLE, "bank": "Neue Bank"})
    with pytest.raises(InformationChanged):
        save_information(bob, tree.acme.id, version=1, values={**WHOLE, "bank": "Alte Bank", "phone": "+4930123456"})
    saved = company_information(bob, tree.acme.id)
    assert (saved.version, saved.values["bank"], saved.values["phone"]) == (2, "Neue Bank", "+493515550120")


def test_of_many_saves_at_once_exactly_one_wins(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)

    def save(number: int) -> bool:
        try:
            save_information(scope, tree.acme.id, version=0, values={**WHOLE, "bank": f"Bank {number}"})
        except InformationChanged:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(save, range(8)))
    assert won.count(True) == 1
    assert company_information(scope, tree.acme.id).values["bank"] == f"Bank {won.index(True)}"


def test_saving_what_is_there_changes_nothing(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    save_information(scope, tree.acme.id, version=0, values=WHOLE)
    assert save_information(scope, tree.acme.id, version=1, values=WHOLE).version == 1
    assert len(events_of(tree.acme.id)) == 1


def test_a_renaming_from_above_counts_as_a_change(tree: Tree) -> None:
    inform(tree.acme.id)
    update_company(tree.twin, tree.acme.id, name="Renamed")
    saved = company_information(tree.twin, tree.acme.id)
    assert (saved.version, saved.values["name"]) == (2, "Renamed")
    [change] = information_history(tree.twin, tree.acme.id, since=1)
    assert (change.by, change.fields) == ("", ("name",))
    with pytest.raises(InformationChanged):
        save_information(tree.twin, tree.acme.id, version=1, values=WHOLE)
    update_company(tree.twin, tree.acme.id, name="Renamed", external_id="x")
    assert company_information(tree.twin, tree.acme.id).version == 2


def test_a_renaming_before_anything_was_told_is_no_complete_company(tree: Tree) -> None:
    update_company(tree.twin, tree.acme.id, name="Renamed")
    saved = company_information(tree.twin, tree.acme.id)
    assert (saved.version, saved.is_complete) == (1, False)
    assert "name" not in missing_information(tree.twin, tree.acme.id)


def test_history_tells_who_changed_what_and_earlier_versions_come_back(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id, "Ann")
    save_information(scope, tree.acme.id, version=0, values=WHOLE)
    save_information(scope, tree.acme.id, version=1, values={**WHOLE, "bank": "Neue Bank", "name": "Elbtal"})
    newest = information_history(scope, tree.acme.id)[0]
    assert (newest.version, newest.by, newest.fields) == (2, "Ann", ("name", "bank"))
    assert values_at(scope, tree.acme.id, 1)["bank"] == "Sparkasse Elbtal"
    assert values_at(scope, tree.acme.id, 0)["name"] == "Acme"
    assert values_at(scope, tree.acme.id, 0)["iban"] == ""


def test_the_security_log_names_fields_and_never_values(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    save_information(scope, tree.acme.id, version=0, values=WHOLE, address="203.0.113.7")
    [event] = events_of(tree.acme.id)
    assert "iban" in event["changed"].split()
    assert "DE89" not in str(event)
    assert "Uferstra" not in str(event)


@pytest.mark.parametrize("role", ["finance", "chat_operator"])
def test_only_administrators_write(tree: Tree, role: Role) -> None:
    scope = person_at(tree, tree.acme.id, role=role)
    with pytest.raises(PermissionMissing):
        save_information(scope, tree.acme.id, version=0, values=WHOLE)
    with pytest.raises(PermissionMissing):
        keep_information_draft(scope, version=0, typed={"name": "x"})
    assert not Information.objects.using("owner").exists()


def test_strangers_and_companies_beneath_find_nothing(tree: Tree) -> None:
    inform(tree.acme.id)
    for stranger in (scope_of(tree.strand), scope_of(tree.birch), scope_of(tree.cedar)):
        for question in (company_information, missing_information, missing_for_invoices, information_history):
            with pytest.raises(CompanyNotFound):
                question(stranger, tree.acme.id)
        with pytest.raises(CompanyNotFound):
            save_information(stranger, tree.acme.id, version=1, values=WHOLE)
        with tenant_transaction(stranger.organisation_id):
            assert not Information.objects.filter(company_id=tree.acme.id).exists()
            assert not InformationChange.objects.filter(company_id=tree.acme.id).exists()
    assert company_information(scope_of(tree.rhea), tree.acme.id).is_complete


def test_a_draft_is_the_persons_own_and_outlives_everything_but_saving(tree: Tree) -> None:
    ann, bob = person_at(tree, tree.acme.id, "Ann"), person_at(tree, tree.acme.id, "Bob")
    keep_information_draft(ann, version=0, typed={"name": "Half"})
    keep_information_draft(ann, version=0, typed={"name": "Half a n\0ame", "unknown": "x"})
    draft = own_information_draft(ann)
    assert draft is not None
    assert (draft.base_version, draft.typed) == (0, {"name": "Half a name"})
    assert own_information_draft(bob) is None
    save_information(bob, tree.acme.id, version=0, values=WHOLE)
    assert own_information_draft(ann) is not None
    save_information(ann, tree.acme.id, version=1, values=WHOLE)
    assert own_information_draft(ann) is None


def test_a_draft_can_be_thrown_away(tree: Tree) -> None:
    scope = person_at(tree, tree.acme.id)
    keep_information_draft(scope, version=0, typed={"name": "Half"})
    discard_information_draft(scope)
    assert own_information_draft(scope) is None


def test_colleagues_are_those_who_work_here_administrators_first(tree: Tree) -> None:
    person_at(tree, tree.acme.id, "Zoe", "administrator")
    scope = person_at(tree, tree.acme.id, "Abe", "chat_operator")
    person_at(tree, tree.birch.id, "Eve")
    assert [one.name for one in colleagues(scope)] == ["Zoe", "Abe"]
