"""Outgoing mails and SMS, and the record of what happened to accounts. Private to the kernel."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Dispatch(models.Model):
    """One mail or SMS on its way out; its text is sealed, and erased once it is not needed any more."""

    QUEUED, SENDING, SENT, UNKNOWN, FAILED, DELIVERED = "queued", "sending", "sent", "unknown", "failed", "delivered"

    channel = models.CharField(max_length=4)
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=300, default="")
    sealed_body = models.TextField()
    purpose = models.CharField(max_length=40)
    state = models.CharField(max_length=9, default=QUEUED)
    attempts = models.SmallIntegerField(default=0)
    reference = models.CharField(max_length=200, default="")
    last_error = models.CharField(max_length=300, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["mail", "sms"]), name="kernel_dispatch_channel"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending", "sent", "unknown", "failed", "delivered"]),
                name="kernel_dispatch_state",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="kernel_dispatch_created"),
            # What still has to go out is little, however much has gone.
            models.Index(
                fields=["next_try_at"],
                condition=Q(state__in=["queued", "sending"]),
                name="kernel_dispatch_waiting",
            ),
        ]


class SecurityEvent(models.Model):
    """Something that happened to an account or was refused; only ever added, by the database's own rights."""

    at = models.DateTimeField()
    event = models.CharField(max_length=60)
    user_id = models.IntegerField(null=True)
    company_id = models.IntegerField(null=True)
    address = models.GenericIPAddressField(null=True)
    fields = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["user_id", "at"], name="kernel_securityevent_user"),
            models.Index(fields=["company_id", "at"], name="kernel_securityevent_company"),
            models.Index(fields=["at", "id"], name="kernel_securityevent_time"),
        ]


class AuditSeal(models.Model):
    """The digest over one day's events and the day before; made by `kernel_seal_days` alone, never changed."""

    day = models.DateField(primary_key=True)
    events = models.BigIntegerField()
    digest = models.BinaryField()
    sealed_at = models.DateTimeField()
