"""Files that were asked for: how far they are, who is told."""

from __future__ import annotations

from twin.companies.types import REPORTS_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped
from twin.reports.errors import ExportNotFound
from twin.reports.models import Export
from twin.reports.types import ExportFile, Recipient

MOST_SHOWN = 50


@scoped
def exports_of(scope: Scope) -> list[ExportFile]:
    """The organisation's newest files, those that cannot be fetched any more included."""
    scope.require(REPORTS_READ)
    rows = Export.objects.filter(organisation_id=scope.organisation_id).select_related("person")
    return [_file_of(row) for row in rows.order_by("-asked_at", "-id")[:MOST_SHOWN]]


@scoped
def export_of(scope: Scope, export_id: int) -> ExportFile:
    """One file of the organisation; raises `ExportNotFound` for any other."""
    scope.require(REPORTS_READ)
    found = Export.objects.filter(pk=export_id, organisation_id=scope.organisation_id).select_related("person").first()
    if found is None:
        raise ExportNotFound(f"There is no file {export_id}.")
    return _file_of(found)


@scoped
def recipient_of(scope: Scope, export_id: int) -> Recipient | None:
    """Who asked for the file and is told that it is there; None when it or the person is gone."""
    rows = Export.objects.filter(pk=export_id, organisation_id=scope.organisation_id, person__is_active=True)
    found = rows.values_list("person__email", "person__name").first()
    return Recipient(*found) if found else None


def _file_of(row: Export) -> ExportFile:
    is_expired = row.expires_at is not None and row.expires_at <= clock.now()
    return ExportFile(
        id=row.pk,
        asked_by=row.person.name or row.person.email,
        report=row.report,
        form=row.form,
        question=row.question,
        language=row.language,
        name=row.name,
        state="expired" if is_expired else row.state,  # type: ignore[arg-type]  # the table knows these states only
        rows_total=row.rows_total,
        rows_done=row.rows_done,
        file=row.file,
        size=row.size,
        asked_at=row.asked_at,
        finished_at=row.finished_at,
        expires_at=row.expires_at,
    )
