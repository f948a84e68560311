from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def leave_room(apps: Any, schema_editor: Any) -> None:
    """On PostgreSQL a settled row then fits beside the pending one (a heap-only update): half the time and size."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE newsletter_delivery SET (fillfactor = 45)")


def leave_none(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE newsletter_delivery RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0004_newsletter_return_path")]

    operations = [
        migrations.DeleteModel(name="OnTheWire"),
        migrations.CreateModel(
            name="Rate",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rate",
                        serialize=False,
                        to="newsletter.account",
                    ),
                ),
                ("next_at", models.DateTimeField(blank=True, null=True)),
                ("hour", models.DateTimeField(blank=True, null=True)),
                ("hour_used", models.PositiveIntegerField(default=0)),
                ("day", models.DateField(blank=True, null=True)),
                ("day_used", models.PositiveIntegerField(default=0)),
                ("sending_days", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(leave_room, leave_none),
    ]
