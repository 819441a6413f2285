"""Registers the app with Django."""

from __future__ import annotations

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "twin.pricing"
    label = "pricing"
