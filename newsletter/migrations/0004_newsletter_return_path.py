from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0003_issue_corrections")]

    operations = [
        migrations.AddField(
            model_name="newsletter", name="return_path", field=models.CharField(blank=True, default="", max_length=254)
        )
    ]
