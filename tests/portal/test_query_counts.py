"""No page asks the database more often when there is more to show: one table over all pages that are read.

Each page is read in a world with a little of everything, then again with several times as much: by Rhea, or by the
first of the others to whom it shows something. A new page has no count and fails until it is in the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

import pytest
import time_machine
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import path, reverse
from fido2.cose import ES256
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

from tests.billing.ledgers import issue
from tests.billing.months import close, statements_between, use
from tests.companies.employing import an_invitation
from tests.portal import test_matrix
from tests.portal.people import People, employ
from tests.portal.test_matrix import EXPECTED, VISITORS, routes
from tests.world import BEGINNING, Party, World
from twin.billing.actions.payments import record_payment
from twin.companies.access import platform_scope
from twin.companies.actions import create_api_key
from twin.companies.types import PERMISSIONS
from twin.kernel import clock
from twin.kernel.delivery import send_mail
from twin.kernel.period import Period
from twin.kernel.sending import attempt
from twin.metering.actions import ask_rerating, publish_rates, take_events
from twin.portal.urls import urlpatterns
from twin.pricing.actions import create_company, create_rate_card
from twin.pricing.types import NewRate
from twin.reports import storage
from twin.reports.actions import ask_for_export, begin_export, finish_export

# A first visit fills what is kept in memory, and there may be something to ask only when there is more: a question or
# two come or go. One for each row would come so many times as there are more.
FEW, MORE = 1, 4
A_FEW: Final = 2
# How many questions each page may ask: as many as it does, up to the next five.
MOST_QUESTIONS: Final[Mapping[int, str]] = {
    5: "account_login account_logout home legal legal_version outbox recovery registration styleguide",
    10: (
        "acting_begin api_keys audit audit_file bank_file companies_attach companies_create fetch_file invoices_file "
        "new_api_key personal_account remove_factor rename_passkey second_factor security_email security_password "
        "security_phone security_profile users_invite"
    ),
    15: (
        "account_reauthenticate add_passkey api_reference balances_file buyer_file file files invoice invoice_pdf "
        "prices rates_file rates_import security security_app users"
    ),
    20: (
        "balance_file billing_settings card_assign company_card correction corrections invoice_credit invoices "
        "mfa_reauthenticate_webauthn payment payments_file prices_paid usage_file user"
    ),
    25: "balances companies companies_file company payments report_file statement statements",
    30: "books card_trial events_file one_company open_statement rate_card usage",
    35: "balance buyer statement_line",
    40: "resellers",
    45: "open_statement_line",
    50: "drill_down reseller_companies",
}
# Row-level security shows one organisation's books at a time: so many questions for each one more.
FOR_EACH: Final[Mapping[str, int]] = {"resellers": 2}
# What shows nothing to anybody here; the test fails when it does.
SHOWS_NOTHING: Final[Mapping[str, str]] = {
    "leads on to a page that is counted": (
        "company_draft company_draft_discard company_register_user factor_reset_link recovery_link"
    ),
    "a step of a form for one person, led back to its beginning without what came before": (
        "api_key_made factor_reset factor_reset_code mfa_authenticate mfa_login_webauthn new_password "
        "registration_email registration_number registration_phone security_email_code security_phone_code"
    ),
    "opened by a secret that went out by mail": "attachment attachment_link invitation invitation_link",
    "an app, codes or a picture that nobody here has": (
        "billing_logo download_recovery_codes mfa_reauthenticate recovery_codes"
    ),
    "read by the gateway of SMS": "sms_receipt",
}
# Where a transaction begins and for whom it asks.
_FRAME: Final = ("SAVEPOINT", "RELEASE", "select set_config", "select coalesce(current_setting")
READERS: Final = ("rhea", "acme", "twin", "operator", "nobody")
# What may turn out to be shown: pages, what leads on to an address that says more, what asks for the password.
_MAY_SHOW: Final = frozenset("ORC")
NOW: Final = "2026-02-03T12:00:00Z"
# What says for which time, where the page would otherwise lead on to an address that does.
OCTOBER: Final = "?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z&time_zone=UTC&has_expenses=false"
ASKED: Final[Mapping[str, str]] = {
    **dict.fromkeys(("reseller_companies", "resellers", "drill_down", "usage"), OCTOBER),
    **dict.fromkeys(("invoices_file", "balance_file", "balances_file", "buyer_file", "payments_file"), "?format=csv"),
    **dict.fromkeys(("report_file", "events_file", "usage_file"), f"{OCTOBER}&format=csv"),
    "invoices": "?side=issued",
    "card_trial": "?from=2026-01-01T00:00:00&to=2026-02-01T00:00:00&percent=10",
}
# Only where the demonstration is, as in this test.
OPENED: Final = frozenset({"outbox", "styleguide"})
# Whose page or which file, where the matrix aims at none.
AIMED: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("remove_factor", "rename_passkey"), ("passkey",)),
    **dict.fromkeys(("file", "fetch_file"), ("file",)),
}


def _add(world: World, number: int) -> None:
    """One more of everything that a list shows."""
    rhea, name = world.rhea, f"Grown {number}"
    company = create_company(
        rhea.scope, name=name, kind="company", time_zone="UTC", external_id=name, effective_from=BEGINNING
    )
    for buyer in (company.id, world.acme.id):
        use(buyer, "2026-01-10T12:00", key=f"grown-{number}", attributes={"country": f"C{number}"})
        _send_again(buyer, f"grown-{number}")
        issue(rhea, buyer, 1000 + number)
    close(rhea, "2026-02-02T00:00", tell=False)
    issue(world.twin, rhea.id, 1000 + number)
    for seller, buyer in ((rhea, company.id), (rhea, world.acme.id), (world.twin, rhea.id)):
        record_payment(seller.scope, buyer_id=buyer, amount_minor=500 + number, at=BEGINNING)
    for employer in (rhea, world.acme):
        _add_people(employer, number)
    _add_prices(rhea, name, number)
    _add_reseller(world, name)


def _send_again(company_id: int, key: str) -> None:
    """The same key with another content: a conflict."""
    event = {
        "specversion": "1.0", "type": "twin.usage", "source": "smsc-1", "id": key, "subject": str(company_id),
        "time": "2026-01-10T12:00:00Z", "data": {"meter": "sms.sent", "quantity": 7},
    }  # fmt: skip
    assert take_events(platform_scope(), json.dumps([event]).encode(), batch=True).conflicts


def _add_people(employer: Party, number: int) -> None:
    employ(employer.id, f"{number}@{employer.id}.example", f"Person {number}", "finance")
    an_invitation(platform_scope(), email=f"i{number}@{employer.id}.example", company_id=employer.id, role="finance")
    create_api_key(platform_scope(), employer.id, PERMISSIONS[:1], name=f"Key {number}")


def _add_prices(rhea: Party, name: str, number: int) -> None:
    card = create_rate_card(rhea.scope, name=name)
    price = NewRate("sms.sent", {"operator": str(number)}, 10**7, 1, 0, 1, 0, BEGINNING)
    publish_rates(rhea.scope, card_id=card.id, rates=[price])
    ask_rerating(rhea.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1 + number)))


def _add_reseller(world: World, name: str) -> None:
    """A row among all resellers, and usage of this month on the way to the platform."""
    reseller = create_company(
        world.twin.scope, name=f"{name} reseller", kind="reseller", time_zone="UTC", external_id=f"{name} reseller",
        effective_from=BEGINNING,
    )  # fmt: skip
    use(reseller.id, "2026-01-10T12:00")
    use(world.acme.id, "2026-02-02T12:00")


def _add_own(world: World, person: Any, number: int) -> dict[str, int]:
    """One more of what is a person's own: a passkey, a session, a file, a mail that waits in the outbox."""
    key = WebAuthn.add(person, f"Key {number}", _credential(number)).instance
    _client_of(person).get("/security")
    scope, question = world.rhea.scope, {
        "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z", "time_zone": "UTC", "extent": "section",
        "section": "messaging", "reseller": world.rhea.id, "has_expenses": False, "search": "", "sort": "company_id",
        "side": "sell", "hidden": [], "form": "csv",
    }  # fmt: skip
    file = ask_for_export(
        scope, person_id=person.pk, report="reseller_companies", form="csv", question=question, language="en",
        name=f"file-{number}.csv", rows_total=1,
    )  # fmt: skip
    begin_export(scope, export_id=file)
    name = storage.new_name("csv")
    storage.path_of(name).write_text("Name\n", encoding="utf-8")
    finish_export(scope, export_id=file, file=name, size=5, rows=1)
    attempt(send_mail(to=f"m{number}@example.org", subject="Code", text="It is 482137.", purpose="email_code"))
    return {"passkey": key.pk, "file": file}


