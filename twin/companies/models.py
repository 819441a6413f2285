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
    # Demanded of all its people; administrators of the platform and of resellers need one anyway.
    needs_second_factor = models.BooleanField(default=False, db_default=False)

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
    """A person works for a company in a role; the row stays when they no longer do.

    `max_dialogs` is the person's own limit, null leaves it to the company's default.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=13)
    created_at = models.DateTimeField()
    max_dialogs = models.PositiveIntegerField(null=True)
    blocked_at = models.DateTimeField(null=True)
    blocked_reason = models.CharField(max_length=500, default="")
    blocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "user"], name="companies_employment_once"),
            models.CheckConstraint(
                condition=Q(role__in=["administrator", "finance", "chat_operator"]), name="companies_employment_role"
            ),
            models.CheckConstraint(
                condition=Q(max_dialogs__isnull=True) | Q(max_dialogs__range=(1, 10_000)),
                name="companies_employment_max_dialogs",
            ),
            models.CheckConstraint(
                condition=Q(blocked_at__isnull=True, blocked_reason="")
                | Q(blocked_at__isnull=False) & ~Q(blocked_reason=""),
                name="companies_employment_blocked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} at {self.company_id}"


class Invitation(models.Model):
    """An address is invited to work for a company; only the SHA-256 of its link's secret is kept.

    The inviter is null where the operator invited from the console. At most one is open per
    company and address.
    """

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200)
    role = models.CharField(max_length=13)
    token_hash = models.BinaryField(max_length=32)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sendings = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="companies_invitation_token"),
            models.UniqueConstraint(
                fields=["company", "email"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="companies_invitation_one_open",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["administrator", "finance", "chat_operator"]), name="companies_invitation_role"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False, withdrawn_at__isnull=True),
                name="companies_invitation_accepted",
            ),
        ]
        indexes = [models.Index(fields=["company", "sent_at"], name="companies_invitation_sent")]

    def __str__(self) -> str:
        return f"{self.email} to company {self.company_id}"


class Acting(models.Model):
    """A person of one organisation acts for a company beneath it in its administrator's place, until it ends.

    Only the end is ever written again. `ended_by`: the person, the time, a right that was lost, or leaving.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    may_write = models.BooleanField()
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=8, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(company=F("organisation")), name="companies_acting_not_itself"),
            models.CheckConstraint(condition=~Q(reason=""), name="companies_acting_reason"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | Q(ended_at__isnull=False) & Q(ended_by__in=["person", "time", "right", "leaving"]),
                name="companies_acting_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.organisation_id} for {self.company_id}"


class Attachment(models.Model):
    """A reseller invites the administrator behind an address to put their company under it.

    Only the SHA-256 of the link's secret is kept; `company` is known once it was accepted. At most
    one is open per reseller and address.
    """

    seller = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    email = models.EmailField(max_length=254)
    token_hash = models.BinaryField(max_length=32)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sendings = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    company = models.ForeignKey(Company, null=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    declined_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="companies_attachment_token"),
            models.UniqueConstraint(
                fields=["seller", "email"],
                condition=Q(accepted_at=None, declined_at=None, withdrawn_at=None),
                name="companies_attachment_one_open",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None, company=None)
                | Q(
                    accepted_at__isnull=False,
                    accepted_by__isnull=False,
                    company__isnull=False,
                    declined_at=None,
                    withdrawn_at=None,
                ),
                name="companies_attachment_accepted",
            ),
        ]
        indexes = [models.Index(fields=["seller", "sent_at"], name="companies_attachment_sent")]

    def __str__(self) -> str:
        return f"{self.email} to reseller {self.seller_id}"


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


class Information(models.Model):
    """What a company's invoices and window say of it, one row per company; name and time zone are the company's own.

    `version` grows with every change of any of them. Details of all countries are kept, `country`
    says which of them count. `name_given` is set once somebody chose the name knowingly.
    """

    company = models.OneToOneField(Company, primary_key=True, on_delete=models.PROTECT, related_name="+")
    version = models.IntegerField(default=0)
    is_complete = models.BooleanField(default=False)
    name_given = models.BooleanField(default=False)
    email = models.CharField(max_length=254, default="")
    phone = models.CharField(max_length=16, default="")
    max_dialogs = models.IntegerField(default=300)
    country = models.CharField(max_length=2, default="")
    invoice_name = models.CharField(max_length=200, default="")
    receiver_name = models.CharField(max_length=200, default="")
    registration_number = models.CharField(max_length=64, default="")
    bank = models.CharField(max_length=200, default="")
    account = models.CharField(max_length=64, default="")
    inn = models.CharField(max_length=64, default="")
    kpp = models.CharField(max_length=64, default="")
    ogrn = models.CharField(max_length=64, default="")
    bik = models.CharField(max_length=64, default="")
    correspondent_account = models.CharField(max_length=64, default="")
    vat_number = models.CharField(max_length=64, default="")
    iban = models.CharField(max_length=64, default="")
    bic = models.CharField(max_length=64, default="")
    utr = models.CharField(max_length=64, default="")
    ein = models.CharField(max_length=64, default="")
    aba = models.CharField(max_length=64, default="")
    duns = models.CharField(max_length=64, default="")
    legal_street = models.CharField(max_length=200, default="")
    legal_city = models.CharField(max_length=100, default="")
    legal_region = models.CharField(max_length=100, default="")
    legal_postal_code = models.CharField(max_length=16, default="")
    postal_same = models.BooleanField(default=True)
    postal_street = models.CharField(max_length=200, default="")
    postal_city = models.CharField(max_length=100, default="")
    postal_region = models.CharField(max_length=100, default="")
    postal_postal_code = models.CharField(max_length=16, default="")
    postal_country = models.CharField(max_length=2, default="")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(max_dialogs__gte=1, max_dialogs__lte=10_000), name="companies_information_dialogs"
            ),
            models.CheckConstraint(
                condition=Q(country="") | Q(country__regex=r"^[A-Z]{2}$"), name="companies_information_country"
            ),
            models.CheckConstraint(
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"), name="companies_information_phone"
            ),
        ]

    def __str__(self) -> str:
        return f"information of {self.company_id}, version {self.version}"


class InformationChange(models.Model):
    """Who changed the information to which version, and what each changed field held before; only ever added."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    version = models.IntegerField()
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    before = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["company", "version"], name="companies_informationchange_version")
        ]

    def __str__(self) -> str:
        return f"version {self.version} of {self.company_id}"


class InformationDraft(models.Model):
    """What a person typed into the company's form and has not saved; `base_version` is what they saw then."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    base_version = models.IntegerField()
    typed = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["company", "user"], name="companies_informationdraft_once")]

    def __str__(self) -> str:
        return f"draft of {self.user_id} for {self.company_id}"


class CatalogueVersion(models.Model):
    """The one row that counts changes of tree and prices; see `catalogue.py`."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    version = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="companies_catalogueversion_one")]

    def __str__(self) -> str:
        return f"version {self.version}"
