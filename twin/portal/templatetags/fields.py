"""A form field as the pages draw it: the widget with its classes, its kind, its words for screen readers."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from django import template
from django.forms import BoundField, CheckboxInput, PasswordInput, RadioSelect, Select, Textarea
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (CheckboxInput, "checkbox"),
    (RadioSelect, "radio"),
    (PasswordInput, "password"),
    (Select, "select"),
    (Textarea, "textarea"),
)
_CLASSES: Final = {"checkbox": "form-check-input", "select": "form-select", "radio": ""}


@register.filter
def field_kind(field: BoundField) -> str:
    """`checkbox`, `radio`, `password`, `select`, `textarea` or `text`."""
    for widget, kind in _KINDS:
        if isinstance(field.field.widget, widget):
            return kind
    return "text"


@register.simple_tag
def widget(field: BoundField, hint: bool = True, more: str = "") -> SafeString:
    """The widget with our class; hint and problem are tied to it, `more` names further describing ids."""
    kind = field_kind(field)
    described = [
        f"{field.auto_id}_hint" if hint and field.help_text else "",
        f"{field.auto_id}_problem" if field.errors else "",
        more,
    ]
    own_class = field.field.widget.attrs.get("class", "")
    attrs: dict[str, Any] = {"class": f"{_CLASSES.get(kind, 'form-control')} {own_class}".strip()}
    # Also where nothing describes it: Django would tie it to ids of its own that the page does not hold.
    attrs["aria-describedby"] = " ".join(each for each in described if each) or None
    if field.errors:
        attrs["aria-invalid"] = "true"
    return field.as_widget(attrs={name: value for name, value in attrs.items() if value is not None})


# Hundreds of time zones stand on every report: written once, as the template's own loop takes longer than the table.
@register.simple_tag
@cache
def suggestions(values: tuple[str, ...]) -> SafeString:
    """The options of a `datalist`."""
    return mark_safe("".join(f'<option value="{escape(value)}"></option>' for value in values))  # noqa: S308 - every part is escaped
