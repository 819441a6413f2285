"""Each day of the record of security is sealed by a digest that continues the day before."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import connections, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# The text of a row says everything it holds, without a doubt where one value ends, alike on every server version.
FUNCTIONS = """
create function kernel_day_digest(wanted date, before bytea, out events bigint, out digest bytea)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    written text;
begin
    events := 0;
    digest := sha256(before || convert_to(to_char(wanted, 'YYYY-MM-DD'), 'UTF8'));
    for written in
        select jsonb_build_array(
            e.id, (extract(epoch from e.at) * 1000000)::bigint, e.event, e.user_id, e.company_id, host(e.address), e.fields
        )::text
        from public.kernel_securityevent e
        where e.at >= wanted::timestamp at time zone 'UTC' and e.at < (wanted + 1)::timestamp at time zone 'UTC'
        order by e.id
    loop
        digest := sha256(digest || convert_to(written, 'UTF8'));
        events := events + 1;
    end loop;
end $$;

-- Days that ended an hour ago or earlier, so that no transaction of theirs is still under way.
create function kernel_seal_days() returns setof public.kernel_auditseal
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    next_day date;
    before bytea;
    last_day date := ((clock_timestamp() - interval '1 hour') at time zone 'UTC')::date - 1;
    made public.kernel_auditseal;
begin
    lock table public.kernel_auditseal in share row exclusive mode;
    select s.day + 1, s.digest into next_day, before from public.kernel_auditseal s order by s.day desc limit 1;
    if next_day is null then
        select (min(e.at) at time zone 'UTC')::date, ''::bytea into next_day, before from public.kernel_securityevent e;
    end if;
    while next_day <= last_day loop
        insert into public.kernel_auditseal (day, events, digest, sealed_at)
        select next_day, d.events, d.digest, clock_timestamp() from public.kernel_day_digest(next_day, before) d
        returning * into made;
        return next made;
        before := made.digest;
        next_day := next_day + 1;
    end loop;
end $$;

create function kernel_events_before(day date) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select count(*) from public.kernel_securityevent e where e.at < day::timestamp at time zone 'UTC'
$$;
revoke all on function kernel_day_digest(date, bytea), kernel_seal_days(), kernel_events_before(date) from public;

create function kernel_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% only grows', tg_table_name;
end $$;
create trigger kernel_auditseal_append_only before update or delete on kernel_auditseal
    for each statement execute function kernel_refuse_change();
create trigger kernel_securityevent_append_only before update or delete on kernel_securityevent
    for each statement execute function kernel_refuse_change();
"""
NO_FUNCTIONS = """
drop trigger kernel_securityevent_append_only on kernel_securityevent;
drop trigger kernel_auditseal_append_only on kernel_auditseal;
drop function kernel_refuse_change();
drop function kernel_events_before(date);
drop function kernel_seal_days();
drop function kernel_day_digest(date, bytea);
"""


def limit_grants(_apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Seals are read by the application and made by the function alone; ingestion has no business with them."""
    app = schema_editor.quote_name(str(connections["default"].settings_dict["USER"]))
    writer = schema_editor.quote_name(str(connections["writer"].settings_dict["USER"]))
    schema_editor.execute(f"revoke insert, update, delete, truncate on kernel_auditseal from {app}")
    schema_editor.execute(f"revoke all on kernel_auditseal from {writer}")


class Migration(migrations.Migration):
    dependencies = [("kernel", "0002_events_by_time")]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("events", models.BigIntegerField()),
                ("digest", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunPython(limit_grants, migrations.RunPython.noop),
    ]
