"""What an editor chose for issues to come: what stays out, and what goes in."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class LeftOut(models.Model):
    """An editor kept a review from one issue (`issue` given) or from the newsletter for good (null: needs a reason)."""

    newsletter = models.ForeignKey("newsletter.Newsletter", on_delete=models.CASCADE, related_name="left_out")
    review = models.ForeignKey("newsletter.Review", on_delete=models.CASCADE, related_name="left_out")
    issue = models.ForeignKey(
        "newsletter.Issue", null=True, blank=True, on_delete=models.CASCADE, related_name="left_out"
    )
    reason = models.CharField(max_length=300, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(issue__isnull=False) | ~Q(reason=""), name="leaving_out_for_good_needs_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} left out: {self.reason}"


class Pin(models.Model):
    """An editor wants a review in one issue (`issue` given) or in the next ones until further notice (R15)."""

    newsletter = models.ForeignKey("newsletter.Newsletter", on_delete=models.CASCADE, related_name="pins")
    review = models.ForeignKey("newsletter.Review", on_delete=models.CASCADE, related_name="pins")
    issue = models.ForeignKey("newsletter.Issue", null=True, blank=True, on_delete=models.CASCADE, related_name="pins")
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.review_id} pinned"


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    EXCLUDED = "excluded"
    UNCERTAIN = "uncertain"
