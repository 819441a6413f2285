from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from twin.companies.access import offer_behind, platform_scope
from twin.companies.queries import employees, open_invitations
from twin.demo.actions import load_world
from twin.demo.rules.colleagues import COLLEAGUES
from twin.demo.types import WorldSize

ZONES = {
    "platform@twin.example": "Europe/Berlin",
    "olga@sever.example": "Europe/Moscow",
    "dmitri@sever.example": "Europe/Moscow",
    "miriam@nordlicht.example": "Europe/Berlin",
}

pytestmark = pytest.mark.database


def test_the_lists_of_people_show_what_there_is_to_show() -> None:
    assert load_world(size=WorldSize(events=100))
    everybody = employees(platform_scope(), limit=1000)
    assert everybody.everybody == len(COLLEAGUES) + 6
    assert everybody.blocked == 1
    assert {one.role for one in everybody.items} == {"administrator", "finance", "chat_operator"}
    assert {one.effective_max_dialogs for one in everybody.items} == {12, 20, 40, 300}
    [invitation] = open_invitations(platform_scope())
    assert (invitation.company_name, invitation.invited_by) == ("Rhea Telecom", "Anna Berger")
    assert offer_behind("A" * 43) is None
    # Times on the pages are theirs, so that lists and reports of a company say the same hour.
    assert {each.email: each.time_zone for each in get_user_model().objects.filter(email__in=ZONES)} == ZONES
