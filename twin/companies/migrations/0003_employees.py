"""Employees with limits, blocked and removed ones; invitations; those above see the people beneath."""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"


def beneath(column: str) -> str:
    """The condition that a company lies, or will lie, beneath the asker: never again once it left."""
    return (
        f"exists (select 1 from companies_ancestry a where a.ancestor_id = {ASKER}"
        f" and a.company_id = {column} and (a.end_at is null or a.end_at > now()))"
    )


# Those above read; what is written is written as the company itself.
TENANTS = f"""
create policy companies_employment_beneath on companies_employment for select
    using ({beneath("companies_employment.company_id")});

alter table companies_invitation enable row level security;
alter table companies_invitation force row level security;
create policy companies_invitation_own on companies_invitation
    using (company_id = {ASKER}) with check (company_id = {ASKER});
create policy companies_invitation_beneath on companies_invitation for select
    using ({beneath("companies_invitation.company_id")});
"""
TENANTS_BACK = "drop policy companies_employment_beneath on companies_employment;"

# Where the person works comes first, then where they are blocked, then where they once worked.
# An invitation is told only while its inviter still stands: an active administrator of the company or of one
# that lies above it, none of them blocked. Without inviter it came from the console.
FUNCTIONS = """
drop function companies_employments_of(int);
create function companies_employments_of(person int)
returns table (company_id int, kind varchar, name varchar, role varchar, state varchar, state_reason varchar,
               is_informed boolean, blocked_at timestamptz, blocked_reason varchar, removed_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select e.company_id, c.kind, c.name, e.role, c.state, c.state_reason, coalesce(i.is_complete, false),
        e.blocked_at, e.blocked_reason, e.removed_at
    from public.companies_employment e join public.companies_company c on c.id = e.company_id
    left join public.companies_information i on i.company_id = c.id
    where e.user_id = person order by e.removed_at is not null, e.blocked_at is not null, e.id
$$;

create function companies_invitation_by_hash(wanted bytea, asked_at timestamptz)
returns table (id int, company_id int, company_name varchar, company_kind varchar, email varchar, name varchar,
               role varchar, invited_by varchar, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select v.id, v.company_id, c.name, c.kind, v.email, v.name, v.role, coalesce(u.name, ''), v.expires_at
    from public.companies_invitation v join public.companies_company c on c.id = v.company_id
    left join public.accounts_user u on u.id = v.invited_by_id
    where v.token_hash = wanted and v.accepted_at is null and v.withdrawn_at is null and v.expires_at > asked_at
        and c.state = 'active'
        and (v.invited_by_id is null or u.is_active and exists (
            select 1 from public.companies_employment e join public.companies_company w on w.id = e.company_id
            where e.user_id = v.invited_by_id and e.role = 'administrator' and e.blocked_at is null
                and e.removed_at is null and w.state = 'active'
                and (e.company_id = v.company_id or exists (select 1 from public.companies_ancestry a
                    where a.ancestor_id = e.company_id and a.company_id = v.company_id
                        and (a.start_at is null or a.start_at <= asked_at)
                        and (a.end_at is null or a.end_at > asked_at)))))
$$;
"""
FUNCTIONS_BACK = """
drop function companies_invitation_by_hash(bytea, timestamptz);
drop function companies_employments_of(int);
create function companies_employments_of(person int)
returns table (company_id int, kind varchar, name varchar, role varchar, state varchar, state_reason varchar,
               is_informed boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select e.company_id, c.kind, c.name, e.role, c.state, c.state_reason, coalesce(i.is_complete, false)
    from public.companies_employment e join public.companies_company c on c.id = e.company_id
    left join public.companies_information i on i.company_id = c.id
    where e.user_id = person order by e.id
$$;
"""
EMPLOYMENTS = "companies_employments_of(int)"
LOOK_UPS = f"{EMPLOYMENTS}, companies_invitation_by_hash(bytea, timestamptz)"


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take from app and writer what they never need; names of roles differ between installations."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    for statement in (
        f"revoke delete on companies_invitation from {app}",
        f"revoke all on companies_invitation from {writer}",
        f"revoke all on function {LOOK_UPS} from public, {writer}",
        f"grant execute on function {LOOK_UPS} to {app}",
    ):
        schema_editor.execute(statement)


def grant_again(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The function of before, made anew, belongs to the app again."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    schema_editor.execute(f"revoke all on function {EMPLOYMENTS} from public")
    schema_editor.execute(f"grant execute on function {EMPLOYMENTS} to {app}")


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0002_information"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(max_length=200)),
                ("role", models.CharField(max_length=13)),
                ("token_hash", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("sendings", models.PositiveSmallIntegerField(default=1)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="employment",
            name="blocked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="employment",
            name="blocked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="employment",
            name="blocked_reason",
            field=models.CharField(default="", max_length=500),
        ),
        migrations.AddField(
            model_name="employment",
            name="max_dialogs",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="employment",
            name="removed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="employment",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_dialogs__isnull", True), ("max_dialogs__range", (1, 10000)), _connector="OR"),
                name="companies_employment_max_dialogs",
            ),
        ),
        migrations.AddConstraint(
            model_name="employment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("blocked_at__isnull", True), ("blocked_reason", "")),
                    models.Q(("blocked_at__isnull", False), models.Q(("blocked_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="companies_employment_blocked",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="accepted_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="company",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="companies.company"
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="invited_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(fields=["company", "sent_at"], name="companies_invitation_sent"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(fields=("token_hash",), name="companies_invitation_token"),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("accepted_at__isnull", True), ("withdrawn_at__isnull", True)),
                fields=("company", "email"),
                name="companies_invitation_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["administrator", "finance", "chat_operator"])),
                name="companies_invitation_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("accepted_at__isnull", True), ("accepted_by__isnull", True)),
                    models.Q(
                        ("accepted_at__isnull", False), ("accepted_by__isnull", False), ("withdrawn_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="companies_invitation_accepted",
            ),
        ),
        migrations.RunSQL(TENANTS, TENANTS_BACK),
        migrations.RunPython(migrations.RunPython.noop, grant_again),
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_BACK),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
