"""Corrections stand by seller and time, and are found there event by event too: one index that grows at its end."""

from __future__ import annotations

from django.db import migrations

# A run writes in the order of time, so each row lies beside the one before; by key every row lay elsewhere. The two
# rows of one charge are alike and stored once. Numbers of corrections are given by the database and never repeat.
INDEXES = """
alter table metering_correction drop constraint metering_correction_pkey;
drop index metering_correction_seller;
create index metering_correction_seller on metering_correction (seller_id, event_time, key);
"""
BACK = """
drop index metering_correction_seller;
create index metering_correction_seller on metering_correction (seller_id, event_time);
alter table metering_correction add primary key (company_id, source_id, key, correction_id);
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0008_running_corrections")]
    operations = [migrations.RunSQL(INDEXES, BACK)]
