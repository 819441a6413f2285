"""From when a second factor is demanded of a person, and who is never asked."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_registration")]

    operations = [
        migrations.AddField("user", "second_factor_since", models.DateTimeField(null=True)),
        migrations.AddField("user", "second_factor_exempt", models.BooleanField(default=False)),
    ]
