"""What is said of a delivery afterwards."""

from __future__ import annotations

from django.db import models


class Evidence(models.Model):
    """What somebody outside said of a delivery: a bounce, a delay, a complaint; and what we did about it. Append-only.

    `event` makes a second telling of the same one nothing. No address stands here, also not in `diagnostic`: a person
    who is erased leaves none behind. `forgiven_at` is when a person set it aside.
    """

    event = models.CharField(max_length=120, unique=True)
    delivery = models.ForeignKey("newsletter.Delivery", null=True, on_delete=models.SET_NULL, related_name="evidence")
    issue = models.ForeignKey(
        "newsletter.Issue", null=True, on_delete=models.CASCADE, related_name="evidence", db_index=False
    )
    subscription = models.ForeignKey("subscribers.Subscription", null=True, on_delete=models.SET_NULL, related_name="+")
    kind = models.CharField(max_length=12)  # core.bounce.ReportKind
    about = models.CharField(max_length=12, blank=True)  # core.bounce.BounceClass
    hard = models.BooleanField(default=False)
    status = models.CharField(max_length=12, blank=True)
    diagnostic = models.CharField(max_length=500, blank=True)
    reporter = models.CharField(max_length=60)
    at = models.DateTimeField()
    decision = models.CharField(max_length=300, blank=True)
    forgiven_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["issue", "kind"], name="evidence_of_issue")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d}: {self.decision}"
