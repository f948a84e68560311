"""What of the magazine's settings was last changed in the studio."""

from __future__ import annotations

from django.db import models


class StudioChange(models.Model):
    """One key of magazine.toml whose value somebody changed in the studio: an older file must not take it back unseen.

    Named as the file names it; a magazine's `row` is its slug. `before` is what stood there until then, as the file has
    it. The row goes once a file says the same, or was applied over it on purpose. At the key that names a source it
    says that the source was removed.
    """

    table = models.CharField(max_length=20)
    row = models.CharField(max_length=50)
    field = models.CharField(max_length=30)
    before = models.JSONField(null=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["table", "row", "field"], name="one_studio_change_per_key")]

    def __str__(self) -> str:
        return f"{self.table} {self.row} {self.field} by {self.by}"
