"""The Django app that keeps usage."""

from __future__ import annotations

from django.apps import AppConfig


class MeteringConfig(AppConfig):
    name = "twin.metering"
    label = "metering"
