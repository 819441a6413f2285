"""The tree, its people and keys; every table with a tenant column under row-level security."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"


def beneath(column: str) -> str:
    """The condition that a company lies, lay or will lie beneath the asker."""
    return f"exists (select 1 from companies_ancestry a where a.ancestor_id = {ASKER} and a.company_id = {column})"


TENANTS = f"""
alter table companies_company enable row level security;
alter table companies_company force row level security;
create policy companies_company_read on companies_company for select
    using (id = {ASKER} or {beneath("companies_company.id")});
create policy companies_company_add on companies_company for insert
    with check (id = {ASKER} or {beneath("companies_company.id")});
create policy companies_company_change on companies_company for update
    using (id = {ASKER} or {beneath("companies_company.id")})
    with check (id = {ASKER} or {beneath("companies_company.id")});

-- A former ancestor does not learn where a company went: memberships that start after its span are hidden.
alter table companies_membership enable row level security;
alter table companies_membership force row level security;
create policy companies_membership_read on companies_membership for select
    using (company_id = {ASKER} or parent_id = {ASKER} or exists (
        select 1 from companies_ancestry a where a.ancestor_id = {ASKER} and a.company_id = companies_membership.company_id
        and (a.end_at is null or companies_membership.start_at < a.end_at)));
create policy companies_membership_add on companies_membership for insert
    with check (parent_id = {ASKER} or {beneath("companies_membership.parent_id")});

-- Downwards everything beneath the asker; upwards its direct sellers only.
alter table companies_ancestry enable row level security;
alter table companies_ancestry force row level security;
create policy companies_ancestry_read on companies_ancestry for select
    using (ancestor_id = {ASKER} or (company_id = {ASKER} and distance = 1));

alter table companies_employment enable row level security;
alter table companies_employment force row level security;
create policy companies_employment_own on companies_employment
    using (company_id = {ASKER}) with check (company_id = {ASKER});

alter table companies_apikey enable row level security;
alter table companies_apikey force row level security;
create policy companies_apikey_own on companies_apikey
    using (company_id = {ASKER}) with check (company_id = {ASKER});
