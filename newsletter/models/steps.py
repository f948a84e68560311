"""What editors did at the desk, so that it can be taken back."""

from __future__ import annotations

from django.db import models


class Step(models.Model):
    """One edit of an issue: what of it changed, [thing, before, after] each (`flow.issue.undoing` says what things)."""

    class State(models.TextChoices):
        DONE = "done"
        UNDONE = "undone"
        DROPPED = "dropped"  # somebody changed the same thing since, or went another way

    issue = models.ForeignKey("newsletter.Issue", on_delete=models.CASCADE, related_name="steps")
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    text = models.CharField(max_length=300)
    changes = models.JSONField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.DONE)

    class Meta:
        indexes = [models.Index(fields=["issue", "by", "state"], name="step_last")]

    def __str__(self) -> str:
        return f"{self.text} ({self.state})"
