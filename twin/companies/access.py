"""The only maker of scopes: from a key, a person, the operator at the console.

Everything else receives a `Scope` and passes it on.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, cast

from django.db import connections

from twin.accounts.types import Person
from twin.companies.errors import CompanyInactive, CompanyNotFound, NotInitialised
from twin.companies.models import ApiKey
from twin.companies.queries import get_company, sellers
from twin.companies.queries.acting import open_acting
from twin.companies.rules.attachments import attachment_state
from twin.companies.rules.permissions import permissions_of
from twin.companies.types import (
    BILLING_READ,
    BILLING_WRITE,
    PERMISSIONS,
    REPORTS_READ,
    Acting,
    AttachmentOffer,
    Company,
    CompanyKind,
    CompanyState,
    Dismissal,
    Employment,
    Offer,
    Role,
    Scope,
)
from twin.kernel import clock
from twin.kernel.tenancy import tenant_transaction

_KEY: Final = re.compile(r"twin_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", re.ASCII)
# 256 random bits.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_TOUCH_EVERY: Final = timedelta(minutes=1)
# How long, and for how many keys, a scope may be given again without a look-up.
_REMEMBERED: Final = timedelta(minutes=1)
_MOST_REMEMBERED: Final = 10_000
# Whether a key holds at an instant, to be asked by whoever was given a remembered scope; `{}` are filled with
# values of our own.
KEY_HOLDS: Final = (
    "select k.id from companies_apikey k join companies_company c on c.id = k.company_id"
    " where k.id = {key_id} and k.revoked_at is null and (k.expires_at is null or k.expires_at > '{now}')"
    " and c.state = 'active' and '{permission}' = any(k.scopes)"
)


@dataclass(frozen=True, slots=True)
class _FoundKey:
    id: int
    company_id: int
    kind: CompanyKind
    state: CompanyState
    state_reason: str
    scopes: list[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


def hash_of(secret: str) -> bytes:
    """What is stored of a key. Plain SHA-256: the secret is 256 random bits, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def scope_for_key(secret: str) -> Scope | None:
    """The scope of an API key; None when there is no such key, or it is revoked or expired.

    Raises `CompanyInactive` when the key's company is blocked or closed. One look-up; the
    moment of use is noted at most once a minute.
    """
    if not _KEY.fullmatch(secret):
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute("select * from companies_key_by_hash(%s)", [hash_of(secret)])
        row = cursor.fetchone()
    now = clock.now()
    if row is None:
        return None
    key = _FoundKey(*row)
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
        return None
    _refuse_inactive(key.company_id, key.state, key.state_reason, key.id)
    _note_use(key, now)
    return Scope(key.company_id, key.kind, frozenset(key.scopes), key_id=key.id)


_remembered: dict[bytes, tuple[datetime, Scope]] = {}


def remembered_scope(secret: str) -> Scope | None:
    """`scope_for_key` without a look-up for a key that was found within the last minute.

    Only for who asks `KEY_HOLDS` in the transaction that acts, and calls `forget_scope` when it does not: then
    a key that was revoked stops at once.
    """
    now = clock.now()
    known = _remembered.get(hash_of(secret))
    if known is not None and now - _REMEMBERED < known[0] <= now:
        return known[1]
    scope = scope_for_key(secret)
    if scope is not None:
        if len(_remembered) >= _MOST_REMEMBERED:
            forget_scopes()
        _remembered[hash_of(secret)] = (now, scope)
    return scope


def forget_scopes() -> None:
    """The next `remembered_scope` of every key looks it up."""
    _remembered.clear()


def forget_scope(secret: str) -> None:
    """The next `remembered_scope` of this key looks it up."""
    _remembered.pop(hash_of(secret), None)


def scope_for_person(user: Person) -> Scope | None:
    """The scope of a signed-in person at the company that employs them; None when none does.

    Of several employments the first one counts. Raises `CompanyInactive` when the company is
    blocked or closed.
    """
    employment = employment_of(user)
    return scope_of_employment(employment) if employment is not None else None


