"""Company information, its history and half-filled forms; sign-in learns whether it is complete."""

from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"


def beneath(column: str) -> str:
    """The condition that a company is the asker itself or lies, or will lie, beneath it: never again once it left."""
    return (
        f"({column} = {ASKER} or exists (select 1 from companies_ancestry a where a.ancestor_id = {ASKER}"
        f" and a.company_id = {column} and (a.end_at is null or a.end_at > now())))"
    )


def secured(table: str, condition: str) -> str:
    return f"""
alter table {table} enable row level security;
alter table {table} force row level security;
create policy {table}_own on {table} using ({condition}) with check ({condition});
"""


TENANTS = (
    secured("companies_information", beneath("companies_information.company_id"))
    + secured("companies_informationchange", beneath("companies_informationchange.company_id"))
    # Nobody above reads what was not saved.
    + secured("companies_informationdraft", f"company_id = {ASKER}")
)

# The look-up at every page of a person also says whether the company's window still has to open.
EMPLOYMENTS = """
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

EMPLOYMENTS_BACK = """
drop function companies_employments_of(int);
create function companies_employments_of(person int)
returns table (company_id int, kind varchar, name varchar, role varchar, state varchar, state_reason varchar)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select e.company_id, c.kind, c.name, e.role, c.state, c.state_reason
    from public.companies_employment e join public.companies_company c on c.id = e.company_id
    where e.user_id = person order by e.id
$$;
"""


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take from app and writer what they never need; names of roles differ between installations."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    for statement in (
        f"revoke delete on companies_information from {app}",
        f"revoke update, delete on companies_informationchange from {app}",
        f"revoke all on companies_information, companies_informationchange, companies_informationdraft from {writer}",
        f"revoke all on function companies_employments_of(int) from public, {writer}",
        f"grant execute on function companies_employments_of(int) to {app}",
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("companies", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Information",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="companies.company",
                    ),
                ),
                ("version", models.IntegerField(default=0)),
                ("is_complete", models.BooleanField(default=False)),
                ("name_given", models.BooleanField(default=False)),
                ("email", models.CharField(default="", max_length=254)),
                ("phone", models.CharField(default="", max_length=16)),
                ("max_dialogs", models.IntegerField(default=300)),
                ("country", models.CharField(default="", max_length=2)),
                ("invoice_name", models.CharField(default="", max_length=200)),
                ("receiver_name", models.CharField(default="", max_length=200)),
                ("registration_number", models.CharField(default="", max_length=64)),
                ("bank", models.CharField(default="", max_length=200)),
                ("account", models.CharField(default="", max_length=64)),
                ("inn", models.CharField(default="", max_length=64)),
                ("kpp", models.CharField(default="", max_length=64)),
                ("ogrn", models.CharField(default="", max_length=64)),
                ("bik", models.CharField(default="", max_length=64)),
                ("correspondent_account", models.CharField(default="", max_length=64)),
                ("vat_number", models.CharField(default="", max_length=64)),
                ("iban", models.CharField(default="", max_length=64)),
                ("bic", models.CharField(default="", max_length=64)),
                ("utr", models.CharField(default="", max_length=64)),
                ("ein", models.CharField(default="", max_length=64)),
                ("aba", models.CharField(default="", max_length=64)),
                ("duns", models.CharField(default="", max_length=64)),
                ("legal_street", models.CharField(default="", max_length=200)),
                ("legal_city", models.CharField(default="", max_length=100)),
                ("legal_region", models.CharField(default="", max_length=100)),
                ("legal_postal_code", models.CharField(default="", max_length=16)),
                ("postal_same", models.BooleanField(default=True)),
                ("postal_street", models.CharField(default="", max_length=200)),
                ("postal_city", models.CharField(default="", max_length=100)),
                ("postal_region", models.CharField(default="", max_length=100)),
                ("postal_postal_code", models.CharField(default="", max_length=16)),
                ("postal_country", models.CharField(default="", max_length=2)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("max_dialogs__gte", 1), ("max_dialogs__lte", 10000)),
                        name="companies_information_dialogs",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country", ""), ("country__regex", "^[A-Z]{2}$"), _connector="OR"),
                        name="companies_information_country",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone", ""), ("phone__regex", "^\\+[1-9][0-9]{6,14}$"), _connector="OR"),
                        name="companies_information_phone",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InformationChange",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.IntegerField()),
                ("changed_at", models.DateTimeField()),
                ("before", models.JSONField()),
                (
                    "changed_by",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("company", "version"), name="companies_informationchange_version")
                ],
            },
        ),
        migrations.CreateModel(
            name="InformationDraft",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("base_version", models.IntegerField()),
                ("typed", models.JSONField()),
                ("saved_at", models.DateTimeField()),
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
                    models.UniqueConstraint(fields=("company", "user"), name="companies_informationdraft_once")
                ],
            },
        ),
        migrations.RunSQL(TENANTS, migrations.RunSQL.noop),
        migrations.RunSQL(EMPLOYMENTS, EMPLOYMENTS_BACK),
        migrations.RunPython(limit_grants, limit_grants),
    ]
