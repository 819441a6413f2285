"""The places of books that were written anew are used again soon: their rows are few, but long."""

from __future__ import annotations

from django.db import migrations

# A book lies in some hundred rows of the table beside (TOAST). By the default a fifth of them may be dead before anyone
# cleans up; a fold that touches many books would double the file meanwhile.
SETTINGS = """
alter table metering_book set (
    autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05,
    toast.autovacuum_vacuum_threshold = 1000, toast.autovacuum_vacuum_cost_delay = 0
);
alter table metering_journal set (
    autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05,
    toast.autovacuum_vacuum_threshold = 1000, toast.autovacuum_vacuum_cost_delay = 0
);
"""
BACK = "alter table metering_book reset (autovacuum_vacuum_scale_factor); " + "".join(
    f"alter table {table} reset (toast.autovacuum_vacuum_scale_factor, toast.autovacuum_vacuum_threshold,"
    " toast.autovacuum_vacuum_cost_delay); "
    for table in ("metering_book", "metering_journal")
)


class Migration(migrations.Migration):
    dependencies = [("metering", "0009_corrections_by_time")]
    operations = [migrations.RunSQL(SETTINGS, BACK)]
