"""The Django app of the demonstration world."""

from __future__ import annotations

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "twin.demo"
    label = "demo"
