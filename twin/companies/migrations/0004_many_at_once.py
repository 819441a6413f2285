"""Many new companies get their place in the tree in one step."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import connections, migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# What `companies_rebuild_ancestry` does, for companies that have one membership, no place yet and nothing beneath them.
FUNCTION = """
create function companies_place_new(added int[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select 1 from public.companies_ancestry a
               where a.company_id = any(added) or a.ancestor_id = any(added))
        or exists (select 1 from public.companies_membership m
                   where m.company_id = any(added) group by m.company_id having count(*) > 1)
    then
        raise exception 'only new companies are placed together' using errcode = 'TW002';
    end if;
    insert into public.companies_ancestry (ancestor_id, company_id, start_at, end_at, distance, path)
    select m.parent_id, m.company_id, m.start_at, null, 1, '{}'::int[]
    from public.companies_membership m where m.company_id = any(added)
    union all
    -- What lies above the parent is known already, each stretch with its own span.
    select a.ancestor_id, m.company_id, greatest(a.start_at, m.start_at), a.end_at, a.distance + 1,
           a.path || m.parent_id
    from public.companies_membership m
    join public.companies_ancestry a on a.company_id = m.parent_id and (a.end_at is null or a.end_at > m.start_at)
    where m.company_id = any(added);
end
$$;
"""


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    schema_editor.execute(f"revoke all on function companies_place_new(int[]) from public, {writer}")
    schema_editor.execute(f"grant execute on function companies_place_new(int[]) to {app}")


class Migration(migrations.Migration):
    dependencies = [("companies", "0003_employees")]
    operations = [
        migrations.RunSQL(FUNCTION, "drop function companies_place_new(int[])"),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
