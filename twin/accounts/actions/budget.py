"""Who may make Twin send a message now: counted from rows under one lock, exact under parallel requests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import connections
from django.db.models import Count, Q

from twin.accounts.errors import LimitKind, TooMany
from twin.accounts.models import CodeSend
from twin.accounts.rules import budgets
from twin.accounts.rules.codes import LIFETIME
from twin.accounts.rules.phones import budget_key
from twin.accounts.types import Channel
from twin.kernel import clock

_log = structlog.stdlib.get_logger("twin.security")

# Held until the caller's transaction ends; sending is rare enough to stand in one line.
_LOCKS: Final[dict[Channel, int]] = {"mail": 0x7477_0001, "sms": 0x7477_0002}
_KINDS: Final[dict[str, LimitKind]] = {
    "target": "target",
    "user": "place",
    "address": "place",
    "network": "place",
    "prefix": "prefix",
    "all": "all",
}


def spend(channel: Channel, *, purpose: str, target: str, address: str | None, user_id: int | None = None) -> CodeSend:
    """Note that a message goes out now; raises `TooMany` when a limit is reached, noting nothing.

    Belongs into the transaction that queues the message. Mails are counted per purpose, so
    that using up one page's messages to somebody's address keeps nobody from another page.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCKS[channel]])
    country, prefix = budget_key(target) if channel == "sms" else ("", "")
    row = CodeSend(
        at=clock.now(),
        channel=channel,
        purpose=purpose,
        target=target,
        address=address,
        network=budgets.network_of(address) if address else "",
        prefix=prefix,
        country=country,
        user_id=user_id,
    )
    _refuse_beyond_limits(row)
    if channel == "sms":
        _refuse_wasted_prefix(row)
    row.save()
    return row


def _refuse_beyond_limits(row: CodeSend) -> None:
    limits: tuple[budgets.Limit, ...]
    if row.channel == "mail":
        limits, rows = budgets.MAIL_LIMITS, CodeSend.objects.filter(channel="mail", purpose=row.purpose)
    else:
        fuse = budgets.Limit("all", settings.SMS_DAILY, budgets.DAY)
        limits, rows = (*budgets.SMS_LIMITS, fuse), CodeSend.objects.filter(channel="sms")
    for limit in limits:
        shared = _shared(row, limit.by)
        if shared is None:
            continue
        since = row.at - limit.span
        if rows.filter(at__gt=since, **shared).count() >= limit.most:
            if limit.by == "all":
                _log.error("sms_fuse_blown", most=limit.most)
            raise TooMany(
                f"More than {limit.most} messages within {limit.span} by the same {limit.by}.",
                limit=_KINDS[limit.by],
                wait=limit.span,
            )


def _shared(row: CodeSend, by: budgets.Counted) -> dict[str, Any] | None:
    """What rows counted together have in common; None where this row has nothing of the kind."""
    if by == "all":
        return {}
    name = "user_id" if by == "user" else by
    value = getattr(row, name)
    return {name: value} if value else None


def _refuse_wasted_prefix(row: CodeSend) -> None:
    """Codes younger than their life may still be typed in; the others tell whether anybody does."""
    told = CodeSend.objects.filter(
        channel="sms", prefix=row.prefix, at__gt=row.at - budgets.DAY, at__lte=row.at - LIFETIME
    ).aggregate(sends=Count("id"), answers=Count("id", filter=Q(is_answered=True)))
    if budgets.is_wasted(sends=told["sends"], answers=told["answers"]):
        # For whoever watches the log: somebody may be earning on these, or the carrier loses them.
        _log.error("sms_prefix_switched_off", prefix=row.prefix, sends=told["sends"], answers=told["answers"])
        raise TooMany(
            f"Of {told['sends']} SMS to {row.prefix} within a day {told['answers']} codes came back: switched off.",
            limit="prefix",
            wait=timedelta(hours=24),
        )
