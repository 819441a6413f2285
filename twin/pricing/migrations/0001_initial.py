"""Meters, cards, rates and assignments, each row visible to its own parties only."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

METERS = (
    (1, "sms.sent", "messaging", "part"),
    (2, "sms.delivered", "messaging", "part"),
    (3, "viber.sent", "messaging", "message"),
    (4, "viber.delivered", "messaging", "message"),
    (5, "whatsapp.sent", "messaging", "message"),
    (6, "whatsapp.delivered", "messaging", "message"),
    (7, "email.sent", "messaging", "message"),
    (8, "email.delivered", "messaging", "message"),
    (9, "push.sent", "messaging", "message"),
    (10, "push.delivered", "messaging", "message"),
    (11, "chat.operator_message", "chat", "message"),
    (12, "chat.bot_message", "chat", "message"),
    (13, "chat.user_message", "chat", "message"),
    (14, "chat.alice_operator_message", "chat", "message"),
    (15, "chat.alice_bot_message", "chat", "message"),
    (16, "chat.alice_user_message", "chat", "message"),
    (17, "call.outgoing", "telephony_legacy", "second"),
    (18, "call.incoming", "telephony_new", "second"),
    (19, "bot.message", "bot", "message"),
)

ASKER = "(select nullif(current_setting('twin.organisation', true), '')::int)"

# A rate must belong to a card of the same seller, and an assignment name a card of its seller:
# kept by the database, because row-level security alone would let a foreign card be named.
CARD_OF_THE_SELLER = """
alter table pricing_rate add constraint pricing_rate_card_of_its_seller
    foreign key (card_id, seller_id) references pricing_ratecard (id, seller_id);
alter table pricing_assignment add constraint pricing_assignment_card_of_its_seller
    foreign key (card_id, seller_id) references pricing_ratecard (id, seller_id);
"""
CARD_OF_THE_SELLER_BACK = """
alter table pricing_rate drop constraint pricing_rate_card_of_its_seller;
alter table pricing_assignment drop constraint pricing_assignment_card_of_its_seller;
"""

TENANTS = f"""
alter table pricing_ratecard enable row level security;
alter table pricing_ratecard force row level security;
create policy pricing_ratecard_read on pricing_ratecard for select using (seller_id = {ASKER});
create policy pricing_ratecard_add on pricing_ratecard for insert with check (seller_id = {ASKER});
create policy pricing_ratecard_change on pricing_ratecard for update
    using (seller_id = {ASKER}) with check (seller_id = {ASKER});

alter table pricing_rate enable row level security;
alter table pricing_rate force row level security;
create policy pricing_rate_read on pricing_rate for select using (seller_id = {ASKER});
create policy pricing_rate_add on pricing_rate for insert with check (seller_id = {ASKER});

alter table pricing_assignment enable row level security;
alter table pricing_assignment force row level security;
create policy pricing_assignment_read on pricing_assignment for select
    using (seller_id = {ASKER} or buyer_id = {ASKER});
create policy pricing_assignment_add on pricing_assignment for insert with check (seller_id = {ASKER});
"""
TENANTS_BACK = """
drop policy pricing_ratecard_read on pricing_ratecard;
drop policy pricing_ratecard_add on pricing_ratecard;
drop policy pricing_ratecard_change on pricing_ratecard;
drop policy pricing_rate_read on pricing_rate;
drop policy pricing_rate_add on pricing_rate;
drop policy pricing_assignment_read on pricing_assignment;
drop policy pricing_assignment_add on pricing_assignment;
alter table pricing_ratecard no force row level security;
alter table pricing_ratecard disable row level security;
alter table pricing_rate no force row level security;
alter table pricing_rate disable row level security;
alter table pricing_assignment no force row level security;
alter table pricing_assignment disable row level security;
"""

# Per statement, not per row: where row-level security hides every row the attempt must still be loud.
APPEND_ONLY = """
create function pricing_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: record a new row instead', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger pricing_rate_append_only before update or delete on pricing_rate
    for each statement execute function pricing_refuse_change();
create trigger pricing_assignment_append_only before update or delete on pricing_assignment
    for each statement execute function pricing_refuse_change();
