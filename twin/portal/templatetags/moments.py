"""Instants in the words of the active language."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django import template

from twin.portal.words import date_words

register = template.Library()


@register.filter
def moment(instant: datetime, zone: ZoneInfo) -> str:
    """`22 Nov 2026, 10:12` as the clock of the zone shows it."""
    local = instant.astimezone(zone)
    return f"{date_words(local)}, {local:%H:%M}"
