"""The mail about what waits for somebody's word: once for each reason, to the seller's people who deal with money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.billing.queries.waiting import Untold, untold
from twin.billing.words import month_words
from twin.companies.access import platform_scope
from twin.companies.queries import names_of
from twin.companies.queries.recipients import money_people
from twin.companies.types import Recipient, Scope
from twin.kernel import clock
from twin.kernel.delivery import Letter, send_mails
from twin.kernel.links import absolute
from twin.kernel.tenancy import scoped

PURPOSE: Final = "waiting"
_NAMED: Final = 5
_WHERE: Final = {
    "unrated": "/statements?side=issued&show=waiting",
    "late": "/statements?side=issued&show=waiting",
    "details": "/invoices?side=issued&show=waiting",
}
_TOLD: Final = """
    insert into billing_told (statement_id, waits_for, seller_id, told_at)
    select statement, reason, %s, %s from unnest(%s::bigint[], %s::text[]) as given(statement, reason)
    order by statement, reason on conflict do nothing returning statement_id, waits_for
"""


@scoped
def tell_what_waits(scope: Scope) -> int:
    """Tell the seller's people what has begun to wait since the last time; returns how many statements.

    One mail to each of them, however many wait. Mails and the note of them are one transaction: safe to repeat,
    to interrupt and to run twice at once. Where nobody can be told nothing is noted.
    """
    people = money_people(platform_scope(), {scope.organisation_id}).get(scope.organisation_id, [])
    found = _note(scope, untold(scope)) if people else []
    if not found:
        return 0
    names = names_of(platform_scope(), {one.buyer_id for one in found})
    send_mails([_letter(recipient, found, names) for recipient in people], purpose=PURPOSE)
    return len(found)


def _note(scope: Scope, found: Sequence[Untold]) -> list[Untold]:
    """Those that nobody else has told meanwhile."""
    if not found:
        return []
    ids, reasons = [one.statement_id for one in found], [one.waits_for for one in found]
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [scope.organisation_id, clock.now(), ids, reasons])
        noted = set(cursor.fetchall())
    return [one for one in found if (one.statement_id, one.waits_for) in noted]


def _letter(recipient: Recipient, found: Sequence[Untold], names: Mapping[int, str]) -> Letter:
    with translation.override(recipient.language):
        paragraphs = [_("Hello %(name)s,") % {"name": recipient.name or recipient.email}]
        for reason in _WHERE:
            same = [one for one in found if one.waits_for == reason]
            if same:
                paragraphs.append(_paragraph(reason, same, names))
        return Letter(recipient.email, _subject(len(found)), "\n\n".join(paragraphs))


def _subject(number: int) -> str:
    return ngettext("%(n)s statement waits for you", "%(n)s statements wait for you", number) % {"n": number}


def _paragraph(reason: str, found: Sequence[Untold], names: Mapping[int, str]) -> str:
    said = {
        "unrated": _("No price for some of the usage; record one or sign off: %(which)s."),
        "late": _("Late usage above the threshold; say what becomes of it: %(which)s."),
        "details": _("The month is closed, its invoice waits for details of a company: %(which)s."),
    }[reason]
    return f"{said % {'which': _which(found, names)}}\n{absolute(_WHERE[reason])}"


def _which(found: Sequence[Untold], names: Mapping[int, str]) -> str:
    told = [f"{names.get(one.buyer_id, one.buyer_id)} ({month_words(one.month)})" for one in found[:_NAMED]]
    more = len(found) - len(told)
    if more:
        told.append(ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more})
    return ", ".join(told)
