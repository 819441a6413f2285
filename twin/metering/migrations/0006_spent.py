"""What every buyer owes its seller in all, kept with the totals: books without buyers cannot tell a sub-reseller's."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

ORGANISATION = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# Version 1, no cells: see rules/packing.py.
NO_CELLS = r"'\x0100000000'"

# Journals that are there already count as folded: their charges are among the rows that are summed here.
TABLES = f"""
create table metering_spent (
    seller_id int not null,
    buyer_id int not null,
    amount numeric(40, 0) not null,
    primary key (seller_id, buyer_id)
);
insert into metering_spent (seller_id, buyer_id, amount)
select seller_id, buyer_id, sum(amount) from (
    select seller_id, buyer_id, sell as amount from metering_edge
    union all select seller_id, buyer_id, amount from metering_correction
) charged group by seller_id, buyer_id having sum(amount) <> 0;
alter table metering_journal add spent bytea not null default {NO_CELLS};
alter table metering_journal alter spent set storage external;
alter table metering_journal alter spent drop default;
"""


def secure(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Only the seller reads; only what writes usage writes."""
    app = schema_editor.quote_name(str(settings.DATABASES["default"]["USER"]))
    for statement in (
        "alter table metering_spent enable row level security",
        "alter table metering_spent force row level security",
        f"create policy tenant on metering_spent using (seller_id = {ORGANISATION}) with check (false)",
        f"revoke all on metering_spent from {app}",
        f"grant select on metering_spent to {app}",
    ):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("metering", "0005_rerating")]
    operations = [
        migrations.RunSQL(TABLES, migrations.RunSQL.noop),
        migrations.RunPython(secure, migrations.RunPython.noop),
    ]
