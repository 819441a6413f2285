"""Files made in the background: asked for, under way, there, gone. Each is one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from procrastinate.contrib.django import app

from twin.companies.types import REPORTS_READ, Scope
from twin.kernel import clock
from twin.kernel.tenancy import scoped
from twin.reports import storage
from twin.reports.errors import ExportNotFound, TooManyExports
from twin.reports.models import Export

# By name: the job renders pages, which stand above this module.
MAKE: Final = "twin.portal.jobs.make_export"
QUEUE: Final = "exports"
MOST_UNDER_WAY: Final = 5
# The list of files made stays readable longer than the files.
_REMEMBERED: Final = timedelta(days=60)


@scoped
def ask_for_export(
    scope: Scope,
    *,
    person_id: int,
    report: str,
    form: str,
    question: Mapping[str, Any],
    language: str,
    name: str,
    rows_total: int,
) -> int:
    """Note what is wanted and queue the work; the id of the file to come.

    Raises `TooManyExports` while the organisation has five under way.
    """
    scope.require(REPORTS_READ)
    own = Export.objects.filter(organisation_id=scope.organisation_id)
    own.filter(asked_at__lt=clock.now() - _REMEMBERED).delete()
    if own.filter(state__in=(Export.WAITING, Export.WORKING)).count() >= MOST_UNDER_WAY:
        raise TooManyExports(f"{MOST_UNDER_WAY} files are being made; wait for one of them or cancel it.")
    row = Export.objects.create(
        organisation_id=scope.organisation_id,
        person_id=person_id,
        report=report,
        form=form,
        question=dict(question),
        language=language,
        name=name,
        rows_total=rows_total,
        asked_at=clock.now(),
    )
    # One at a time in the whole installation: mails and folding must not wait for long files.
    task = app.configure_task(MAKE, queue=QUEUE, lock=QUEUE)
    task.defer(organisation_id=scope.organisation_id, export_id=row.pk)
    return row.pk


@scoped
def begin_export(scope: Scope, *, export_id: int) -> bool:
    """Whether there is work: False when the file is there, failed, or not wanted any more. Safe to repeat."""
    wanted = _own(scope, export_id).filter(state__in=(Export.WAITING, Export.WORKING))
    return bool(wanted.update(state=Export.WORKING, rows_done=0))


@scoped
def note_progress(scope: Scope, *, export_id: int, rows_done: int) -> None:
    """How many rows are written; raises `ExportNotFound` when nobody wants the file any more."""
    if not _own(scope, export_id).filter(state=Export.WORKING).update(rows_done=rows_done):
        raise ExportNotFound(f"File {export_id} is not wanted any more.")


@scoped
def finish_export(scope: Scope, *, export_id: int, file: str, size: int, rows: int) -> None:
    """The file can be fetched from now on, for a week; raises `ExportNotFound` as `note_progress` does."""
    now = clock.now()
    done = _own(scope, export_id).filter(state=Export.WORKING)
    facts = {"file": file, "size": size, "rows_done": rows, "rows_total": rows, "finished_at": now}
    if not done.update(state=Export.DONE, expires_at=now + storage.LIFETIME, **facts):
        raise ExportNotFound(f"File {export_id} is not wanted any more.")


@scoped
def fail_export(scope: Scope, *, export_id: int) -> None:
    """The file will not come; a file that is there stays."""
    failed = _own(scope, export_id).filter(state__in=(Export.WAITING, Export.WORKING))
    failed.update(state=Export.FAILED, finished_at=clock.now())


@scoped
def remove_export(scope: Scope, *, export_id: int) -> None:
    """Cancel a file under way or remove one that is there; raises `ExportNotFound`."""
    scope.require(REPORTS_READ)
    found = _own(scope, export_id).first()
    if found is None:
        raise ExportNotFound(f"There is no file {export_id}.")
    found.delete()
    transaction.on_commit(lambda: storage.remove(found.file))


def _own(scope: Scope, export_id: int) -> QuerySet[Export]:
    return Export.objects.filter(pk=export_id, organisation_id=scope.organisation_id)
