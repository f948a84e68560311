from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0014_second_step"),
    ]

    operations = [
        migrations.AddField(
            model_name="source",
            name="removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
