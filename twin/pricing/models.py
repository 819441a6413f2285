"""Meters, rate cards, rates and assignments; private to the app.

Rates and assignments are append-only: the database refuses to change or delete them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class MeterRow(models.Model):
    id = models.SmallIntegerField(primary_key=True)
    code = models.CharField(max_length=64, unique=True)
    service = models.CharField(max_length=32)
    unit = models.CharField(max_length=16)

    class Meta:
        db_table = "pricing_meter"

    def __str__(self) -> str:
        return self.code


class RateCardRow(models.Model):
    seller = models.ForeignKey("companies.Company", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    is_default = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "pricing_ratecard"
        constraints = [
            models.UniqueConstraint(fields=["seller"], condition=Q(is_default=True), name="pricing_one_default_card"),
            # The target of the composite keys that keep a rate and an assignment with their card's seller.
            models.UniqueConstraint(fields=["id", "seller"], name="pricing_card_and_seller"),
        ]

    def __str__(self) -> str:
        return self.name


class RateRow(models.Model):
    card = models.ForeignKey(RateCardRow, on_delete=models.PROTECT, related_name="+", db_index=False)
    seller = models.ForeignKey("companies.Company", on_delete=models.PROTECT, related_name="+", db_index=False)
    meter = models.ForeignKey(MeterRow, on_delete=models.PROTECT, related_name="+", db_index=False)
    selector = models.JSONField()
    unit_price_nano = models.BigIntegerField()
    per = models.IntegerField()
    minimum = models.BigIntegerField()
    increment = models.BigIntegerField()
    setup_fee_nano = models.BigIntegerField()
    effective_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "pricing_rate"
        indexes = [models.Index(fields=["card", "meter", "effective_from"], name="pricing_rate_of_card")]
        constraints = [
            models.CheckConstraint(condition=Q(unit_price_nano__gte=0), name="pricing_price_not_negative"),
            models.CheckConstraint(condition=Q(setup_fee_nano__gte=0), name="pricing_fee_not_negative"),
            models.CheckConstraint(condition=Q(per__gte=1, per__lte=10**6), name="pricing_per_in_range"),
            models.CheckConstraint(condition=Q(minimum__gte=0, minimum__lte=10**12), name="pricing_minimum_in_range"),
            models.CheckConstraint(
                condition=Q(increment__gte=1, increment__lte=10**12), name="pricing_increment_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"rate {self.pk}"


class AssignmentRow(models.Model):
    seller = models.ForeignKey("companies.Company", on_delete=models.PROTECT, related_name="+", db_index=False)
    buyer = models.ForeignKey("companies.Company", on_delete=models.PROTECT, related_name="+")
    card = models.ForeignKey(RateCardRow, on_delete=models.PROTECT, related_name="+")
    effective_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "pricing_assignment"
        indexes = [models.Index(fields=["seller", "buyer", "effective_from"], name="pricing_assignment_of_pair")]
        constraints = [
            models.CheckConstraint(condition=~Q(seller=F("buyer")), name="pricing_nobody_buys_from_itself"),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"
