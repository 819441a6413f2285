"""Icons and the mark, drawn from our own sprite."""

from __future__ import annotations

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


# A page shows dozens, of a set that the templates close; each would look up the address of the sprite anew.
@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A decorative icon; the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("portal/icons.svg"),
        name,
    )