def _credential(number: int) -> dict[str, Any]:
    """What a browser answers that made a passkey; its key signs nothing here."""
    key_id = str(number).encode().rjust(16, b"0")
    public = ES256({1: 2, 3: -7, -1: 1, -2: key_id * 2, -3: key_id * 2})
    held = AttestedCredentialData.create(Aaguid.NONE, key_id, public)
    data = AuthenticatorData.create(bytes(32), AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT, 0, held)
    made = AuthenticatorAttestationResponse(
        client_data=CollectedClientData.create(CollectedClientData.TYPE.CREATE, bytes(16), "http://localhost:8000"),
        attestation_object=AttestationObject.create("none", data, {}),
    )
    return dict(RegistrationResponse(raw_id=key_id, response=made))


def _client_of(person: Any) -> Client:
    """A browser whose person gave the password just now."""
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": clock.now().timestamp()}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    return client


def _address(name: str, ids: Mapping[str, Any]) -> str:
    full = name if name.startswith(("account_", "mfa_")) else f"portal:{name}"
    args = [ids.get(each, each) for each in AIMED.get(name, EXPECTED[name].args)]
    return reverse(full, args=args) + ASKED.get(name, "")


def _may_show(name: str, reader: str) -> bool:
    if name in OPENED or name in ASKED or name in AIMED:
        return True
    return (EXPECTED[name].get * len(VISITORS))[VISITORS.index(reader)] in _MAY_SHOW


