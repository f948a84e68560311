from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0016_source_removed_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="StudioChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=20)),
                ("row", models.CharField(max_length=50)),
                ("field", models.CharField(max_length=30)),
                ("before", models.JSONField(null=True)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(max_length=150)),
            ],
        ),
        migrations.AddConstraint(
            model_name="studiochange",
            constraint=models.UniqueConstraint(fields=("table", "row", "field"), name="one_studio_change_per_key"),
        ),
    ]
