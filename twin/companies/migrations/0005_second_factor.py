"""A company may demand a second factor of all its people; the look-up of an employment tells so."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

FUNCTION = """
drop function companies_employments_of(int);
create function companies_employments_of(person int)
returns table (company_id int, kind varchar, name varchar, role varchar, state varchar, state_reason varchar,
               is_informed boolean, blocked_at timestamptz, blocked_reason varchar, removed_at timestamptz{column})
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select e.company_id, c.kind, c.name, e.role, c.state, c.state_reason, coalesce(i.is_complete, false),
        e.blocked_at, e.blocked_reason, e.removed_at{value}
    from public.companies_employment e join public.companies_company c on c.id = e.company_id
    left join public.companies_information i on i.company_id = c.id
    where e.user_id = person order by e.removed_at is not null, e.blocked_at is not null, e.id
$$;
"""
WITH_DEMAND = FUNCTION.format(column=", needs_second_factor boolean", value=", c.needs_second_factor")
WITHOUT = FUNCTION.format(column="", value="")


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The function made anew belongs to the app alone again."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    schema_editor.execute(f"revoke all on function companies_employments_of(int) from public, {writer}")
    schema_editor.execute(f"grant execute on function companies_employments_of(int) to {app}")


class Migration(migrations.Migration):
    dependencies = [("companies", "0004_many_at_once")]

    operations = [
        migrations.AddField("company", "needs_second_factor", models.BooleanField(default=False, db_default=False)),
        migrations.RunPython(migrations.RunPython.noop, limit_grants),
        migrations.RunSQL(WITH_DEMAND, WITHOUT),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
