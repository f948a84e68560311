"""An index by which a list of 200,000 shows how it grew within a few milliseconds."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0005_quiet_readers")]

    operations = [
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(fields=["confirmed_at", "mailing_list"], name="subscription_came"),
        ),
    ]
