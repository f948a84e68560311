from __future__ import annotations

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def note_all(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What the store's entries are about: they were gathered before anybody asked."""
    from newsletter.core.content import from_json
    from newsletter.core.kinship import mentions

    mention, entry = apps.get_model("newsletter", "Mention"), apps.get_model("newsletter", "Entry")
    waiting = []
    for row in entry.objects.only("pk", "content").iterator(500):
        waiting += [mention(entry_id=row.pk, key=key) for key in mentions(from_json(row.content))]
        if len(waiting) > 5000:
            mention.objects.bulk_create(waiting)
            waiting = []
    mention.objects.bulk_create(waiting)


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0009_quiet_weeks")]

    operations = [
        migrations.AddField(model_name="issue", name="blocks", field=models.JSONField(blank=True, default=dict)),
        migrations.AddField(model_name="newsletter", name="sponsors", field=models.JSONField(blank=True, default=list)),
        migrations.AddField(
            model_name="newsletter",
            name="ratings",
            field=models.CharField(
                choices=[("show", "Show"), ("hide", "Hide"), ("rated rubrics", "Rated")], default="show", max_length=13
            ),
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(db_index=True, max_length=200)),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mentions", to="newsletter.entry"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("entry", "key"), name="mentioned_once")],
            },
        ),
        migrations.RunPython(note_all, migrations.RunPython.noop),
    ]
