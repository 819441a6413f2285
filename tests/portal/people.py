"""People who sign in: one administrator per company of the small world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password

from tests.informing import inform
from tests.world import World
from twin.companies.access import platform_scope
from twin.companies.actions import add_employee
from twin.companies.queries import company_information
from twin.companies.types import Role

PASSWORD = "harbour-lantern-quiet-41"


@dataclass(frozen=True)
class People:
    """Users by the name of their company in the small world."""

    users: dict[str, Any]

    def of(self, name: str) -> Any:
        return self.users[name]


def employ(company_id: int, email: str, name: str, role: Role = "administrator") -> Any:
    """A new person who works for the company, which has told everything about itself."""
    if not company_information(platform_scope(), company_id).is_complete:
        inform(company_id)
    user = get_user_model().objects.create_user(email=email, password=None, name=name)
    user.password = _hashed(settings.PASSWORD_HASHERS[0])
    user.save(update_fields=["password"])
    add_employee(platform_scope(), user=user, company_id=company_id, role=role)
    return user


@cache
def _hashed(_hasher: str) -> str:
    """Hashed once for all: that takes a tenth of a second."""
    return make_password(PASSWORD)


def employ_people(world: World) -> People:
    """Administrators of the platform, the resellers and a company."""
    names = {"twin": "Tilda North", "rhea": "Ruth Reed", "strand": "Stan Shore", "sola": "Sol Sun", "acme": "Ann Acre"}
    return People(
        {name: employ(world.parties[name].id, f"{name}@example.com", person) for name, person in names.items()}
    )
