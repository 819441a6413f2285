"""What every page of the reports does first: who asks, whose report, which period; and what to do when a part fails."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, Final, TypeVar

import structlog
from django.contrib import messages
from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponseRedirect

from twin.companies import access
from twin.companies import queries as companies
from twin.companies.types import Company, Scope
from twin.kernel import clock
from twin.kernel.errors import Invalid, NotFound
from twin.portal.asking import Asked, read
from twin.portal.period_control import PeriodControl, oddity_words
from twin.portal.visitor import Visitor, visitor_of

UNPROCESSABLE: Final = 422
_LONGEST_ID: Final = 18
_log = structlog.stdlib.get_logger("twin.reports")
R = TypeVar("R")


@dataclass(frozen=True)
class Asking:
    """A reseller's report is asked for; `scope` is that reseller's."""

    visitor: Visitor
    scope: Scope
    reseller: Company
    asked: Asked
    now: datetime

    @property
    def own_scope(self) -> Scope:
        """That of the person who asks; only platform staff look in the place of others."""
        if self.visitor.scope is None:
            raise Http404
        return self.visitor.scope


def asking_of(request: HttpRequest) -> Asking:
    """Who asks for whose report; raises `Http404` for whoever has none, and for another's."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or not visitor.sees_reseller_report:
        raise Http404
    scope, reseller = _whose(request, visitor.scope)
    now = clock.now()
    asked = read(request.GET.dict(), default_zone=reseller.time_zone, now=now)
    # Only platform staff look at more than one reseller, so only their addresses name it.
    asked = asked.for_reseller(reseller.id if visitor.scope.kind == "platform" else None)
    return Asking(visitor, scope, reseller, asked, now)


def _whose(request: HttpRequest, own: Scope) -> tuple[Scope, Company]:
    try:
        scope = access.report_scope(own, named_id(request, "reseller"))
        return scope, companies.get_company(scope, scope.organisation_id)
    except NotFound:
        raise Http404 from None


def named_id(request: HttpRequest, name: str) -> int | None:
    """The company that a parameter names; raises `Http404` for what is no id."""
    named = request.GET.get(name, "").strip()
    if not named:
        return None
    if not (named.isascii() and named.isdigit() and len(named) <= _LONGEST_ID):
        raise Http404
    return int(named)


def control_of(request: HttpRequest, asking: Asking, asked: Asked, **options: Any) -> PeriodControl:
    """The period control; platform staff choose there whose report they see."""
    own_zone = getattr(request.user, "time_zone", "")
    return PeriodControl(
        asked=asked,
        path=request.path,
        now=asking.now,
        zones_near=(asking.reseller.time_zone, own_zone),
        reseller_id=asking.reseller.id,
        **options,
    )


def to_canonical(request: HttpRequest, asked: Asked, address: str) -> HttpResponseRedirect:
    """The way to the canonical address, telling what was taken for a time that does not exist."""
    for name, moment in asked.odd.items():
        messages.warning(request, oddity_words(name, moment, asked.zone))
    return HttpResponseRedirect(address)


@dataclass
class Parts:
    """The parts of a page, each read for itself: where one fails the others stand.

    `failed` has a reference for every part that could not be read; it is what the log calls it by.
    """

    failed: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, reading: Callable[[], R]) -> R | None:
        # Where several parts share a transaction: back to here when one fails, so that the next can still be read.
        part = transaction.atomic() if connection.in_atomic_block else nullcontext()
        try:
            with part:
                return reading()
        except (Invalid, NotFound):
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the other parts are still true
            reference = token_hex(4).upper()
            self.failed[name] = f"{reference[:4]}-{reference[4:]}"
            _log.exception("report_part_failed", part=name, reference=self.failed[name])
            return None
