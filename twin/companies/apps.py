"""The companies app: the tree, who works where, keys, and the only maker of scopes."""

from __future__ import annotations

from django.apps import AppConfig


class CompaniesConfig(AppConfig):
    name = "twin.companies"
    label = "companies"
    default_auto_field = "django.db.models.AutoField"