def scope_of_employment(employment: Employment) -> Scope:
    """The scope of somebody who was just found to work there; raises `CompanyInactive`."""
    _refuse_inactive(employment.company_id, employment.state, employment.state_reason)
    permissions = permissions_of(employment.role, employment.company_kind)
    return Scope(employment.company_id, employment.company_kind, permissions, employment.person_id)


def employment_of(user: Person) -> Employment | None:
    """Where the person works, whatever the state of the company.

    None for strangers, for the deactivated, and for whoever is blocked or removed everywhere.
    """
    if not user.is_authenticated or not user.is_active:
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select company_id, kind, name, role, state, state_reason, is_informed, needs_second_factor"
            " from companies_employments_of(%s)"
            " where blocked_at is null and removed_at is null",
            [user.pk],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    company_id, kind, name, role, state, reason, is_informed, needs_second_factor = row
    return Employment(
        user.pk,
        company_id,
        cast(CompanyKind, kind),
        name,
        cast(Role, role),
        cast(CompanyState, state),
        reason,
        is_informed,
        needs_second_factor,
    )


def dismissal_of(user: Person) -> Dismissal | None:
    """Why somebody who works nowhere has no access: blocked first, else removed; None for who never worked."""
    if not user.is_authenticated:
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "select name, blocked_at is not null, removed_at is not null, blocked_reason"
            " from companies_employments_of(%s)",
            [user.pk],
        )
        # Where the person works comes first, then where they are blocked.
        row = cursor.fetchone()
    if row is None or not (row[1] or row[2]):
        return None
    company_name, _, is_removed, reason = row
    return Dismissal(company_name, not is_removed, "" if is_removed else reason)


def offer_behind(token: str) -> Offer | None:
    """The invitation whose link carries this secret; None when it cannot be taken up, whatever the reason.

    Unknown, used, expired, withdrawn, the company not active, the inviter gone: all alike.
    """
    if not _TOKEN.fullmatch(token):
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute("select * from companies_invitation_by_hash(%s, %s)", [hash_of(token), clock.now()])
        row = cursor.fetchone()
    return Offer(*row) if row else None


def attachment_behind(token: str) -> AttachmentOffer | None:
    """The invitation to put a company under a reseller whose link carries this secret, and what became of it."""
    if not _TOKEN.fullmatch(token):
        return None
    with connections["default"].cursor() as cursor:
        cursor.execute("select * from companies_attachment_by_hash(%s)", [hash_of(token)])
        row = cursor.fetchone()
    if row is None:
        return None
    (
        number,
        seller_id,
        seller_name,
        email,
        invited_by,
        expires_at,
        accepted_at,
        declined_at,
        withdrawn_at,
        is_standing,
    ) = row
    state = attachment_state(
        now=clock.now(),
        expires_at=expires_at,
        accepted_at=accepted_at,
        declined_at=declined_at,
        withdrawn_at=withdrawn_at,
        is_standing=is_standing,
    )
    return AttachmentOffer(number, seller_id, seller_name, email, invited_by, expires_at, state)


def acting_in(home: Scope, acting_id: int) -> tuple[Employment, Scope, Acting] | None:
    """In whose place the person of the scope acts: as that company's administrator, while it lasts.

    None once it ended, an hour has passed, or the right to it is gone: both are asked anew each time.
    """
    acting = open_acting(home, acting_id)
    if acting is None:
        return None
    employment = Employment(
        acting.person_id,
        acting.company_id,
        acting.company_kind,
        acting.company_name,
        "administrator",
        "active",
        is_informed=acting.is_informed,
        needs_second_factor=acting.needs_second_factor,
    )
    return employment, replace(scope_of_employment(employment), acting_id=acting.id), acting


def platform_scope() -> Scope:
    """The operator at the console acts for the platform; raises `NotInitialised` before `twin init`."""
    with connections["default"].cursor() as cursor:
        cursor.execute("select id from companies_platform()")
        row = cursor.fetchone()
    if row is None:
        raise NotInitialised("There is no platform company yet: run `twin init` first.")
    return Scope(row[0], "platform", frozenset(PERMISSIONS))


