"""People beside Django's own accounts: who is asked to join, and what limits the guessing of passwords."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Invitation(models.Model):
    """A link that lets one person in, once. Only the SHA-256 of its token is kept: the table opens no door."""

    token_hash = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10)
    whom = models.CharField(max_length=254, blank=True)  # a name or address, for those who invite; becomes nobody's
    address = models.CharField(max_length=254, blank=True, default="")  # where the link was mailed; becomes theirs
    by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)  # used, or withdrawn
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    def __str__(self) -> str:
        return f"{self.role} by {self.by}"


class SecondStep(models.Model):
    """A person's second step at log-in. `secret` is closed with the installation's key (core.seal); `counter` is the
    period of the last code that was taken, so that none is taken twice.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="second_step"
    )
    secret = models.CharField(max_length=300)
    counter = models.BigIntegerField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} since {self.since:%Y-%m-%d}"


class RecoveryCode(models.Model):
    """One way in without the device, once. Only its keyed mark is kept: the table opens no door."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes")
    mark = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "mark"], name="one_recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {'used' if self.used_at else 'good'}"


class LoginFailure(models.Model):
    """One wrong password or code. `client` and `account` are keyed hashes, so that the table names nobody."""

    client = models.CharField(max_length=40)
    account = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["client", "at"], name="login_failure_client"),
            models.Index(fields=["account", "at"], name="login_failure_account"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
