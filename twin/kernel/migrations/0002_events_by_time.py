"""The record of security is read from its end."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kernel", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="securityevent", index=models.Index(fields=["at", "id"], name="kernel_securityevent_time")
        )
    ]
