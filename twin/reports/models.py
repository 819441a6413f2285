"""Files of reports that are made in the background. Private to the app."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Export(models.Model):
    """One file: what it answers, how far it is, where it lies once it is there."""

    WAITING, WORKING, DONE, FAILED = "waiting", "working", "done", "failed"

    organisation = models.ForeignKey("companies.Company", on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    report = models.CharField(max_length=30)
    form = models.CharField(max_length=4)
    question = models.JSONField()
    language = models.CharField(max_length=7)
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=7, default=WAITING)
    rows_total = models.BigIntegerField()
    rows_done = models.BigIntegerField(default=0)
    file = models.CharField(max_length=80, default="")
    size = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "working", "done", "failed"]), name="reports_export_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(expires_at__isnull=False), name="reports_export_done_expires"
            ),
        ]
        indexes = [models.Index(fields=["organisation", "-asked_at"], name="reports_export_of")]

    def __str__(self) -> str:
        return self.name
