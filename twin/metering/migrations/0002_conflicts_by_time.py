"""A conflict is seen by whoever stood above the company at the time of the usage, not at any other time."""

from __future__ import annotations

from django.db import migrations

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

BY_TIME = f"""
drop policy tenant on metering_conflict;
create policy tenant on metering_conflict using (
    company_id = {ORGANISATION} or exists (
        select 1 from companies_ancestry a
        where a.ancestor_id = {ORGANISATION} and a.company_id = metering_conflict.company_id
          and (a.start_at is null or a.start_at <= metering_conflict.event_time)
          and (a.end_at is null or a.end_at > metering_conflict.event_time)
    )
) with check (false);
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0001_initial")]
    operations = [migrations.RunSQL(BY_TIME, migrations.RunSQL.noop)]
