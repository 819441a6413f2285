"""People, their consents, and the cache that counts attempts to sign in."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import twin.kernel.clock

# The table Django's database cache expects; the app role gets its rights by default privileges.
CACHE = """
create table if not exists twin_cache (cache_key varchar(255) primary key, value text not null, expires timestamptz not null);
create index if not exists twin_cache_expires on twin_cache (expires);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("phone", models.CharField(blank=True, default="", max_length=16)),
                ("phone_verified_at", models.DateTimeField(null=True)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                ("language", models.CharField(default="en", max_length=2)),
                ("theme", models.CharField(default="system", max_length=6)),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("date_joined", models.DateTimeField(default=twin.kernel.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="accounts_user_email_any_case"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("language__in", ["en", "ru"])), name="accounts_user_language"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("theme__in", ["system", "light", "dark"])), name="accounts_user_theme"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone", ""), ("phone__regex", "^\\+[1-9][0-9]{6,14}$"), _connector="OR"),
                        name="accounts_user_phone",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=13)),
                ("version", models.CharField(max_length=40)),
                ("given_at", models.DateTimeField()),
                ("address", models.GenericIPAddressField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "kind", "version"), name="accounts_consent_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["terms", "personal_data"])), name="accounts_consent_kind"
                    ),
                ],
            },
        ),
        migrations.RunSQL(CACHE, "drop table twin_cache"),
    ]
