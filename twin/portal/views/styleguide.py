"""The components the pages are made of, in every state and in both themes; in the demonstration only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twin.kernel import demonstration
from twin.portal.asking import read
from twin.portal.period_control import PeriodControl

TOKENS = (
    *("canvas", "surface", "sunken", "hover", "selected", "line", "line-2", "control", "ink", "ink-2", "ink-3"),
    *("accent", "accent-hover", "accent-line", "warning", "warning-weak", "danger", "danger-weak"),
)
ICONS = (
    *("reports", "people", "company", "search", "columns", "download", "print", "again", "lock", "stop", "waiting"),
    *("warning", "alert", "question", "done", "close", "globe", "eye", "mail", "phone", "chat", "bot", "shield"),
)
# A morning on which the clocks go back, so that the control has something to ask.
_NOW = datetime(2026, 10, 26, 9, 14, 7, tzinfo=UTC)
_DOUBLED = {"from": "2026-10-25T02:30", "to": "2026-10-26", "time_zone": "Europe/Berlin"}


class Theme(NamedTuple):
    """Everything once for each theme; ids on one page must differ."""

    code: str
    title: Promise
    fields: forms.Form
    wrong: forms.Form


class Sample(forms.Form):
    """One field of each kind; a name of one letter is too short."""

    name = forms.CharField(label=_("Name"), min_length=2, help_text=_("As it stands on invoices."))
    zone = forms.CharField(label=_("Time zone"), required=False)
    secret = forms.CharField(label=_("Password"), widget=forms.PasswordInput)
    role = forms.ChoiceField(
        label=_("Role"), choices=[("administrator", _("administrator")), ("finance", _("finance"))]
    )
    known = forms.CharField(label=_("Id"), disabled=True, initial="1089", widget=forms.TextInput({"readonly": True}))
    expenses = forms.BooleanField(label=_("There are expenses"), initial=True, required=False)


@require_safe
@never_cache
def styleguide(request: HttpRequest) -> HttpResponse:
    """Nowhere but in the demonstration is there such a page."""
    if not demonstration.is_open():
        raise Http404
    context: dict[str, Any] = {
        "themes": [_theme("light", _("Light")), _theme("dark", _("Dark"))],
        "tokens": TOKENS,
        "icons": ICONS,
        "control": _control(request),
    }
    return render(request, "portal/styleguide.html", context)


def _theme(code: str, title: Promise) -> Theme:
    return Theme(
        code,
        title,
        Sample(auto_id=f"{code}_%s"),
        Sample({"name": "x", "zone": "Mars/Base"}, auto_id=f"{code}_wrong_%s"),
    )


def _control(request: HttpRequest) -> PeriodControl:
    asked = read(_DOUBLED, default_zone="Europe/Berlin", now=_NOW)
    return PeriodControl(
        asked=asked, path=request.path, now=_NOW, zones_near=("Asia/Dubai",), has_sides=True, has_expenses=True
    )
