"""Which corrections are being done on whose edges: for whoever closes months, and nothing else of them."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# A correction of two edges concerns both sellers; what the lower one asked for and why is not the upper one's to read.
# `buyer_id` null: any buyer of the asking seller.
VIEW = f"""
create view metering_running_correction with (security_barrier) as
select case when seller_id = {ORGANISATION} then buyer_id else seller_id end as buyer_id, start_at
from metering_rerating
where state = 'running' and {ORGANISATION} in (seller_id, above_id);
"""


def grant(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    app = schema_editor.quote_name(str(settings.DATABASES["default"]["USER"]))
    schema_editor.execute(f"revoke all on metering_running_correction from {app}")
    schema_editor.execute(f"grant select on metering_running_correction to {app}")


class Migration(migrations.Migration):
    dependencies = [("metering", "0007_sold_order")]
    operations = [
        migrations.RunSQL(VIEW, "drop view metering_running_correction"),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
