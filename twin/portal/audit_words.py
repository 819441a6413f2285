"""What the record of security says, in the words of the active language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from twin.billing.errors import BillingInvalid
from twin.billing.rules.figures import minor_words
from twin.billing.rules.rounding import typed_minor
from twin.companies.rules.information import FIELDS
from twin.companies.rules.record import REFUSALS
from twin.companies.types import RecordedEvent
from twin.kernel.period import InstantUnreadable, parse_instant
from twin.kernel.security_events import Event
from twin.portal.company_form import long_label
from twin.portal.company_words import kind_words, state_words
from twin.portal.people_words import role_words
from twin.portal.report_words import active_language
from twin.portal.words import moment_words

GROUP_WORDS: Final[dict[str, Promise]] = {
    "signing_in": _("Signing in"),
    "refusals": _("Refusals"),
    "accounts": _("Accounts"),
    "access": _("Access"),
    "company": _("Company"),
    "money": _("Prices and payments"),
}
EVENT_WORDS: Final[dict[Event, Promise]] = {
    "signed_in": pgettext_lazy("event", "Signed in"),
    "signed_out": _("Signed out"),
    "sign_in_failed": _("Wrong email or password"),
    "sign_in_refused": _("Sign-in refused"),
    "session_expired": _("Session ended by time"),
    "session_ended": _("Session ended"),
    "sessions_ended": _("Sessions ended"),
    "second_factor_accepted": _("Second factor given"),
    "second_factor_refused": _("Wrong second factor"),
    "reauthenticated": _("Password given once more"),
    "reauthentication_refused": _("Wrong password given once more"),
    "access_refused": _("Access refused"),
    "limit_reached": _("Too many requests"),
    "sending_refused": _("Too many messages asked for"),
    "password_changed": _("Password changed"),
    "password_change_refused": _("Change of the password refused"),
    "password_recovered": _("Password recovered"),
    "recovery_asked": _("Recovery of the password asked for"),
    "email_change_asked": _("Change of the email asked for"),
    "email_change_refused": _("Change of the email refused"),
    "email_changed": _("Email changed"),
    "phone_change_asked": _("Change of the phone asked for"),
    "phone_change_refused": _("Change of the phone refused"),
    "phone_changed": _("Phone changed"),
    "recovery_codes_renewed": _("Recovery codes made anew"),
    "second_factors_reset": _("Second factors reset"),
    "factor_reset_started": _("Reset of the second factor started"),
    "factor_reset_refused": _("Reset of the second factor refused"),
    "registration_begun": _("Registration begun"),
    "registration_email_confirmed": _("Email confirmed"),
    "registration_email_refused": _("Wrong code for an email"),
    "registration_phone_refused": _("Wrong code for a phone"),
    "registered": _("Registered"),
    "app_added": _("Authenticator app set up"),
    "app_removed": _("Authenticator app removed"),
    "passkey_added": _("Passkey added"),
    "passkey_removed": _("Passkey removed"),
    "employee.added": _("Person added"),
    "employee.role_changed": _("Role changed"),
    "employee.max_dialogs_changed": _("Maximum number of dialogs changed"),
    "employee.blocked": _("Person blocked"),
    "employee.unblocked": _("Person unblocked"),
    "employee.removed": _("Person removed"),
    "employee.sessions_ended": _("Sessions of a person ended"),
    "invitation.sent": _("Invitation sent"),
    "invitation.withdrawn": _("Invitation withdrawn"),
    "invitation.accepted": _("Invitation accepted"),
    "api_key.created": _("API key made"),
    "api_key.revoked": _("API key revoked"),
    "record.exported": _("Audit exported"),
    "second_factor_demanded": _("Second factor demanded of everybody"),
    "second_factor_left_open": _("Second factor left to each person"),
    "acting.begun": _("Signed in as administrator"),
    "acting.looked": _("Page looked at, as administrator"),
    "acting.changed": _("Change sent, as administrator"),
    "acting.ended": _("Signed out as administrator"),
    "attachment.sent": _("Company invited"),
    "attachment.withdrawn": _("Invitation of a company withdrawn"),
    "attachment.declined": _("Invitation of a reseller declined"),
    "company.attached": _("Invitation of a reseller accepted"),
    "company.left": _("Company left"),
    "company.list_exported": _("List of companies exported"),
    "company.changed": _("Company information changed"),
    "company.created": _("Company created"),
    "company.blocked": _("Company blocked"),
    "company.closed": _("Company closed"),
    "company.made_reseller": _("Company made a reseller"),
    "company.active": _("Company active again"),
    "company.moved": _("Company moved"),
    "rate_card.created": _("Rate card created"),
    "rate_card.assigned": _("Rate card assigned"),
    "rates.published": _("Rates published"),
    "default_card.chosen": _("Rate card for new companies chosen"),
    "charges.corrected": _("Charges corrected"),
    "event.withdrawn": _("Usage taken back"),
    "payment.recorded": _("Payment recorded"),
    "payment.reversed": _("Payment or refund undone"),
    "refund.recorded": _("Refund recorded"),
    "account.changed": _("Terms of payment changed"),
    "credit_note.issued": _("Credit note issued"),
    "top_up.requested": _("Top-up requested"),
}
_BY_NAME: Final[Mapping[str, Promise]] = {str(event): words for event, words in EVENT_WORDS.items()}
_FIELD_WORDS: Final[dict[str, Promise]] = {
    "name": pgettext_lazy("name of a thing", "Name"),
    "email": _("Email"),
    "role": _("Role"),
    "reason": _("Reason"),
    "old": pgettext_lazy("what it was", "Before"),
    "new": pgettext_lazy("what it became", "Now"),
    "changed": _("Changed"),
    "method": _("Method"),
    "path": _("Address of the page"),
    "permissions": _("What it may do"),
    "prefix": _("Begins with"),
    "expires": _("Valid until"),
    "keys": _("API keys"),
    "sessions": _("Sessions"),
    "invitations": _("Invitations"),
    "number": _("Number"),
    "factor": _("Second factor"),
    "limit": _("Limit"),
    "version": _("Version"),
    "max_dialogs": _("Maximum number of dialogs"),
    "effective_from": _("From"),
    "rate_card_id": _("Rate card"),
    "seller_id": _("Seller"),
    "parent_id": _("Seller"),
    "buyer_id": _("Company"),
    "meters": _("Meters"),
    "copied_from": _("Copied from rate card"),
    "percent": _("Changed by per cent"),
    "before": pgettext_lazy("what it was", "Before"),
    "after": pgettext_lazy("what it became", "Now"),
    "kind": pgettext_lazy("of a company", "Kind"),
    "default": _("As the card for new companies"),
    "step": _("Step"),
    "invited": _("By invitation"),
    "by": _("Carried out by"),
    "transaction": _("Transaction"),
    "amount": _("Amount"),
    "reference": pgettext_lazy("of a payment", "Reference"),
    "corrects": _("Corrects"),
    "mode": pgettext_lazy("of an account", "Mode"),
    "credit_limit": _("Credit limit"),
    "warnings": _("Warnings"),
    "way": pgettext_lazy("of acting for a company", "Way"),
    "ended_by": _("Ended by"),
    "seller": _("Seller"),
    "rerating_id": _("Correction"),
    "start": _("From"),
    "end": _("To"),
    "source": _("Source"),
    "event_id": _("Event"),
}
# Said in a place of their own.
_ELSEWHERE: Final = (
    *("person_id", "key_id", "invitation_id", "by_key_id", "by_key"),
    *("acting_id", "acting_from", "attachment_id"),
)
_ACTING: Final[dict[str, Promise]] = {
    "look": _("only looking"),
    "change": _("looking and changing"),
    "person": _("the person"),
    "time": _("the time"),
    "right": _("the right to it, which was lost"),
    "leaving": _("signing out"),
}
_MODES: Final[dict[str, Promise]] = {"postpaid": _("afterwards, by invoice"), "prepaid": _("in advance")}
# Said by who stands beside the event.
_UNSAID: Final = (("by", "operator"), ("by", "person"))


def event_words(event: str) -> str:
    """The event as a sentence's beginning; one that has no words yet, by its code."""
    return str(_BY_NAME.get(event, event))


