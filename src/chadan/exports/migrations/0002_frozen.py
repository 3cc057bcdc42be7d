"""An export of exactly the orders that a batch has frozen."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the batch."""

    dependencies = [("exports", "0001_exports")]
    operations = [
        migrations.AddField(model_name="exportjob", name="frozen", field=models.UUIDField(blank=True, null=True)),
    ]
