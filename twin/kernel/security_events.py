"""Every event that the record of security may hold; a new one is named here before anything can record it."""

from __future__ import annotations

from typing import Literal, get_args

Event = Literal[
    # Signing in.
    "signed_in",
    "signed_out",
    "sign_in_failed",
    "sign_in_refused",
    "session_expired",
    "session_ended",
    "sessions_ended",
    "second_factor_accepted",
    "second_factor_refused",
    "reauthenticated",
    "reauthentication_refused",
    # Refusals.
    "access_refused",
    "limit_reached",
    "sending_refused",
    # Accounts.
    "registration_begun",
    "registration_email_confirmed",
    "registration_email_refused",
    "registration_phone_refused",
    "registered",
    "recovery_asked",
    "password_recovered",
    "password_changed",
    "password_change_refused",
    "email_change_asked",
    "email_change_refused",
    "email_changed",
    "phone_change_asked",
    "phone_change_refused",
    "phone_changed",
    "app_added",
    "app_removed",
    "passkey_added",
    "passkey_removed",
    "recovery_codes_renewed",
    "second_factors_reset",
    "factor_reset_started",
    "factor_reset_refused",
    # Access.
    "employee.added",
    "employee.role_changed",
    "employee.max_dialogs_changed",
    "employee.blocked",
    "employee.unblocked",
    "employee.removed",
    "employee.sessions_ended",
    "invitation.sent",
    "invitation.withdrawn",
    "invitation.accepted",
    "api_key.created",
    "api_key.revoked",
    "record.exported",
    "second_factor_demanded",
    "second_factor_left_open",
    # Companies.
    "company.created",
    "company.changed",
    "company.blocked",
    "company.closed",
    "company.active",
    "company.made_reseller",
    "company.moved",
    "company.left",
    # Prices.
    "rate_card.created",
    "rate_card.assigned",
    "rates.published",
    "default_card.chosen",
]
EVENTS: frozenset[str] = frozenset(get_args(Event))
    # Charges.
    "charges.corrected",
    "event.withdrawn",
