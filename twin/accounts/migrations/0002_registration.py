"""Codes to be typed in, the messages that carried them, and registrations under way."""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Challenge",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("purpose", models.CharField(max_length=32)),
                ("channel", models.CharField(max_length=4)),
                ("target", models.CharField(max_length=254)),
                ("code_hash", models.BinaryField(max_length=32)),
                ("attempts", models.SmallIntegerField(default=0)),
                ("sends", models.SmallIntegerField(default=1)),
                ("is_decoy", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CodeSend",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("channel", models.CharField(max_length=4)),
                ("purpose", models.CharField(max_length=32)),
                ("target", models.CharField(max_length=254)),
                ("address", models.GenericIPAddressField(null=True)),
                ("network", models.CharField(default="", max_length=43)),
                ("prefix", models.CharField(default="", max_length=8)),
                ("country", models.CharField(default="", max_length=2)),
                ("is_answered", models.BooleanField(default=False)),
                (
                    "challenge",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.challenge",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                ("name", models.CharField(max_length=200)),
                ("password", models.CharField(max_length=128)),
                ("phone", models.CharField(max_length=16)),
                ("time_zone", models.CharField(max_length=64)),
                ("language", models.CharField(max_length=2)),
                ("terms_version", models.CharField(max_length=40)),
                ("personal_data_version", models.CharField(max_length=40)),
                ("consented_at", models.DateTimeField()),
                ("address", models.GenericIPAddressField(null=True)),
                ("created_at", models.DateTimeField()),
                ("email_confirmed_at", models.DateTimeField(null=True)),
                ("phone_changes", models.SmallIntegerField(default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "email_challenge",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.challenge",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phone_challenge",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.challenge",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="challenge",
            index=models.Index(fields=["created_at"], name="accounts_challenge_created"),
        ),
        migrations.AddConstraint(
            model_name="challenge",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["mail", "sms"])), name="accounts_challenge_channel"
            ),
        ),
        migrations.AddIndex(
            model_name="codesend",
            index=models.Index(fields=["target", "at"], name="accounts_codesend_target"),
        ),
        migrations.AddIndex(
            model_name="codesend",
            index=models.Index(fields=["channel", "at"], name="accounts_codesend_at"),
        ),
        migrations.AddConstraint(
            model_name="codesend",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["mail", "sms"])), name="accounts_codesend_channel"
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["email"], name="accounts_registration_email"),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(fields=["created_at"], name="accounts_registration_created"),
        ),
    ]
