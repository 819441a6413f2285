"""Reports as files: made while one waits, or asked for and fetched later."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from twin.companies import queries as companies
from twin.companies.types import REPORTS_READ, Scope
from twin.kernel.errors import Invalid, NotFound
from twin.portal.asking import FORMATS
from twin.portal.drilling import left_out, read_drill
from twin.portal.event_files import REPORT as EVENTS
from twin.portal.event_files import EventsAsked, events_asked, write_events
from twin.portal.event_files import rows_in as event_rows_in
from twin.portal.file_pages import FileLine, LargeFile
from twin.portal.report_columns import table_choice
from twin.portal.report_files import (
    AT_ONCE,
    EXTENTS,
    LARGEST_PDF,
    REPORT,
    TYPES,
    FileAsked,
    file_asked,
    name_of,
    rows_in,
    write_file,
)
from twin.portal.report_request import Asking, asking_of
from twin.portal.visitor import visitor_of
from twin.reports import actions, storage
from twin.reports.errors import ExportNotFound, TooManyExports
from twin.reports.event_exports import MOST_WORKBOOK_ROWS
from twin.reports.exports import csv_chunks
from twin.reports.queries import export_of, exports_of, reseller_companies

_DEFAULT_EXTENTS: Final = {"csv": "section", "xlsx": "sections", "pdf": "sections"}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def report_file(request: HttpRequest) -> HttpResponseBase:
    """The report of the address as a file; a long one is offered to be made in the background, by POST."""
    asking = asking_of(request)
    if asking.asked.problems or request.GET.get("format") not in FORMATS:
        return HttpResponseRedirect(f"{reverse('portal:reseller_companies')}?{request.GET.urlencode()}")
    try:
        return file_answer(request, asking)
    except Invalid:
        # The page says by the field what cannot be used.
        kept = request.GET.copy()
        kept.pop("format")
        return HttpResponseRedirect(f"{reverse('portal:reseller_companies')}?{kept.urlencode()}")


def file_answer(request: HttpRequest, asking: Asking) -> HttpResponseBase:
    """The file that `format` and `extent` ask for; raises `Invalid` where the report cannot be asked so."""
    file = _file_of(request, asking)
    rows = rows_in(asking.scope, file)
    name = name_of(file, asking.asked)
    is_too_large = file.form == "pdf" and rows > LARGEST_PDF
    if rows <= AT_ONCE[file.form] and not is_too_large:
        return _made_now(asking.scope, file, name)
    if request.method == "POST" and not is_too_large:
        return _asked_for(request, asking, REPORT, file, name, rows)
    return _offered(request, LargeFile(name, rows, request.get_full_path(), is_too_large=is_too_large))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def events_file(request: HttpRequest, company_id: int) -> HttpResponseBase:
    """The events that the drill-down shows, all of them; many are offered to be made in the background, by POST.

    A filter that cannot be used leads to the page, which says what is shown: a file would hold more than was asked.
    """
    asking = asking_of(request)
    drill, form = read_drill(request.GET.dict(), asking.asked), request.GET.get("format")
    page = reverse("portal:drill_down", args=[company_id])
    if asking.asked.problems or form not in ("csv", "xlsx"):
        return HttpResponseRedirect(f"{page}?{request.GET.urlencode()}")
    if left_out(request.GET.dict(), drill):
        return HttpResponseRedirect(drill.address(page))
    try:
        asked = events_asked(asking.scope, asking.reseller, drill, company_id, "xlsx" if form == "xlsx" else "csv")
        rows = event_rows_in(asking.scope, asked)
    except NotFound:
        raise Http404 from None
    except Invalid:
        return HttpResponseRedirect(drill.without_rate().address(page))
    is_too_large = form == "xlsx" and rows > MOST_WORKBOOK_ROWS
    if rows <= AT_ONCE[asked.form]:
        return _sent(asked.name, lambda place: write_events(asking.scope, asked, place))
    if request.method == "POST" and not is_too_large:
        return _asked_for(request, asking, EVENTS, asked, asked.name, rows)
    return _offered(request, LargeFile(asked.name, rows, request.get_full_path(), is_too_large=is_too_large))


def _offered(request: HttpRequest, page: LargeFile) -> HttpResponse:
    return render(request, "portal/files/large.html", {"page": page})


def _file_of(request: HttpRequest, asking: Asking) -> FileAsked:
    form = next(each for each in FORMATS if each == request.GET["format"])
    wanted = request.GET.get("extent") or _DEFAULT_EXTENTS[form]
    extent = next((each for each in EXTENTS if each == wanted), None)
    if extent is None:
        raise Http404
    hidden = table_choice(asking.visitor.employment.person_id).hidden_in(asking.asked.section)
    return file_asked(asking.asked, form, extent, asking.reseller.id, tuple(hidden))


def _made_now(scope: Scope, file: FileAsked, name: str) -> HttpResponseBase:
    if file.kind == "csv" and file.query.section is not None:
        report = reseller_companies(scope, file.query)
        chunks = csv_chunks(report, file.query.section, file.query.side, file.hidden)
        response: HttpResponseBase = StreamingHttpResponse(chunks, content_type=TYPES["csv"])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
    return _sent(name, lambda place: write_file(scope, file, place))


def _sent(name: str, write: Callable[[Path], object]) -> FileResponse:
    handle, place = tempfile.mkstemp(prefix="twin-file-")
    os.close(handle)
    path = Path(place)
    try:
        write(path)
        # An open file outlives its name: nothing stays behind, however the answer ends.
        kind = TYPES[name.rpartition(".")[2]]
        return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type=kind)
    finally:
        path.unlink()


def _asked_for(
    request: HttpRequest, asking: Asking, report: str, file: FileAsked | EventsAsked, name: str, rows: int
) -> HttpResponse:
    try:
        export_id = actions.ask_for_export(
            asking.own_scope,
            person_id=asking.visitor.employment.person_id,
            report=report,
            form=file.form,
            question=file.as_json(),
            language=get_language() or "en",
            name=name,
            rows_total=rows,
        )
    except TooManyExports:
        messages.warning(request, _("Five files are being made already. Wait for one of them, or cancel it."))
        return HttpResponseRedirect(reverse("portal:files"))
    return HttpResponseRedirect(reverse("portal:file", args=[export_id]))


@require_safe
@never_cache
@login_required
def files(request: HttpRequest) -> HttpResponse:
    """Files of the organisation: under way, there, and those whose time is over."""
    scope, zone = _reader(request)
    lines = [FileLine(export, zone) for export in exports_of(scope)]
    return render(request, "portal/files/list.html", {"lines": lines, "zone": zone})


@require_safe
@never_cache
@login_required
def file(request: HttpRequest, export_id: int) -> HttpResponse:
    """How far one file is; it can be fetched here once it is there."""
    scope, zone = _reader(request)
    try:
        line = FileLine(export_of(scope, export_id), zone)
    except ExportNotFound:
        raise Http404 from None
    return render(request, "portal/files/file.html", {"line": line})


@require_safe
@never_cache
@login_required
def fetch_file(request: HttpRequest, export_id: int) -> HttpResponseBase:
    """The file itself; only people of the organisation that asked, only while its time lasts."""
    scope, _zone = _reader(request)
    try:
        export = export_of(scope, export_id)
        if export.state != "done":
            return HttpResponseRedirect(reverse("portal:file", args=[export_id]))
        content = storage.path_of(export.file).open("rb")
    except (ExportNotFound, FileNotFoundError):
        raise Http404 from None
    kind = export.name.rpartition(".")[2]
    return FileResponse(content, as_attachment=True, filename=export.name, content_type=TYPES[kind])


@require_POST
@login_required
def remove_file(request: HttpRequest, export_id: int) -> HttpResponse:
    """Cancel a file under way, or remove one that is there."""
    scope, _zone = _reader(request)
    try:
        actions.remove_export(scope, export_id=export_id)
    except ExportNotFound:
        raise Http404 from None
    messages.success(request, _("The file was removed."))
    return HttpResponseRedirect(reverse("portal:files"))


def _reader(request: HttpRequest) -> tuple[Scope, ZoneInfo]:
    """Whose files they are, and the zone their times are told in."""
    visitor = visitor_of(request)
    if visitor is None or visitor.scope is None or REPORTS_READ not in visitor.scope.permissions:
        raise Http404
    own = companies.get_company(visitor.scope, visitor.scope.organisation_id)
    return visitor.scope, ZoneInfo(own.time_zone)
