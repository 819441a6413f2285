"""The terms and the policy, as they are and as they were."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from twin.portal.legal import TEXTS, template_of


@require_safe
def legal_text(request: HttpRequest, kind: str, version: str = "") -> HttpResponse:
    """The newest version, or the one named."""
    text = TEXTS.get(kind)
    version = version or (text.version if text else "")
    if text is None or version not in text.versions:
        raise Http404
    language = "ru" if get_language() == "ru" else "en"
    context = {"text": text, "version": version, "body": template_of(text, version, language)}
    return render(request, "legal/document.html", context)
