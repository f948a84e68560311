"""Who agreed to what. Fields, constraints, `__str__`; nothing else."""

from __future__ import annotations

from django.db import models


class SubscriptionState(models.TextChoices):
    PENDING = "pending"  # asked, not confirmed yet
    ACTIVE = "active"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


class SuppressionReason(models.TextChoices):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    ERASED = "erased"
    MANUAL = "manual"


class Frequency(models.TextChoices):
    WEEKLY = "weekly"  # every issue
    MONTHLY = "monthly"  # the first issue of a month


class ConsentKind(models.TextChoices):
    IMPORTED = "imported"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    SUPPRESSED = "suppressed"
    CHANGED = "changed"  # preferences, a pause, an address: what was and what is, in the evidence


class Subscriber(models.Model):
    """A person. `address` is as they wrote it (normalised domain); `address_key` is compared: lower case, NFC."""

    address = models.CharField(max_length=254)
    address_key = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=35, blank=True)
    plain_text = models.BooleanField(default=False)
    attributes = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    new_address = models.CharField(max_length=254, blank=True, default="")  # asked for, not confirmed yet
    erase_at = models.DateTimeField(null=True, blank=True)  # asked to be erased: until then it can be undone

    def __str__(self) -> str:
        return self.address


class MailingList(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """Membership of a list. `topics` is a sorted list of rubric keys, empty for every topic, future ones too."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.PROTECT, related_name="subscriptions")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    state = models.CharField(max_length=12, choices=SubscriptionState.choices, default=SubscriptionState.PENDING)
    topics = models.JSONField(default=list, blank=True)
    frequency = models.CharField(max_length=7, choices=Frequency.choices, default=Frequency.WEEKLY)
    paused_until = models.DateTimeField(null=True, blank=True)  # with state "paused": active again from then on
    joined_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    state_at = models.DateTimeField()
    # How often, and when last, a quiet reader was asked whether they still want it.
    quiet_asks = models.PositiveSmallIntegerField(default=0)
    quiet_asked_at = models.DateTimeField(null=True, blank=True)
    # Counts up whenever the person begins anew: links that may change something, mailed before, are void then.
    generation = models.PositiveIntegerField(default=0)
    # What deliveries teach about a person; written by newsletter's report, never read to decide consent.
    last_accepted_at = models.DateTimeField(null=True, blank=True)
    refusals_in_row = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing_list", "subscriber"], name="one_subscription_per_list"),
        ]
        indexes = [
            # Audience counts and keyset pages walk this one covering index.
            models.Index(fields=["mailing_list", "state", "id"], name="subscription_audience"),
            # Who came within some weeks, for the plots of growth. The date first: an index that begins with the list
            # would be taken for other questions, whose order it is not. Who left needs none: they are the few.
            models.Index(fields=["confirmed_at", "mailing_list"], name="subscription_came"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber_id} on {self.mailing_list_id}: {self.state}"


class Segment(models.Model):
    """A saved condition over the people of a list; `rule` as `segments.parse` reads it."""

    mailing_list = models.ForeignKey(MailingList, on_delete=models.CASCADE, related_name="segments")
    slug = models.SlugField(unique=True)  # over all lists: an audience and a file name it by this alone
    name = models.CharField(max_length=200)
    rule = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name


class ConsentEvent(models.Model):
    """Proof of what was agreed, append-only: never updated, never deleted but by erasure."""

    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.SET_NULL, related_name="consent_events"
    )
    address_key = models.CharField(max_length=254, db_index=True)
    list_slug = models.CharField(max_length=50, blank=True)
    kind = models.CharField(max_length=12, choices=ConsentKind.choices)
    at = models.DateTimeField()
    origin = models.CharField(max_length=200)  # "import members.csv row 14", "one-click", "form weekly"
    wording = models.TextField(blank=True)  # the exact text that was shown or stated
    evidence = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d} ({self.origin})"


class Suppression(models.Model):
    """An address never mailed. `address_key` as on Subscriber, or "hash:" and a keyed hash of an erased person's."""

    address_key = models.CharField(max_length=254, unique=True)
    reason = models.CharField(max_length=10, choices=SuppressionReason.choices)
    at = models.DateTimeField()
    evidence = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.reason} {self.at:%Y-%m-%d}"
