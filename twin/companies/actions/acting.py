"""Acting for a company in its administrator's place: beginning, with a reason that the company reads, and ending."""

from __future__ import annotations

from twin.companies.actions.mails import tell_of_acting
from twin.companies.errors import ActingRefused
from twin.companies.models import Acting as ActingRow
from twin.companies.queries import get_company
from twin.companies.queries.acting import open_acting
from twin.companies.recording import record_deed
from twin.companies.rules.acting import ACTING_LIFE, checked_reason, may_act_for
from twin.companies.types import COMPANIES_WRITE, Acting, ActingEnd, Scope
from twin.kernel import clock, security_log
from twin.kernel.tenancy import scoped, tenant_transaction


@scoped
def begin_acting(
    scope: Scope, *, company_id: int, reason: str, may_write: bool = False, address: str | None = None
) -> Acting:
    """Let the scope's person act for a company beneath, as its administrator, for an hour.

    Only looking unless `may_write`. The company's administrators get a mail and read it in their
    audit. Raises `ActingInvalid` without a reason, `ActingRefused` for companies that are not the
    asker's to act for, or blocked.
    """
    scope.require(COMPANIES_WRITE)
    company = get_company(scope, company_id)
    why = checked_reason(reason)
    if scope.person_id is None or not may_act_for(scope, company):
        raise ActingRefused(f"Nobody of organisation {scope.organisation_id} acts for company {company.id} now.")
    now = clock.now()
    row = ActingRow.objects.create(
        user_id=scope.person_id,
        organisation_id=scope.organisation_id,
        company_id=company.id,
        reason=why,
        may_write=may_write,
        started_at=now,
        expires_at=now + ACTING_LIFE,
    )
    acting = open_acting(scope, row.pk)
    if acting is None:
        raise ActingRefused(f"Nobody of organisation {scope.organisation_id} acts for company {company.id} now.")
    record_deed(scope, "acting.begun", company_id=company.id, address=address, **_told(acting))
    tell_of_acting(acting)
    return acting


def end_acting(*, organisation_id: int, acting_id: int, by: ActingEnd, address: str | None = None) -> None:
    """Note that it is over, once; the numbers come from the session of whoever acted."""
    with tenant_transaction(organisation_id):
        row = ActingRow.objects.select_for_update(no_key=True).filter(pk=acting_id, ended_at__isnull=True).first()
        if row is None:
            return
        row.ended_at, row.ended_by = min(clock.now(), row.expires_at), by
        row.save(update_fields=["ended_at", "ended_by"])
        security_log.record(
            "acting.ended",
            user_id=row.user_id,
            company_id=row.company_id,
            address=address,
            acting_id=row.pk,
            ended_by=by,
        )


def _told(acting: Acting) -> dict[str, object]:
    """What the record says of its beginning."""
    return {
        "acting_id": acting.id,
        "acting_from": acting.organisation_name,
        "reason": acting.reason,
        "way": "change" if acting.may_write else "look",
    }
