"""The record of security is read by the company it belongs to and by those above; every event of a person has one."""

from __future__ import annotations

from django.db import migrations

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# Accounts know no companies, so the database says whose event it is: that of where the person works, or last did.
PLACED = """
create function companies_place_event() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    select w.company_id into new.company_id from public.companies_employments_of(new.user_id) w limit 1;
    return new;
end $$;
revoke all on function companies_place_event() from public;
create trigger companies_place_event before insert on kernel_securityevent for each row
    when (new.company_id is null and new.user_id is not null) execute function companies_place_event();
update kernel_securityevent e set company_id = (
    select w.company_id from companies_employment w where w.user_id = e.user_id
    order by w.removed_at is not null, w.blocked_at is not null, w.id limit 1)
where e.company_id is null and e.user_id is not null;
"""
NOT_PLACED = """
drop trigger companies_place_event on kernel_securityevent;
drop function companies_place_event();
"""

# Those above read what happened while the company lay beneath them; of what was before it first did, its founding.
READ = f"""
drop policy kernel_securityevent_read on kernel_securityevent;
create policy kernel_securityevent_read on kernel_securityevent for select using (company_id = {ASKER} or exists (
    select 1 from companies_ancestry a
    where a.ancestor_id = {ASKER} and a.company_id = kernel_securityevent.company_id
    and (a.end_at is null or kernel_securityevent.at < a.end_at)
    and (a.start_at is null or a.start_at <= kernel_securityevent.at or exists (
        select 1 from companies_company c where c.id = a.company_id and c.existed_from = a.start_at))));
"""
READ_OWN = f"""
drop policy kernel_securityevent_read on kernel_securityevent;
create policy kernel_securityevent_read on kernel_securityevent for select using (company_id = {ASKER});
"""


class Migration(migrations.Migration):
    dependencies = [("companies", "0005_second_factor"), ("kernel", "0002_events_by_time")]

    operations = [migrations.RunSQL(PLACED, NOT_PLACED), migrations.RunSQL(READ, READ_OWN)]
