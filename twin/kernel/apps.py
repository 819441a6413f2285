"""The lowest floor as Django sees it: what goes out, and what is remembered about security."""

from __future__ import annotations

from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "twin.kernel"
