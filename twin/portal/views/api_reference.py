"""API reference and quick start, for everybody who is signed in."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.kernel import clock
from twin.portal.api_keys_page import PERMISSION_WORDS
from twin.portal.api_reference_page import chapters
from twin.portal.quick_start import NEEDED, TONGUES, quick_start
from twin.portal.visitor import visitor_of

DOCUMENT: Final = "/api/v1/openapi.json"


@require_safe
@never_cache
@login_required
def api_reference(request: HttpRequest) -> HttpResponse:
    """Five minutes from a key to the report, then every address there is; `show` chooses the language of the code."""
    tongue = request.GET.get("show", "")
    tongue = tongue if tongue in TONGUES else "curl"
    visitor = visitor_of(request)
    scope = visitor.scope if visitor is not None else None
    held = scope.permissions if scope is not None else frozenset()
    context = {
        "tongue": tongue,
        "tongues": tuple(TONGUES.items()),
        "steps": quick_start(tongue, request.build_absolute_uri("/").rstrip("/"), clock.now()),
        "needed": [(name, PERMISSION_WORDS[name]) for name in NEEDED],
        "lacks_usage": "usage:write" not in held,
        "may_make_keys": visitor is not None and visitor.manages_keys,
        "chapters": chapters(_document(request)),
        "document": DOCUMENT,
    }
    return render(request, "portal/api_reference/page.html", context)


def _document(request: HttpRequest) -> dict[str, Any]:
    """What machines are told at the same moment: this page cannot say anything else."""
    answer = resolve(DOCUMENT).func(request)
    document: dict[str, Any] = json.loads(answer.content)
    return document
