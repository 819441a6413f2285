"""While somebody acts for a company: every page, by reading and by writing, in both ways of acting.

The addresses and forms are those of `test_matrix`; what is aimed at belongs to the company. Whoever
acts is the platform's administrator for the reseller Rhea, and Rhea's for its company Acme.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.portal import test_matrix
from tests.portal.people import PASSWORD, People
from tests.portal.test_matrix import EXPECTED, VISITORS, Route, routes
from tests.world import World
from twin.companies.models import Acting as ActingRow
from twin.portal import acting_gate

# Pages that are nobody's: for strangers only, or doors of machines. While acting they are closed too.
OUTSIDE: Final = frozenset(
    (
        *("account_login", "mfa_authenticate", "mfa_login_webauthn"),
        *("registration", "registration_email", "registration_email_again", "registration_phone"),
        *("registration_phone_again", "registration_number", "recovery", "recovery_link", "new_password"),
        *("sms_receipt", "factor_reset", "factor_reset_code", "factor_reset_link"),
    )
)
# What stays with the company's own people whatever was asked for.
CLOSED: Final = frozenset(
    (
        *("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
        *("security", "security_profile", "security_password", "security_email", "security_email_code"),
        *("security_phone", "security_phone_code", "security_resend", "second_factor", "remove_factor"),
        *("security_app", "add_passkey", "rename_passkey", "recovery_codes", "download_recovery_codes"),
        *("renew_recovery_codes", "demand_second_factor", "end_session", "end_other_sessions"),
        *("start_factor_reset", "new_api_key", "api_key_made"),
        *("company_register_user", "companies_create", "invitation", "invitation_link"),
        *("companies_attach", "attachment_resend", "attachment_withdraw"),
        *("attachment", "attachment_decline", "attachment_link", "acting_begin"),
        # What settles money is the company's own to say.
        *("statement_late", "statement_sign_off", "invoice_credit", "billing_logo_change"),
        *("balance_top_up", "buyer_payment", "buyer_refund", "buyer_terms", "payment_undo"),
        *("bank_file", "bank_file_record"),
    )
)
# What the addresses aim at.
ids = test_matrix.ids
# Whoever acts in which place.
PLACES: Final = {"rhea": "acme", "twin": "rhea"}
# They end the acting of the cell after; tried in `test_acting`.
LEAVING: Final = frozenset(("acting_end", "account_logout"))


def listed() -> dict[str, frozenset[str]]:
    return {
        "always": frozenset(name.removeprefix("portal:") for name in acting_gate.ALWAYS),
        "read": frozenset(name.removeprefix("portal:") for name in acting_gate.READ),
        "change": frozenset(name.removeprefix("portal:") for name in acting_gate.CHANGE),
    }


# The gate knows pages and whether a method is a safe one: one visitor tries the rarer methods.
ONE_OF_THEM = ("rhea", "look")


@pytest.fixture(scope="module")
def sessions(small_world: World, people: People) -> dict[tuple[str, str], str]:
    """The session of Rhea's administrator at Acme, and of the platform's at Rhea, in each way."""
    made = {}
    for who, whom in (("rhea", small_world.acme.id), ("twin", small_world.rhea.id)):
        for way in ("look", "change"):
            client = Client()
            client.post("/login", {"login": people.of(who).email, "password": PASSWORD})
            answer = client.post(f"/companies/{whom}/act", {"reason": "Ticket 7", "way": way})
            assert answer.status_code == 302, answer.content
            made[who, way] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return made


def address_of(name: str, route: Route, ids: dict[str, int]) -> str:
    full = name if name.startswith(("account_", "mfa_")) else f"portal:{name}"
    return reverse(full, args=[ids.get(each, each) for each in route.args])


def status(session: str, method: str, address: str, form: dict[str, Any]) -> int:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session
    with transaction.atomic():
        answer = getattr(client, method)(address, form if method == "post" else None)
        transaction.set_rollback(True)
    return int(answer.status_code)


def test_every_page_is_open_or_closed_knowingly() -> None:
    known = OUTSIDE | CLOSED | frozenset().union(*listed().values())
    assert sorted(set(routes()) - known) == [], "say in portal/acting_gate.py or here what whoever acts may do there"
    assert sorted((OUTSIDE | CLOSED) & frozenset().union(*listed().values())) == []


def test_few_pages_are_open_by_every_method() -> None:
    assert listed()["always"] == {"acting_end", "account_logout", "language", "theme", "report_columns", "csp_report"}


def answer_at(place: str, cells: str) -> int:
    """What an administrator of that company gets, as `test_matrix` says."""
    letter = cells if len(cells) == 1 else cells[VISITORS.index(place)]
    return {"O": 200, "R": 302, "B": 400, "F": 403, "N": 404, "M": 405, "T": 415, "U": 422}[letter]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_reading(name: str, sessions: dict[tuple[str, str], str], ids: dict[str, int]) -> None:
    """What is to be looked at is answered as its company's administrator gets it; all else is refused."""
    route = EXPECTED[name]
    is_open = name in listed()["read"] | listed()["always"]
    for (who, way), session in sessions.items():
        wanted = answer_at(PLACES[who], route.get) if is_open else 403
        is_tried_whole = not is_open and (who, way) == ONE_OF_THEM
        for method in ("get", "head", "options") if is_tried_whole else ("get",):
            assert status(session, method, address_of(name, route, ids), {}) == wanted, (who, way, method)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - LEAVING))
def test_writing(name: str, sessions: dict[tuple[str, str], str], ids: dict[str, int]) -> None:
    """Only looking nothing is sent; changing, what is listed, answered as the company's administrator gets it."""
    route = EXPECTED[name]
    address = address_of(name, route, ids)
    form = {field: ids.get(value, value) for field, value in route.form.items()}
    for (who, way), session in sessions.items():
        is_open = name in listed()["always"] or (way == "change" and name in listed()["change"])
        wanted = answer_at(PLACES[who], route.post) if is_open else 403
        assert status(session, "post", address, form) == wanted, (who, way)
        for method in ("put", "patch", "delete") if (who, way) == ONE_OF_THEM else ():
            assert (status(session, method, address, form) != 403) == is_open, (who, way, method)


def test_the_cells_above_were_all_acted_in(sessions: dict[tuple[str, str], str]) -> None:
    """None of them ended it, so that they meant something."""
    assert ActingRow.objects.using("owner").filter(ended_at__isnull=True).count() == len(sessions)
    for (who, _), session in sessions.items():
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = session
        assert 'class="acting"' in client.get("/users").text, who
