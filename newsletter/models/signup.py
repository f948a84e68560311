"""How people come in: the forms, what was typed into them, and the mails that answer."""

from __future__ import annotations

from django.db import models

from newsletter.models.choices import DeliveryState


class SignupForm(models.Model):
    """A form by which readers ask for a newsletter. Texts left empty are ours, in the reader's language.

    `topics` are the rubrics offered as a choice; `origins` the sites that may carry the form ("https://example.org").
    """

    slug = models.SlugField(unique=True)
    newsletter = models.ForeignKey("newsletter.Newsletter", on_delete=models.CASCADE, related_name="forms")
    heading = models.CharField(max_length=200, blank=True)
    sub = models.CharField(max_length=500, blank=True)
    button = models.CharField(max_length=60, blank=True)
    consent = models.TextField(blank=True)
    ask_name = models.BooleanField(default=False)
    topics = models.JSONField(default=list, blank=True)
    origins = models.JSONField(default=list, blank=True)
    is_open = models.BooleanField(default=True)
    mails_per_hour = models.PositiveIntegerField(default=500)  # confirmations that this form may cause

    def __str__(self) -> str:
        return self.slug


class SignupState(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    DROPPED = "dropped"


class Signup(models.Model):
    """A form as it was handed in. Written by the request, which looks nothing up: it takes equally long for every
    address. The clock makes of it what the address deserves.
    """

    form = models.ForeignKey(SignupForm, on_delete=models.CASCADE, related_name="signups")
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=300, blank=True)
    topics = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=35, blank=True)
    wording = models.TextField()  # the exact text that was shown
    page = models.CharField(max_length=500, blank=True)  # where the form stood
    at = models.DateTimeField()
    network = models.CharField(max_length=60, blank=True)  # the client's address, cut to its network
    client = models.CharField(max_length=24, blank=True)  # a keyed hash of the client's address, for the limit
    agent = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=SignupState.choices, default=SignupState.WAITING)
    outcome = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["client", "at"], name="signup_limit"),
            models.Index(fields=["state", "id"], name="signup_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.form_id}: {self.state}"


class ServiceMail(models.Model):
    """One mail that somebody's own act asked for: a confirmation, a welcome, a link. Queued with the act, sent by the
    clock. `values` are plain texts that its kind prints; nothing that a stranger typed is among them.
    """

    kind = models.CharField(max_length=20)
    newsletter = models.ForeignKey("newsletter.Newsletter", on_delete=models.CASCADE, related_name="service_mails")
    subscription = models.ForeignKey(
        "subscribers.Subscription", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    form = models.ForeignKey(SignupForm, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    address = models.CharField(max_length=254)
    address_key = models.CharField(max_length=254, default="")
    language = models.CharField(max_length=35, blank=True)
    values = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=9, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)  # not worth sending any more
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["state", "due_at"], name="service_mail_due"),
            models.Index(fields=["address_key", "created_at"], name="service_mail_address"),
            models.Index(fields=["kind", "created_at"], name="service_mail_rate"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.state}"
