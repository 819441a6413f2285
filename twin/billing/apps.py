"""The Django app of statements, invoices and balances."""

from __future__ import annotations

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "twin.billing"
    label = "billing"
