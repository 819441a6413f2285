"""Making a file in the background: its own pace, its progress, the mail that says it is there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from twin.companies.access import reading_scope, report_scope
from twin.companies.errors import CompanyInactive, CompanyNotFound
from twin.companies.types import Scope
from twin.kernel.delivery import RecipientUnusable, send_mail
from twin.kernel.links import absolute
from twin.portal import event_files, report_files
from twin.reports import actions, storage
from twin.reports.errors import ExportNotFound
from twin.reports.queries import export_of, recipient_of
from twin.reports.types import ExportFile

PURPOSE: Final = "export"
FILES: Final = "/reports/files"
_NOTE_EVERY: Final = timedelta(seconds=1)
_log = structlog.stdlib.get_logger("twin.reports")


@dataclass
class _Pace:
    """Notes the progress at most every second; raises `ExportNotFound` once nobody wants the file any more."""

    scope: Scope
    export_id: int
    noted_at: float = 0

    def __call__(self, rows: int) -> None:
        elapsed = time.monotonic() - self.noted_at
        if elapsed >= _NOTE_EVERY.total_seconds():
            actions.note_progress(self.scope, export_id=self.export_id, rows_done=rows)
            self.noted_at = time.monotonic()


def make_file(organisation_id: int, export_id: int) -> None:
    """Make the file that was asked for and tell who asked; twice or half-way does no harm.

    Reads for the organisation, never for more than it may read now.
    """
    try:
        own = reading_scope(organisation_id)
    except (CompanyInactive, CompanyNotFound):
        return
    if not actions.begin_export(own, export_id=export_id):
        return
    export = export_of(own, export_id)
    name = storage.new_name(export.name.rpartition(".")[2])
    try:
        with translation.override(export.language):
            _make(own, export, name)
    except ExportNotFound:
        storage.remove(name)
    except Exception:  # noqa: BLE001 - whatever it was, who waits is told and the next file is made
        storage.remove(name)
        actions.fail_export(own, export_id=export_id)
        _log.exception("export_failed", export=export_id, report=export.report)


def _make(own: Scope, export: ExportFile, name: str) -> None:
    growing = storage.growing_path_of(name)
    scope = report_scope(own, export.question["reseller"])
    rows = _write(scope, export, growing, _Pace(own, export.id))
    size = growing.stat().st_size
    growing.rename(storage.path_of(name))
    # The mail leaves only with a file that can be fetched.
    with transaction.atomic():
        actions.finish_export(own, export_id=export.id, file=name, size=size, rows=rows)
        _tell(own, export)


def _write(scope: Scope, export: ExportFile, target: Path, pace: _Pace) -> int:
    if export.report == event_files.REPORT:
        return event_files.write_events(scope, event_files.from_json(export.question), target, pace)
    return report_files.write_file(scope, report_files.from_json(export.question), target, pace)


def _tell(own: Scope, export: ExportFile) -> None:
    recipient = recipient_of(own, export.id)
    if recipient is None:
        return
    facts = {"name": recipient.name, "file": export.name, "link": absolute(f"{FILES}/{export.id}")}
    text = _(
        "%(name)s,\n\nthe file you asked for is ready: %(file)s\n\n%(link)s\n\n"
        "Sign in to fetch it. The link works for 7 days and for people of your company only."
    )
    try:
        send_mail(to=recipient.email, subject=_("Your file is ready"), text=text % facts, purpose=PURPOSE)
    except RecipientUnusable:
        _log.warning("export_recipient_unusable", export=export.id)
