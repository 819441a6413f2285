"""Acting for a company in its administrator's place; invitations by which a company goes to a reseller."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# An acting is written where it comes from and read there and by the company it is for; an invitation
# is the reseller's, and the company's once it was accepted.
TENANTS = f"""
alter table companies_acting enable row level security;
alter table companies_acting force row level security;
create policy companies_acting_read on companies_acting for select
    using (organisation_id = {ASKER} or company_id = {ASKER});
create policy companies_acting_add on companies_acting for insert with check (organisation_id = {ASKER});
create policy companies_acting_end on companies_acting for update
    using (organisation_id = {ASKER}) with check (organisation_id = {ASKER});

alter table companies_attachment enable row level security;
alter table companies_attachment force row level security;
create policy companies_attachment_read on companies_attachment for select
    using (seller_id = {ASKER} or company_id = {ASKER});
create policy companies_attachment_add on companies_attachment for insert with check (seller_id = {ASKER});
create policy companies_attachment_change on companies_attachment for update
    using (seller_id = {ASKER}) with check (seller_id = {ASKER});
"""

# Whoever holds the link is told what became of it. It stands while the reseller is active and the inviter one
# of its active administrators.
FUNCTION = """
create function companies_attachment_by_hash(wanted bytea)
returns table (id int, seller_id int, seller_name varchar, email varchar, invited_by varchar, expires_at timestamptz,
               accepted_at timestamptz, declined_at timestamptz, withdrawn_at timestamptz, is_standing boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select v.id, v.seller_id, s.name, v.email, u.name, v.expires_at, v.accepted_at, v.declined_at, v.withdrawn_at,
        s.state = 'active' and s.kind = 'reseller' and u.is_active and exists (
            select 1 from public.companies_employment e
            where e.user_id = v.invited_by_id and e.company_id = v.seller_id and e.role = 'administrator'
                and e.blocked_at is null and e.removed_at is null)
    from public.companies_attachment v join public.companies_company s on s.id = v.seller_id
    join public.accounts_user u on u.id = v.invited_by_id
    where v.token_hash = wanted
$$;
"""
FUNCTION_BACK = "drop function companies_attachment_by_hash(bytea);"
TABLES = "companies_acting, companies_attachment"
LOOK_UP = "companies_attachment_by_hash(bytea)"


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take from app and writer what they never need; names of roles differ between installations."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    for statement in (
        f"revoke delete on {TABLES} from {app}",
        # Who acted for whom, why and until when is never rewritten.
        f"revoke update on companies_acting from {app}",
        f"grant update (ended_at, ended_by) on companies_acting to {app}",
        f"revoke all on {TABLES} from {writer}",
        f"revoke all on function {LOOK_UP} from public, {writer}",
        f"grant execute on function {LOOK_UP} to {app}",
    ):
        schema_editor.execute(statement)


def company_key(**options: Any) -> Any:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="companies.company", **options
    )


def person_key(**options: Any) -> Any:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, **options
    )


class Migration(migrations.Migration):
    dependencies = [("companies", "0006_record"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Acting",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("user", person_key()),
                ("organisation", company_key(db_index=False)),
                ("company", company_key()),
                ("reason", models.CharField(max_length=500)),
                ("may_write", models.BooleanField()),
                ("started_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(default="", max_length=8)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=~models.Q(company=models.F("organisation")), name="companies_acting_not_itself"
                    ),
                    models.CheckConstraint(condition=~models.Q(reason=""), name="companies_acting_reason"),
                    models.CheckConstraint(
                        condition=models.Q(ended_at__isnull=True, ended_by="")
                        | models.Q(ended_at__isnull=False)
                        & models.Q(ended_by__in=["person", "time", "right", "leaving"]),
                        name="companies_acting_ended",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seller", company_key(db_index=False)),
                ("email", models.EmailField(max_length=254)),
                ("token_hash", models.BinaryField(max_length=32)),
                ("invited_by", person_key()),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("sendings", models.PositiveSmallIntegerField(default=1)),
                ("expires_at", models.DateTimeField()),
                ("company", company_key(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("accepted_by", person_key(null=True)),
                ("declined_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["seller", "sent_at"], name="companies_attachment_sent")],
                "constraints": [
                    models.UniqueConstraint(fields=["token_hash"], name="companies_attachment_token"),
                    models.UniqueConstraint(
                        fields=["seller", "email"],
                        condition=models.Q(accepted_at=None, declined_at=None, withdrawn_at=None),
                        name="companies_attachment_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(accepted_at=None, accepted_by=None, company=None)
                        | models.Q(
                            accepted_at__isnull=False,
                            accepted_by__isnull=False,
                            company__isnull=False,
                            declined_at=None,
                            withdrawn_at=None,
                        ),
                        name="companies_attachment_accepted",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TENANTS, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTION, FUNCTION_BACK),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
