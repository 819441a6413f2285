"""Tables of companies; private to this app, others go through queries and actions."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Company(models.Model):
    """A node of the tree: platform, reseller or company. Never deleted.

    `existed_from` repeats the start of the first membership, which never changes.
    `search_name` is the name folded for search, independent of the server's locale.
    """

    kind = models.CharField(max_length=8)
    name = models.CharField(max_length=200)
    search_name = models.TextField()
    external_id = models.CharField(max_length=64, null=True)
    time_zone = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=7, default="active")
    state_reason = models.CharField(max_length=500, default="")
    closed_at = models.DateTimeField(null=True)
    existed_from = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["platform", "reseller", "company"]), name="companies_company_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["active", "blocked", "closed"]), name="companies_company_state"
            ),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | ~Q(state="closed") & Q(closed_at__isnull=True),
                name="companies_company_closed_at",
            ),
            models.CheckConstraint(condition=~Q(external_id=""), name="companies_company_external_id"),
            models.CheckConstraint(
                condition=Q(kind="platform", existed_from__isnull=True)
                | ~Q(kind="platform") & Q(existed_from__isnull=False),
                name="companies_company_existed_from",
            ),
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="platform"), name="companies_one_platform"),
        ]
        indexes = [
            models.Index(fields=["external_id"], name="companies_external", condition=Q(external_id__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class Membership(models.Model):
    """A dated edge child→parent; it ends where the child's next one starts. Only ever added."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    parent = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    start_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "start_at"], name="companies_membership_start"),
            models.CheckConstraint(condition=~Q(company=F("parent")), name="companies_membership_not_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.company_id} under {self.parent_id} from {self.start_at}"


class Ancestry(models.Model):
    """Who lay beneath whom, when and through whom; derived from memberships, rebuilt by the database.

    Written by `companies_rebuild_ancestry` only. `path` holds the companies between, top-down.
    Its ids come from memberships, which carry the foreign keys; checking them again would
    double the time of moving a large reseller.
    """

    ancestor = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    start_at = models.DateTimeField(null=True)
    end_at = models.DateTimeField(null=True)
    distance = models.SmallIntegerField()
    path = ArrayField(models.IntegerField())

    class Meta:
        indexes = [models.Index(fields=["ancestor", "company"], name="companies_ancestry_down")]

    def __str__(self) -> str:
        return f"{self.company_id} beneath {self.ancestor_id}"


class Employment(models.Model):
    """A person works for a company in a role."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=13)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "user"], name="companies_employment_once"),
            models.CheckConstraint(
                condition=Q(role__in=["administrator", "finance", "chat_operator"]), name="companies_employment_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} at {self.company_id}"


class ApiKey(models.Model):
    """A key of a company; only the SHA-256 of its secret is kept."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    secret_hash = models.BinaryField(max_length=32)
    scopes = ArrayField(models.CharField(max_length=16))
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["secret_hash"], name="companies_apikey_secret")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"


class CatalogueVersion(models.Model):
    """The one row that counts changes of tree and prices; see `catalogue.py`."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="companies_catalogueversion_one")]

    def __str__(self) -> str:
        return f"version {self.version}"
