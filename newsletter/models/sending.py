"""What people see and do around a send: test mails, and what they were told by mail."""

from __future__ import annotations

from django.db import models


class TestMail(models.Model):
    """One test mail, noted before it leaves, so that the limit holds for whoever presses twice. `error` is "" for one
    that was taken; without `answered_at` nobody knows.
    """

    __test__ = False  # no test of pytest's

    issue = models.ForeignKey("newsletter.Issue", on_delete=models.CASCADE, related_name="test_mails")
    address = models.CharField(max_length=254)
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reply = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="test_mail_recent")]

    def __str__(self) -> str:
        return f"test of {self.issue_id} at {self.at:%Y-%m-%d %H:%M}"


class Notice(models.Model):
    """Something that editors were told by mail. The unique `key` is the claim: nobody is told the same thing twice."""

    key = models.CharField(max_length=200, unique=True)
    newsletter = models.ForeignKey("newsletter.Newsletter", on_delete=models.CASCADE, related_name="notices")
    issue = models.ForeignKey(
        "newsletter.Issue", null=True, blank=True, on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(max_length=20)
    at = models.DateTimeField()
    told = models.PositiveIntegerField(default=0)  # how many people

    def __str__(self) -> str:
        return self.key
