from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0002_issue_approve_permission")]

    operations = [
        migrations.AddField(model_name="issue", name="corrections", field=models.JSONField(blank=True, default=list))
    ]
