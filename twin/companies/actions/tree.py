"""Writes to the tree and to keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, cast

from django.db import DatabaseError, connections, transaction

from twin.companies.actions.changes import locked_information, note_change
from twin.companies.catalogue import catalogue_change
from twin.companies.errors import (
    CompanyNotFound,
    MembershipLoop,
    MembershipTooEarly,
    NotYours,
    PlatformExists,
)
from twin.companies.models import Company as CompanyRow
from twin.companies.queries import get_company, held_at, last_membership
from twin.companies.recording import record_deed
from twin.companies.rules import checks
from twin.companies.rules.tree import folded
from twin.companies.types import (
    COMPANIES_WRITE,
    CatalogueChange,
    Company,
    CompanyKind,
    CompanyState,
    Membership,
    Scope,
)
from twin.kernel import clock, security_log
from twin.kernel.period import instant_text
from twin.kernel.security_events import Event
from twin.kernel.tenancy import scoped, tenant_transaction

# What `companies_rebuild_ancestry` refuses.
LOOP_STATE: Final = "TW001"
LATER_STATE: Final = "TW002"
_STATE_EVENTS: Final[dict[str, Event]] = {
    "active": "company.active",
    "blocked": "company.blocked",
    "closed": "company.closed",
}


class Unset(Enum):
    """Marks what a change leaves as it is, where None has a meaning of its own."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


def create_platform(*, name: str, time_zone: str, currency: str) -> Company:
    """The root of the tree, made once; raises `PlatformExists` ever after."""
    row = CompanyRow(
        kind="platform",
        name=checks.checked_name(name),
        time_zone=checks.checked_zone(time_zone),
        currency=checks.checked_currency(currency),
        created_at=clock.now(),
    )
    with catalogue_change():
        if _installation() is not None:
            raise PlatformExists("This installation already has its platform company.")
        _insert(row)
        security_log.record("company.created", company_id=row.pk, kind=row.kind, by="operator")
    return shown(row, None)


@scoped
def create_company(
    scope: Scope,
    *,
    change: CatalogueChange,
    name: str,
    kind: str,
    parent_id: int | None = None,
    time_zone: str,
    external_id: str | None = None,
    currency: str | None = None,
    effective_from: datetime | None = None,
) -> Company:
    """A new company under the organisation itself or a reseller beneath it, from an instant on.

    `effective_from` may lie in the past, not before the parent's own first membership and only
    where the organisation held the parent then; default is now. Needs `change`, as the tree is
    shared by everyone; the seller's default card is given by `pricing.actions.create_company`.
    """
    del change
    scope.require(COMPANIES_WRITE)
    start = effective_from or clock.now()
    row = CompanyRow(
        kind=checks.checked_child_kind(kind),
        name=checks.checked_name(name),
        external_id=checks.checked_external_id(external_id),
        time_zone=checks.checked_zone(time_zone),
        created_at=clock.now(),
        existed_from=start,
    )
    parent = parent_for(scope, parent_id, start)
    row.currency = parent.currency
    if currency is not None and currency != parent.currency:
        raise checks.invalid(f"This installation counts in {parent.currency} only.", "currency")
    _refuse_taken(parent.id, row.external_id, besides=0)
    _insert(row, parent.id)
    record_deed(scope, "company.created", company_id=row.pk, **founding_fields(row, parent.id))
    return shown(row, parent.id)


@scoped
def update_company(
    scope: Scope,
    company_id: int,
    *,
    name: str | Unset = UNSET,
    external_id: str | Unset | None = UNSET,
    time_zone: str | Unset = UNSET,
    state: str | Unset = UNSET,
    reason: str | Unset | None = UNSET,
    kind: str | Unset = UNSET,
) -> Company:
    """Change what is named, leave the rest; safe to repeat.

    An organisation changes its own name and time zone itself; its external id, state and kind
    are its sellers' to say. A reseller never becomes a company again. Closing notes the
    moment, reopening forgets it.
    """
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, company_id)
    settled = (external_id, state, reason, kind)
    if company.id == scope.organisation_id and any(one is not UNSET for one in settled):
        raise NotYours("external_id, state and kind of a company are set by an organisation above it.")
    changes: dict[str, Any] = {}
    if not isinstance(name, Unset):
        changes["name"] = checks.checked_name(name)
        changes["search_name"] = folded(changes["name"])
    if not isinstance(time_zone, Unset):
        changes["time_zone"] = checks.checked_zone(time_zone)
    if not isinstance(kind, Unset):
        changes["kind"] = _changed_kind(company, kind)
    changes |= _changed_state(company, state, reason)
    if isinstance(external_id, Unset):
        return _write(scope, company, changes)
    with catalogue_change():
        changes["external_id"] = checks.checked_external_id(external_id)
        _refuse_taken(get_company(scope, company_id).parent_id or 0, changes["external_id"], besides=company.id)
        return _write(scope, company, changes)


