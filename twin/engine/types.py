"""Values that the engine hands to others."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ConnectionParameters = dict[str, Any]

_DJANGO_NAMES = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}


@dataclass(frozen=True)
class DatabaseRoles:
    """Three ways into one database: `psycopg.connect(**roles.app)`.

    owner: schema and migrations, steps over row-level security.
    app: pages, API, reports, jobs; plain.
    writer: the ingestion transaction; steps over row-level security.
    """

    owner: ConnectionParameters = field(repr=False)
    app: ConnectionParameters = field(repr=False)
    writer: ConnectionParameters = field(repr=False)
    embedded: bool
    data_dir: Path

    def django(self) -> dict[str, dict[str, Any]]:
        """Entries of Django's DATABASES: default (app), owner, writer."""
        return {
            "default": _django_entry(self.app),
            "owner": _django_entry(self.owner),
            "writer": _django_entry(self.writer),
        }


def _django_entry(parameters: ConnectionParameters) -> dict[str, Any]:
    known = {_DJANGO_NAMES[key]: value for key, value in parameters.items() if key in _DJANGO_NAMES}
    options = {key: value for key, value in parameters.items() if key not in _DJANGO_NAMES}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **known,
        "OPTIONS": options,
        # A killed database comes back under the same address; a kept connection must notice that it died.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
