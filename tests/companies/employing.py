"""People, and the links of invitations out of the mails that carry them."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib.auth import get_user_model

from twin.companies import actions
from twin.companies.access import platform_scope, scope_for_person
from twin.companies.types import Invitation, Role, Scope
from twin.kernel.models import Dispatch
from twin.kernel.sealing import unseal


def a_person(email: str, **fields: Any) -> Any:
    return get_user_model().objects.create_user(
        email, None, **{"name": email.split("@", maxsplit=1)[0].title(), **fields}
    )


def an_employee(company_id: int, email: str, role: Role = "administrator", **fields: Any) -> Any:
    user = a_person(email, **fields)
    actions.add_employee(platform_scope(), user=user, company_id=company_id, role=role)
    return user


def scope_as(user: Any) -> Scope:
    """The scope of a person who works somewhere."""
    scope = scope_for_person(user)
    assert scope is not None
    return scope


def an_invitation(scope: Scope, email: str = "nina@example.org", **fields: Any) -> tuple[Invitation, str]:
    """An invitation and the secret of its link."""
    invitation = actions.invite_person(scope, **{"name": "Nina", "email": email, **fields})
    return invitation, last_token()


def mails() -> list[tuple[str, str, str]]:
    """Recipient, subject and text of what was written, in order."""
    rows = Dispatch.objects.filter(channel="mail").order_by("id")
    return [(row.recipient, row.subject, json.loads(unseal(row.sealed_body))["text"]) for row in rows]


def last_token() -> str:
    found = re.search(r"/invitation/([\w-]+)", mails()[-1][2])
    assert found is not None
    return found[1]
