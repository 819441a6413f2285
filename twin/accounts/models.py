"""People and their consents; private to this app except that `User` is Django's user model."""

from __future__ import annotations

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