@scoped
def record_move(
    scope: Scope, *, change: CatalogueChange, company_id: int, parent_id: int, effective_from: datetime
) -> Company:
    """Let a company lie under another parent from an instant on; usage is the caller's to check.

    The organisation holds both parents, now and at the instant. Raises `MembershipTooEarly`
    unless it is later than the last membership's start, `MembershipLoop` when the company would
    lie beneath itself at that or any later instant that is already known.
    """
    del change
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, company_id)
    if company.id == scope.organisation_id:
        raise NotYours("A company is moved by an organisation above it.")
    get_company(scope, parent_id)
    last = last_membership(scope, company.id)
    # Before anything else about that instant: neither parent may have existed then.
    _refuse_too_early(last, effective_from)
    parent = parent_for(scope, parent_id, effective_from)
    if not held_at(scope, company.id, effective_from):
        raise CompanyNotFound(f"Company {company.id} does not lie beneath you at {instant_text(effective_from)}.")
    if parent.id == company.id:
        raise MembershipLoop(f"Company {company.id} cannot lie beneath itself.")
    if parent.id == last.parent_id:
        raise checks.invalid(f"Company {company.id} lies under company {parent.id} already.", "parent_id")
    _refuse_taken(parent.id, company.external_id, besides=company.id)
    _place(company.id, parent.id, effective_from)
    record_deed(
        scope,
        "company.moved",
        company_id=company.id,
        before=last.parent_id,
        parent_id=parent.id,
        effective_from=instant_text(effective_from),
    )
    return get_company(scope, company.id)


def founding_fields(row: CompanyRow, parent_id: int) -> dict[str, Any]:
    """What the record says of a new company."""
    start = instant_text(row.existed_from) if row.existed_from else None
    return {"kind": row.kind, "parent_id": parent_id, "effective_from": start}


def parent_for(scope: Scope, parent_id: int | None, start: datetime) -> Company:
    """The company that may take a child at `start`; raises what is wrong with it."""
    parent = get_company(scope, scope.organisation_id if parent_id is None else parent_id)
    if parent.kind == "company":
        raise checks.invalid(f"Company {parent.id} is not a reseller, nothing can lie under it.", "parent_id")
    if parent.state == "closed":
        raise checks.invalid(f"Company {parent.id} is closed.", "parent_id")
    if parent.existed_from is not None and start < parent.existed_from:
        earliest = instant_text(parent.existed_from)
        raise checks.invalid(
            f"Company {parent.id} exists from {earliest} on; nothing lay under it before.", "effective_from"
        )
    if not held_at(scope, parent.id, start):
        raise checks.invalid(
            f"Company {parent.id} does not lie beneath you at {instant_text(start)}.", "effective_from"
        )
    return parent


def _refuse_too_early(last: Membership, start: datetime) -> None:
    if start > last.start:
        return
    earliest = last.start + timedelta(microseconds=1)
    raise MembershipTooEarly(
        "A move must be later than the start of the last membership."
        f" The earliest free instant is {instant_text(earliest)}.",
        earliest,
    )


def _refuse_taken(parent_id: int, external_id: str | None, *, besides: int) -> None:
    """External ids are unique among the children a parent has or will have.

    Asked under the catalogue lock: the children of one parent are a matter of time, so no
    constraint of a table can say it.
    """
    if external_id is None:
        return
    with tenant_transaction(parent_id), connections["default"].cursor() as cursor:
        cursor.execute(
            "select exists (select 1 from companies_ancestry a join companies_company c on c.id = a.company_id"
            " where a.ancestor_id = %s and a.distance = 1 and (a.end_at is null or a.end_at > %s)"
            " and c.external_id = %s and c.id <> %s)",
            [parent_id, clock.now(), external_id, besides],
        )
        if cursor.fetchone()[0]:
            raise checks.invalid(
                f"Another company under the same parent has the external id {external_id!r}.", "external_id"
            )


