"""Outgoing mails and SMS; the record of security that may only grow."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# Anybody may add an event, also before a scope exists; an organisation reads its own.
TENANTS = f"""
alter table kernel_securityevent enable row level security;
alter table kernel_securityevent force row level security;
create policy kernel_securityevent_read on kernel_securityevent for select using (company_id = {ASKER});
create policy kernel_securityevent_add on kernel_securityevent for insert with check (true);
"""


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The record of security only grows; ingestion has no business with either table."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    for statement in (
        f"revoke update, delete, truncate on kernel_securityevent from {app}",
        f"revoke all on kernel_securityevent, kernel_dispatch from {writer}",
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    initial = True

    dependencies = [("procrastinate", "0041_post_retry_failed_job")]

    operations = [
        migrations.CreateModel(
            name="Dispatch",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(max_length=4)),
                ("recipient", models.CharField(max_length=320)),
                ("subject", models.CharField(default="", max_length=300)),
                ("sealed_body", models.TextField()),
                ("purpose", models.CharField(max_length=40)),
                ("state", models.CharField(default="queued", max_length=9)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("reference", models.CharField(default="", max_length=200)),
                ("last_error", models.CharField(default="", max_length=300)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("next_try_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at"], name="kernel_dispatch_created"),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "sending"])),
                        fields=["next_try_at"],
                        name="kernel_dispatch_waiting",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["mail", "sms"])), name="kernel_dispatch_channel"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "sending", "sent", "unknown", "failed", "delivered"])
                        ),
                        name="kernel_dispatch_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("event", models.CharField(max_length=60)),
                ("user_id", models.IntegerField(null=True)),
                ("company_id", models.IntegerField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("fields", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user_id", "at"], name="kernel_securityevent_user"),
                    models.Index(fields=["company_id", "at"], name="kernel_securityevent_company"),
                ],
            },
        ),
        migrations.RunSQL(TENANTS, migrations.RunSQL.noop),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
