"""The accounts app: people, their sign-in and their consents."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "twin.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.AutoField"