def _changed_kind(company: Company, kind: str) -> CompanyKind:
    if kind == company.kind:
        return company.kind
    if company.kind != "company" or kind != "reseller":
        raise checks.invalid("A company can become a reseller; no other change of kind is possible.", "kind")
    return "reseller"


def _changed_state(company: Company, state: str | Unset, reason: str | Unset | None) -> dict[str, Any]:
    if isinstance(state, Unset):
        if not isinstance(reason, Unset):
            raise checks.invalid("`reason` belongs to a change of `state`.", "reason")
        return {}
    new, why = checks.checked_state(state, None if isinstance(reason, Unset) else reason)
    closed_at = (company.closed_at or clock.now()) if new == "closed" else None
    return {"state": new, "state_reason": why, "closed_at": closed_at}


def _write(scope: Scope, company: Company, changes: dict[str, Any]) -> Company:
    """Store the changes; what ingestion reads of a company gives the catalogue a new version."""
    if changes.keys() & {"kind", "state", "external_id"}:
        with catalogue_change():
            _store(scope, company, changes)
    elif changes:
        _store(scope, company, changes)
    return get_company(scope, company.id)


def _store(scope: Scope, company: Company, changes: dict[str, Any]) -> None:
    _note_words(scope, company, changes)
    CompanyRow.objects.filter(pk=company.id).update(**changes)
    described = [name for name in ("external_id", "name", "time_zone") if _differs(company, changes, name)]
    if described:
        record_deed(scope, "company.changed", company_id=company.id, changed=" ".join(described))
    if _differs(company, changes, "kind"):
        record_deed(scope, "company.made_reseller", company_id=company.id)
    if _differs(company, changes, "state") or _differs(company, changes, "state_reason"):
        event, reason = _STATE_EVENTS[changes["state"]], changes["state_reason"]
        record_deed(scope, event, company_id=company.id, before=company.state, reason=reason)


def _differs(company: Company, changes: dict[str, Any], name: str) -> bool:
    return name in changes and changes[name] != getattr(company, name)


def _note_words(scope: Scope, company: Company, changes: dict[str, Any]) -> None:
    """Name and zone belong to the company's information: who has its window open is told that they changed."""
    now = {"name": company.name, "time_zone": company.time_zone}
    before = {name: held for name, held in now.items() if changes.get(name, held) != held}
    if before:
        row = locked_information(company.id)
        note_change(scope, row, before)
        row.save()


def _insert(row: CompanyRow, parent_id: int | None = None) -> None:
    """Store a company and where it lies.

    Its place comes first: row-level security lets a company in only where the asker already
    holds it. The foreign key waits for the commit.
    """
    row.search_name = folded(row.name)
    with connections["default"].cursor() as cursor:
        cursor.execute("select nextval(pg_get_serial_sequence('companies_company', 'id'))")
        row.id = cursor.fetchone()[0]
    if parent_id is None or row.existed_from is None:
        with tenant_transaction(row.id):
            row.save(force_insert=True)
        return
    _place(row.id, parent_id, row.existed_from)
    row.save(force_insert=True)


def _place(company_id: int, parent_id: int, start: datetime) -> None:
    """Add a membership and rebuild what is derived from it; raises `MembershipLoop`.

    The database also sees planned moves that the asker may not: it refuses what is not the last.
    """
    try:
        with transaction.atomic(), connections["default"].cursor() as cursor:
            cursor.execute(
                "insert into companies_membership (company_id, parent_id, start_at) values (%s, %s, %s)",
                [company_id, parent_id, start],
            )
            cursor.execute("select companies_rebuild_ancestry(%s)", [company_id])
    except DatabaseError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state == LOOP_STATE:
            raise MembershipLoop(f"Company {company_id} would come to lie beneath itself.") from None
        if state == LATER_STATE:
            raise MembershipTooEarly(f"A later move of company {company_id} is planned already.") from None
        raise


def _installation() -> int | None:
    with connections["default"].cursor() as cursor:
        cursor.execute("select id from companies_platform()")
        row = cursor.fetchone()
    return row[0] if row else None


def shown(row: CompanyRow, parent_id: int | None) -> Company:
    return Company(
        row.pk,
        cast(CompanyKind, row.kind),
        row.name,
        parent_id,
        row.time_zone,
        row.currency,
        cast(CompanyState, row.state),
        row.state_reason,
        row.external_id,
        row.closed_at,
        row.existed_from,
    )
