"""Addresses that stand in mails: they must work for years, so none of them may ever change."""

from __future__ import annotations

from django.urls import path, re_path

from newsletter.web.public import pages, unsubscribe

urlpatterns = [
    path("u/<str:token>", unsubscribe.page, name="unsubscribe"),
    path("u/<str:token>/undo", unsubscribe.undo, name="unsubscribe-undo"),
    path("i/<slug:newsletter>/<str:slot>", pages.view_online, name="view-online"),
    re_path(r"^media/(?P<name>[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|png))$", pages.media, name="media"),
]
