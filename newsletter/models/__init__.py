"""The record: fields, constraints, `__str__`; nothing else. `ledger` alone writes the states of the second half."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from newsletter.models.choices import DeliveryState as DeliveryState
from newsletter.models.choices import LeftOut as LeftOut
from newsletter.models.choices import Pin as Pin
from newsletter.models.deliveries import Batch as Batch
from newsletter.models.deliveries import BatchState as BatchState
from newsletter.models.deliveries import Delivery as Delivery
from newsletter.models.deliveries import Freeze as Freeze
from newsletter.models.deliveries import Rate as Rate
from newsletter.models.deliveries import Retry as Retry
from newsletter.models.evidence import Evidence as Evidence
from newsletter.models.people import Invitation as Invitation
from newsletter.models.people import LoginFailure as LoginFailure
from newsletter.models.people import RecoveryCode as RecoveryCode
from newsletter.models.people import SecondStep as SecondStep
from newsletter.models.sending import Notice as Notice
from newsletter.models.sending import TestMail as TestMail
from newsletter.models.settings import StudioChange as StudioChange
from newsletter.models.signup import ServiceMail as ServiceMail
from newsletter.models.signup import Signup as Signup
from newsletter.models.signup import SignupForm as SignupForm
from newsletter.models.signup import SignupState as SignupState
from newsletter.models.steps import Step as Step


class Magazine(models.Model):
    """Identity. One installation serves one magazine; `slug` keeps the row unique."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    about = models.CharField(max_length=500, blank=True)
    url = models.URLField(max_length=500, blank=True)
    legal_name = models.CharField(max_length=200, blank=True)
    postal_address = models.TextField(blank=True)
    privacy_url = models.URLField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """One configured way out. `settings` never holds a secret: only the name of the variable or file that does."""

    class Kind(models.TextChoices):
        OUTBOX = "outbox"
        SMTP = "smtp"
        ESP = "esp"
        MEMORY = "memory"

    name = models.SlugField(unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OUTBOX)
    settings = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"


class Source(models.Model):
    """A place we gather from, with its health."""

    class Kind(models.TextChoices):
        FEED = "feed"
        WORDPRESS = "wordpress"
        PAGE = "page"
        FOLDER = "folder"
        PASTE = "paste"
        MEMORY = "memory"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    location = models.TextField()  # an address, a folder, or the pasted text itself
    language = models.CharField(max_length=35, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    rubric_map = models.JSONField(default=list, blank=True)  # [[pattern, rubric], ...], first match wins
    preference = models.PositiveSmallIntegerField(default=100)  # lower is preferred as representative (R20)
    enabled = models.BooleanField(default=True)
    # It was removed: neither read nor shown any more, but what came from it stays known, so that nothing that ran is
    # lost, or runs again when it is added anew.
    removed_at = models.DateTimeField(null=True, blank=True)

    etag = models.CharField(max_length=500, blank=True)
    last_modified = models.CharField(max_length=200, blank=True)
    first_gathered_at = models.DateTimeField(null=True, blank=True)  # R6: null until the first import is done
    last_tried_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    failures_in_row = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Poll(models.Model):
    """One try of one source: a failed fetch is not a quiet week, so every try leaves a row."""

    class Outcome(models.TextChoices):
        READ = "read"
        UNCHANGED = "unchanged"
        FAILED = "failed"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="polls")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    entries = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    raw_hash = models.CharField(max_length=64, blank=True)
    warnings = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["source", "-at"], name="poll_recent")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.at:%Y-%m-%d %H:%M} {self.outcome}"


class Review(models.Model):
    """What is placed, of any rubric: made of one or more entries (R19), shown through one of them (R20).

    `first_seen_at` decides inclusion and never changes; `effective_at` decides order and the date printed (R2, R3).
    """

    class Tray(models.TextChoices):
        NONE = ""
        BASELINE = "baseline"  # older than the first import's window (R6)
        FOUND_LATE = "found late"  # older than `freshness` at first sight (R5)
        FLOOD = "flood"  # one poll brought far too many (R5)

    first_seen_at = models.DateTimeField()
    effective_at = models.DateTimeField()
    date_guessed = models.BooleanField(default=False)
    embargoed_until = models.DateTimeField(null=True, blank=True)  # R4
    tray = models.CharField(max_length=12, choices=Tray.choices, default=Tray.NONE, blank=True)
    included_at = models.DateTimeField(null=True, blank=True)  # an editor took it out of its tray
    included_by = models.CharField(max_length=150, blank=True)
    revisited_at = models.DateTimeField(null=True, blank=True)  # same identity, bumped date (R17)
    representative = models.ForeignKey(
        "Entry", null=True, blank=True, on_delete=models.SET_NULL, related_name="represents"
    )

    class Meta:
        indexes = [models.Index(fields=["first_seen_at"], name="review_first_seen")]

    def __str__(self) -> str:
        return self.representative.title if self.representative else f"review {self.pk}"


