"""A third kind of book: cells of a day's hours that wait to be added to its other books."""

from __future__ import annotations

from django.db import migrations

LEVELS = """
alter table metering_book drop constraint metering_book_level_check;
alter table metering_book add constraint metering_book_level_check check (level in (1, 2, 3));
"""
# Refused while something waits: an earlier Twin would not count it.
BACK = """
alter table metering_book drop constraint metering_book_level_check;
alter table metering_book add constraint metering_book_level_check check (level in (1, 2));
"""


class Migration(migrations.Migration):
    dependencies = [("metering", "0010_vacuum_of_books")]
    operations = [migrations.RunSQL(LEVELS, BACK)]