def _counts(clients: Mapping[str, Client], ids: Mapping[str, Any]) -> dict[str, int]:
    """How many questions each page asks for the first reader whom it answers with 200."""
    found = {}
    for name in sorted(pages()):
        for reader in READERS:
            if _may_show(name, reader):
                number, answer = _ask(clients[reader], _address(name, ids), follow=name in ASKED)
                if answer.status_code == 200:
                    # What is somebody's own stays out of every cache, pages and files alike.
                    assert reader == "nobody" or "no-store" in answer["Cache-Control"], name
                    found[name] = number
                    break
    return found


def _ask(client: Client, address: str, *, follow: bool) -> tuple[int, HttpResponseBase]:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address, follow=follow)
        if answer.streaming:
            answer.getvalue()
    return sum(not one["sql"].startswith(_FRAME) for one in asked.captured_queries), answer


def pages() -> set[str]:
    """All that is read, also what the matrix does not know yet."""
    return {name for name in routes() if name not in EXPECTED or EXPECTED[name].get != "M"}


def uncounted() -> list[str]:
    """Pages without a count and without a reason for having none."""
    known = [*MOST_QUESTIONS.values(), *SHOWS_NOTHING.values()]
    return sorted(pages() - {name for names in known for name in names.split()})


def yes() -> bool:
    """The outbox is open."""
    return True


@pytest.fixture(scope="module")
def counted(small_world: World, people: People, django_db_blocker: Any) -> Iterator[Any]:
    """The questions of each page before and after there was more."""
    quick = override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], DEMONSTRATION_LOADED=f"{__name__}.yes"
    )
    # Open months are asked for one by one: how many there are must not depend on the day of the test.
    with django_db_blocker.unblock(), quick, time_machine.travel(NOW):
        own: dict[str, int] = {}
        for number in range(FEW):
            _add(small_world, number)
            own = _add_own(small_world, people.of("rhea"), number)
        operator = employ(small_world.acme.id, "operator@example.com", "Otto Per", "chat_operator")
        clients = {name: _client_of(people.of(name)) for name in ("rhea", "acme", "twin")}
        clients |= {"operator": _client_of(operator), "nobody": Client()}
        ids = _ids(small_world) | own | {"target": operator.pk}
        before = _counts(clients, ids)
        for number in range(FEW, FEW + MORE):
            _add(small_world, number)
            _add_own(small_world, people.of("rhea"), number)
        yield before, _counts(clients, ids)


def _ids(world: World) -> dict[str, Any]:
    acme, rhea = world.acme.id, world.rhea
    asked = ask_rerating(rhea.scope, period=Period(BEGINNING, BEGINNING + timedelta(days=1)))
    return {
        "acme": acme, "rhea": rhea.id, "card": world.rhea_card.id, "correction": asked.id,
        "statement": statements_between(rhea, acme)[0].id or 0, "invoice": issue(rhea, acme, 4321).id,
        "payment": record_payment(rhea.scope, buyer_id=acme, amount_minor=99, at=BEGINNING),
    }  # fmt: skip


def test_no_page_asks_more_often_when_there_is_more(counted: Any) -> None:
    before, after = counted
    assert len(before) > 70
    grown = {
        page: (before[page], number)
        for page, number in after.items()
        if number - before[page] - MORE * FOR_EACH.get(page, 0) >= MORE - 1
    }
    assert grown == {}


def test_no_page_asks_more_often_than_it_did(counted: Any) -> None:
    _, after = counted
    most = {page: limit for limit, pages in MOST_QUESTIONS.items() for page in pages.split()}
    assert sorted(set(after) ^ set(most)) == []
    assert {page: number for page, number in after.items() if number > most[page] + A_FEW} == {}


def test_every_page_has_a_count_or_a_reason_for_none() -> None:
    assert uncounted() == []


def test_a_new_page_without_a_count_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(_request: HttpRequest) -> HttpResponse:
        raise AssertionError("nobody opens it")

    monkeypatch.setattr(test_matrix, "urlpatterns", [*urlpatterns, path("new", page, name="new_page")])
    assert uncounted() == ["new_page"]
