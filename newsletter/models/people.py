"""People beside Django's own accounts: who is asked to join, and what limits the guessing of passwords."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Invitation(models.Model):
    """A link that lets one person in, once. Only the SHA-256 of its token is kept: the table opens no door."""

    token_hash = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=10)
    whom = models.CharField(max_length=254, blank=True)  # a name or address, for those who invite; becomes nobody's
    by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)  # used, or withdrawn
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    def __str__(self) -> str:
        return f"{self.role} by {self.by}"


class LoginFailure(models.Model):
    """One wrong password. `client` and `account` are keyed hashes, so that the table names nobody."""

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
