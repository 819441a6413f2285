"""Codes by mail and SMS: sent, sent again, typed in; the same for every page that confirms something."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from twin.accounts.actions.budget import spend
from twin.accounts.errors import ChallengeNotFound, ResendsUsedUp, TooMany
from twin.accounts.models import Challenge as ChallengeRow
from twin.accounts.models import CodeSend
from twin.accounts.rules import codes
from twin.accounts.types import Answer, Challenge, Channel
from twin.accounts.under_way import shown_challenge
from twin.kernel import clock
from twin.kernel.delivery import send_mail, send_sms

# Longer than the longest budget looks back.
KEPT: Final = timedelta(days=2)


@transaction.atomic
def start_challenge(
    *,
    purpose: str,
    channel: Channel,
    target: str,
    address: str | None,
    user_id: int | None = None,
    is_decoy: bool = False,
) -> Challenge:
    """Send a new code, in the active language; raises `TooMany` when a budget is used up.

    `target` is an email as `checked_email` gives it or a number as `checked_phone` does. Keep
    the id in the session: whoever has it may type the code in. A decoy costs the same budget,
    sends nothing, and no code answers it.
    """
    now = clock.now()
    row = ChallengeRow(
        id=uuid4(),
        purpose=purpose,
        channel=channel,
        target=target,
        user_id=user_id,
        is_decoy=is_decoy,
        created_at=now,
        sent_at=now,
        expires_at=now + codes.LIFETIME,
    )
    _send(row, address, is_new=True)
    return shown_challenge(row)


@transaction.atomic
def resend_challenge(
    challenge_id: UUID | str, *, purpose: str, address: str | None, user_id: int | None = None
) -> Challenge:
    """Send another code to the same target; the one before answers no longer, the tries begin anew.

    Raises `TooMany` within 30 seconds of the last, `ResendsUsedUp` after three times, and
    `ChallengeNotFound`.
    """
    row = _locked(challenge_id, purpose, user_id)
    now = clock.now()
    if row.answered_at is not None or row.sends > codes.RESENDS:
        raise ResendsUsedUp("The code was sent as often as it may be.")
    if now < row.sent_at + codes.RESEND_AFTER:
        raise TooMany("A code was sent just now.", limit="target", wait=row.sent_at + codes.RESEND_AFTER - now)
    row.sends += 1
    row.attempts = 0
    row.sent_at = now
    row.expires_at = now + codes.LIFETIME
    _send(row, address, is_new=False)
    return shown_challenge(row)


@transaction.atomic
def answer_challenge(challenge_id: UUID | str, *, purpose: str, code: str, user_id: int | None = None) -> Answer:
    """Try a typed code; at most three of however many parallel tries are looked at.

    A wrong try is an answer, not an error, so that it stays counted: commit after it. A right
    one can be given once. Raises `ChallengeNotFound` for an id of another purpose or person.
    """
    row = _locked(challenge_id, purpose, user_id)
    now = clock.now()
    if not codes.is_open(attempts=row.attempts, expires_at=row.expires_at, answered_at=row.answered_at, now=now):
        return Answer(False, "", 0, False)
    row.attempts += 1
    given = codes.hash_of_code(codes.typed_code(code), key=_key(), bound_to=_bound_to(row))
    is_right = codes.is_same(bytes(row.code_hash), given) and not row.is_decoy
    if is_right:
        row.answered_at = now
        CodeSend.objects.filter(challenge=row).update(is_answered=True)
    row.save(update_fields=["attempts", "answered_at"])
    shown = shown_challenge(row)
    return Answer(is_right, row.target if is_right else "", shown.tries_left, shown.is_open)


def forget_codes(*, older_than: timedelta = KEPT) -> int:
    """Delete codes long over and the counts of messages no budget looks at any more; how many codes."""
    before = clock.now() - older_than
    CodeSend.objects.filter(at__lt=before).delete()
    number, _by_model = ChallengeRow.objects.filter(created_at__lt=before).delete()
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    return number


def _locked(challenge_id: UUID | str, purpose: str, user_id: int | None) -> ChallengeRow:
    try:
        return ChallengeRow.objects.select_for_update().get(Q(user_id=user_id), pk=challenge_id, purpose=purpose)
    except ChallengeRow.DoesNotExist:
        raise ChallengeNotFound("There is no code under way here.") from None


def _send(row: ChallengeRow, address: str | None, *, is_new: bool) -> None:
    channel: Channel = "sms" if row.channel == "sms" else "mail"
    spent = spend(channel, purpose=row.purpose, target=row.target, address=address, user_id=row.user_id)
    code = codes.new_code()
    row.code_hash = secrets.token_bytes(32) if row.is_decoy else _hash(row, code)
    row.save(force_insert=is_new)
    spent.challenge = row
    spent.save(update_fields=["challenge"])
    if row.is_decoy:
        return
    if channel == "sms":
        text = _("Twin code: %(code)s. Valid 10 minutes. Tell it to nobody.") % {"code": code}
        send_sms(to=row.target, text=text, purpose="phone_code", expires_in=codes.LIFETIME)
    else:
        send_mail(
            to=row.target,
            subject=_("Your Twin code"),
            text=_(
                "Your code is %(code)s.\n\nType it in on the page that asks for it. It is valid for 10 minutes. "
                "Tell it to nobody: we never ask for it.\n\nIf you did not ask for a code, you need not do anything."
            )
            % {"code": code},
            purpose="email_code",
            expires_in=codes.LIFETIME,
        )


def _hash(row: ChallengeRow, code: str) -> bytes:
    return codes.hash_of_code(code, key=_key(), bound_to=_bound_to(row))


def _bound_to(row: ChallengeRow) -> str:
    return f"{row.pk}:{row.purpose}:{row.target}"


def _key() -> bytes:
    return hashlib.sha256(f"twin.accounts.challenge:{settings.SECRET_KEY}".encode()).digest()
