"""Files of reports that are made in the background; each organisation sees its own."""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"

TENANTS = f"""
alter table reports_export enable row level security;
alter table reports_export force row level security;
create policy reports_export_own on reports_export
    using (organisation_id = {ASKER}) with check (organisation_id = {ASKER});
"""


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Ingestion has no business with files."""
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    schema_editor.execute(f"revoke all on reports_export from {writer}")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("companies", "0003_employees"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("report", models.CharField(max_length=30)),
                ("form", models.CharField(max_length=4)),
                ("question", models.JSONField()),
                ("language", models.CharField(max_length=7)),
                ("name", models.CharField(max_length=200)),
                ("state", models.CharField(default="waiting", max_length=7)),
                ("rows_total", models.BigIntegerField()),
                ("rows_done", models.BigIntegerField(default=0)),
                ("file", models.CharField(default="", max_length=80)),
                ("size", models.BigIntegerField(default=0)),
                ("asked_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organisation", "-asked_at"], name="reports_export_of")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "working", "done", "failed"])),
                        name="reports_export_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True), ("expires_at__isnull", False), _connector="OR"
                        ),
                        name="reports_export_done_expires",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TENANTS, migrations.RunSQL.noop),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
