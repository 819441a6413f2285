"""What a page says when something was asked for too often."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin.accounts.errors import TooMany
from twin.kernel.addresses import address_of
from twin.kernel.security_log import record

JUST_NOW: Final = timedelta(minutes=1)


def refused(request: HttpRequest, error: TooMany) -> str:
    """The words for it; the refusal is noted, as what it refused has left no trace."""
    person = request.user.pk if request.user.is_authenticated else None
    record("sending_refused", user_id=person, address=address_of(request), limit=error.limit)
    return limit_words(error)


def limit_words(error: TooMany) -> str:
    """Which limit is reached and what to do, in the active language."""
    wait = wait_words(error.wait)
    if error.limit == "target" and error.wait <= JUST_NOW:
        return _("A message went there just now. Another can be sent in %(wait)s.") % {"wait": wait}
    if error.limit == "target":
        return _("Too many messages went there already. Try again in %(wait)s.") % {"wait": wait}
    if error.limit == "place":
        return _("Too many messages were asked for from your network. Try again in %(wait)s.") % {"wait": wait}
    return _(
        "We cannot send SMS there at the moment: too many were asked for. Nothing is lost; try again in %(wait)s, "
        "or use another number."
    ) % {"wait": wait}


def wait_words(wait: timedelta) -> str:
    """`30 seconds`, `5 minutes`, `24 hours`."""
    seconds = max(1, int(wait.total_seconds() + 0.999))
    if seconds < 90:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes = -(-seconds // 60)
    if minutes < 90:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    hours = -(-minutes // 60)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