class Entry(models.Model):
    """One thing as one source serves it. `content` is an `EntryContent` as plain JSON (core.content.to_json)."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="entries")
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="entries")
    guid_key = models.CharField(max_length=500)  # R19a
    url_key = models.CharField(max_length=1000, blank=True, db_index=True)  # R19b
    post_key = models.CharField(max_length=300, blank=True, db_index=True)  # R19c: site and post id
    title = models.TextField()
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    source_updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "guid_key"], name="one_entry_per_guid")]

    def __str__(self) -> str:
        return self.title


class Mention(models.Model):
    """What an entry is about, as keys to find it by (core.kinship.mentions): its title, work, people and rubric."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="mentions")
    key = models.CharField(max_length=200, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "key"], name="mentioned_once")]

    def __str__(self) -> str:
        return self.key


class Picture(models.Model):
    """A picture fetched once, by the address a source gave; its file in the media folder is named by its hash."""

    source_url = models.CharField(max_length=2000, unique=True)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    name = models.CharField(max_length=80, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    media_type = models.CharField(max_length=20, blank=True)
    size = models.PositiveIntegerField(default=0)
    fetched_at = models.DateTimeField()
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name or self.error


class Newsletter(models.Model):
    """One weekly series with list, schedule, design."""

    class ApprovalMode(models.TextChoices):
        REQUIRED = "required"
        AUTOMATIC = "automatic"

    class Ratings(models.TextChoices):
        SHOW = "show"
        HIDE = "hide"
        RATED = "rated rubrics"  # only where a rating is expected: a novel's, not an essay's

    class UnderMinimum(models.TextChoices):
        HOLD = "hold"
        SEND = "send"
        SKIP = "skip"

    slug = models.SlugField(unique=True)
    magazine = models.ForeignKey(Magazine, on_delete=models.PROTECT, related_name="newsletters")
    mailing_list = models.ForeignKey("subscribers.MailingList", on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="newsletters")
    sources = models.ManyToManyField(Source, blank=True, related_name="newsletters")
    name = models.CharField(max_length=200)
    tagline = models.CharField(max_length=300, blank=True)
    design = models.CharField(max_length=100, default="marquee")
    design_tokens = models.JSONField(default=dict, blank=True)
    language = models.CharField(max_length=35, default="en")
    from_name = models.CharField(max_length=200)
    from_address = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, blank=True)
    return_path = models.CharField(max_length=254, blank=True, default="")  # envelope sender; "" is the From address
    audience = models.JSONField(
        default=dict, blank=True
    )  # rule of whom an issue goes to; {} is every active subscriber
    print_promo = models.JSONField(default=dict, blank=True)
    sponsors = models.JSONField(default=list, blank=True)  # inserts with dates (core.inserts): the first open one runs
    ratings = models.CharField(max_length=13, choices=Ratings.choices, default=Ratings.SHOW)

    # The schedule (R8, R9): wall time in an IANA zone, never UTC.
    weekday = models.PositiveSmallIntegerField(default=3)  # Monday is 0
    send_time = models.TimeField()
    timezone = models.CharField(max_length=64, default="UTC")
    cutoff_hours = models.PositiveSmallIntegerField(default=14)
    approval_mode = models.CharField(max_length=10, choices=ApprovalMode.choices, default=ApprovalMode.REQUIRED)
    approval_by_another = models.BooleanField(default=False)  # who edited an issue can't approve it
    starts_at = models.DateTimeField()  # no slot before this instant is ever due

    # The weekly rule's numbers (R5, R6, R12, R13, R14).
    min_reviews = models.PositiveSmallIntegerField(default=3)
    under_minimum = models.CharField(max_length=5, choices=UnderMinimum.choices, default=UnderMinimum.HOLD)
    max_cards = models.PositiveSmallIntegerField(default=12)
    max_lines = models.PositiveSmallIntegerField(default=10)
    freshness_days = models.PositiveSmallIntegerField(default=21)
    first_import_days = models.PositiveSmallIntegerField(default=7)
    grace_hours = models.PositiveSmallIntegerField(default=6)
    min_gap_hours = models.PositiveSmallIntegerField(default=20)
    quiet_weeks = models.PositiveSmallIntegerField(default=0)  # then who is silent is asked; 0: never

    def __str__(self) -> str:
        return self.name


class WeekOff(models.Model):
    """A slot set aside (R22): reviews wait."""

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="weeks_off")
    slot = models.DateField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["newsletter", "slot"], name="one_week_off_per_slot")]

    def __str__(self) -> str:
        return f"{self.slot} off"


# --- the ledger's own tables ------------------------------------------------------------------------------------


class IssueState(models.TextChoices):
    DRAFT = "draft"
    APPROVED = "approved"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    SKIPPED = "skipped"
    MISSED = "missed"
    DISCARDED = "discarded"


