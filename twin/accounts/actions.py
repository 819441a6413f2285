"""What people change about themselves."""

from __future__ import annotations

from twin.accounts.models import User


def choose_appearance(*, user_id: int, language: str | None = None, theme: str | None = None) -> None:
    """Keep the language or the theme a person chose; what is not given stays.

    The values are the database's to refuse: pages offer only those that exist.
    """
    chosen = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    User.objects.filter(pk=user_id).update(**chosen)