"""

# The few ways past row-level security: each answers one narrow question that comes before
# a scope, or keeps derived rows. They run as the owner with a fixed search path.
FUNCTIONS = """
create function companies_key_by_hash(wanted bytea)
returns table (id int, company_id int, kind varchar, state varchar, state_reason varchar, scopes varchar[],
               expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select k.id, k.company_id, c.kind, c.state, c.state_reason, k.scopes, k.expires_at, k.revoked_at, k.last_used_at
    from public.companies_apikey k join public.companies_company c on c.id = k.company_id
    where k.secret_hash = wanted
$$;

create function companies_employments_of(person int)
returns table (company_id int, kind varchar, name varchar, role varchar, state varchar, state_reason varchar)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select e.company_id, c.kind, c.name, e.role, c.state, c.state_reason
    from public.companies_employment e join public.companies_company c on c.id = e.company_id
    where e.user_id = person order by e.id
$$;

create function companies_platform() returns table (id int, currency varchar)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select c.id, c.currency from public.companies_company c where c.kind = 'platform'
$$;

-- The ancestry of one company and of all that ever lies beneath it, anew from the memberships.
-- Refuses what would lie beneath itself at some instant (TW001), and a membership recorded last that
-- does not start last (TW002). Callers hold the catalogue lock.
create function companies_rebuild_ancestry(changed int) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    affected int[];
begin
    if (select m.start_at from public.companies_membership m where m.company_id = changed order by m.id desc limit 1)
        < (select max(m.start_at) from public.companies_membership m where m.company_id = changed)
    then
        raise exception 'a later membership is recorded already' using errcode = 'TW002';
    end if;
    affected := array(select changed union
        select a.company_id from public.companies_ancestry a where a.ancestor_id = changed);
    delete from public.companies_ancestry where company_id = any(affected);
    insert into public.companies_ancestry (ancestor_id, company_id, start_at, end_at, distance, path)
    with recursive chain (company_id, ancestor_id, start_at, end_at, distance, path) as (
        select m.company_id, m.parent_id, m.start_at, n.start_at, 1, '{}'::int[]
        from public.companies_membership m
        left join lateral (select min(x.start_at) as start_at from public.companies_membership x
            where x.company_id = m.company_id and x.start_at > m.start_at) n on true
        where m.company_id = any(affected)
        union all
        select c.company_id, m.parent_id, greatest(c.start_at, m.start_at), least(c.end_at, n.start_at),
            c.distance + 1, c.ancestor_id || c.path
        from chain c
        join public.companies_membership m on m.company_id = c.ancestor_id
            and (c.end_at is null or m.start_at < c.end_at)
        left join lateral (select min(x.start_at) as start_at from public.companies_membership x
            where x.company_id = m.company_id and x.start_at > m.start_at) n on true
        where (n.start_at is null or n.start_at > c.start_at)
            and c.ancestor_id <> c.company_id and c.ancestor_id <> all(c.path)
    )
    select ancestor_id, company_id, start_at, end_at, distance, path from chain;
    if exists (select 1 from public.companies_ancestry where company_id = any(affected) and ancestor_id = company_id)
    then
        raise exception 'a company would lie beneath itself' using errcode = 'TW001';
    end if;
end
$$;

insert into companies_catalogueversion (id, version) values (1, 1);
"""

FUNCTIONS_BACK = """
drop function companies_key_by_hash(bytea);
drop function companies_employments_of(int);
drop function companies_platform();
drop function companies_rebuild_ancestry(int);
"""


LOOK_UPS = (
    "companies_key_by_hash(bytea), companies_employments_of(int), companies_platform(), companies_rebuild_ancestry(int)"
)


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take from app and writer what they never need; names of roles differ between installations."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    for statement in (
        f"revoke delete on companies_company from {app}, {writer}",
        f"revoke update, delete on companies_membership from {app}, {writer}",
        f"revoke insert, update, delete on companies_ancestry from {app}, {writer}",
        f"revoke delete on companies_apikey from {app}, {writer}",
        f"revoke insert, delete on companies_catalogueversion from {app}, {writer}",
        f"revoke all on function {LOOK_UPS} from public, {writer}",
        f"grant execute on function {LOOK_UPS} to {app}",
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogueVersion",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=1)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="companies_catalogueversion_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="Company",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=8)),
                ("name", models.CharField(max_length=200)),
                ("search_name", models.TextField()),
                ("external_id", models.CharField(max_length=64, null=True)),
                ("time_zone", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("state", models.CharField(default="active", max_length=7)),
                ("state_reason", models.CharField(default="", max_length=500)),
                ("closed_at", models.DateTimeField(null=True)),
                ("existed_from", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("external_id__isnull", False)),
                        fields=["external_id"],
                        name="companies_external",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["platform", "reseller", "company"])),
                        name="companies_company_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "blocked", "closed"])),
                        name="companies_company_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", False), ("state", "closed")),
                            models.Q(models.Q(("state", "closed"), _negated=True), ("closed_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="companies_company_closed_at",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("external_id", ""), _negated=True), name="companies_company_external_id"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("existed_from__isnull", True), ("kind", "platform")),
                            models.Q(models.Q(("kind", "platform"), _negated=True), ("existed_from__isnull", False)),
                            _connector="OR",
                        ),
                        name="companies_company_existed_from",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "platform")), fields=("kind",), name="companies_one_platform"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("prefix", models.CharField(max_length=16)),
                ("secret_hash", models.BinaryField(max_length=32)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None),
                ),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="companies.company"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("secret_hash",), name="companies_apikey_secret")],
            },
        ),
        migrations.CreateModel(
            name="Ancestry",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start_at", models.DateTimeField(null=True)),
                ("end_at", models.DateTimeField(null=True)),
                ("distance", models.SmallIntegerField()),
                ("path", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                (
                    "ancestor",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["ancestor", "company"], name="companies_ancestry_down")],
            },
        ),
        migrations.CreateModel(
            name="Employment",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.CharField(max_length=13)),
                ("created_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("company", "user"), name="companies_employment_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["administrator", "finance", "chat_operator"])),
                        name="companies_employment_role",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start_at", models.DateTimeField()),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="companies.company"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("company", "start_at"), name="companies_membership_start"),
                    models.CheckConstraint(
                        condition=models.Q(("company", models.F("parent")), _negated=True),
                        name="companies_membership_not_itself",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TENANTS, migrations.RunSQL.noop),
        migrations.RunSQL(FUNCTIONS, FUNCTIONS_BACK),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
