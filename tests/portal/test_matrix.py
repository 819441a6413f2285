"""Every page × every kind of visitor × reading and writing has an expected answer; a page nobody thought of fails.

What is aimed at belongs to Acme, a company of the reseller Rhea. Whatever a cell does is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from tests.billing.ledgers import issue
from tests.billing.months import close, statements_between, use
from tests.companies.employing import an_invitation
from tests.portal.people import People, employ
from tests.world import BEGINNING, World
from twin.billing.actions.payments import record_payment
from twin.companies.access import platform_scope
from twin.companies.actions import create_api_key
from twin.kernel import clock
from twin.kernel.period import Period
from twin.metering.actions import ask_rerating
from twin.portal.urls import urlpatterns

# Strangers, three roles at Acme, its reseller, another reseller, the platform: each an administrator unless said.
VISITORS: Final = ("nobody", "operator", "finance", "acme", "rhea", "strand", "twin")

# What a letter promises.
ANSWERS: Final = {
    "O": "the page",
    "R": "led on",
    "L": "asked to sign in",
    "C": "asked for the password once more",
    "U": "the page with what is wrong",
    "B": "a request that cannot be read",
    "F": "forbidden",
    "N": "not found",
    "M": "never by this method",
    "T": "of a type that is not read",
}
# Where all get the same, these speak for them.
SOME: Final = ("nobody", "operator", "twin")


@dataclass(frozen=True)
class Route:
    """What each of VISITORS gets by GET and by POST of `form`; one letter counts for all."""

    get: str
    post: str = "M"
    args: tuple[str, ...] = ()
    form: dict[str, Any] = field(default_factory=dict)


PERSON: Final = ("acme", "target")
INVITATION: Final = ("acme", "invitation")
GUEST: Final = {"name": "E", "email": "e@example.org", "role": "finance", "company": "acme"}
SECRET: Final = ("A" * 43,)
# A page of one's own: for everybody who is signed in; where it changes something, behind the password.
OWN: Final = "LOOOOOO"
PROVEN: Final = "LCCCCCC"
# Deeds about a person: only administrators; a reseller sees them, their company and the platform act.
DEED: Final = "LNNRFNR"
# What a seller does about a company beneath it, and its page.
BENEATH: Final = "LNNNRNR"
BENEATH_PAGE: Final = "LNNNONO"
# A card of a seller: nobody else finds it.
CARD: Final = "LNNNUNN"
CARD_PAGE: Final = "LNNNONN"
# What is an organisation's with companies beneath it.
REPORT: Final = "LNNNRRR"

EXPECTED: Final[dict[str, Route]] = {
    # Outside
    "home": Route("O"),
    "legal": Route("O", args=("terms",)),
    "legal_version": Route("O", args=("terms", "2026-11-22")),
    "csp_report": Route("M", "T"),
    # In the demonstration only.
    "outbox": Route("N"),
    "styleguide": Route("N"),
    "sms_receipt": Route("N", args=("x",)),
    "language": Route("M", "R", form={"language": "en"}),
    "theme": Route("M", "R", form={"theme": "dark"}),
    "account_login": Route("ORRRRRR", "ORRRRRR"),
    "account_logout": Route("ROOOOOO", "R"),
    "mfa_authenticate": Route("R", "R"),
    "mfa_login_webauthn": Route("R", "R"),
    "registration": Route("ORRRRRR", "ORRRRRR"),
    "registration_email": Route("R", "R"),
    "registration_email_again": Route("M", "R"),
    "registration_phone": Route("R", "R"),
    "registration_phone_again": Route("M", "R"),
    "registration_number": Route("R", "R"),
    "recovery": Route("O", "O"),
    "recovery_link": Route("R", args=SECRET),
    "new_password": Route("N", "N"),
    "invitation": Route("N", "N"),
    "invitation_link": Route("N", args=SECRET),
    "factor_reset": Route("N", "N"),
    "factor_reset_code": Route("N", "N"),
    "factor_reset_link": Route("R", args=SECRET),
    # One's own
    "personal_account": Route("LORRRRR"),
    "account_reauthenticate": Route(OWN, OWN),
    "mfa_reauthenticate": Route(PROVEN, PROVEN),
    "mfa_reauthenticate_webauthn": Route(PROVEN, PROVEN),
    "report_columns": Route("M", "LBBBBBB"),
    "security": Route(OWN),
    "security_profile": Route(OWN, OWN),
    "security_password": Route(OWN, OWN),
    "security_email": Route(PROVEN, PROVEN),
    "security_email_code": Route(PROVEN, PROVEN),
    "security_phone": Route(PROVEN, PROVEN),
    "security_phone_code": Route(PROVEN, PROVEN),
    "security_resend": Route("M", PROVEN, args=("email",)),
    "second_factor": Route(OWN),
    "remove_factor": Route(PROVEN, PROVEN, args=("1",)),
    "security_app": Route(PROVEN, PROVEN),
    "add_passkey": Route(PROVEN, PROVEN),
    "rename_passkey": Route(PROVEN, PROVEN, args=("1",)),
    "recovery_codes": Route(PROVEN, PROVEN),
    "download_recovery_codes": Route(PROVEN),
    "renew_recovery_codes": Route("M", PROVEN),
    "demand_second_factor": Route("M", PROVEN),
    "end_session": Route("M", "LNNNNNN", args=("1",)),
    "end_other_sessions": Route("M", "LRRRRRR"),
    # The company
    "company": Route("LNNOOOO", "LNNUUUU"),
    "company_draft": Route("LRRRRRR", "LNNRRRR"),
    "company_draft_discard": Route("LRRRRRR", "LNNRRRR"),
    "company_register_user": Route("LRRRRRR", PROVEN.replace("CC", "NN", 1)),
    # Companies beneath
    "companies": Route("LNNNOOO"),
    "companies_create": Route("LNNNOOO", "LNNNUUU"),
    "companies_attach": Route("LNNNOON", "LNNNUUN"),
    "attachment_resend": Route("M", "LNNNNNN", args=("1",)),
    "attachment_withdraw": Route("M", "LNNNNNN", args=("1",)),
    "attachment": Route("N", "N"),
    "attachment_decline": Route("M", "LNNNNNN"),
    "attachment_link": Route("N", args=SECRET),
    "acting_begin": Route("LNNNCNC", "LNNNCNC", args=("acme",)),
    "acting_end": Route("M", "LRRRRRR"),
    "one_company": Route(BENEATH_PAGE, args=("acme",)),
    "company_edit": Route("M", BENEATH, ("acme",), {"name": "Acme", "time_zone": "UTC"}),
    "company_reseller": Route("M", BENEATH, ("acme",)),
    "company_block": Route("M", BENEATH, ("acme",), {"reason": "x"}),
    "company_close": Route("M", BENEATH, ("acme",), {"reason": "x"}),
    "company_activate": Route("M", BENEATH, ("acme",)),
    "company_move": Route("M", "LNNNNNU", ("acme",), {"parent_id": "acme"}),
    "companies_file": Route("LNNNOOO"),
    "company_card": Route(CARD_PAGE, CARD, ("acme",)),
    # Prices: each seller its own; the card is Rhea's
    "prices": Route("LNNNOOO", "LNNNUUU"),
    "prices_paid": Route("LNNNOON"),
    "rate_card": Route(CARD_PAGE, args=("card",)),
    "rate_add": Route("M", CARD, ("card",)),
    "card_assign": Route(CARD_PAGE, CARD, ("card",)),
    "card_copy": Route("M", CARD, ("card",)),
    "card_default": Route("M", "LNNNRNN", ("card",)),
    "rates_file": Route(CARD_PAGE, args=("card",)),
    "rates_import": Route(CARD_PAGE, CARD, ("card",)),
    "card_trial": Route(CARD_PAGE, CARD_PAGE, ("card",)),
    "books": Route("LNNNOOO"),
    # Corrections: each seller its own; the one asked about is Rhea's
    "correct_rate": Route("M", "LNNNRNN", ("card",)),
    "correct_assignment": Route("M", "LNNNRNN", ("card",)),
    "corrections": Route("LNNNOOO", "LNNNUUU"),
    "correction": Route(CARD_PAGE, args=("correction",)),
    "correction_decide": Route("M", CARD, ("correction",)),
    "correction_discard": Route("M", "LNNNRNN", ("correction",)),
    # It is counted over another connection, which would wait for what the cell rolls back.
    "correction_recount": Route("M", "LNNNNNN", args=("999",)),
    # People
    "users": Route("LNNOOOO"),
    "users_invite": Route(
        "LNNOOOO", "LNNRUUR", form={"name": "E", "email": "e@example.org", "role": "finance", "company": "acme"}
    ),
    "user": Route("LNNOONO", args=PERSON),
    "user_role": Route("M", DEED, PERSON, {"role": "finance"}),
    "user_dialogs": Route("M", DEED, PERSON, {"max_dialogs": "7"}),
    "user_block": Route("M", DEED, PERSON, {"reason": "x"}),
    "user_unblock": Route("M", DEED, PERSON),
    "user_sessions": Route("M", DEED, PERSON),
    "user_remove": Route("M", DEED, PERSON),
    "invitation_resend": Route("M", DEED, INVITATION),
    "invitation_withdraw": Route("M", DEED, INVITATION),
    "start_factor_reset": Route("M", PROVEN, PERSON),
    # Keys of the API: administrators, each for the own company
    "api_keys": Route("LNNOOOO"),
    "new_api_key": Route("LNNCCCC", "LNNCCCC"),
    "api_key_made": Route("LNNRRRR"),
    "revoke_api_key": Route("M", "LNNRNNN", args=("key",)),
    "api_reference": Route(OWN),
    # The record: administrators
    "audit": Route("LNNOOOO"),
    "audit_file": Route("LNNOOOO"),
    # Statements: both parties; what Rhea made for Acme
    "invoices": Route("LNOOOOO"),
    "invoices_file": Route("LNRRRRR"),
    "invoice": Route("LNOOONN", args=("invoice",)),
    "invoice_pdf": Route("LNOOONN", args=("invoice",)),
    "invoice_credit": Route(CARD_PAGE, "LNNNCNN", ("invoice",)),
    "statements": Route("LNOOOOO"),
    "statement": Route("LNOOONN", args=("statement",)),
    "statement_sign_off": Route("M", CARD, ("statement",)),
    "statement_late": Route("M", CARD, ("statement",)),
    "statement_line": Route("LNOOONN", args=("statement", "1")),
    "open_statement": Route("LNOOONN", args=("rhea", "acme")),
    "open_statement_line": Route("LNOOONN", args=("rhea", "acme", "1")),
    # Money: the own balance, that of buyers, payments
    "balance": Route("LNOOOON"),
    "balance_file": Route("LNRRRRN"),
    "balance_top_up": Route("M", "LNUUUUN"),
    "balances": Route("LNNNOOO"),
    "balances_file": Route("LNNNRRR"),
    "buyer": Route(CARD_PAGE, args=("acme",)),
    "buyer_file": Route("LNNNRNN", args=("acme",)),
    "buyer_payment": Route("M", CARD, ("acme",)),
    "buyer_refund": Route("M", CARD, ("acme",)),
    "buyer_terms": Route("M", CARD, ("acme",)),
    "payments": Route("LNNNOOO"),
    "payments_file": Route("LNNNRRR"),
    "payment": Route(CARD_PAGE, args=("payment",)),
    "payment_undo": Route("M", CARD, ("payment",)),
    "bank_file": Route("LNNNOOO", "LNNNUUU"),
    "bank_file_record": Route("M", "LNNNRRR"),
    "billing_settings": Route("LNNNOOO", "LNNNUUU"),
    "billing_logo_change": Route("M", "LNNNUUU"),
    "billing_logo": Route("LNNNNNN"),
    # Reports
    "reseller_companies": Route(REPORT),
    "resellers": Route("LNNNNNR"),
    "usage": Route("LNRRRRR"),
    "drill_down": Route(REPORT, args=("acme",)),
    "report_file": Route(REPORT, REPORT),
    "events_file": Route(REPORT, REPORT, args=("acme",)),
    "usage_file": Route("LNRRRRR"),
    "files": Route("LNOOOOO"),
    "file": Route("LNNNNNN", args=("1",)),
    "fetch_file": Route("LNNNNNN", args=("1",)),
    "remove_file": Route("M", "LNNNNNN", args=("1",)),
}


def routes() -> Iterator[str]:
    """The names of all pages."""

    def within(patterns: Any) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from within(pattern.url_patterns)
            elif isinstance(pattern, URLPattern):
                yield str(pattern.name)

    return within(urlpatterns)


@pytest.fixture(scope="module")
def ids(small_world: World, people: People) -> dict[str, int]:
    invitation, _ = an_invitation(platform_scope(), company_id=small_world.acme.id, role="finance")
    target = employ(small_world.acme.id, "target@example.com", "Tara Get", "chat_operator")
    key, _ = create_api_key(platform_scope(), small_world.acme.id, ("reports:read",), name="aim")
    asked = ask_rerating(small_world.rhea.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1)))
    cards = {"card": small_world.rhea_card.id, "correction": asked.id}
    use(small_world.acme.id, "2026-01-10T12:00")
    use(small_world.acme.id, clock.now())
    close(small_world.rhea, "2026-02-02T00:00", tell=False)
    (stated,) = statements_between(small_world.rhea, small_world.acme.id)
    cards |= {"statement": stated.id or 0, "rhea": small_world.rhea.id}
    cards["invoice"] = issue(small_world.rhea, small_world.acme.id, 1000).id
    paid_at = clock.now()
    acme = small_world.acme.id
    cards["payment"] = record_payment(small_world.rhea.scope, buyer_id=acme, amount_minor=500, at=paid_at)
    return {**cards, "acme": small_world.acme.id, "target": target.pk, "invitation": invitation.id, "key": key.id}


@pytest.fixture(scope="module")
def sessions(small_world: World, people: People) -> dict[str, str]:
    """The session key of each visitor."""
    users: dict[str, Any] = {name: people.of(name) for name in ("acme", "rhea", "strand", "twin")}
    users["operator"] = employ(small_world.acme.id, "operator@example.com", "Otto Per", "chat_operator")
    users["finance"] = employ(small_world.acme.id, "finance@example.com", "Fiona Nance", "finance")
    made = {"nobody": ""}
    for name, user in users.items():
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        made[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return made


def browser(session: str) -> Client:
    """A new one for each cell: what the cell before was given is not brought along."""
    client = Client()
    if session:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    return client


def letter(answer: HttpResponseBase) -> str:
    if answer.status_code == 302:
        target = answer.headers["Location"]
        if target.startswith("/login?next="):
            return "L"
        return "C" if target.startswith("/security/confirm") else "R"
    known = {200: "O", 400: "B", 403: "F", 404: "N", 405: "M", 415: "T", 422: "U"}
    return known.get(answer.status_code, str(answer.status_code))


def answers(name: str, method: str, sessions: dict[str, str], ids: dict[str, int]) -> str:
    route = EXPECTED[name]
    full = name if name.startswith(("account_", "mfa_")) else f"portal:{name}"
    address = reverse(full, args=[ids.get(each, each) for each in route.args])
    form = {field: ids.get(value, value) for field, value in route.form.items()}
    found = []
    for visitor in VISITORS if len(getattr(route, method)) > 1 else SOME:
        client = browser(sessions[visitor])
        with transaction.atomic():
            answer = client.get(address) if method == "get" else client.post(address, form)
            transaction.set_rollback(True)
        found.append(letter(answer))
    return "".join(found) if all(len(each) == 1 for each in found) else " ".join(found)


def test_every_page_has_its_expected_answers() -> None:
    assert sorted(set(routes()) ^ set(EXPECTED)) == []


@pytest.mark.parametrize("name", sorted(EXPECTED))
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_visitor_gets_what_is_expected(
    name: str, method: str, sessions: dict[str, str], ids: dict[str, int]
) -> None:
    wanted = getattr(EXPECTED[name], method)
    found = answers(name, method, sessions, ids)
    assert set(wanted) <= set(ANSWERS), found
    assert found == (wanted if len(wanted) > 1 else wanted * len(SOME))