class Issue(models.Model):
    """One edition. `slot` is the key: the local date of sending ("2026-11-26"), or a special issue's own name.

    The row itself is the claim of its slot: unique by (newsletter, slot), so two clocks can't make two (R8).
    """

    newsletter = models.ForeignKey(Newsletter, on_delete=models.PROTECT, related_name="issues")
    slot = models.CharField(max_length=60)
    slot_at = models.DateTimeField()
    cutoff_at = models.DateTimeField()
    number = models.PositiveIntegerField()
    special = models.BooleanField(default=False)  # beside the weekly slots: a week has its own issue all the same
    state = models.CharField(max_length=10, choices=IssueState.choices, default=IssueState.DRAFT)
    created_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True, blank=True)  # when the cutoff's placing was done
    subject = models.CharField(max_length=300, blank=True)
    preview_text = models.CharField(max_length=300, blank=True)
    note = models.TextField(blank=True)
    note_signature = models.CharField(max_length=200, blank=True)
    max_cards = models.PositiveSmallIntegerField(null=True, blank=True)  # this issue only (R22)
    corrections = models.JSONField(default=list, blank=True)  # [{review, title, url, text}, ...] of sent reviews (R16)
    # An editor's word on blocks that else go by rule: {"quote": {review, text}, "sponsor": an insert, "promo": an
    # insert, "listen": {title, url}, "pairs": false}. {} takes a block out; a missing name leaves it to the rule.
    blocks = models.JSONField(default=dict, blank=True)
    held_reason = models.TextField(blank=True)  # a label of a draft past its cutoff
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=150, blank=True)
    freeze = models.ForeignKey("Freeze", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    send_at = models.DateTimeField(null=True, blank=True)  # when a person wants it out; null: at its slot
    hurried_from = models.DateTimeField(null=True, blank=True)  # "send now" was pressed: when it would have gone before
    confirmed_by = models.CharField(max_length=150, blank=True)  # who wants it out although another one just went
    started_at = models.DateTimeField(null=True, blank=True)  # the audience is frozen from here on
    finished_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.TextField(blank=True)
    late = models.BooleanField(default=False)  # sent within grace, after its slot (R12)
    outcome_reason = models.TextField(blank=True)  # why skipped, missed or discarded, in one sentence
    audience_count = models.PositiveIntegerField(default=0)  # frozen count: what the final states must add up to
    public_html = models.TextField(blank=True)  # view online: stored when sent, without personal parts

    class Meta:
        constraints = [models.UniqueConstraint(fields=["newsletter", "slot"], name="one_issue_per_slot")]
        indexes = [models.Index(fields=["state", "slot_at"], name="issue_due")]
        permissions = [("approve_issue", "Can approve an issue")]

    def __str__(self) -> str:
        return f"{self.newsletter_id} {self.slot}"


class PlacementState(models.TextChoices):
    RESERVED = "reserved"
    SENT = "sent"
    RELEASED = "released"


class Placement(models.Model):
    """A review in an issue. At most one active row per (newsletter, review, run): a review runs once (R7).

    `run` is 1; an editor's "run again" makes a row with the next run and a typed `run_reason`. `edits` holds the
    editor's own words per field: they win over the source's (R16).
    """

    class Kind(models.TextChoices):
        CARD = "card"
        LINE = "line"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.PROTECT, related_name="placements")
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="placements")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="placements")
    state = models.CharField(max_length=10, choices=PlacementState.choices, default=PlacementState.RESERVED)
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.CARD)
    position = models.PositiveSmallIntegerField(default=0)
    pinned = models.BooleanField(default=False)
    why = models.CharField(max_length=300, blank=True)  # the rule that put it here, in words
    edits = models.JSONField(default=dict, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)  # what the editor last saw of the source (R16)
    run = models.PositiveSmallIntegerField(default=1)
    run_reason = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "review", "run"],
                condition=Q(state__in=["reserved", "sent"]),
                name="a_review_runs_once",
            ),
            models.UniqueConstraint(
                fields=["issue", "review"],
                condition=Q(state__in=["reserved", "sent"]),
                name="a_review_is_once_in_an_issue",
            ),
            models.CheckConstraint(condition=Q(run=1) | ~Q(run_reason=""), name="running_again_needs_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} in {self.issue_id}: {self.state}"


class Carry(models.Model):
    """A decided issue had no room for a waiting review (R14): counted rows, so that the count is never wrong."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="carries")
    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="carries")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "review"], name="carried_once_per_issue")]

    def __str__(self) -> str:
        return f"{self.review_id} past {self.issue_id}"


class Event(models.Model):
    """Something a person should be able to see later: a skip, a miss, an approval. Append-only, no addresses."""

    newsletter = models.ForeignKey(Newsletter, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    issue = models.ForeignKey(Issue, null=True, blank=True, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    text = models.TextField()
    by = models.CharField(max_length=150, blank=True)

    class Meta:
        indexes = [models.Index(fields=["-at"], name="event_recent")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}: {self.text}"
