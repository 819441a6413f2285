"""Whether the demonstration is there, and how to enter it.

These are asked before anybody has signed in, so they take no scope and tell nothing but
what the demonstration itself is made of.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_noop

from twin.demo.rules.cast import AUSTRIA, BALTIC, NORTH, PEOPLE, PLATFORM_NAME, RHEA, SELLERS, customers
from twin.demo.rules.crowd import MAGNA, MAGNA_PERSON
from twin.demo.types import SignIn, WorldSize

_ROLES = {
    "": gettext_noop("Platform administrator"),
    RHEA: gettext_noop("Reseller administrator"),
    BALTIC: gettext_noop("Reseller administrator"),
    NORTH: gettext_noop("Reseller administrator"),
    AUSTRIA: gettext_noop("Sub-reseller administrator"),
}
_COMPANY_ROLE = gettext_noop("Company administrator")


def is_begun() -> bool:
    """Whether loading the demonstration has begun here; its catalogue then stands whole."""
    return _exists(PEOPLE[0].email)


def is_loaded() -> bool:
    """Whether the whole demonstration is here: its last person is written after everything else."""
    return _exists(PEOPLE[-1].email)


def sign_ins() -> list[SignIn]:
    """The ways into the demonstration; none unless it is loaded."""
    if not is_loaded():
        return []
    names = {seller.code: seller.name for seller in SELLERS}
    names |= {customer.code: customer.name for customer in customers(WorldSize())}
    return [
        SignIn(
            role=_ROLES.get(person.employer, _COMPANY_ROLE),
            email=person.email,
            password=person.password,
            company=names.get(person.employer, PLATFORM_NAME),
        )
        for person in PEOPLE
    ] + _crowds_sign_in()


def _crowds_sign_in() -> list[SignIn]:
    """The way to the reseller of the large world, where it was added."""
    if not _exists(MAGNA_PERSON.email):
        return []
    return [SignIn(gettext_noop("Reseller administrator"), MAGNA_PERSON.email, MAGNA_PERSON.password, MAGNA.name)]


def _exists(email: str) -> bool:
    return get_user_model().objects.filter(email=email).exists()
