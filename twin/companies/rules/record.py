"""Which events the record knows, by what they are about."""

from __future__ import annotations

from typing import Final

SIGNING_IN: Final = (
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
)
REFUSALS: Final = (
    "access_refused",
    "limit_reached",
    "sending_refused",
    "sign_in_failed",
    "sign_in_refused",
    "second_factor_refused",
    "reauthentication_refused",
    "password_change_refused",
    "email_change_refused",
    "phone_change_refused",
    "factor_reset_refused",
    "registration_email_refused",
    "registration_phone_refused",
)
# By how their names begin; what is named above is not meant by these.
_BEGINNINGS: Final = {
    "accounts": ("password_", "email_", "phone_", "second_factors_", "factor_", "recovery_", "registr", "passkey"),
    "access": ("employee.", "invitation.", "api_key.", "record.", "acting.", "attachment.", "second_factor_demand"),
    "company": ("company.",),
    "money": ("rate_card.", "rates.", "default_card.", "payment.", "refund.", "account.", "credit_note.", "top_up."),
}
GROUPS: Final = ("signing_in", "refusals", *_BEGINNINGS)


def group_condition(group: str) -> tuple[list[str], list[str]]:
    """The names of a group's events, and the patterns by which `like` finds the rest of it."""
    named = {"signing_in": SIGNING_IN, "refusals": REFUSALS}.get(group, ())
    patterns = [beginning.replace("_", r"\_") + "%" for beginning in _BEGINNINGS.get(group, ())]
    return list(named), patterns
