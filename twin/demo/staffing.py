"""Colleagues, one of them blocked, and somebody invited: written by those whose business it is."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth import get_user_model

from twin.companies.actions import add_employee, block_employee, invite_person, set_max_dialogs
from twin.companies.queries import get_company
from twin.companies.types import Scope
from twin.demo.rules.colleagues import COLLEAGUES, GUEST
from twin.demo.types import Colleague


def staff(scopes: Mapping[str, Scope], ids: Mapping[str, int]) -> None:
    """Let everybody work whose employer is there; scopes by the code of the seller, ids by any code.

    Nobody of them has a password, so nobody signs in.
    """
    for colleague in COLLEAGUES:
        if colleague.employer in ids:
            _employ(scopes[""], colleague, ids[colleague.employer])
    invite_person(scopes[GUEST.employer], name=GUEST.name, email=GUEST.email, role=GUEST.role)


def _employ(scope: Scope, colleague: Colleague, company_id: int) -> None:
    user = get_user_model().objects.create_user(
        colleague.email,
        None,
        name=colleague.name,
        language=colleague.language,
        time_zone=get_company(scope, company_id).time_zone,
    )
    add_employee(scope, user=user, company_id=company_id, role=colleague.role)
    if colleague.max_dialogs is not None:
        set_max_dialogs(scope, company_id=company_id, person_id=user.pk, max_dialogs=colleague.max_dialogs)
    if colleague.blocked:
        block_employee(scope, company_id=company_id, person_id=user.pk, reason=colleague.blocked)
