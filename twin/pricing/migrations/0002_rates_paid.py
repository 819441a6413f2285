"""A buyer reads the rates of the cards it was given: they are what it pays."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# The name of the card and to whom else it was given stay the seller's.
VIEW = f"""
create view pricing_rate_paid with (security_barrier) as
select r.id, r.card_id, r.seller_id, r.meter_id, r.selector, r.unit_price_nano, r.per, r.minimum, r.increment,
       r.setup_fee_nano, r.effective_from
from pricing_rate r
where exists (
    select 1 from pricing_assignment a
    where a.card_id = r.card_id and a.seller_id = r.seller_id and a.buyer_id = {ORGANISATION}
);
"""


def grant(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    app = schema_editor.quote_name(str(settings.DATABASES["default"]["USER"]))
    schema_editor.execute(f"revoke all on pricing_rate_paid from {app}")
    schema_editor.execute(f"grant select on pricing_rate_paid to {app}")


class Migration(migrations.Migration):
    dependencies = [("pricing", "0001_initial")]
    operations = [
        migrations.RunSQL(VIEW, "drop view pricing_rate_paid"),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