def _changed_words(field: str) -> str:
    return gettext("External id") if field == "external_id" else (long_label(field) if field in FIELDS else field)


def actor_words(event: RecordedEvent) -> str:
    """Who did it: a person, a key of the API by its name and number, the operator at the console."""
    if event.person and event.fields.get("acting_from"):
        return f"{event.person} ({event.fields['acting_from']})"
    if event.person:
        return event.person
    if event.fields.get("by_key_id"):
        return _key_words(str(event.fields.get("by_key", "")), event.fields["by_key_id"])
    if event.fields.get("by") == "operator":
        return gettext("the operator at the console")
    return gettext("somebody unknown") if event.event in REFUSALS else gettext("the operator or a key")


def _key_words(name: str, number: object) -> str:
    return gettext("API key “%(name)s” (%(number)s)") % {"name": name, "number": number}


def field_words(event: RecordedEvent, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """What else is known of an event, named and in words; what is empty is left out."""
    for name, value in event.fields.items():
        if name not in _ELSEWHERE and (name, value) not in _UNSAID and value not in (None, "", [], 0):
            known = _company_words(event, name, value) or _moment_words(name, value, zone) or _amount_words(name, value)
            yield str(_FIELD_WORDS.get(name, name)), known or _value_words(name, value)


def _company_words(event: RecordedEvent, name: str, value: object) -> str:
    """The name before the number, where the reader sees that company."""
    is_company = name in ("buyer_id", "parent_id") or (name == "before" and event.event == "company.moved")
    known = event.names.get(str(value), "") if is_company else ""
    return f"{known} {value}" if known else ""


def _moment_words(name: str, value: object, zone: ZoneInfo) -> str:
    """An instant in the reader's time, to the second; what is none stays as it is."""
    if name not in ("effective_from", "expires"):
        return ""
    try:
        return moment_words(parse_instant(str(value)).replace(microsecond=0), zone)
    except InstantUnreadable:
        return ""


def _amount_words(name: str, value: object) -> str:
    """`3000.00 EUR` as the reader writes it; what is no amount stays as it is."""
    if name not in ("amount", "credit_limit"):
        return ""
    number, _space, currency = str(value).rpartition(" ")
    try:
        return f"{minor_words(typed_minor(number, currency), currency, active_language())} {currency}"
    except BillingInvalid:
        return ""


def _value_words(name: str, value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "changed":
        return ", ".join(_changed_words(each) for each in str(value).split())
    if name in ("way", "ended_by"):
        return str(_ACTING.get(str(value), value))
    if name == "kind":
        return kind_words(str(value))
    if name == "mode":
        return str(_MODES.get(str(value), value))
    if name in ("role", "old", "new", "before", "after"):
        return state_words(role_words(str(value)))
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value)
