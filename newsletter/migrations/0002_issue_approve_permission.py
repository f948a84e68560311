from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0001_initial")]

    operations = [
        migrations.AlterModelOptions(name="issue", options={"permissions": [("approve_issue", "Can approve an issue")]})
    ]
