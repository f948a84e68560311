"""The back door for staff. Consent events are proof: they can be read, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from subscribers import models

if TYPE_CHECKING:
    # django-stubs makes ModelAdmin generic; at run time it is not.
    AnyAdmin = admin.ModelAdmin[Any]
else:
    AnyAdmin = admin.ModelAdmin


@admin.register(models.ConsentEvent)
class ConsentEventAdmin(AnyAdmin):
    list_display = ("at", "kind", "list_slug", "origin")
    list_filter = ("kind", "list_slug")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.Subscription)
class SubscriptionAdmin(AnyAdmin):
    list_display = ("subscriber", "mailing_list", "state", "joined_at")
    list_filter = ("mailing_list", "state")
    search_fields = ("subscriber__address_key",)
    raw_id_fields = ("subscriber",)
    # A state change needs a consent event beside it: subscribers.consent makes both, this page would make one.
    readonly_fields = ("state", "state_at", "confirmed_at", "last_accepted_at", "refusals_in_row")


@admin.register(models.Subscriber)
class SubscriberAdmin(AnyAdmin):
    list_display = ("address", "name", "language", "created_at")
    search_fields = ("address_key", "name")
    readonly_fields = ("address_key", "created_at")


@admin.register(models.Suppression)
class SuppressionAdmin(AnyAdmin):
    list_display = ("address_key", "reason", "at")
    list_filter = ("reason",)


admin.site.register(models.MailingList)
