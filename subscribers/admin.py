"""The back door for staff: look at everything, mend a name. What was agreed changes through `consent` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from subscribers.models import ConsentEvent, MailingList, Segment, Subscriber, Subscription, Suppression

if TYPE_CHECKING:
    ReadOnlyBase = admin.ModelAdmin[Model]
    SubscriberBase = admin.ModelAdmin[Subscriber]
else:
    ReadOnlyBase = SubscriberBase = admin.ModelAdmin


class ReadOnly(ReadOnlyBase):
    """To be looked at: each of these rows is written by one module that keeps its promises."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Subscriber)
class SubscriberAdmin(SubscriberBase):
    """A person's name and language. Nobody is added here (there would be no proof), nobody deleted (nor any trace)."""

    list_display = ("address", "name", "language", "created_at")
    search_fields = ("address_key", "name")
    readonly_fields = ("address", "address_key", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Subscriber | None = None) -> bool:
        return False


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnly):
    list_display = ("subscriber", "mailing_list", "state", "state_at")
    list_filter = ("mailing_list", "state")
    list_select_related = ("subscriber", "mailing_list")
    search_fields = ("subscriber__address_key",)


@admin.register(ConsentEvent)
class ConsentEventAdmin(ReadOnly):
    list_display = ("at", "address_key", "list_slug", "kind", "origin")
    list_filter = ("kind", "list_slug")
    search_fields = ("address_key",)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly):
    list_display = ("address_key", "reason", "at")
    list_filter = ("reason",)
    search_fields = ("address_key",)


@admin.register(Segment)
class SegmentAdmin(ReadOnly):
    list_display = ("slug", "mailing_list", "name")
    list_select_related = ("mailing_list",)


@admin.register(MailingList)
class MailingListAdmin(ReadOnly):
    list_display = ("slug", "name")