"""
APPEND_ONLY_BACK = """
drop trigger pricing_rate_append_only on pricing_rate;
drop trigger pricing_assignment_append_only on pricing_assignment;
drop function pricing_refuse_change();
"""


def seed_meters(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """The meters of today; later ones come in later migrations."""
    meter = apps.get_model("pricing", "MeterRow")
    rows = [meter(id=number, code=code, service=service, unit=unit) for number, code, service, unit in METERS]
    meter.objects.using(editor.connection.alias).bulk_create(rows)


class Migration(migrations.Migration):
    initial = True

    dependencies = [("companies", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="MeterRow",
            fields=[
                ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=64, unique=True)),
                ("service", models.CharField(max_length=32)),
                ("unit", models.CharField(max_length=16)),
            ],
            options={"db_table": "pricing_meter"},
        ),
        migrations.CreateModel(
            name="RateCardRow",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("is_default", models.BooleanField(default=False)),
                ("recorded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "seller",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="companies.company"
                    ),
                ),
            ],
            options={"db_table": "pricing_ratecard"},
        ),
        migrations.CreateModel(
            name="RateRow",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("selector", models.JSONField()),
                ("unit_price_nano", models.BigIntegerField()),
                ("per", models.IntegerField()),
                ("minimum", models.BigIntegerField()),
                ("increment", models.BigIntegerField()),
                ("setup_fee_nano", models.BigIntegerField()),
                ("effective_from", models.DateTimeField()),
                ("recorded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "card",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pricing.ratecardrow",
                    ),
                ),
                (
                    "meter",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="pricing.meterrow",
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
            ],
            options={"db_table": "pricing_rate"},
        ),
        migrations.CreateModel(
            name="AssignmentRow",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("effective_from", models.DateTimeField()),
                ("recorded_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "buyer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="companies.company"
                    ),
                ),
                (
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="pricing.ratecardrow"
                    ),
                ),
                (
                    "seller",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="companies.company",
                    ),
                ),
            ],
            options={"db_table": "pricing_assignment"},
        ),
        migrations.AddConstraint(
            "RateCardRow",
            models.UniqueConstraint(
                condition=models.Q(("is_default", True)), fields=("seller",), name="pricing_one_default_card"
            ),
        ),
        migrations.AddConstraint(
            "RateCardRow", models.UniqueConstraint(fields=("id", "seller"), name="pricing_card_and_seller")
        ),
        migrations.AddIndex(
            "RateRow", models.Index(fields=["card", "meter", "effective_from"], name="pricing_rate_of_card")
        ),
        migrations.AddConstraint(
            "RateRow",
            models.CheckConstraint(condition=models.Q(("unit_price_nano__gte", 0)), name="pricing_price_not_negative"),
        ),
        migrations.AddConstraint(
            "RateRow",
            models.CheckConstraint(condition=models.Q(("setup_fee_nano__gte", 0)), name="pricing_fee_not_negative"),
        ),
        migrations.AddConstraint(
            "RateRow",
            models.CheckConstraint(
                condition=models.Q(("per__gte", 1), ("per__lte", 10**6)), name="pricing_per_in_range"
            ),
        ),
        migrations.AddConstraint(
            "RateRow",
            models.CheckConstraint(
                condition=models.Q(("minimum__gte", 0), ("minimum__lte", 10**12)), name="pricing_minimum_in_range"
            ),
        ),
        migrations.AddConstraint(
            "RateRow",
            models.CheckConstraint(
                condition=models.Q(("increment__gte", 1), ("increment__lte", 10**12)),
                name="pricing_increment_in_range",
            ),
        ),
        migrations.AddIndex(
            "AssignmentRow",
            models.Index(fields=["seller", "buyer", "effective_from"], name="pricing_assignment_of_pair"),
        ),
        migrations.AddConstraint(
            "AssignmentRow",
            models.CheckConstraint(
                condition=models.Q(("seller", models.F("buyer")), _negated=True),
                name="pricing_nobody_buys_from_itself",
            ),
        ),
        migrations.RunSQL(CARD_OF_THE_SELLER, CARD_OF_THE_SELLER_BACK),
        migrations.RunSQL(TENANTS, TENANTS_BACK),
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_BACK),
        migrations.RunPython(seed_meters, migrations.RunPython.noop),
    ]