def registering_scope(person: Person) -> Scope:
    """Whoever registers gets a company beneath the platform: its doing, in that person's name."""
    return replace(platform_scope(), person_id=person.pk)


def attaching_scope(user_id: int) -> Scope:
    """Whoever puts their company under a reseller moves it: the platform's doing, in that person's name."""
    return replace(platform_scope(), person_id=user_id)


def report_scope(scope: Scope, reseller_id: int | None) -> Scope:
    """The scope of the organisation whose report is asked for.

    A reseller may name itself only, the platform itself and every reseller beneath it.
    Anybody else, and whoever names another, finds nothing.
    """
    scope.require(REPORTS_READ)
    if scope.kind not in ("platform", "reseller"):
        raise CompanyNotFound("This report belongs to organisations with a reseller account.")
    if reseller_id is None or reseller_id == scope.organisation_id:
        return scope
    named = get_company(scope, reseller_id) if scope.kind == "platform" else None
    if named is None or named.kind != "reseller":
        raise CompanyNotFound(f"There is no reseller {reseller_id}.")
    return Scope(named.id, "reseller", scope.permissions, scope.person_id)


def report_scopes(scope: Scope) -> list[tuple[Company, Scope]]:
    """Whose reports the platform may read, its own first, with the scope of each: all looked up together.

    The same as `report_scope` for every one of them; anybody else finds nothing.
    """
    scope.require(REPORTS_READ)
    if scope.kind != "platform":
        raise CompanyNotFound("Only the platform sees all resellers.")
    own, *others = sellers(scope)
    return [(own, scope), *((one, Scope(one.id, "reseller", scope.permissions, scope.person_id)) for one in others)]


def reading_scope(organisation_id: int) -> Scope:
    """For work that a person of the organisation asked for and that is done later: it may read reports only.

    Who asks must have been checked then; who receives it is checked again. Raises `CompanyInactive`.
    """
    own = get_company(Scope(organisation_id, "company", frozenset()), organisation_id)
    _refuse_inactive(own.id, own.state, own.state_reason)
    return Scope(own.id, own.kind, frozenset((REPORTS_READ,)))


def billing_scope(organisation_id: int) -> Scope:
    """For the months of a seller, closed by the clock; also those of a seller that is blocked."""
    own = get_company(Scope(organisation_id, "company", frozenset()), organisation_id)
    return Scope(own.id, own.kind, frozenset((BILLING_READ, BILLING_WRITE)))


def usage_scope(scope: Scope, company_id: int | None) -> Scope:
    """The scope in which `reports.queries.company_usage` may be asked about a company; None names the asker itself.

    The company itself and its direct seller ask as themselves, the platform in the place of any company.
    What a company beneath a sub-reseller pays is not found.
    """
    scope.require(REPORTS_READ)
    if company_id is None or company_id == scope.organisation_id:
        return scope
    named = get_company(scope, company_id)
    if scope.kind == "platform":
        return Scope(named.id, named.kind, scope.permissions, scope.person_id)
    if named.parent_id != scope.organisation_id:
        raise CompanyNotFound(f"There is no company {company_id} whose seller you are.")
    return scope


def system_scope() -> Scope:
    """For loaders of ingestion that read every tenant over the writer connection; may do nothing else."""
    return Scope(0, "system", frozenset())


def _refuse_inactive(company_id: int, state: CompanyState, reason: str, key_id: int | None = None) -> None:
    if state != "active":
        why = f": {reason}" if reason else ""
        raise CompanyInactive(f"Company {company_id} is {state}{why}", company_id, key_id)


def _note_use(key: _FoundKey, now: datetime) -> None:
    if key.last_used_at is None or now - key.last_used_at >= _TOUCH_EVERY:
        with tenant_transaction(key.company_id):
            ApiKey.objects.filter(pk=key.id).update(last_used_at=now)
