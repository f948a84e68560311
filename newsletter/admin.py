"""The back door for staff. What the ledger writes is read-only here too: a promise is not changed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from newsletter import models

if TYPE_CHECKING:
    # django-stubs makes ModelAdmin generic; at run time it is not.
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin


class ReadOnly(AnyAdmin):
    """Look, don't touch."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Issue)
class IssueAdmin(ReadOnly):
    list_display = ("slot", "newsletter", "state", "slot_at", "audience_count")
    list_filter = ("newsletter", "state")


@admin.register(models.Delivery)
class DeliveryAdmin(ReadOnly):
    # No filter by state: it would read the whole ledger of every issue (its two indexes are all it has).
    list_display = ("id", "issue", "state", "reason")
    list_select_related = ("issue",)
    show_full_result_count = False


@admin.register(models.Placement)
class PlacementAdmin(ReadOnly):
    list_display = ("review", "issue", "state", "kind", "position", "why")
    list_filter = ("state", "newsletter")


@admin.register(models.Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "kind", "text", "by")
    list_filter = ("kind",)


@admin.register(models.Poll)
class PollAdmin(ReadOnly):
    list_display = ("source", "at", "outcome", "entries", "new", "changed", "error")
    list_filter = ("outcome", "source")


@admin.register(models.Source)
class SourceAdmin(AnyAdmin):
    list_display = ("name", "kind", "enabled", "last_success_at", "failures_in_row")
    readonly_fields = (
        "etag",
        "last_modified",
        "first_gathered_at",
        "last_tried_at",
        "last_success_at",
        "last_error",
        "failures_in_row",
    )


@admin.register(models.Newsletter)
class NewsletterAdmin(AnyAdmin):
    list_display = ("name", "weekday", "send_time", "timezone", "approval_mode")


admin.site.register([models.Magazine, models.Account, models.WeekOff])
