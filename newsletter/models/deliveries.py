"""The ledger of one send: what was frozen, a row for everybody it goes to, and who is at work on which of them."""

from __future__ import annotations

from django.db import models

from newsletter.models.choices import DeliveryState


class Freeze(models.Model):
    """Everything a letter is made from, as canonical JSON, with its SHA-256. An edit voids it."""

    issue = models.ForeignKey("newsletter.Issue", on_delete=models.CASCADE, related_name="freezes")
    fingerprint = models.CharField(max_length=64)
    inputs = models.TextField()
    created_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.fingerprint[:12]


class Delivery(models.Model):
    """The ledger row (issue, subscription). Primary key and the unique pair are its only indexes, on purpose.

    `address` is copied at the freeze, so that an erased person leaves a count behind and no name.
    """

    id = models.BigAutoField(primary_key=True)
    issue = models.ForeignKey("newsletter.Issue", on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    subscription = models.ForeignKey(
        "subscribers.Subscription", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    address = models.CharField(max_length=254)
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    reason = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issue", "subscription"], name="one_delivery_per_subscription"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}: {self.state}"


class BatchState(models.TextChoices):
    OPEN = "open"
    CLAIMED = "claimed"
    SETTLED = "settled"


class Batch(models.Model):
    """An unbroken id range of deliveries, claimed together. Every write of its rows must still own (owner, fence)."""

    issue = models.ForeignKey("newsletter.Issue", on_delete=models.PROTECT, related_name="batches")
    lo = models.BigIntegerField()
    hi = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=BatchState.choices, default=BatchState.OPEN)
    owner = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["issue", "state", "id"], name="batch_open")]

    def __str__(self) -> str:
        return f"batch {self.lo}-{self.hi} {self.state}"


class Rate(models.Model):
    """What an account has let go so far, shared by all its workers: `next_at` is when the next message may leave, the
    counters say how much of the present hour and day is used up, `sending_days` how many days it has sent on.
    """

    account = models.OneToOneField(
        "newsletter.Account", primary_key=True, on_delete=models.CASCADE, related_name="rate"
    )
    next_at = models.DateTimeField(null=True, blank=True)
    hour = models.DateTimeField(null=True, blank=True)
    hour_used = models.PositiveIntegerField(default=0)
    day = models.DateField(null=True, blank=True)
    day_used = models.PositiveIntegerField(default=0)
    sending_days = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.day_used} on {self.day}"


class Retry(models.Model):
    """A delivery that was answered "not now" waits here; the delivery itself stays pending."""

    delivery = models.OneToOneField(Delivery, primary_key=True, on_delete=models.CASCADE, related_name="retry")
    issue = models.ForeignKey("newsletter.Issue", on_delete=models.CASCADE, related_name="retries")
    attempts = models.PositiveSmallIntegerField(default=1)
    due_at = models.DateTimeField()
    reply = models.CharField(max_length=500, blank=True)
    owner = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["issue", "due_at"], name="retry_due")]

    def __str__(self) -> str:
        return f"delivery {self.delivery_id} again at {self.due_at:%H:%M}"
