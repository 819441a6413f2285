"""People and their consents; private to this app except that `User` is Django's user model."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from twin.kernel import clock


class UserManager(BaseUserManager["User"]):
    """Makes people; there are no superusers."""

    use_in_migrations = False

    def create_user(self, email: str, password: str | None, **fields: Any) -> User:
        """A new person; the email is kept in lower case, no password means none works."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person; the email, in any letter case, is the only login."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=16, blank=True, default="")
    phone_verified_at = models.DateTimeField(null=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=2, default="en")
    theme = models.CharField(max_length=6, default="system")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    # From when the person's role demands a second factor; the days of grace are counted from it.
    second_factor_since = models.DateTimeField(null=True)
    # People of the demonstration sign in with what is printed, so nothing more is ever asked of them.
    second_factor_exempt = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=clock.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_any_case"),
            models.CheckConstraint(condition=Q(language__in=["en", "ru"]), name="accounts_user_language"),
            models.CheckConstraint(condition=Q(theme__in=["system", "light", "dark"]), name="accounts_user_theme"),
            models.CheckConstraint(
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"), name="accounts_user_phone"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email


class Consent(models.Model):
    """A person agreed to one version of a text; only ever added."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=13)
    version = models.CharField(max_length=40)
    given_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "version"], name="accounts_consent_once"),
            models.CheckConstraint(condition=Q(kind__in=["terms", "personal_data"]), name="accounts_consent_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"


class Challenge(models.Model):
    """A code sent to an address or a number, to be typed in within minutes; the code itself is not kept.

    `is_decoy` marks one that no code answers: it stands where telling the difference would
    tell a stranger who has an account.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    purpose = models.CharField(max_length=32)
    channel = models.CharField(max_length=4)
    target = models.CharField(max_length=254)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    code_hash = models.BinaryField(max_length=32)
    attempts = models.SmallIntegerField(default=0)
    sends = models.SmallIntegerField(default=1)
    is_decoy = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["mail", "sms"]), name="accounts_challenge_channel"),
        ]
        indexes = [models.Index(fields=["created_at"], name="accounts_challenge_created")]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.channel}"


class CodeSend(models.Model):
    """One message with a code or a link went out, or would have; the budgets are counted from these rows.

    `prefix` and `country` belong to phone numbers. `is_answered` says that its code was typed in.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    channel = models.CharField(max_length=4)
    purpose = models.CharField(max_length=32)
    target = models.CharField(max_length=254)
    address = models.GenericIPAddressField(null=True)
    network = models.CharField(max_length=43, default="")
    prefix = models.CharField(max_length=8, default="")
    country = models.CharField(max_length=2, default="")
    challenge = models.ForeignKey(Challenge, null=True, on_delete=models.SET_NULL, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    is_answered = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=["mail", "sms"]), name="accounts_codesend_channel"),
        ]
        indexes = [
            models.Index(fields=["target", "at"], name="accounts_codesend_target"),
            models.Index(fields=["channel", "at"], name="accounts_codesend_at"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.channel} at {self.at}"


class Registration(models.Model):
    """A registration under way; it becomes a person when email and phone are confirmed.

    The password is kept as its hash only and erased at the end.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=200)
    password = models.CharField(max_length=128)
    phone = models.CharField(max_length=16)
    time_zone = models.CharField(max_length=64)
    language = models.CharField(max_length=2)
    terms_version = models.CharField(max_length=40)
    personal_data_version = models.CharField(max_length=40)
    consented_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField()
    email_challenge = models.ForeignKey(Challenge, null=True, on_delete=models.SET_NULL, related_name="+")
    phone_challenge = models.ForeignKey(Challenge, null=True, on_delete=models.SET_NULL, related_name="+")
    email_confirmed_at = models.DateTimeField(null=True)
    phone_changes = models.SmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["email"], name="accounts_registration_email"),
            models.Index(fields=["created_at"], name="accounts_registration_created"),
        ]

    def __str__(self) -> str:
        return f"registration of {self.created_at}"


class Preference(models.Model):
    """How a person likes one page, under a name the page chose: columns, density, zone."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=64)
    value = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="accounts_preference_once")]

    def __str__(self) -> str:
        return self.name
