"""Codes and registrations under way, as pages show them.

Asked before anybody has signed in, by ids that only the session
of whoever began knows: there is no scope yet.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, cast
from uuid import UUID

from django.db.models import Q

from twin.accounts.models import Challenge as ChallengeRow
from twin.accounts.models import Registration as RegistrationRow
from twin.accounts.rules import codes
from twin.accounts.types import Challenge, Channel, RegistrationUnderWay
from twin.kernel import clock

EMAIL_PURPOSE: Final = "registration_email"
PHONE_PURPOSE: Final = "registration_phone"
# So long somebody may come back and go on.
REMEMBERED: Final = timedelta(days=7)


def challenge(challenge_id: UUID | str, *, purpose: str, user_id: int | None = None) -> Challenge | None:
    """The code that was sent for this purpose to this person (None: to a stranger); None when there is none."""
    row = ChallengeRow.objects.filter(Q(user_id=user_id), pk=challenge_id, purpose=purpose).first()
    return None if row is None else shown_challenge(row)


def shown_challenge(row: ChallengeRow) -> Challenge:
    now = clock.now()
    is_open = codes.is_open(attempts=row.attempts, expires_at=row.expires_at, answered_at=row.answered_at, now=now)
    return Challenge(
        id=row.pk,
        purpose=row.purpose,
        channel=cast(Channel, row.channel),
        target=row.target,
        expires_at=row.expires_at,
        resend_at=row.sent_at + codes.RESEND_AFTER,
        resends_left=max(0, codes.RESENDS + 1 - row.sends) if row.answered_at is None else 0,
        tries_left=max(0, codes.TRIES - row.attempts),
        is_open=is_open,
        is_answered=row.answered_at is not None,
    )


def registration(registration_id: UUID | str) -> RegistrationUnderWay | None:
    """The registration of that id, finished ones too; None when there is none or it was begun too long ago."""
    row = RegistrationRow.objects.filter(pk=registration_id, created_at__gt=clock.now() - REMEMBERED).first()
    return None if row is None else shown_registration(row)


def shown_registration(row: RegistrationRow) -> RegistrationUnderWay:
    if row.finished_at is not None:
        return _shown(row, "done")
    return _shown(row, "email" if row.email_confirmed_at is None else "phone")


def _shown(row: RegistrationRow, step: str) -> RegistrationUnderWay:
    sent = {"email": row.email_challenge, "phone": row.phone_challenge}.get(step)
    return RegistrationUnderWay(
        id=row.pk,
        name=row.name,
        email=row.email,
        phone=row.phone,
        time_zone=row.time_zone,
        step="done" if step == "done" else "email" if step == "email" else "phone",
        challenge=None if sent is None else shown_challenge(sent),
    )
