"""Where browsers tell that a page broke the content security policy: one line of the log each, and not many."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import structlog
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from twin.kernel.budget import Budget

_log = structlog.stdlib.get_logger("twin.security")
_LONGEST = 16 * 1024
_KINDS = ("application/csp-report", "application/reports+json", "application/json")
MOST_A_MINUTE = 20


budget = Budget(MOST_A_MINUTE)


@csrf_exempt  # browsers send reports without cookies and tokens; nothing is changed here
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Takes one report of either shape."""
    if request.content_type not in _KINDS:
        return HttpResponse(status=415)
    announced = str(request.META.get("CONTENT_LENGTH") or "0")
    if not announced.isdecimal() or int(announced[:9]) > _LONGEST:
        return HttpResponse(status=413)
    if not budget.spend():
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    report = _read(request.read(_LONGEST))
    if report is None:
        return HttpResponse(status=400)
    _log.warning("csp_report", **report)
    return HttpResponse(status=204)


def _read(body: bytes) -> dict[str, str] | None:
    """What is worth a line: the broken directive, what was blocked and on which page, without queries."""
    try:
        content = json.loads(body)
    except ValueError:
        return None
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return None
    report = first.get("csp-report", first.get("body", {}))
    if not isinstance(report, dict):
        return None
    directive = report.get("effective-directive", report.get("effectiveDirective", report.get("violated-directive")))
    return {
        "directive": str(directive)[:60],
        "blocked": _bare(report.get("blocked-uri", report.get("blockedURL"))),
        "page": _bare(report.get("document-uri", report.get("documentURL"))),
    }


def _bare(address: object) -> str:
    try:
        parts = urlsplit(str(address))
    except ValueError:
        return "?"
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:200] if parts.scheme else str(address)[:60]
